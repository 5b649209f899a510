//! One file per capability: the host's side of one WIT interface that a plugin may import.

pub(crate) mod catalog;
pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod kv;
pub(crate) mod log;
pub(crate) mod workspace;

impl crate::bindings::types::Host for crate::call::CallState {}

/// The names of the capabilities, as in WIT.
pub(crate) const NAMES: [&str; 6] = ["log", "config", "http", "kv", "catalog", "workspace"];
