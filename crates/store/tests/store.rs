//! The contract of the store: what it promises, on SQLite and on PostgreSQL.
//!
//! A test that takes a [`Place`](support::Place) runs on both. PostgreSQL is the server that `cargo xtask test` starts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may stop at the first surprise; clippy.toml allows it only inside of test functions"
)]

#[path = "../../../tests/src/proxy.rs"]
#[allow(unreachable_pub, reason = "it is shared with the portal's tests")]
mod proxy;
#[path = "../../../tests/src/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the portal's tests")]
mod server;
mod store {
    pub(crate) mod support;

    mod kv;
    mod leases;
    mod memo;
    mod migrations;
    mod notifications;
    mod outbox;
    mod plugins;
    mod postgres;
    mod sqlite;
    mod statements;
    mod tidy;
    mod transactions;
}
