//! Callboard: a plugin host that becomes a developer portal. Configuration, wiring, HTTP API, identity and the CLI.

mod adapter;
pub mod audit;
mod cases;
pub mod cli;
pub mod config;
mod events;
pub mod http;
pub mod identity;
mod metrics;
mod plugins;
pub mod policy;
pub mod portal;
mod telemetry;
pub mod user_settings;

pub use portal::{Follow, Options, Portal, StartError, start};
