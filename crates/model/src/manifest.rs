//! What a plugin says of itself: the custom section `callboard:manifest` of its component, written as `plugin.yaml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::filter::Predicate;
use crate::processing::Hook;
use crate::rights::Rights;

/// The name of the custom section.
pub const SECTION: &str = "callboard:manifest";

/// A plugin's manifest, format 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    /// Always 1.
    pub format: u32,
    /// `^[a-z][a-z0-9-]{0,62}$`: the key in app-config's `plugins`, and the path segment of its routes.
    pub id: String,
    /// For people.
    pub name: String,
    /// The plugin's own.
    pub version: semver::Version,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// What it needs of the portal.
    pub needs: Needs,
    /// What it asks to be allowed to do.
    #[serde(default)]
    pub rights: Rights,
    /// For each path in `rights.config`, the JSON Schema of what is read there. A leaf with `x-credential` reaches
    /// the guest as a handle.
    #[serde(default)]
    pub config_schema: BTreeMap<String, serde_json::Value>,
    /// What it adds to the portal.
    #[serde(default)]
    pub contributes: Contributions,
}

/// Version requirements, in Cargo's syntax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Of the package `callboard:host`.
    pub host: semver::VersionReq,
    /// Of the package `callboard:plugin`.
    pub plugin: semver::VersionReq,
    /// Of the UI tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui: Option<semver::VersionReq>,
}

/// One key per extension point, named as its WIT interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contributions {
    /// The processors that the `entity-processor` export has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity_processor: Vec<EntityProcessorContribution>,
    /// Present where the component exports `entity-provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_provider: Option<EntityProviderContribution>,
    /// The extensions that the `ui` export renders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui: Vec<UiExtension>,
}

/// Something that has a say in what becomes of entities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntityProcessorContribution {
    /// Unique within the plugin, in kebab-case, and none of the [steps](crate::processing::STEPS) of the catalog.
    pub id: String,
    /// One sentence, for the reader of the plugin's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When it is called: at least one, each once.
    pub hooks: Vec<Hook>,
    /// What it runs after: ids of this plugin's processors, `<plugin>/<id>` of another's, or steps of the catalog. A
    /// name of another plugin's that is not there holds nothing up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Which entities it is for, as they are when their turn comes; all where absent. Only these reach the plugin, and
    /// only these are processed again when it changes. Relations are not known then, so it cannot be about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Predicate>,
}

/// Says that there are providers; which, the export itself answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EntityProviderContribution {
    /// The annotations that it puts on what it brings in, for the reader of the plugin's page.
    #[serde(default)]
    pub annotations: Vec<String>,
}

/// Something that the plugin shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UiExtension {
    /// Unique within the plugin, in kebab-case; part of the URL.
    pub id: String,
    /// Where it is attached.
    pub at: AttachmentPoint,
    /// The tab's, card's or page's title.
    pub title: String,
    /// Which entities it is for; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Predicate>,
    /// The permissions that its actions need, by the action's name; `plugin.act` for those that are not here. Written
    /// without the plugin's id, with which a policy names them: `bucket.empty` of the plugin `s3` is `s3.bucket.empty`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, String>,
}

/// Where an extension shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentPoint {
    /// A tab of an entity's page.
    EntityTab,
    /// A card on an entity's overview.
    EntityCard,
    /// A page of its own, with an item in the sidebar.
    Page,
}
