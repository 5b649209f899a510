//! The connections.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Error, Migration, Row, Sql, migrate};

mod sqlite;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// A SQLite file. It and its folder are created where they do not exist.
    File(PathBuf),
    /// A SQLite database that is gone when the last [`Db`] is dropped: for trials and tests.
    Memory,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Arc<sqlite::Sqlite>,
}

/// A transaction. Without [`Tx::commit`] nothing of it stays.
pub struct Tx {
    engine: sqlite::Transaction,
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "leases and what plugins keep",
    sqlite: include_str!("../migrations/0001.sqlite.sql"),
    postgres: include_str!("../migrations/0001.postgres.sql"),
}];

impl Db {
    /// Opens the database and brings the tables of this crate up to date.
    ///
    /// # Errors
    /// It cannot be opened or created, or is newer than this program.
    pub async fn open(config: &DatabaseConfig) -> Result<Db, Error> {
        let db = Db { engine: Arc::new(sqlite::Sqlite::open(config).await?) };
        migrate(&db, "store", MIGRATIONS).await?;
        Ok(db)
    }

    /// Begins a transaction that may write. There is one at a time; others wait for it.
    ///
    /// # Errors
    /// The database is busy for longer than [`crate::limits::BUSY`], or fails.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx { engine: self.engine.begin().await? })
    }

    /// Begins a transaction that only reads: everything that it sees is of one moment, and it waits for no writer.
    ///
    /// # Errors
    /// The database is busy for longer than [`crate::limits::BUSY`], or fails.
    pub async fn read(&self) -> Result<Tx, Error> {
        Ok(Tx { engine: self.engine.read().await? })
    }

    /// All rows of a statement that only reads.
    ///
    /// # Errors
    /// The database fails.
    pub async fn fetch_all(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        self.engine.fetch_all(sql).await
    }

    /// The first row of a statement that only reads.
    ///
    /// # Errors
    /// The database fails.
    pub async fn fetch_optional(&self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(self.fetch_all(sql).await?.into_iter().next())
    }

    /// Carries out a single statement that writes, and says how many rows it touched.
    ///
    /// # Errors
    /// The database fails.
    pub async fn execute(&self, sql: Sql) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let count = tx.execute(sql).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Closes every connection, after what is under way.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl Tx {
    /// All rows of a statement.
    ///
    /// # Errors
    /// The database fails.
    pub async fn fetch_all(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        self.engine.fetch_all(sql).await
    }

    /// The first row of a statement.
    ///
    /// # Errors
    /// The database fails.
    pub async fn fetch_optional(&mut self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(self.fetch_all(sql).await?.into_iter().next())
    }

    /// Carries out a statement and says how many rows it touched.
    ///
    /// # Errors
    /// The database fails.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        self.engine.execute(sql).await
    }

    /// Carries out several statements without arguments.
    pub(crate) async fn execute_script(&mut self, script: &'static str) -> Result<(), Error> {
        self.engine.execute_script(script).await
    }

    /// Keeps what the transaction did.
    ///
    /// # Errors
    /// The database fails; then nothing of it stays.
    pub async fn commit(self) -> Result<(), Error> {
        self.engine.commit().await
    }
}
