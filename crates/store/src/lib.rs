//! The database of Callboard: opening it, statements, migrations, leases, schedules, the outbox of events, and what
//! plugins keep.
//!
//! No other crate knows which database is under it: statements are written once, as text with `$1`, and go through
//! [`Db`] and [`Tx`]; rows come back as [`Row`]. What differs between engines is decided in [`Sql`] and in `db/`.
//!
//! What both engines promise:
//!
//! - One transaction writes at a time, over all replicas; [`Db::read`] sees one moment and waits for nobody.
//! - Whole numbers are `BIGINT`, or `INTEGER` and `SMALLINT` where they are small and the rows many (on SQLite all are
//!   `INTEGER`), truth is 0 or 1, bytes are `BYTEA` (`BLOB`), other numbers `DOUBLE PRECISION` (`REAL`).
//! - Texts are compared and ordered by their bytes in UTF-8. SQLite does so by itself; on PostgreSQL each text column
//!   of a migration says `COLLATE "C"`, whatever the database was created with, and [`migrate()`] refuses one that does
//!   not. No index then depends on the collation library of an operating system, which changes with its updates.
//! - A text never holds a NUL ([`Error::Nul`]).
//! - What is told with [`Tx::notify`] is heard when the transaction is kept, and not otherwise.
//!
//! ```no_run
//! # async fn example() -> Result<(), callboard_store::Error> {
//! use callboard_store::{DatabaseConfig, Db, args, query};
//!
//! let db = Db::open(&DatabaseConfig::Memory).await?;
//! let rows = db.fetch_all(query("SELECT holder FROM lease WHERE name = $1", args!["cleanup"])).await?;
//! for row in rows {
//!     let holder: String = row.get("holder")?;
//!     println!("{holder}");
//! }
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod config;
mod db;
mod error;
pub mod kv;
pub mod lease;
pub mod limits;
mod memo;
mod migrate;
mod notify;
pub mod outbox;
pub mod plugins;
mod row;
pub mod schedule;
mod sql;
mod value;

pub use config::{DatabaseConfig, Pem, PostgresConfig, Secret, Tls, TlsMode, UrlError};
pub use db::{Db, Engine, Tx};
pub use error::Error;
pub use kv::Kv;
pub use memo::{Memo, Seen};
pub use migrate::{Migration, migrate};
pub use notify::{Notification, Notifications};
pub use outbox::Outbox;
pub use row::{Column, Row};
pub use sql::{Sql, query, query_on};
pub use value::{FromValue, Value};
