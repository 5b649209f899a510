//! PostgreSQL: one connection that writes, one that listens, the others read.
//!
//! A writing transaction begins with a lock that all replicas share, so that there is one writer at a time here as on
//! SQLite: `docs/decisions/0005-one-writer.md` says why. Inside the process the single writing connection is the
//! queue, which is fair and holds no connection per waiter.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column as _, PgConnection, Row as _};
use tokio::sync::watch;

use crate::config::PostgresConfig;
use crate::limits::{BUSY, POSTGRES_CONNECTIONS_LEAST, WRITE};
use crate::notify::{Hub, Notifications};
use crate::{Error, Row, Sql, args, query};

mod connect;
mod failure;
mod listen;
mod pool;
mod presence;
mod snapshot;
mod tidy;
mod values;

use connect::Server;
use pool::{Lease, Pool};
use presence::Presence;
use snapshot::Snapshot;

pub(super) struct Postgres {
    writer: Arc<Pool>,
    readers: Arc<Pool>,
    presence: Arc<Presence>,
    snapshot: Snapshot,
    /// Told when there is a new channel to listen to. Dropped, the listener ends.
    wanted: watch::Sender<()>,
    hub: Arc<Hub>,
    /// Of the schema, so that two portals in one database do not wait for each other or hear each other.
    lock: i64,
    channels: Arc<str>,
    listener: std::sync::Once,
    server: Server,
}

pub(super) struct Transaction {
    lease: Lease,
    presence: Arc<Presence>,
    /// How long one statement may take.
    patience: Duration,
    channels: Arc<str>,
}

/// Beyond what the server itself allows a statement, for the way there and back: past it, the server is not answering.
const MARGIN: Duration = Duration::from_secs(5);

impl Postgres {
    pub(super) async fn open(config: &PostgresConfig, hub: Arc<Hub>) -> Result<Postgres, Error> {
        let server = Server::new(config);
        let schema = server.prepare(config).await?;
        let readers = config.connections.max(POSTGRES_CONNECTIONS_LEAST) - 2;
        let presence = Arc::new(Presence::new(server.clone()));
        Ok(Postgres {
            writer: Pool::new(server.clone(), &presence, server.writer_setup(), 1),
            readers: Pool::new(server.clone(), &presence, server.reader_setup(), readers),
            presence,
            snapshot: Snapshot::default(),
            wanted: watch::channel(()).0,
            hub,
            lock: lock_of(&schema),
            channels: schema.into(),
            listener: std::sync::Once::new(),
            server,
        })
    }

    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({})", self.lock);
        self.transaction(&self.writer, &begin, WRITE).await
    }

    pub(super) async fn read(&self) -> Result<Transaction, Error> {
        self.transaction(&self.readers, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", BUSY).await
    }

    /// Among the readers: whoever has the writing connection may wait long for the lock.
    pub(super) async fn beside(&self) -> Result<Transaction, Error> {
        self.transaction(&self.readers, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", BUSY).await
    }

    async fn transaction(&self, pool: &Arc<Pool>, begin: &str, patience: Duration) -> Result<Transaction, Error> {
        let lease = pool.begin(begin).await?;
        let (presence, channels) = (Arc::clone(&self.presence), Arc::clone(&self.channels));
        Ok(Transaction { lease, presence, patience: patience + MARGIN, channels })
    }

    pub(super) async fn fetch_all(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        let (text, args) = sql.render_postgres()?;
        read(&self.readers.fetch_all(&text, &args).await?)
    }

    /// What a reader would see now, in PostgreSQL's words.
    pub(super) async fn snapshot(&self) -> Result<Arc<str>, Error> {
        self.snapshot.now(&self.readers).await
    }

    pub(super) async fn tidy(&self) -> Result<(), Error> {
        tidy::tidy(&self.server).await
    }

    pub(super) fn notifications(&self, channel: &'static str) -> Notifications {
        let notifications = self.hub.subscribe(channel, false);
        self.listener.call_once(|| {
            let task = listen::listen(
                self.server.clone(),
                Arc::clone(&self.hub),
                Arc::clone(&self.channels),
                self.wanted.subscribe(),
            );
            tokio::spawn(task);
        });
        self.wanted.send_replace(());
        notifications
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        self.hub.close();
        self.wanted.send_replace(());
    }
}

impl Transaction {
    pub(super) async fn fetch_all(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        let (text, args) = sql.render_postgres()?;
        let query = sqlx::query_with(AssertSqlSafe(text), values::arguments(&args)?);
        let mut connection = self.lease.take()?;
        let done = self.presence.over(self.patience, query.fetch_all(&mut connection)).await;
        read(&self.lease.settle(connection, done)?)
    }

    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        let (text, args) = sql.render_postgres()?;
        let query = sqlx::query_with(AssertSqlSafe(text), values::arguments(&args)?);
        let mut connection = self.lease.take()?;
        let done = self.presence.over(self.patience, query.execute(&mut connection)).await;
        Ok(self.lease.settle(connection, done)?.rows_affected())
    }

    pub(super) async fn execute_script(&mut self, text: &'static str) -> Result<(), Error> {
        // Only migrations are scripts, and they take as long as they take.
        self.script(text, Duration::MAX).await
    }

    pub(super) async fn notify(&mut self, channel: &'static str, payload: &str) -> Result<(), Error> {
        let name = listen::name(&self.channels, channel);
        self.fetch_all(query("SELECT pg_notify($1, $2)", args![name, payload])).await.map(|_| ())
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.script("COMMIT", self.patience).await?;
        self.lease.has_ended();
        Ok(())
    }

    async fn script(&mut self, text: &'static str, patience: Duration) -> Result<(), Error> {
        let mut connection = self.lease.take()?;
        let done = self.presence.over(patience, script(&mut connection, text.to_owned())).await;
        self.lease.settle(connection, done)
    }
}

/// Statements without arguments, which PostgreSQL takes several at a time.
async fn script(connection: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await?;
    Ok(())
}

fn read(rows: &[PgRow]) -> Result<Vec<Row>, Error> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let names: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
    rows.iter().map(|row| Ok(Row { names: Arc::clone(&names), values: values::values(row)? })).collect()
}

/// The advisory lock of a schema. Its upper half says that it is Callboard's; others use advisory locks, too.
fn lock_of(schema: &str) -> i64 {
    const OURS: u64 = 0x0063_616c_6c62 << 24;
    // FNV-1a: every version must find the same number.
    let hash = schema
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    i64::try_from(OURS | (hash & 0x00ff_ffff)).unwrap_or(i64::MAX)
}
