//! Statements.

use crate::Value;

/// A statement with its arguments.
///
/// Its text is made of pieces that are part of the program (`&'static str`), and every value is an argument. What a
/// caller sends can therefore never become part of the text.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    numbered: Vec<Value>,
    pieces: Vec<Piece>,
    one_off: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(&'static str),
    Argument(Value),
    List(serde_json::Value),
    Rows(Vec<Vec<Value>>),
}

/// A statement whose text is known in full, with its arguments for `$1`, `$2` …
#[must_use]
pub fn query(text: &'static str, args: Vec<Value>) -> Sql {
    Sql { numbered: args, pieces: vec![Piece::Text(text)], one_off: false }
}

impl Sql {
    /// An empty statement, to be put together.
    #[must_use]
    pub fn new() -> Sql {
        Sql::default()
    }

    /// Adds text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.pieces.push(Piece::Text(text));
        self
    }

    /// Adds an argument where a value may stand.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.pieces.push(Piece::Argument(value.into()));
        self
    }

    /// Adds a list of texts where a subquery may stand: `push("ref IN ").list(refs)`.
    pub fn list(&mut self, values: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.pieces
            .push(Piece::List(values.into_iter().map(|value| serde_json::Value::String(value.into())).collect()));
        self
    }

    /// Adds a list of numbers where a subquery may stand: `push("id IN ").ids([1, 2])`.
    pub fn ids(&mut self, values: impl IntoIterator<Item = i64>) -> &mut Self {
        self.pieces.push(Piece::List(values.into_iter().map(serde_json::Value::from).collect()));
        self
    }

    /// Adds rows after `VALUES`. At most [`crate::limits::ROWS_PER_STATEMENT`] at once.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> &mut Self {
        self.pieces.push(Piece::Rows(rows.into_iter().collect()));
        // Its text depends on how many rows there are: keeping it prepared would push out those that come again.
        self.one_off = true;
        self
    }

    /// The text and the arguments as SQLite takes them, and whether the statement is worth keeping prepared.
    pub(crate) fn render_sqlite(self) -> (String, Vec<Value>, bool) {
        let mut text = String::new();
        let mut args = self.numbered;
        let argument = |text: &mut String, args: &mut Vec<Value>, value: Value| {
            args.push(value);
            text.push('$');
            text.push_str(&args.len().to_string());
        };
        for piece in self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Argument(value) => argument(&mut text, &mut args, value),
                Piece::List(values) => {
                    // One argument however long the list is, so that the text stays the same.
                    let json = values.to_string();
                    text.push_str("(SELECT value FROM json_each(");
                    argument(&mut text, &mut args, Value::Text(json));
                    text.push_str("))");
                }
                Piece::Rows(rows) => {
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
        (text, args, !self.one_off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    #[test]
    fn rendered() {
        fn check(sql: Sql, text: &str, args: &[Value], persistent: bool) {
            let rendered = sql.render_sqlite();
            assert_eq!(rendered, (text.to_owned(), args.to_vec(), persistent));
        }
        check(query("SELECT $1, $2", args![1, "a"]), "SELECT $1, $2", &args![1, "a"], true);
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE b = ").bind("'; DROP TABLE t").push(" AND c IN ").list(["x", "y"]);
        check(
            sql,
            "SELECT a FROM t WHERE b = $1 AND c IN (SELECT value FROM json_each($2))",
            &args!["'; DROP TABLE t", r#"["x","y"]"#],
            true,
        );
        let mut sql = query("INSERT INTO t(a, b) VALUES ", args![]);
        sql.rows([args![1, "x"], args![2, None::<&str>]]);
        check(sql, "INSERT INTO t(a, b) VALUES ($1, $2), ($3, $4)", &args![1, "x", 2, Value::Null], false);
    }
}
