//! One file per extension point: the typed handle that the rest of the portal calls.

pub(crate) mod entity_provider;
pub(crate) mod ui;

/// The names of the extension points, as in WIT.
pub(crate) const NAMES: [&str; 2] = ["entity-provider", "ui"];
