//! Callboard: a plugin host that becomes a developer portal. Configuration, wiring, HTTP API, identity and the CLI.

pub mod cli;
pub mod config;
