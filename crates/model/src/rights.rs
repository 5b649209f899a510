//! Rights: what a plugin asks for in its manifest, and what app-config grants it. One syntax for both.
//!
//! What a plugin may do is what both name: see [`intersect`]. Nothing is allowed that is not written down.

mod algebra;
mod effective;
mod host;
mod http;
mod lines;
mod path;

use serde::{Deserialize, Serialize};

pub use algebra::{beyond, union};
pub use effective::{Refusal, Side, intersect, refusal};
pub use host::HostPattern;
pub use http::{HttpRight, Origin, RightError};
pub use path::PathPattern;

/// A set of rights. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rights {
    /// To write to the portal's log.
    #[serde(default)]
    pub log: bool,
    /// To read these parts of app-config, as dotted paths. Secrets among them arrive as handles.
    #[serde(default)]
    pub config: Vec<String>,
    /// To send HTTP requests.
    #[serde(default)]
    pub http: Vec<HttpRight>,
    /// To keep values between calls.
    #[serde(default)]
    pub kv: bool,
    /// To read entities, as far as whoever the plugin is called for may read them.
    #[serde(default)]
    pub catalog: CatalogRights,
    /// To emit entities that are no Locations while others are processed.
    #[serde(default)]
    pub entity_processor: EntityProcessorRights,
    /// To bring entities into the catalog that are no Locations.
    #[serde(default)]
    pub entity_provider: EntityProviderRights,
    /// To be told of what happens.
    #[serde(default)]
    pub event_subscriber: EventSubscriberRights,
    /// To run steps of scaffolder templates.
    #[serde(default)]
    pub scaffolder_actions: ScaffolderActionsRights,
    /// To use the folder of a scaffolder task, in the run of an action.
    #[serde(default)]
    pub workspace: bool,
}

/// What may be read of the catalog, on top of what the policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CatalogRights {
    /// The kinds of entities, in any case.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// What a processor of entities may emit. Locations of type `url` it always may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EntityProcessorRights {
    /// The kinds of entities, in any case.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// What an entity provider may bring in. Locations it always may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EntityProviderRights {
    /// The kinds of entities, in any case.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// Which steps of scaffolder templates may be run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScaffolderActionsRights {
    /// The ids of the actions, letter for letter.
    #[serde(default)]
    pub actions: Vec<String>,
}

/// What a subscriber may be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EventSubscriberRights {
    /// Topics, letter for letter: of the portal's own, and of webhooks.
    #[serde(default)]
    pub topics: Vec<String>,
}

impl Rights {
    /// The same rights with every `config:` origin replaced by what `lookup` finds at its path.
    #[must_use]
    pub fn resolve_config(&self, lookup: &dyn Fn(&str) -> Vec<String>) -> Self {
        let http = self.http.iter().flat_map(|right| right.resolve_config(lookup)).collect();
        Self { http, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn serde() {
        assert_eq!(serde_json::from_value::<Rights>(json!({})).unwrap(), Rights::default());
        let written = json!({
            "log": true,
            "config": ["catalog.providers.awsS3"],
            "http": ["GET https://*.s3.*.amazonaws.com"],
            "kv": false,
            "catalog": {"kinds": ["Component"]},
            "entity-processor": {"kinds": ["Resource"]},
            "entity-provider": {"kinds": ["User"]},
            "scaffolder-actions": {"actions": ["acme:make"]},
            "workspace": true,
            "event-subscriber": {"topics": ["github"]},
        });
        let rights: Rights = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&rights).unwrap(), written);
    }

    #[test]
    fn unknown_keys() {
        for value in [json!({"Log": true}), json!({"entity_provider": {}}), json!({"entity-provider": {"kind": []}})] {
            let error = serde_json::from_value::<Rights>(value.clone()).unwrap_err().to_string();
            assert!(error.contains("unknown field") && error.contains("expected"), "{value}: {error}");
        }
    }
}
