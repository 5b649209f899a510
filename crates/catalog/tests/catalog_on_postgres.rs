//! The contract of the catalog, on PostgreSQL: the server that `cargo xtask test` starts.

#[path = "catalog/main.rs"]
mod suite;

use suite::support;
