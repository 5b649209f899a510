//! The server, as typed calls. The only module of the page that sends requests.

pub(crate) mod apis;
pub(crate) mod audit;
pub(crate) mod catalog;
mod client;
pub(crate) mod events;
pub(crate) mod identity;
pub(crate) mod plugins;
pub(crate) mod session;
pub(crate) mod settings;

pub(crate) use client::ApiError;
