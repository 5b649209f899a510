//! The bodies of requests and answers as the API's description shows them, where they are read and written field by
//! field or passed on as they are.
#![expect(dead_code, reason = "these types are only described, never made")]

use callboard_model::api::described::Entity;
use callboard_model::api::{FacetValue, RegisteredLocation};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `POST /refresh`.
#[derive(utoipa::ToSchema)]
pub(super) struct RefreshRequest {
    /// What to read again.
    #[schema(rename = "entityRef")]
    entity_ref: String,
    /// Has no effect.
    #[schema(rename = "authorizationToken")]
    authorization_token: Option<String>,
}

/// `POST /entities/by-refs`.
#[derive(utoipa::ToSchema)]
pub(super) struct ByRefsRequest {
    /// Letter for letter, in lower case.
    #[schema(rename = "entityRefs")]
    entity_refs: Vec<String>,
    /// The parts to answer with.
    fields: Option<Vec<String>>,
    /// A predicate: `$all`, `$any`, `$not`, or fields with a value or one of `$exists`, `$in`, `$hasPrefix`, `$contains`.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// Entities in the order of their refs.
#[derive(utoipa::ToSchema)]
pub(super) struct EntitiesByRefs {
    /// Null for what is not there.
    items: Vec<Option<Entity>>,
}

/// `POST /entities/by-query`.
#[derive(utoipa::ToSchema)]
pub(super) struct QueryRequest {
    /// From another answer; then only `limit` and `fields` count beside it.
    cursor: Option<String>,
    /// 200 where absent; 0 only counts.
    limit: Option<u64>,
    offset: Option<u64>,
    /// A predicate: `$all`, `$any`, `$not`, or fields with a value or one of `$exists`, `$in`, `$hasPrefix`, `$contains`.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
    /// The first one counts; entities without the field are left out.
    #[schema(rename = "orderBy")]
    order_by: Option<Vec<OrderBy>>,
    #[schema(rename = "fullTextFilter")]
    full_text_filter: Option<FullTextFilter>,
    /// The parts to answer with.
    fields: Option<Vec<String>>,
    #[schema(rename = "totalItems")]
    total_items: Option<TotalItems>,
}

/// A field to sort by.
#[derive(utoipa::ToSchema)]
pub(super) struct OrderBy {
    field: String,
    order: SortOrder,
}

/// Which way.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum SortOrder {
    Asc,
    Desc,
}

/// Text to look for.
#[derive(utoipa::ToSchema)]
pub(super) struct FullTextFilter {
    /// In any case, anywhere in a value.
    term: Option<String>,
    /// Where; the field of the order if there is none.
    fields: Option<Vec<String>>,
}

/// Whether to count.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum TotalItems {
    Include,
    Exclude,
}

/// `POST /entity-facets`.
#[derive(utoipa::ToSchema)]
pub(super) struct FacetsRequest {
    /// Such as `spec.type`; at least one.
    facets: Vec<String>,
    /// A predicate: `$all`, `$any`, `$not`, or fields with a value or one of `$exists`, `$in`, `$hasPrefix`, `$contains`.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// The values of facets.
#[derive(utoipa::ToSchema)]
pub(super) struct FacetsAnswer {
    /// By facet, as it was asked for.
    facets: BTreeMap<String, Vec<FacetValue>>,
}

/// What an entity comes from.
#[derive(utoipa::ToSchema)]
pub(super) struct AncestryAnswer {
    #[schema(rename = "rootEntityRef")]
    root_entity_ref: String,
    /// The entity first.
    items: Vec<AncestryAnswerItem>,
}

/// An entity with the entities that it was read from.
#[derive(utoipa::ToSchema)]
pub(super) struct AncestryAnswerItem {
    entity: Entity,
    #[schema(rename = "parentEntityRefs")]
    parent_entity_refs: Vec<String>,
}

/// `POST /locations`.
#[derive(utoipa::ToSchema)]
pub(super) struct RegisterRequest {
    /// `url`.
    #[schema(rename = "type")]
    kind: String,
    target: String,
    /// Whether it is an error when there is nothing there.
    presence: Option<PresenceSchema>,
}

/// Whether it is an error when there is nothing there.
#[derive(utoipa::ToSchema)]
#[schema(as = Presence, rename_all = "lowercase")]
pub(super) enum PresenceSchema {
    Required,
    Optional,
}

/// A location that was registered, or would be.
#[derive(utoipa::ToSchema)]
pub(super) struct RegisterAnswer {
    location: RegisteredLocation,
    /// What it would bring in, where that was the question; otherwise nothing.
    entities: Vec<Entity>,
    /// Whether it is registered already, where that was the question.
    exists: Option<bool>,
}

/// `POST /locations/by-query`.
#[derive(utoipa::ToSchema)]
pub(super) struct LocationsRequest {
    /// From another answer.
    cursor: Option<String>,
    /// 1,000 where absent.
    limit: Option<u64>,
    /// A predicate on `id`, `type`, `target` and `entityRef`.
    #[schema(value_type = Option<Object>)]
    query: Option<Value>,
}

/// `POST /analyze-location`.
#[derive(utoipa::ToSchema)]
pub(super) struct AnalyzeRequest {
    location: callboard_model::api::LocationInput,
    /// Has no effect: repositories are not looked into.
    #[schema(rename = "catalogFileName")]
    catalog_file_name: Option<String>,
}

/// `POST /validate-entity`.
#[derive(utoipa::ToSchema)]
pub(super) struct ValidateRequest {
    entity: Map<String, Value>,
    /// Where it would be read from: `url:` and a URL.
    location: String,
}

/// `GET /.backstage/auth/v1/jwks.json`.
#[derive(utoipa::ToSchema)]
pub(super) struct KeySet {
    keys: Vec<Map<String, Value>>,
}

/// `GET /.well-known/backstage/permissions/metadata`.
#[derive(utoipa::ToSchema)]
pub(super) struct PermissionMetadata {
    permissions: Vec<Map<String, Value>>,
    rules: Vec<PermissionRule>,
}

/// A rule that conditions are made of.
#[derive(utoipa::ToSchema)]
pub(super) struct PermissionRule {
    name: String,
    description: String,
    #[schema(rename = "resourceType")]
    resource_type: String,
    /// A JSON Schema.
    #[schema(rename = "paramsSchema")]
    params_schema: Map<String, Value>,
}

/// `POST /.well-known/backstage/permissions/apply-conditions`.
#[derive(utoipa::ToSchema)]
pub(super) struct ApplyConditionsRequest {
    items: Vec<ConditionsItem>,
}

/// Conditions for some entities.
#[derive(utoipa::ToSchema)]
pub(super) struct ConditionsItem {
    /// Given back with the result.
    id: String,
    /// A ref, or a list of them.
    #[schema(rename = "resourceRef")]
    resource_ref: Value,
    /// `catalog-entity`.
    #[schema(rename = "resourceType")]
    resource_type: String,
    /// `{rule, params}`, or `allOf`, `anyOf` and `not` of such.
    conditions: Map<String, Value>,
}

/// Whether conditions hold.
#[derive(utoipa::ToSchema)]
pub(super) struct AppliedConditions {
    items: Vec<AppliedConditionsItem>,
}

/// Whether one item's conditions hold.
#[derive(utoipa::ToSchema)]
pub(super) struct AppliedConditionsItem {
    id: String,
    /// `ALLOW` or `DENY`; a list of them where the request had one.
    result: Value,
}
