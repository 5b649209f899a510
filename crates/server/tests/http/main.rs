//! The HTTP API of a whole portal, started in this process without plugins, over files.

mod catalog;
mod client;
mod headers;
mod openapi;
mod permissions;
mod portal;
mod sessions;
mod try_it;
