//! The audit log's promises, on SQLite and on PostgreSQL: one chain whoever writes, nothing lost, and every change of it
//! found.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may stop at the first surprise; clippy.toml allows it only inside of test functions"
)]

#[path = "../../../tests/src/proxy.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the portal's tests")]
mod proxy;
#[path = "../../../tests/src/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the portal's tests")]
mod server;
mod audit {
    pub(crate) mod support;

    mod away;
    mod tampering;
    mod writing;
}
