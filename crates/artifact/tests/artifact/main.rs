//! The crate against a real registry, and against servers that do what none should.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod addresses;
mod hostile;
mod login;
mod real;
mod sigstore;
mod support;
mod tokens;
mod trust;

#[path = "../../../../tests/src/registry.rs"]
#[allow(dead_code, unreachable_pub, reason = "the portal's tests use the rest of it")]
mod registry;
