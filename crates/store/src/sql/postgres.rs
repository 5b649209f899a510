//! Statements as PostgreSQL takes them.

use super::{List, Piece, Sql, refuse_nul, text_of};
use crate::{Error, Value};

/// An argument as it goes over the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parameter {
    /// A single value.
    One(Value),
    /// `bigint[]`.
    Integers(Vec<Option<i64>>),
    /// `double precision[]`.
    Reals(Vec<Option<f64>>),
    /// `text[]`.
    Texts(Vec<Option<String>>),
    /// `bytea[]`.
    Blobs(Vec<Option<Vec<u8>>>),
}

impl Parameter {
    /// One letter for its type.
    fn letter(&self) -> char {
        match self {
            Parameter::One(Value::Null) => 'n',
            Parameter::One(Value::Integer(_)) => 'i',
            Parameter::One(Value::Real(_)) => 'r',
            Parameter::One(Value::Text(_)) => 't',
            Parameter::One(Value::Blob(_)) => 'b',
            Parameter::Integers(_) => 'I',
            Parameter::Reals(_) => 'R',
            Parameter::Texts(_) => 'T',
            Parameter::Blobs(_) => 'B',
        }
    }

    fn array(&self) -> &'static str {
        match self {
            Parameter::Integers(_) => "::bigint[]",
            Parameter::Reals(_) => "::double precision[]",
            Parameter::Texts(_) => "::text[]",
            Parameter::Blobs(_) => "::bytea[]",
            Parameter::One(_) => "",
        }
    }
}

pub(super) fn render(sql: Sql) -> Result<(String, Vec<Parameter>), Error> {
    refuse_nul(sql.numbered.iter().filter_map(text_of))?;
    let mut out = Out { text: String::new(), args: sql.numbered.into_iter().map(Parameter::One).collect() };
    for piece in sql.pieces {
        match piece {
            Piece::Text(piece) | Piece::PerEngine { postgres: piece, .. } => out.text.push_str(piece),
            Piece::Argument(value) => {
                refuse_nul(text_of(&value))?;
                out.argument(Parameter::One(value));
            }
            Piece::Limit(rows) => {
                out.text.push_str(" LIMIT ");
                out.text.push_str(&rows.to_string());
            }
            Piece::List(list) => out.list(list)?,
            Piece::Rows(rows) => out.rows(rows)?,
        }
    }
    // The driver keeps prepared statements by their text alone, and the types of its arguments belong to a prepared
    // statement: the same text with a NULL where a number was, or a text, is another statement.
    if !out.args.is_empty() {
        out.text.push_str(" /* ");
        out.text.extend(out.args.iter().map(Parameter::letter));
        out.text.push_str(" */");
    }
    Ok((out.text, out.args))
}

struct Out {
    text: String,
    args: Vec<Parameter>,
}

impl Out {
    fn argument(&mut self, parameter: Parameter) {
        let cast = parameter.array();
        self.args.push(parameter);
        self.text.push_str(&format!("${}{cast}", self.args.len()));
    }

    fn list(&mut self, list: List) -> Result<(), Error> {
        if let Some(value) = list.single() {
            refuse_nul(text_of(&value))?;
            self.text.push('(');
            self.argument(Parameter::One(value));
            self.text.push(')');
            return Ok(());
        }
        let list = match list {
            List::Texts(texts) => {
                refuse_nul(texts.iter().map(String::as_str))?;
                Parameter::Texts(texts.into_iter().map(Some).collect())
            }
            List::Ids(ids) => Parameter::Integers(ids.into_iter().map(Some).collect()),
            List::Blobs(blobs) => Parameter::Blobs(blobs.into_iter().map(Some).collect()),
        };
        self.text.push_str("(SELECT unnest(");
        self.argument(list);
        self.text.push_str("))");
        Ok(())
    }

    fn rows(&mut self, rows: Vec<Vec<Value>>) -> Result<(), Error> {
        for row in &rows {
            refuse_nul(row.iter().filter_map(text_of))?;
        }
        let Some(before) = self.text.trim_end().strip_suffix("VALUES").map(str::len) else {
            self.listed(rows);
            return Ok(());
        };
        self.text.truncate(before);
        let count = rows.len();
        let width = rows.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<Value>> = (0..width).map(|_| Vec::with_capacity(count)).collect();
        for row in rows {
            if row.len() != width {
                let text = format!("a row has {} values, and the first one has {width}", row.len());
                return Err(Error::Statement(text));
            }
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        self.unnested(columns, count)
    }

    /// `SELECT … FROM unnest($1::bigint[], $2::text[])`: the same text for any number of rows.
    fn unnested(&mut self, columns: Vec<Vec<Value>>, count: usize) -> Result<(), Error> {
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(number, values)| array(number, values))
            .collect::<Result<Vec<_>, _>>()?;
        self.text.push_str("SELECT ");
        for (number, column) in columns.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            match column {
                Some(_) => self.text.push_str(&format!("{comma}c{number}")),
                // NULL alone takes the type of the column that it goes into.
                None => self.text.push_str(&format!("{comma}NULL")),
            }
        }
        self.text.push_str(" FROM unnest(");
        let mut names = String::new();
        for (number, column) in columns.into_iter().enumerate() {
            let Some(column) = column else { continue };
            if !names.is_empty() {
                names.push_str(", ");
                self.text.push_str(", ");
            }
            names.push_str(&format!("c{number}"));
            self.argument(column);
        }
        if names.is_empty() {
            // Nothing but NULL: there is still one row for each.
            names.push('c');
            self.argument(Parameter::Integers(vec![None; count]));
        }
        self.text.push_str(&format!(") AS rows({names})"));
        Ok(())
    }

    fn listed(&mut self, rows: Vec<Vec<Value>>) {
        for (number, row) in rows.into_iter().enumerate() {
            self.text.push_str(if number == 0 { "(" } else { ", (" });
            for (column, value) in row.into_iter().enumerate() {
                if column > 0 {
                    self.text.push_str(", ");
                }
                self.argument(Parameter::One(value));
            }
            self.text.push(')');
        }
    }
}

