//! The host's side of the WIT packages.

wasmtime::component::bindgen!({
    path: ["../../wit/host", "../../wit/plugin"],
    world: "callboard:plugin/extension-points",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "callboard:host/http.body": crate::capability::http::Body },
});

use semver::Version;

/// The version of the package `callboard:host` that this host offers.
pub(crate) const HOST_VERSION: Version = Version::new(0, 1, 0);
/// The version of the package `callboard:plugin` that this host calls.
pub(crate) const PLUGIN_VERSION: Version = Version::new(0, 1, 0);

pub(crate) use callboard::host::{catalog, config, http, kv, log, types, workspace};
pub(crate) use exports::callboard::plugin::{
    entity_processor, entity_provider, event_subscriber, lifecycle, routes, scaffolder_actions, ui,
};
