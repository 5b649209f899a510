//! Every value that crosses a process or sandbox boundary of Callboard.
//!
//! Nothing here does I/O, and everything builds for the server, for a plugin (`wasm32-wasip2`) and for the browser
//! (`wasm32-unknown-unknown`).
#![deny(missing_docs)]

pub mod access;
pub mod api;
pub mod entity;
pub mod entity_ref;
pub mod events;
pub mod filter;
pub mod location_ref;
pub mod manifest;
pub mod processing;
pub mod provided;
pub mod relations;
pub mod rights;
pub mod route;
pub mod safe_url;
pub mod schedule;
pub mod stable_json;
pub mod ui;
pub mod validate;
pub mod yaml;
