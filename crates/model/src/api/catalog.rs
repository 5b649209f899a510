//! Payloads of `/api/catalog` beside entities: registered locations, analysis, freshness, pushes.

use serde::{Deserialize, Serialize};

use super::{PageInfo, RunCounts};

/// A location that somebody registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegisteredLocation {
    /// A UUID.
    pub id: String,
    /// `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The URL.
    pub target: String,
    /// The Location entity that stands for it. It is given at the registration and keeps its name for good.
    pub entity_ref: String,
}

/// One of `GET /locations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocationData {
    /// The location.
    pub data: RegisteredLocation,
}

/// `POST /locations/by-query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LocationPage {
    /// By id.
    pub items: Vec<RegisteredLocation>,
    /// In all.
    pub total_items: u64,
    /// Where to go on; there is no way back.
    pub page_info: PageInfo,
}

/// A location as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LocationInput {
    /// In most cases `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// In most cases a URL.
    pub target: String,
}

/// `POST /analyze-location`: what is known of a location before it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LocationAnalysis<T = serde_json::Value> {
    /// What the catalog has from there. Where there is something, nothing is made up.
    pub existing_entity_files: Vec<ExistingEntityFile<T>>,
    /// What could be written into a new descriptor file.
    pub generate_entities: Vec<GeneratedEntity>,
}

/// An entity that came from the location in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExistingEntityFile<T = serde_json::Value> {
    /// The file that it was read from.
    pub location: LocationInput,
    /// Whether the catalog has it.
    pub is_registered: bool,
    /// The entity.
    pub entity: T,
}

/// An entity that could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GeneratedEntity {
    /// As far as it could be made up.
    #[cfg_attr(feature = "openapi", schema(value_type = super::described::PartialEntity))]
    pub entity: serde_json::Value,
    /// What somebody should look at.
    pub fields: Vec<GeneratedField>,
}

/// What the analysis says of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GeneratedField {
    /// Such as `spec.owner`.
    pub field: String,
    /// What the analysis came to.
    pub state: GeneratedFieldState,
    /// What it suggests.
    pub value: Option<String>,
    /// For the person who decides.
    pub description: String,
}

/// What the analysis came to for one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum GeneratedFieldState {
    /// It has a value to suggest.
    AnalysisSuggestedValue,
    /// It suggests to leave the field out.
    AnalysisSuggestedNoValue,
    /// It does not know.
    NeedsUserInput,
}

/// One thing that is wrong with an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityError {
    /// For programs, such as `InputError`.
    pub name: String,
    /// For people.
    pub message: String,
}

/// `400` of `POST /validate-entity`: the only error that has not the common body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidationErrors {
    /// All that is wrong with it.
    pub errors: Vec<EntityError>,
}

/// `POST /push/{source}`: what a source says of its entities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushRequest {
    /// What becomes of that which the request does not name.
    pub mode: PushMode,
    /// What is to be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<PushedEntity>,
    /// Refs of what is to go, where the mode is `delta`. What is not the source's own, or not there, is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}

/// What becomes of that which a push does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PushMode {
    /// It goes: the request is everything that the source has.
    Full,
    /// It stays.
    Delta,
}

/// An entity of a push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushedEntity {
    /// As a descriptor file has it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub entity: serde_json::Value,
    /// The part of the source that it is from, such as a repository. Of two parts that have the same entity the first
    /// one keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_key: Option<String>,
}

/// What a push came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PushResult {
    /// Whether every entity was dealt with when this was answered: those that did not fail can be read. Otherwise the
    /// rest follows.
    pub complete: bool,
    /// What was taken over.
    pub counts: RunCounts,
    /// What cannot be read, or only as it was before, with the reasons; at most 1,000 of them.
    pub failed: Vec<EntityFailure>,
    /// How many failed in all.
    pub failed_count: u64,
    /// The refs of what was not dealt with in time; at most 1,000 of them.
    pub pending: Vec<String>,
    /// How many were not dealt with in time.
    pub pending_count: u64,
}

/// An entity that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EntityFailure {
    /// The entity; of one that a pushed Location leads to, that one.
    pub entity_ref: String,
    /// What is wrong with it.
    pub errors: Vec<EntityError>,
}

/// `GET /entities/by-uid/{uid}/freshness`: where an entity comes from, and how current it is. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// The entity.
    pub entity_ref: String,
    /// When it was last known to be as its source has it: the earliest time of the chain. None: nothing of it was ever
    /// looked at.
    pub last_verified: Option<String>,
    /// When something of the chain is looked at next, if nothing happens before. None: only something that happens
    /// leads to another look, such as a change of a file.
    pub next_refresh: Option<String>,
    /// What went wrong last, as near to the entity as possible; none where all is well.
    pub last_error: Option<String>,
    /// From the entity itself to what a source brought, each the parent of the one before. One that the reader may not
    /// see has no ref.
    pub chain: Vec<FreshnessStep>,
    /// What brought the last of the chain into the catalog; none where nothing brings it any more.
    pub source: Option<FreshnessSource>,
}

/// An entity on the way from a source to another entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FreshnessStep {
    /// The entity.
    pub entity_ref: Option<String>,
    /// Where it was read from, such as `url:https://…`.
    pub location: Option<String>,
    /// When what it is made from was last looked at successfully; none where it is made from nothing but what the step
    /// after it delivered.
    pub last_verified: Option<String>,
    /// When it is looked at next.
    pub next_refresh: Option<String>,
    /// What was wrong the last time.
    pub last_error: Option<String>,
}

/// What brings entities into the catalog from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FreshnessSource {
    /// Its name, such as `awsS3-provider:default`.
    pub name: String,
    /// Of what sort it is.
    pub kind: SourceKind,
    /// When it last said what it has.
    pub last_verified: Option<String>,
    /// When it is asked next.
    pub next_refresh: Option<String>,
    /// Why it could not be asked the last time.
    pub last_error: Option<String>,
}

/// What sort of source brings an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// `catalog.locations` of app-config.
    Configured,
    /// A registration.
    Registered,
    /// An entity provider, such as a plugin's.
    Provider,
    /// Whoever has the token for it.
    Push,
}
