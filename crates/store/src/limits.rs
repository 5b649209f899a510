//! Every limit of this crate, with its reason.

use std::time::Duration;

/// Readers at once on SQLite. Each is a thread with a page cache of its own; more than the machine's cores only wait
/// for each other.
pub const READERS: u32 = 4;

/// How long a statement waits for the database or for a connection. Longer than the longest transaction that the
/// catalog makes (a first run over a large source), shorter than a person's patience with a hanging page.
pub const BUSY: Duration = Duration::from_secs(30);

/// SQLite's page cache of a connection that reads, in KiB. The index pages of 10,000 entities fit.
pub const CACHE_KIB: u32 = 16 * 1024;

/// SQLite's page cache of the connection that writes, in KiB. It grows only as far as there are pages, and those that a
/// large first load writes to again and again fit.
pub const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// Rows that SQLite's thread reads before it waits for somebody to take them. A page of a list is read without a wait.
pub const ROWS_AHEAD: usize = 1_000;

/// Pages in SQLite's write-ahead log after which they are brought into the database: 32 MiB. A page that is written often
/// is brought there once for all of it.
pub const CHECKPOINT_PAGES: u32 = 4096;

/// What is left of the write-ahead log after a transaction that needed more, in bytes.
pub const WAL_BYTES: u32 = 64 * 1024 * 1024;

/// SQLite's page size in bytes. Most entities fit into one page with it, where half of them need two of 4,096.
pub const PAGE_BYTES: u32 = 8192;

/// Rows that one INSERT carries. SQLite takes 32,766 arguments a statement; this leaves room for 60 columns.
pub const ROWS_PER_STATEMENT: usize = 500;

/// Arguments of one statement on SQLite: its own limit, `SQLITE_MAX_VARIABLE_NUMBER`.
pub const SQLITE_ARGUMENTS: usize = 32_766;

/// Rows of one statement on PostgreSQL, where each column is one argument: a few MiB of them, so that neither side
/// holds more for one statement.
pub const POSTGRES_ROWS: usize = 5_000;

/// Connections to PostgreSQL where the configuration does not say. It is what Backstage opens for one plugin: one that
/// writes, one that listens, and eight that read, which is more than the processors that one replica has for reading.
pub const POSTGRES_CONNECTIONS: u32 = 10;

/// The fewest connections to PostgreSQL: one that writes, one that listens, one that reads.
pub const POSTGRES_CONNECTIONS_LEAST: u32 = 3;

/// How long one connection to PostgreSQL may take, handshakes included. A server that needs longer is not there, and
/// whoever waits for a page is told so.
pub const CONNECT: Duration = Duration::from_secs(5);

/// How long PostgreSQL may say nothing before whoever waits for it asks on another connection whether it is there. Few
/// statements take as long, and a page that waits for a server which is gone ends after this and [`CONNECT`].
pub const QUIET: Duration = Duration::from_secs(5);

/// For how long a start waits for PostgreSQL. Containers that start together need some seconds; an orchestrator that
/// restarts what fails to start does the rest.
pub const STARTUP: Duration = Duration::from_secs(30);

/// How long a writing statement may take on PostgreSQL before its connection is given up. Nothing that the portal
/// writes takes a tenth of it; without it a connection that alone fell silent would be waited for until the system's own
/// patience ends, which is hours. Migrations have no such limit.
pub const WRITE: Duration = Duration::from_secs(10 * 60);

/// How long a transaction may do nothing on PostgreSQL before the server ends it. It holds the lock that all writers
/// of all replicas wait for, and its process may have frozen or lost its network.
pub const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(60);

/// For how long a start waits while another replica migrates. An index over millions of rows takes minutes.
pub const MIGRATION: Duration = Duration::from_secs(30 * 60);

/// A connection to PostgreSQL is replaced after this time, so that a server which changed its address or its
/// settings is found, and what a session keeps cannot grow for ever.
pub const CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);

/// Prepared statements that a connection keeps. The portal has about two hundred texts; filters make some more.
pub const PREPARED: usize = 400;

/// How often the connection that listens asks whether it is still alive: a network that lost it says nothing.
pub const LISTEN_CHECK: Duration = Duration::from_secs(20);

/// The longest pause between attempts to listen again.
pub const LISTEN_BACKOFF: Duration = Duration::from_secs(5);

/// Notifications that wait for one receiver. One that falls further behind is told that it missed some.
pub const NOTIFICATIONS: usize = 256;

/// The text of one notification. PostgreSQL takes 7,999 bytes; an id or a ref is all that it is for.
pub const NOTIFICATION_BYTES: usize = 1024;

/// One value of a plugin. A larger thing is a file, and belongs into a bucket.
pub const KV_VALUE_BYTES: usize = 1024 * 1024;

/// Everything that a plugin keeps, keys included. A plugin that keeps a cursor and some ETags needs a thousandth of it; a
/// hostile one could otherwise fill the disk that every other one writes to.
pub const KV_PLUGIN_BYTES: u64 = 64 * 1024 * 1024;

/// A key of a plugin, in bytes. Room for a URL.
pub const KV_KEY_BYTES: usize = 512;

/// Keys that are listed at once, so that a listing never holds more than half a MiB.
pub const KV_KEYS_PER_PAGE: i64 = 1000;

/// For how long a [`Memo`](crate::Memo) believes that no other program wrote to a SQLite file. None should, while the
/// portal runs; a command that does so nevertheless shows within a second.
pub const MEMO_AGE: Duration = Duration::from_secs(1);

/// Of one claim of deliveries: how many at the most. A call of a subscriber deals with them within its deadline.
pub const DELIVERIES_CLAIMED: u64 = 100;

/// For how long a delivery waits for its subscriber. A week of being disabled, refused or at fault is an operator's
/// holiday; after it the delivery is given up, and stands among the dead.
pub const WAITING: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// For how long a dead delivery is kept for somebody to look at it.
pub const DEAD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// For how long it is known what came by a webhook. Senders try again for hours, GitHub redelivers what is three days old.
pub const RECEIVED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Deliveries that one statement of the upkeep gives up or removes, so that none holds others up.
pub const UPKEEP_ROWS: u64 = 1_000;

/// What is kept of the reason for which a delivery failed, in characters.
pub const DELIVERY_ERROR_CHARACTERS: usize = 2_000;

/// What is shown of the payload of a dead delivery, in characters. A list of them then has a size.
pub const DEAD_PAYLOAD_CHARACTERS: i64 = 16 * 1024;
