//! The connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::notify::{self, Hub, Notifications, Told};
use crate::outbox::{self, Subscribed};
use crate::{DatabaseConfig, Error, Migration, Row, Sql, Value, limits, migrate};

mod postgres;
mod sqlite;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    driver: Driver,
    hub: Arc<Hub>,
    statements: AtomicU64,
    /// Transactions that were kept.
    writes: AtomicU64,
    subscribed: Subscribed,
}

impl Inner {
    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

enum Driver {
    Sqlite(sqlite::Sqlite),
    Postgres(Box<postgres::Postgres>),
}

/// Which database it is, for what no statement can express on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, in this process.
    Sqlite,
    /// PostgreSQL, which other replicas may share.
    Postgres,
}

/// A state of the database. Two that are the same hold the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// Transactions that were kept since the file was opened.
    Writes(u64),
    /// Which transactions are seen, in PostgreSQL's words.
    Snapshot(Arc<str>),
}

/// A transaction. Without [`Tx::commit`] nothing of it stays.
///
/// After a statement has failed, all that is left is to drop it: PostgreSQL takes no further statement then, and here
/// both engines refuse to commit.
pub struct Tx {
    driver: TxDriver,
    inner: Arc<Inner>,
    failed: bool,
}

enum TxDriver {
    Sqlite { transaction: sqlite::Transaction, told: Told },
    Postgres(postgres::Transaction),
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "leases and what plugins keep",
        sqlite: include_str!("../migrations/0001.sqlite.sql"),
        postgres: include_str!("../migrations/0001.postgres.sql"),
    },
    Migration {
        version: 2,
        name: "generations of plugins",
        sqlite: include_str!("../migrations/0002.sqlite.sql"),
        postgres: include_str!("../migrations/0002.postgres.sql"),
    },
    Migration {
        version: 3,
        name: "events for subscribers",
        sqlite: include_str!("../migrations/0003.sqlite.sql"),
        postgres: include_str!("../migrations/0003.postgres.sql"),
    },
];

/// A copy of a database, which is removed with this.
pub(crate) struct Copy {
    /// The copy.
    pub(crate) db: Db,
    _file: sqlite::CopiedFile,
}

impl Db {
    /// Opens the database and brings the tables of this crate up to date.
    ///
    /// # Errors
    /// It cannot be opened or created, or is newer than this program.
    pub async fn open(config: &DatabaseConfig) -> Result<Db, Error> {
        let db = Db::connect(config).await?;
        migrate(&db, "store", MIGRATIONS).await?;
        let subscriptions = outbox::load(&mut db.read().await?).await?;
        db.inner.subscribed.set(subscriptions);
        Ok(db)
    }

