//! Stub: see the crate's plan.
