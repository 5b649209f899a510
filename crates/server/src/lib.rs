//! Callboard: a plugin host that becomes a developer portal. Configuration, wiring, HTTP API, identity and the CLI.

mod adapter;
pub mod audit;
pub mod cli;
pub mod config;
mod http;
pub mod identity;
pub mod portal;
pub mod user_settings;

pub use portal::{Options, Portal, StartError, start};
