//! What was decided about plugins, and what each replica does.

use serde::{Deserialize, Serialize};

/// One version of a plugin with what it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginGeneration {
    /// Counts up with each decision about the plugin.
    pub number: i64,
    /// `trial`, `accepted`, `previous`, `past`, `failed` or `rolled-back`.
    pub state: String,
    /// The plugin's own version.
    pub version: String,
    /// `sha256:` and the component's digest in hexadecimal.
    pub digest: String,
    /// An entity ref, `app-config`, or `portal` where it did so by itself.
    pub decided_by: String,
    /// RFC 3339.
    pub decided_at: String,
    /// Why it is what it is; none where nothing is to be said.
    pub reason: Option<String>,
}

/// A newer version that waits for somebody to agree to what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginHeld {
    /// The version.
    pub version: String,
    /// What it asks for beyond what was approved, as lines for `plugins.<id>.grant`.
    pub added: Vec<String>,
}

/// What one replica does with a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginReplica {
    /// The replica.
    pub replica: String,
    /// The generation that it runs; 0 for none.
    pub generation: i64,
    /// As [`super::PluginState`].
    pub state: String,
    /// What is wrong; none where nothing is.
    pub reason: Option<String>,
}

/// What came of a change that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginChange {
    /// A sentence.
    pub message: String,
}
