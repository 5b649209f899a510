//! SQLite: one connection that writes, several that read.
//!
//! With the write-ahead log, readers and the writer do not wait for each other. There is one writer because SQLite has
//! one write lock: a queue inside the process is fair, where the lock's busy handler is a matter of luck.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::error::BoxDynError;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous, SqliteValueRef,
};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Decode, Executor, Row as _, Sqlite as Engine, TypeInfo as _,
    ValueRef as _,
};

use crate::error::is_busy;
use crate::limits::{BUSY, CACHE_KIB, CHECKPOINT_PAGES, PAGE_BYTES, READERS, ROWS_AHEAD, WAL_BYTES, WRITER_CACHE_KIB};
use crate::{Error, Row, Sql, Value};

/// The pause before a file that somebody else opens is opened again.
const AGAIN: Duration = Duration::from_millis(20);

pub(super) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

/// A copy of a database's file. It and what SQLite keeps beside it are removed when this is dropped.
pub(super) struct CopiedFile {
    pub(super) path: PathBuf,
    /// Keeps others who open the same file for the first time from making a copy under the same name. It is the
    /// folder that is locked: to open and close the database's file would give up SQLite's own locks.
    _lock: File,
}

pub(super) struct Transaction(sqlx::Transaction<'static, Engine>);

impl Sqlite {
    /// Opens a file, or a database that is gone when this is.
    pub(super) async fn open(file: Option<&Path>) -> Result<Sqlite, Error> {
        // SQLite's own in-memory databases cannot be shared by a writer and readers without table locks.
        let (path, folder) = match file {
            Some(path) => (path.to_owned(), None),
            None => {
                let folder = tempfile::TempDir::with_prefix("callboard-")
                    .map_err(|error| failed_to_open("in memory", &error))?;
                (folder.path().join("callboard.sqlite"), Some(folder))
            }
        };
        let name = path.display().to_string();
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            tokio::fs::create_dir_all(parent).await.map_err(|error| failed_to_open(&name, &error))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .page_size(PAGE_BYTES)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .pragma("journal_size_limit", WAL_BYTES.to_string())
            .pragma("temp_store", "memory")
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let writer = options
            .clone()
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string());
        let writer = pool(1, writer).await.map_err(|error| failed_to_open(&name, &error))?;
        let readers = options.pragma("cache_size", format!("-{CACHE_KIB}")).pragma("query_only", "on");
        let readers = pool(READERS, readers).await.map_err(|error| failed_to_open(&name, &error))?;
        Ok(Sqlite { writer, readers, path, _folder: folder })
    }

    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        // A transaction that asks for the lock only at its first write can fail there, when another program wrote since.
        Ok(Transaction(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    pub(super) async fn read(&self) -> Result<Transaction, Error> {
        Ok(Transaction(self.readers.begin().await?))
    }

    pub(super) async fn fetch_all(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        fetch_all(&self.readers, sql).await
    }

    /// Copies the database into a file beside it, as it is at this moment.
    pub(super) async fn copy(&self) -> Result<CopiedFile, Error> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".migrating");
        let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.to_owned();
        let locked =
            tokio::task::spawn_blocking(move || File::open(folder).and_then(|folder| folder.lock().map(|()| folder)));
        let lock = locked.await.map_err(std::io::Error::other).flatten();
        let lock = lock.map_err(|error| Error::Failed(format!("its folder cannot be locked: {error}")))?;
        let copy = CopiedFile { path: name.into(), _lock: lock };
        // Of a start that was cut off.
        copy.remove();
        let path = copy.path.to_str().ok_or_else(|| Error::Failed("its path is not UTF-8".to_owned()))?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&self.writer).await?;
        Ok(copy)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl CopiedFile {
    fn remove(&self) {
        for beside in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.path.as_os_str().to_owned();
            name.push(beside);
            // Usually it is not there.
            std::fs::remove_file(PathBuf::from(name)).ok();
        }
    }
}

impl Drop for CopiedFile {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Transaction {
    pub(super) async fn fetch_all(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        fetch_all(&mut *self.0, sql).await
    }

    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        let (text, args, persistent) = sql.render_sqlite()?;
        let query = sqlx::query_with(AssertSqlSafe(text), arguments(args)?).persistent(persistent);
        Ok(query.execute(&mut *self.0).await?.rows_affected())
    }

    pub(super) async fn execute_script(&mut self, script: &'static str) -> Result<(), Error> {
        sqlx::raw_sql(script).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        Ok(self.0.commit().await?)
    }
}

async fn fetch_all<'c>(executor: impl Executor<'c, Database = Engine>, sql: Sql) -> Result<Vec<Row>, Error> {
    let (text, args, persistent) = sql.render_sqlite()?;
    let rows =
        sqlx::query_with(AssertSqlSafe(text), arguments(args)?).persistent(persistent).fetch_all(executor).await?;
    let names: Arc<[String]> = rows
        .first()
        .map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect())
        .unwrap_or_default();
    rows.into_iter().map(|row| Ok(Row { names: Arc::clone(&names), values: values(&row)? })).collect()
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, Error> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Integer(number) => arguments.add(number),
            Value::Real(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Blob(bytes) => arguments.add(bytes),
        };
        added.map_err(|error| Error::Failed(error.to_string()))?;
    }
    Ok(arguments)
}

fn values(row: &SqliteRow) -> Result<Vec<Value>, Error> {
    (0..row.columns().len()).map(|index| value(row, index)).collect()
}

fn value(row: &SqliteRow, index: usize) -> Result<Value, Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    // Chosen before the value is taken, because the name borrows from it.
    let decode: fn(SqliteValueRef<'_>) -> Result<Value, BoxDynError> = match raw.type_info().name() {
        "INTEGER" => |raw| <i64 as Decode<Engine>>::decode(raw).map(Value::Integer),
        "REAL" => |raw| <f64 as Decode<Engine>>::decode(raw).map(Value::Real),
        "BLOB" => |raw| <Vec<u8> as Decode<Engine>>::decode(raw).map(Value::Blob),
        _ => |raw| <String as Decode<Engine>>::decode(raw).map(Value::Text),
    };
    let decoded = decode(raw);
    decoded.map_err(|error| Error::Column { column: index.to_string(), reason: error.to_string() })
}

/// Connections to a file. The first one puts a new file into WAL mode, which takes it for oneself alone, and where others
/// open it at the same moment SQLite does not wait as it does otherwise.
async fn pool(connections: u32, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let begun = Instant::now();
    loop {
        let pool = SqlitePoolOptions::new().acquire_timeout(BUSY).idle_timeout(None).max_lifetime(None);
        match pool.max_connections(connections).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY => tokio::time::sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

fn failed_to_open(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Open { name: name.to_owned(), reason: error.to_string() }
}