/// A column as an array; none where it holds nothing but NULL.
fn array(number: usize, values: Vec<Value>) -> Result<Option<Parameter>, Error> {
    let is_set = |value: &&Value| **value != Value::Null;
    let Some(kind) = values.iter().find(is_set).map(Value::type_name) else { return Ok(None) };
    if let Some(other) = values.iter().filter(is_set).find(|value| value.type_name() != kind) {
        let text = format!("column {number} of its rows holds {kind} and {}", other.type_name());
        return Err(Error::Statement(text));
    }
    macro_rules! collect {
        ($array:ident, $variant:ident) => {{
            let take = |value| match value {
                Value::$variant(value) => Some(value),
                _ => None,
            };
            Parameter::$array(values.into_iter().map(take).collect())
        }};
    }
    Ok(Some(match values.iter().find(is_set) {
        Some(Value::Real(_)) => collect!(Reals, Real),
        Some(Value::Text(_)) => collect!(Texts, Text),
        Some(Value::Blob(_)) => collect!(Blobs, Blob),
        Some(Value::Integer(_) | Value::Null) | None => collect!(Integers, Integer),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args, query, query_on};

    fn check(sql: Sql, text: &str, args: &[Parameter]) {
        assert_eq!(render(sql).unwrap(), (text.to_owned(), args.to_vec()));
    }

    fn one(value: impl Into<Value>) -> Parameter {
        Parameter::One(value.into())
    }

    #[test]
    fn rendered() {
        check(query("SELECT $1, $2", args![1, "a"]), "SELECT $1, $2 /* it */", &[one(1), one("a")]);
        check(query("SELECT $1", vec![Value::Null]), "SELECT $1 /* n */", &[one(Value::Null)]);
        check(query_on("SELECT a", "SELECT b", args![]), "SELECT b", &[]);
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE b = ").bind("'; DROP TABLE t").push(" AND c IN ").list(["x", "y"]);
        check(
            sql,
            "SELECT a FROM t WHERE b = $1 AND c IN (SELECT unnest($2::text[])) /* tT */",
            &[one("'; DROP TABLE t"), Parameter::Texts(vec![Some("x".to_owned()), Some("y".to_owned())])],
        );
        let mut sql = Sql::new();
        sql.push("SELECT a FROM t WHERE b IN ").ids([7]).push(" ORDER BY a").limit(3);
        check(sql, "SELECT a FROM t WHERE b IN ($1) ORDER BY a LIMIT 3 /* i */", &[one(7)]);
    }

    #[test]
    fn rows_become_columns() {
        let mut sql = query("INSERT INTO t(a, b, c) VALUES ", args![]);
        sql.rows([args![1, None::<&str>, None::<&str>], args![2, "x", None::<&str>]]).push(" ON CONFLICT DO NOTHING");
        check(
            sql,
            "INSERT INTO t(a, b, c) SELECT c0, c1, NULL FROM unnest($1::bigint[], $2::text[]) AS rows(c0, c1) \
             ON CONFLICT DO NOTHING /* IT */",
            &[Parameter::Integers(vec![Some(1), Some(2)]), Parameter::Texts(vec![None, Some("x".to_owned())])],
        );
        let mut sql = query("INSERT INTO t(a) VALUES ", args![]);
        sql.rows([args![None::<i64>], args![None::<i64>]]);
        check(
            sql,
            "INSERT INTO t(a) SELECT NULL FROM unnest($1::bigint[]) AS rows(c) /* I */",
            &[Parameter::Integers(vec![None, None])],
        );
        let mut sql = query("INSERT INTO t(a) VALUES ($1), ", args![1]);
        sql.rows([args![2]]);
        check(sql, "INSERT INTO t(a) VALUES ($1), ($2) /* ii */", &[one(1), one(2)]);
    }

    #[test]
    fn rows_that_do_not_fit_together() {
        for (rows, expected) in [
            (vec![args![1, 2], args![1]], "a row has 1 values, and the first one has 2"),
            (vec![args![1], args!["x"]], "column 0 of its rows holds a whole number and text"),
        ] {
            let mut sql = query("INSERT INTO t VALUES ", args![]);
            sql.rows(rows);
            let error = render(sql).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn nul_is_refused() {
        let mut list = Sql::new();
        list.list(["a", "b\0"]);
        let mut rows = query("INSERT INTO t VALUES ", args![]);
        rows.rows([args!["\0"]]);
        let mut bound = Sql::new();
        bound.bind("\0");
        for sql in [query("SELECT $1", args!["a\0b"]), list, rows, bound] {
            assert!(matches!(render(sql), Err(Error::Nul)));
        }
    }
}
