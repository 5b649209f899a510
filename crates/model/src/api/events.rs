//! Events that could not be delivered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PageInfo;

/// Something that a plugin is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventInfo {
    /// `catalog.entity`, or that of a webhook.
    pub topic: String,
    /// From the manifest; of `catalog.entity`, the kinds.
    pub description: String,
    /// Where senders post to, relative to the portal; none where the portal itself tells of it.
    pub webhook: Option<String>,
    /// Whether app-config grants it.
    pub granted: bool,
}

/// `GET /api/events/dead-letters`: the newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterPage {
    /// Those of this page.
    pub items: Vec<DeadLetter>,
    /// Of the plugin that was asked for: how many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_items: Option<u64>,
    /// Of the plugin that was asked for: how many events wait to be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Where to go on.
    pub page_info: PageInfo,
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The delivery id, as the plugin was told.
    pub id: String,
    /// The plugin that was to be told.
    pub plugin_id: String,
    /// What it is about.
    pub topic: String,
    /// When it happened, RFC 3339.
    pub happened_at: String,
    /// When it was given up, RFC 3339.
    pub died_at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub error: String,
    /// Of a webhook, the headers that the plugin is handed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON text; only the beginning of a long one.
    pub payload: String,
    /// How long it is with its headers.
    pub bytes: u64,
}

/// How many were tried again or discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadLettersChanged {
    /// So many.
    pub count: u64,
}
