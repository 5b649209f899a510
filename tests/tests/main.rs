//! The portal's tests: one binary, one module per subject.
//!
//! `cargo xtask test` prepares what they need; with words after it, it runs those whose name contains one of them.
#![allow(clippy::indexing_slicing, reason = "tests may stop at the first surprise, and so may what they share")]

mod bad_input;
mod browser;
mod catalog_api;
mod config;
mod counting;
mod events;
mod kills;
mod peers;
mod plugins;
mod replicas;
mod s3;
mod sandbox;
mod sign_in;
mod storage;
mod telemetry;
mod tutorial;
