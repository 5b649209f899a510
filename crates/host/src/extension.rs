//! One file per extension point: the typed handle that the rest of the portal calls.

use callboard_model::entity::Entity;
use serde_json::Value;

use crate::call::output;

pub(crate) mod entity_processor;
pub(crate) mod entity_provider;
pub(crate) mod event_subscriber;
mod lifecycle;
pub(crate) mod routes;
pub(crate) mod scaffolder_actions;
pub(crate) mod ui;

/// The names of the extension points, as in WIT.
pub(crate) const NAMES: [&str; 7] =
    ["entity-processor", "entity-provider", "event-subscriber", "lifecycle", "routes", "scaffolder-actions", "ui"];

/// Whether a plugin with the right to some kinds may hand an entity to the catalog. Locations of type `url` are read by
/// the portal's own readers, under its rules; anything else enters the catalog as the plugin says it, and so needs the
/// operator's word.
fn may_bring(point: &str, entity: &Entity, kinds: &[String]) -> Result<(), String> {
    let kind = entity.kind();
    if kinds.iter().any(|granted| granted.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    if !kind.eq_ignore_ascii_case("location") {
        return Err(format!(
            "it brings an entity of kind {kind} itself, for which it has no right. Where that is wanted, \
             `{point}: {{ kinds: [{kind}] }}` belongs into `rights` of plugin.yaml and into the plugin's \
             `grant` in app-config"
        ));
    }
    may_locate(entity.spec("type").and_then(Value::as_str), kinds)
}

/// Whether it may hand over a location of some type.
fn may_locate(kind: Option<&str>, kinds: &[String]) -> Result<(), String> {
    let may_any = kinds.iter().any(|granted| granted.eq_ignore_ascii_case("location"));
    match kind {
        _ if may_any => Ok(()),
        Some("url") => Ok(()),
        other => Err(format!(
            "it brings a Location of type {}, but a plugin may only bring those of type url",
            output::clean(other.unwrap_or("(none)"), 100)
        )),
    }
}
