//! Statements as SQLite takes them.

use super::{List, Piece, Sql, refuse_nul, text_of};
use crate::{Error, Value};

pub(super) fn render(sql: Sql) -> Result<(String, Vec<Value>, bool), Error> {
    let mut text = String::new();
    let mut args = sql.numbered;
    let mut persistent = true;
    // `$1` is a name to SQLite, and each of a thousand names is looked up among all others; `?` is just the next one.
    let names = !args.is_empty();
    let argument = |text: &mut String, args: &mut Vec<Value>, value: Value| {
        args.push(value);
        if names {
            text.push('$');
            text.push_str(&args.len().to_string());
        } else {
            text.push('?');
        }
    };
    for piece in sql.pieces {
        match piece {
            Piece::Text(piece) | Piece::PerEngine { sqlite: piece, .. } => text.push_str(piece),
            Piece::Argument(value) => argument(&mut text, &mut args, value),
            Piece::Limit(rows) => {
                text.push_str(" LIMIT ");
                text.push_str(&rows.to_string());
            }
            Piece::List(list) if let Some(value) = list.single() => {
                text.push('(');
                argument(&mut text, &mut args, value);
                text.push(')');
            }
            Piece::List(list) => {
                // One argument however long the list is, so that the text stays the same.
                let (json, item) = match list {
                    List::Texts(texts) => {
                        refuse_nul(texts.iter().map(String::as_str))?;
                        (serde_json::Value::from(texts), "value")
                    }
                    List::Ids(ids) => (serde_json::Value::from(ids), "value"),
                    List::Blobs(blobs) => {
                        (blobs.iter().map(|blob| serde_json::Value::from(hex(blob))).collect(), "unhex(value)")
                    }
                };
                text.push_str("(SELECT ");
                text.push_str(item);
                text.push_str(" FROM json_each(");
                argument(&mut text, &mut args, Value::Text(json.to_string()));
                text.push_str("))");
            }
            Piece::Rows(rows) => {
                // Its text depends on how many rows there are: keeping it prepared would push out those that come
                // again.
                persistent = false;
                for (number, row) in rows.into_iter().enumerate() {
                    text.push_str(if number == 0 { "(" } else { ", (" });
                    for (column, value) in row.into_iter().enumerate() {
                        if column > 0 {
                            text.push_str(", ");
                        }
                        argument(&mut text, &mut args, value);
                    }
                    text.push(')');
                }
            }
        }
    }
    // The lists were looked at before they became JSON, which escapes.
    refuse_nul(args.iter().filter_map(text_of))?;
    Ok((text, args, persistent))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args, query, query_on};

    fn check(sql: Sql, text: &str, args: &[Value], persistent: bool) {
        assert_eq!(render(sql).unwrap(), (text.to_owned(), args.to_vec(), persistent));
    }

    #[test]
    fn rendered() {
        check(query("SELECT $1, $2", args![1, "a"]), "SELECT $1, $2", &args![1, "a"], true);
        check(query_on("SELECT a", "SELECT b", args![]), "SELECT a", &[], true);
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE b = ").bind("'; DROP TABLE t").push(" AND c IN ").list(["x", "y"]);
        check(
            sql,
            "SELECT a FROM t WHERE b = ? AND c IN (SELECT value FROM json_each(?))",
            &args!["'; DROP TABLE t", r#"["x","y"]"#],
            true,
        );
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE h IN ").blobs([vec![0x0f, 0xa0], vec![1]]).push_on(" AND x", " AND y");
        check(
            sql,
            "SELECT a FROM t WHERE h IN (SELECT unhex(value) FROM json_each(?)) AND x",
            &args![r#"["0fa0","01"]"#],
            true,
        );
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE b IN ").ids([7]).push(" ORDER BY a").limit(3);
        check(sql, "SELECT a FROM t WHERE b IN (?) ORDER BY a LIMIT 3", &args![7], true);
        let mut sql = query("INSERT INTO t(a, b) VALUES ", args![]);
        sql.rows([args![1, "x"], args![2, None::<&str>]]);
        check(sql, "INSERT INTO t(a, b) VALUES (?, ?), (?, ?)", &args![1, "x", 2, Value::Null], false);
    }

    #[test]
    fn nul_is_refused() {
        let mut list = Sql::new();
        list.list(["a", "b\0"]);
        for sql in [query("SELECT $1", args!["a\0b"]), list] {
            assert!(matches!(render(sql), Err(Error::Nul)));
        }
    }
}
