//! The contract of the catalog: as a program of its own on SQLite, and by `catalog_on_postgres.rs` on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may stop at the first surprise; clippy.toml allows it only inside of test functions"
)]

mod access;
mod conflicts;
mod descriptors;
mod counted;
mod counting;
mod errors;
mod files;
mod freshness;
mod locations;
mod orphans;
mod placeholders;
mod processors;
mod providers;
mod pushing;
mod query;
mod reading;
mod refreshing;
mod searching;
mod settings;
mod storage;
pub(crate) mod support;
mod transfer;
mod validating;
mod wire;