    async fn connect(config: &DatabaseConfig) -> Result<Db, Error> {
        let hub = Arc::new(Hub::default());
        let driver = match config {
            DatabaseConfig::File(path) => Driver::Sqlite(sqlite::Sqlite::open(Some(path)).await?),
            DatabaseConfig::Memory => Driver::Sqlite(sqlite::Sqlite::open(None).await?),
            DatabaseConfig::Postgres(config) => {
                Driver::Postgres(Box::new(postgres::Postgres::open(config, Arc::clone(&hub)).await?))
            }
        };
        let (statements, writes) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Db { inner: Arc::new(Inner { driver, hub, statements, writes, subscribed: Subscribed::default() }) })
    }

    /// Who is told of what, in memory.
    pub(crate) fn subscribed(&self) -> &Subscribed {
        &self.inner.subscribed
    }

    /// Which database it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.inner.driver {
            Driver::Sqlite(_) => Engine::Sqlite,
            Driver::Postgres(_) => Engine::Postgres,
        }
    }

    /// How many statements were carried out since the database was opened, those of transactions among them; how these
    /// begin and end is not counted, nor how a [`Memo`](crate::Memo) asks whether anything was written. What a question
    /// costs is a number of statements: on PostgreSQL each is a way to the server and back.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    /// Names the state that a reader sees from now on. A read that begins later is of no earlier state, and whoever was
    /// told that something is kept is at another one.
    pub(crate) async fn state(&self) -> Result<State, Error> {
        match &self.inner.driver {
            Driver::Sqlite(_) => Ok(State::Writes(self.inner.writes.load(Ordering::Acquire))),
            Driver::Postgres(postgres) => postgres.snapshot().await.map(State::Snapshot),
        }
    }

    /// Begins a transaction that may write. There is one at a time, over all replicas; others wait for it.
    ///
    /// # Errors
    /// The database is busy for longer than [`crate::limits::BUSY`], cannot be reached, or fails.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let driver = match &self.inner.driver {
            Driver::Sqlite(sqlite) => TxDriver::Sqlite { transaction: sqlite.begin().await?, told: Told::default() },
            Driver::Postgres(postgres) => TxDriver::Postgres(postgres.begin().await?),
        };
        Ok(self.transaction(driver))
    }

    /// Begins a transaction that writes beside the one writer, for rows of whom nobody says more than "this is mine":
    /// claims, leases, and what is told to others. It must not wait for a row while it holds another (`SKIP LOCKED`),
    /// or the writer may wait for it in return. On SQLite it is [`Db::begin`].
    ///
    /// # Errors
    /// The database is busy for longer than [`crate::limits::BUSY`], cannot be reached, or fails.
    pub async fn beside(&self) -> Result<Tx, Error> {
        match &self.inner.driver {
            Driver::Sqlite(_) => self.begin().await,
            Driver::Postgres(postgres) => Ok(self.transaction(TxDriver::Postgres(postgres.beside().await?))),
        }
    }

    /// Begins a transaction that only reads: everything that it sees is of one moment, and it waits for no writer.
    ///
    /// # Errors
    /// The database is busy for longer than [`crate::limits::BUSY`], cannot be reached, or fails.
    pub async fn read(&self) -> Result<Tx, Error> {
        let driver = match &self.inner.driver {
            Driver::Sqlite(sqlite) => TxDriver::Sqlite { transaction: sqlite.read().await?, told: Told::default() },
            Driver::Postgres(postgres) => TxDriver::Postgres(postgres.read().await?),
        };
        Ok(self.transaction(driver))
    }

    fn transaction(&self, driver: TxDriver) -> Tx {
        Tx { driver, inner: Arc::clone(&self.inner), failed: false }
    }

    /// All rows of a statement that only reads.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn fetch_all(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        self.inner.count();
        match &self.inner.driver {
            Driver::Sqlite(sqlite) => sqlite.fetch_all(sql).await,
            Driver::Postgres(postgres) => postgres.fetch_all(sql).await,
        }
    }

    /// The first row of a statement that only reads.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn fetch_optional(&self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(self.fetch_all(sql).await?.into_iter().next())
    }

    /// Carries out a single statement that writes, and says how many rows it touched.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn execute(&self, sql: Sql) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let count = tx.execute(sql).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Has PostgreSQL give back the room of rows that are gone, and look anew at how values are spread, in the tables of
    /// which a tenth changed since it last did. Readers and writers go on meanwhile. It knows of what was written a second
    /// ago.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn tidy(&self) -> Result<(), Error> {
        match &self.inner.driver {
            // It fills the pages of what is gone by itself, and its statements say in which order tables are read.
            Driver::Sqlite(_) => Ok(()),
            Driver::Postgres(postgres) => postgres.tidy().await,
        }
    }

    /// What transactions tell on a channel with [`Tx::notify`], in this process and, on PostgreSQL, in all others that
    /// have the database open. The first thing that a receiver hears is [`Notification::Missed`].
    ///
    /// [`Notification::Missed`]: crate::Notification::Missed
    ///
    /// # Panics
    /// On PostgreSQL outside of a tokio runtime, because it is listened to by a task.
    #[must_use]
    pub fn notifications(&self, channel: &'static str) -> Notifications {
        match &self.inner.driver {
            Driver::Sqlite(_) => self.inner.hub.subscribe(channel, true),
            Driver::Postgres(postgres) => postgres.notifications(channel),
        }
    }

    /// A copy of a SQLite database beside it, to try something on.
    pub(crate) async fn copy(&self) -> Result<Option<Copy>, Error> {
        let Driver::Sqlite(sqlite) = &self.inner.driver else { return Ok(None) };
        let file = sqlite.copy().await?;
        let opened = Db::connect(&DatabaseConfig::File(file.path.clone())).await?;
        Ok(Some(Copy { db: opened, _file: file }))
    }

    /// Closes every connection, after what is under way. Receivers of notifications end.
    pub async fn close(&self) {
        match &self.inner.driver {
            Driver::Sqlite(sqlite) => sqlite.close().await,
            Driver::Postgres(postgres) => postgres.close().await,
        }
        self.inner.hub.close();
    }
}

