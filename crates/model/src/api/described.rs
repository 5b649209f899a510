//! Entities as the API's description shows them. Nothing is ever made into these types: an entity is JSON that is passed
//! on as it is stored.
#![allow(missing_docs, reason = "the fields' documentation goes into the API's description, where it is needed")]

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The parts that entities of every kind have.
#[derive(utoipa::ToSchema)]
pub struct Entity {
    /// Such as `backstage.io/v1alpha1`.
    #[schema(rename = "apiVersion")]
    pub api_version: String,
    /// Such as `Component`.
    pub kind: String,
    pub metadata: EntityMeta,
    /// What the kind says.
    pub spec: Option<Map<String, Value>>,
    /// What it has to do with other entities.
    pub relations: Option<Vec<EntityRelation>>,
    /// Only there where something is wrong.
    pub status: Option<EntityStatus>,
}

/// An entity of which everything may be missing.
#[derive(utoipa::ToSchema)]
pub struct PartialEntity {
    #[schema(rename = "apiVersion")]
    pub api_version: Option<String>,
    pub kind: Option<String>,
    pub metadata: Option<PartialEntityMeta>,
    pub spec: Option<Map<String, Value>>,
    pub relations: Option<Vec<EntityRelation>>,
}

/// What is known of an entity whatever its kind. There may be more.
#[derive(utoipa::ToSchema)]
pub struct EntityMeta {
    /// Unique among the entities of the kind in the namespace.
    pub name: String,
    /// `default` where the author wrote none.
    pub namespace: Option<String>,
    /// For people, in place of the name.
    pub title: Option<String>,
    /// A sentence.
    pub description: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub tags: Option<Vec<String>>,
    pub links: Option<Vec<EntityLink>>,
    /// Given by the catalog, and the same for as long as the entity is in it.
    pub uid: Option<String>,
    /// Changes with everything that a reader sees.
    pub etag: Option<String>,
}

/// The same, of which everything may be missing.
#[derive(utoipa::ToSchema)]
pub struct PartialEntityMeta {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub tags: Option<Vec<String>>,
    pub links: Option<Vec<EntityLink>>,
    pub uid: Option<String>,
    pub etag: Option<String>,
}

/// A link that the author wrote.
#[derive(utoipa::ToSchema)]
pub struct EntityLink {
    pub url: String,
    pub title: Option<String>,
    /// The name of a picture.
    pub icon: Option<String>,
    /// A word to group links by.
    #[schema(rename = "type")]
    pub kind: Option<String>,
}

/// A relation to another entity.
#[derive(utoipa::ToSchema)]
pub struct EntityRelation {
    /// Such as `ownedBy`.
    #[schema(rename = "type")]
    pub kind: String,
    /// A ref, whether there is such an entity or not.
    #[schema(rename = "targetRef")]
    pub target_ref: String,
}

/// What is wrong with an entity that was well once.
#[derive(utoipa::ToSchema)]
pub struct EntityStatus {
    pub items: Vec<EntityStatusItem>,
}

/// One thing that is wrong.
#[derive(utoipa::ToSchema)]
pub struct EntityStatusItem {
    /// `backstage.io/catalog-processing`.
    #[schema(rename = "type")]
    pub kind: String,
    /// `error`.
    pub level: String,
    pub message: String,
    pub error: Option<super::EntityError>,
}
