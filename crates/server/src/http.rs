//! The HTTP API and the pages.
//!
//! `routes.rs` is the way to add a route: it takes the permission that the route needs. Each family of routes is a
//! file; `portal.rs` starts the whole.

pub(crate) mod apis;
pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod catalog;
pub(crate) mod error;
pub(crate) mod etag;
pub(crate) mod events;
pub(crate) mod extensions;
pub(crate) mod headers;
pub(crate) mod health;
pub(crate) mod identify;
pub(crate) mod issuer;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod params;
pub(crate) mod permission;
mod plugin_routes;
pub(crate) mod plugins;
pub(crate) mod proxy;
pub(crate) mod remembered;
pub(crate) mod remote;
pub(crate) mod routes;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod statistics;
pub(crate) mod tokens;
pub(crate) mod trace;
pub(crate) mod ui;
pub(crate) mod user_settings;
pub(crate) mod viewer;
pub(crate) mod web;

pub use routes::{Needs, Route, Routes};
pub use state::App;
