//! The HTTP API of a whole portal, started in this process without plugins, over files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the helpers of a test stop at the first surprise"
)]

mod catalog;
mod client;
mod conventions;
mod headers;
mod openapi;
mod permissions;
mod plugins;
mod portal;
mod push;
mod registering;
mod sessions;
mod try_it;
mod web;
