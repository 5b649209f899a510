//! The same work without us: the floor that a figure is compared with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use callboard_model::yaml;
use callboard_store::{Db, FromValue, Sql, Value, query};

use super::place::Place;
use super::source::Source;
use super::{Engine, SEED};
use crate::generator::Generator;

/// Rows of one statement, and statements of one transaction: as much at once as is of use.
const ROWS: usize = callboard_store::limits::ROWS_PER_STATEMENT;
const STATEMENTS: usize = 20;

/// What a floor took.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Floor {
    pub parse_seconds: f64,
    pub insert_seconds: f64,
    pub cpu_seconds: f64,
    pub rows: u64,
}

/// Parses the files of a catalog, and inserts the rows that it became into empty tables of the same sort.
pub async fn ingest(engine: Engine, size: u64, done: &Path, empty: &Path, sources: &Path) -> Result<Floor> {
    let source = Source::prepare(Generator::new(SEED, size), sources)?;
    let full = Place::open(engine, done)?;
    let (from, _) = full.catalog(source.clone()).await?;
    let place = Place::open(engine, empty)?;
    let (to, _) = place.catalog(source.clone()).await?;

    let (begun, mut cpu) = (Instant::now(), place.cpu(&to).await?);
    parse(&source.files()?)?;
    let parse_seconds = begun.elapsed().as_secs_f64();
    let mut cpu_seconds = place.cpu(&to).await? - cpu;

    let (mut rows, mut insert_seconds) = (0, 0.0);
    for table in tables(&from, engine).await? {
        let table = Table::read(&from, engine, table).await?;
        table.clear(&to).await?;
        rows += table.rows.len() as u64;
        cpu = place.cpu(&to).await?;
        let begun = Instant::now();
        table.insert(&to).await?;
        insert_seconds += begun.elapsed().as_secs_f64();
        cpu_seconds += place.cpu(&to).await? - cpu;
    }
    from.close().await;
    to.close().await;
    Ok(Floor { parse_seconds, insert_seconds, cpu_seconds, rows })
}

fn parse(files: &[PathBuf]) -> Result<()> {
    for file in files {
        let text = std::fs::read_to_string(file)?;
        for document in yaml::documents(&text, &yaml::Limits::default())? {
            std::hint::black_box(document?);
        }
    }
    Ok(())
}

/// The tables of a catalog by name. Those that are only about work under way are empty by then.
async fn tables(db: &Db, engine: Engine) -> Result<Vec<String>> {
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
             AND name NOT LIKE '%migration%' ORDER BY name"
        }
        Engine::Postgres => {
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() \
             AND tablename NOT LIKE '%migration%' ORDER BY tablename"
        }
    };
    let rows = db.fetch_all(query(sql, Vec::new())).await?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

struct Table {
    name: &'static str,
    columns: &'static str,
    rows: Vec<Vec<Value>>,
}

/// Any value, as it is.
struct Any(Value);

impl FromValue for Any {
    fn from_value(value: &Value) -> Option<Self> {
        Some(Any(value.clone()))
    }
}

impl Table {
    async fn read(db: &Db, engine: Engine, name: String) -> Result<Self> {
        let sql = match engine {
            Engine::Sqlite => "SELECT name FROM pragma_table_info($1)",
            Engine::Postgres => {
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1 \
                 AND table_schema = current_schema() ORDER BY ordinal_position"
            }
        };
        let columns = db.fetch_all(query(sql, vec![Value::from(name.as_str())])).await?;
        let columns = columns.iter().map(|row| Ok(row.get::<String>(0)?)).collect::<Result<Vec<_>>>()?;
        let count = columns.len();
        // Statements are part of the program, so these become part of it: a few dozen names.
        let name: &'static str = name.leak();
        let columns: &'static str = columns.join(", ").leak();
        let mut sql = Sql::new();
        sql.push("SELECT ").push(columns).push(" FROM ").push(name);
        let rows = db.fetch_all(sql).await?;
        let values = rows.iter().map(|row| (0..count).map(|column| Ok(row.get::<Any>(column)?.0)).collect());
        Ok(Self { name, columns, rows: values.collect::<Result<_>>()? })
    }

    /// A new catalog has rows of its own.
    async fn clear(&self, db: &Db) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("DELETE FROM ").push(self.name);
        db.execute(sql).await?;
        Ok(())
    }

    async fn insert(self, db: &Db) -> Result<()> {
        let Table { name, columns, rows } = self;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut tx = db.begin().await?;
            for _ in 0..STATEMENTS {
                let some: Vec<_> = rows.by_ref().take(ROWS).collect();
                if some.is_empty() {
                    break;
                }
                let mut sql = Sql::new();
                sql.push("INSERT INTO ").push(name).push("(").push(columns).push(") VALUES ").rows(some);
                tx.execute(sql).await.with_context(|| format!("inserting into {name}"))?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Answers by path.
pub type Answers = HashMap<String, Vec<u8>>;

/// Serves the same bytes from memory, and says where by calling back.
pub async fn serve(answers: Answers, listening: impl FnOnce(&str)) -> Result<()> {
    let answers: HashMap<String, Bytes> = answers.into_iter().map(|(path, bytes)| (path, Bytes::from(bytes))).collect();
    let router = Router::new().fallback(answer).with_state(Arc::new(answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    listening(&format!("http://{}/", listener.local_addr()?));
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State(answers): State<Arc<HashMap<String, Bytes>>>, uri: Uri, body: Bytes) -> Response {
    // The body is read, as it would have to be.
    std::hint::black_box(body);
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    match answers.get(path) {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
