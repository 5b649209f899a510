//! The database of Callboard: opening it, statements, migrations, leases, schedules, and what plugins keep.
//!
//! No other crate knows which database is under it: statements are written once, as text with `$1`, and go through
//! [`Db`] and [`Tx`]; rows come back as [`Row`]. What differs between engines is decided in [`Sql`] and in `db/`.
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

mod db;
mod error;
pub mod kv;
pub mod lease;
pub mod limits;
mod migrate;
mod row;
pub mod schedule;
mod sql;
mod value;

pub use db::{DatabaseConfig, Db, Tx};
pub use error::Error;
pub use kv::Kv;
pub use migrate::{Migration, migrate};
pub use row::{Column, Row};
pub use sql::{Sql, query};
pub use value::{FromValue, Value};
