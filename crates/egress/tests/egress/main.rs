//! The crate against servers on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at the first surprise"
)]

mod addresses;
mod chain;
mod credentials;
mod failures;
mod passing_on;
mod reader;
mod redirects;
mod retries;
mod revalidation;
mod roles;
mod s3;
mod search;
mod support;
mod tape;
