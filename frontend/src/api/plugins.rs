//! `/api/plugins` and `/api/extensions`.

use std::collections::BTreeMap;

use callboard_model::api::{ExtensionInfo, PluginChange, PluginInfo, PluginList, PluginLog, PluginStatistics};
use callboard_model::ui::{Outcome, TableState, Tree};
use serde_json::{Value, json};

use super::client::{self, ApiError, segment};

/// All plugins.
pub(crate) async fn list() -> Result<PluginList, ApiError> {
    client::get("/api/plugins").await
}

/// One plugin.
pub(crate) async fn by_id(id: String) -> Result<PluginInfo, ApiError> {
    client::get(&format!("/api/plugins/{}", segment(&id))).await
}

/// Has a plugin changed: `reload`, `rollback`, `enable` or `disable`. It may have to be compiled, which takes a while.
pub(crate) async fn change(plugin: &str, change: &str) -> Result<PluginChange, ApiError> {
    client::post(&format!("/api/plugins/{}/{change}", segment(plugin)), &json!({})).await
}

/// What a plugin did since the server started.
pub(crate) async fn statistics(id: String) -> Result<PluginStatistics, ApiError> {
    client::get(&format!("/api/plugins/{}/statistics", segment(&id))).await
}

/// What a plugin wrote last, and its last fault.
pub(crate) async fn log(id: String) -> Result<PluginLog, ApiError> {
    client::get(&format!("/api/plugins/{}/log", segment(&id))).await
}

/// Runs a provider now.
pub(crate) async fn run_provider(plugin: &str, provider: &str) -> Result<(), ApiError> {
    client::post_only(&format!("/api/plugins/{}/providers/{}/run", segment(plugin), segment(provider)), &json!({}))
        .await
}

/// What plugins show on an entity's page.
pub(crate) async fn extensions(entity_ref: String) -> Result<Vec<ExtensionInfo>, ApiError> {
    client::get(&format!("/api/extensions?entityRef={}", segment(&entity_ref))).await
}

/// An extension, and the entity on whose page it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The plugin.
    pub plugin: String,
    /// The extension within it.
    pub extension: String,
    /// The entity; none on a page of the plugin's own.
    pub entity_ref: Option<String>,
}

impl Place {
    fn url(&self, what: &str) -> String {
        format!("/api/plugins/{}/ui/{}/{what}", segment(&self.plugin), segment(&self.extension))
    }
}

/// What an extension shows; `cursor` from a poll or a table's `next`, `tables` what the reader did to each.
pub(crate) async fn render(
    place: &Place,
    cursor: Option<&str>,
    tables: &BTreeMap<String, TableState>,
) -> Result<Tree, ApiError> {
    let wish = json!({ "entityRef": place.entity_ref, "cursor": cursor, "tables": tables });
    client::post(&place.url("render"), &wish).await
}

/// Does what a button names.
pub(crate) async fn act(place: &Place, action: &str, value: Option<&Value>) -> Result<Outcome, ApiError> {
    let url = place.url(&format!("actions/{}", segment(action)));
    client::post(&url, &json!({ "entityRef": place.entity_ref, "value": value })).await
}
