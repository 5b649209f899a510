//! What an entity provider hands over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;

/// One thing that a provider's page brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProvidedItem {
    /// The entity with this ref is as it was in the last run.
    Unchanged {
        /// `kind:namespace/name`.
        unchanged: String,
    },
    /// An entity, in most cases a Location.
    Entity(Box<ProvidedEntity>),
}

/// An entity with what the provider knows of its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvidedEntity {
    /// The entity itself.
    pub entity: Entity,
    /// What changes whenever the source's content does (an ETag, say). A Location with a version is read again only
    /// when its version changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Annotations for this entity and, where it is a Location, for every entity that is read directly from it. They
    /// win over what a file says of itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}
