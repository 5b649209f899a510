//! Statements.

use crate::{Engine, Error, Value};

mod postgres;
mod sqlite;

pub(crate) use postgres::Parameter;

/// A statement with its arguments.
///
/// Its text is made of pieces that are part of the program (`&'static str`), and every value is an argument. What a
/// caller sends can therefore never become part of the text.
///
/// Most statements read the same on both engines. Where they cannot, a piece says it twice ([`Sql::push_on`]), or is
/// one of those that know how to say it: [`Sql::list`], [`Sql::ids`], [`Sql::blobs`] and [`Sql::rows`].
#[derive(Clone, Debug, Default)]
pub struct Sql {
    numbered: Vec<Value>,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(&'static str),
    PerEngine { sqlite: &'static str, postgres: &'static str },
    Argument(Value),
    Limit(u64),
    List(List),
    Rows(Vec<Vec<Value>>),
}

#[derive(Clone, Debug)]
enum List {
    Texts(Vec<String>),
    Ids(Vec<i64>),
    Blobs(Vec<Vec<u8>>),
}

/// A statement whose text is known in full, with its arguments for `$1`, `$2` …
#[must_use]
pub fn query(text: &'static str, args: Vec<Value>) -> Sql {
    Sql { numbered: args, pieces: vec![Piece::Text(text)] }
}

/// A statement that has a text per engine, with its arguments for `$1`, `$2` …
#[must_use]
pub fn query_on(sqlite: &'static str, postgres: &'static str, args: Vec<Value>) -> Sql {
    Sql { numbered: args, pieces: vec![Piece::PerEngine { sqlite, postgres }] }
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

    /// Adds text that the engines want differently: `push_on("instr(", "strpos(")`.
    pub fn push_on(&mut self, sqlite: &'static str, postgres: &'static str) -> &mut Self {
        self.pieces.push(Piece::PerEngine { sqlite, postgres });
        self
    }

    /// Adds an argument where a value may stand.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.pieces.push(Piece::Argument(value.into()));
        self
    }

    /// Adds ` LIMIT ` and a number. The number is part of the text, because PostgreSQL plans by it: with an argument it
    /// takes the limit for a tenth of the table, or plans again for each.
    pub fn limit(&mut self, rows: u64) -> &mut Self {
        self.pieces.push(Piece::Limit(rows.min(i64::MAX.unsigned_abs())));
        self
    }

    /// Adds a list of texts after `IN`: `push("ref IN ").list(refs)`. It is one argument however long it is. A list of one
    /// is told apart, because that is another question to a planner.
    pub fn list(&mut self, values: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.pieces.push(Piece::List(List::Texts(values.into_iter().map(Into::into).collect())));
        self
    }

    /// Adds a list of numbers after `IN`: `push("id IN ").ids([1, 2])`.
    pub fn ids(&mut self, values: impl IntoIterator<Item = i64>) -> &mut Self {
        self.pieces.push(Piece::List(List::Ids(values.into_iter().collect())));
        self
    }

    /// Adds a list of bytes after `IN`: `push("hash IN ").blobs(hashes)`.
    pub fn blobs(&mut self, values: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> &mut Self {
        self.pieces.push(Piece::List(List::Blobs(values.into_iter().map(Into::into).collect())));
        self
    }

    /// Adds rows after `VALUES`: in an INSERT, or as `WITH new(id, name) AS (VALUES …)`. At least one; on SQLite at
    /// most [`crate::limits::SQLITE_ARGUMENTS`] values, which [`Tx::insert`](crate::Tx::insert) heeds by itself.
    ///
    /// Where nothing but the rows follows `VALUES`, PostgreSQL gets one array per column, so that the text is the same
    /// for any number of rows. There, all values of a column are of one type, or NULL.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> &mut Self {
        self.pieces.push(Piece::Rows(rows.into_iter().collect()));
        self
    }

    /// The text and the arguments as SQLite takes them, and whether the statement is worth keeping prepared.
    pub(crate) fn render_sqlite(self) -> Result<(String, Vec<Value>, bool), Error> {
        sqlite::render(self)
    }

    /// The text and the arguments as PostgreSQL takes them.
    pub(crate) fn render_postgres(self) -> Result<(String, Vec<Parameter>), Error> {
        postgres::render(self)
    }

    /// The text alone, for looking at plans. The values are left out.
    ///
    /// # Errors
    /// A text holds a NUL, or the rows do not fit together.
    pub fn text(&self, engine: Engine) -> Result<String, Error> {
        match engine {
            Engine::Sqlite => self.clone().render_sqlite().map(|(text, ..)| text),
            Engine::Postgres => self.clone().render_postgres().map(|(text, _)| text),
        }
    }
}

impl List {
    /// Its value, where it has just one.
    fn single(&self) -> Option<Value> {
        match self {
            List::Texts(texts) => <&[String; 1]>::try_from(&**texts).ok().map(|[text]| Value::Text(text.clone())),
            List::Ids(ids) => <[i64; 1]>::try_from(&**ids).ok().map(|[id]| Value::Integer(id)),
            List::Blobs(blobs) => <&[Vec<u8>; 1]>::try_from(&**blobs).ok().map(|[blob]| Value::Blob(blob.clone())),
        }
    }
}

/// No text with a NUL goes into the database, on either engine.
fn refuse_nul<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
    match texts.into_iter().any(|text| text.contains('\0')) {
        true => Err(Error::Nul),
        false => Ok(()),
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
