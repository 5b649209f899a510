//! The HTTP API of a whole portal, on PostgreSQL: the server that `cargo xtask test` starts.

#[path = "http/main.rs"]
mod suite;

use suite::{client, portal, web};
