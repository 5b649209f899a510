//! The HTTP API of a whole portal, started in this process without plugins, over files: as a program of its own on
//! SQLite, and by `http_on_postgres.rs` on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the helpers of a test stop at the first surprise"
)]

mod attacks;
mod audit;
mod authorize;
mod catalog;
pub(crate) mod client;
mod conventions;
mod filtering;
mod headers;
mod openapi;
mod paging;
mod permissions;
mod plugins;
mod policies;
pub(crate) mod portal;
mod projecting;
mod proxy;
mod push;
mod registering;
mod resolving;
mod session_secrets;
mod sessions;
mod signing_in;
mod statistics;
mod tokens;
mod try_it;
mod user_settings;
mod walk;
pub(crate) mod web;