impl Tx {
    /// Which database it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.driver {
            TxDriver::Sqlite { .. } => Engine::Sqlite,
            TxDriver::Postgres(_) => Engine::Postgres,
        }
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn fetch_all(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        self.inner.count();
        let done = match &mut self.driver {
            TxDriver::Sqlite { transaction, .. } => transaction.fetch_all(sql).await,
            TxDriver::Postgres(transaction) => transaction.fetch_all(sql).await,
        };
        self.note(done)
    }

    /// The first row of a statement.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn fetch_optional(&mut self, sql: Sql) -> Result<Option<Row>, Error> {
        Ok(self.fetch_all(sql).await?.into_iter().next())
    }

    /// Carries out a statement and says how many rows it touched.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        self.inner.count();
        let done = match &mut self.driver {
            TxDriver::Sqlite { transaction, .. } => transaction.execute(sql).await,
            TxDriver::Postgres(transaction) => transaction.execute(sql).await,
        };
        self.note(done)
    }

    /// Inserts any number of rows with as few statements as the engine allows, and says how many rows it touched:
    /// `insert("INSERT INTO t(a, b) VALUES ", rows, " ON CONFLICT DO NOTHING")`. Of a column, all values are of one
    /// type or NULL.
    ///
    /// # Errors
    /// The database cannot be reached, or fails.
    pub async fn insert(
        &mut self,
        into: &'static str,
        rows: impl IntoIterator<Item = Vec<Value>, IntoIter: Send> + Send,
        then: &'static str,
    ) -> Result<u64, Error> {
        let mut rows = rows.into_iter().peekable();
        let mut count = 0;
        while let Some(first) = rows.peek() {
            let most = match self.engine() {
                Engine::Sqlite => limits::SQLITE_ARGUMENTS / first.len().max(1),
                Engine::Postgres => limits::POSTGRES_ROWS,
            };
            let mut sql = Sql::new();
            sql.push(into).rows(rows.by_ref().take(most)).push(then);
            count += self.execute(sql).await?;
        }
        Ok(count)
    }

    /// Tells whoever listens to a channel, once the transaction is kept. The same text told twice is heard once; texts
    /// of up to [`crate::limits::NOTIFICATION_BYTES`] go, so tell an id and not what it is about.
    ///
    /// # Errors
    /// The text is too long, the database cannot be reached, or fails.
    pub async fn notify(&mut self, channel: &'static str, payload: &str) -> Result<(), Error> {
        let done = match (notify::check(payload), &mut self.driver) {
            (Err(error), _) => Err(error),
            (Ok(()), TxDriver::Sqlite { told, .. }) => {
                told.add(channel, payload);
                Ok(())
            }
            (Ok(()), TxDriver::Postgres(transaction)) => transaction.notify(channel, payload).await,
        };
        self.note(done)
    }

    /// Carries out several statements without arguments.
    pub(crate) async fn execute_script(&mut self, script: &'static str) -> Result<(), Error> {
        let done = match &mut self.driver {
            TxDriver::Sqlite { transaction, .. } => transaction.execute_script(script).await,
            TxDriver::Postgres(transaction) => transaction.execute_script(script).await,
        };
        self.note(done)
    }

    /// Keeps what the transaction did.
    ///
    /// # Errors
    /// Something in it failed, or the database does: then nothing of it stays. Where the connection is lost in this very
    /// call ([`Error::Unavailable`]), it may have stayed.
    pub async fn commit(self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Statement("a transaction in which something failed cannot be kept".to_owned()));
        }
        match self.driver {
            TxDriver::Sqlite { transaction, told } => {
                // On its own: who stops waiting for it cannot stop it, and what it did is counted and told all the same.
                let kept = async move {
                    let kept = transaction.commit().await;
                    self.inner.writes.fetch_add(1, Ordering::Release);
                    kept.map(|()| told.deliver(&self.inner.hub))
                };
                tokio::spawn(kept).await.map_err(|error| Error::Failed(error.to_string()))?
            }
            TxDriver::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Who is told of what, in memory.
    pub(crate) fn subscribed(&self) -> &Subscribed {
        &self.inner.subscribed
    }

    fn note<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        self.failed |= done.is_err();
        done
    }
}
