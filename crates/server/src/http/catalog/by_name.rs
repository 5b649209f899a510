//! One entity by its uid or name, and many by their refs.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_model::access::Access;
use callboard_model::api::Freshness;
use callboard_model::api::described::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use serde::Serialize;

use super::query;
use super::schema::{ByRefsRequest, EntitiesByRefs};
use crate::http::body::{Fields, Path};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::{NoParams, Params};
use crate::http::state::App;
use crate::policy::Permission;

/// The entity with a uid.
#[utoipa::path(get, path = "/entities/by-uid/{uid}", tag = "catalog", operation_id = "GetEntityByUid",
    params(("uid" = String, Path)),
    responses((status = 200, body = Entity), (status = 404, description = "None that the caller may see")))]
pub(super) async fn by_uid(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path(uid): Path<String>,
) -> Result<Response> {
    let found = app.catalog.by_uid(&caller.access, &uid).await?;
    found.map(|entity| json(&entity)).ok_or_else(|| ApiError::not_found(format!("No entity with uid {uid}")))
}

/// Where an entity comes from, when that was last looked at, when it will be again, and what went wrong. Callboard's own.
#[utoipa::path(get, path = "/entities/by-uid/{uid}/freshness", tag = "catalog", operation_id = "getEntityFreshness",
    params(("uid" = String, Path)),
    responses((status = 200, body = Freshness), (status = 404, description = "None that the caller may see")))]
pub(super) async fn freshness(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path(uid): Path<String>,
) -> Result<Response> {
    let operator = caller.access_to(Permission::PluginRead) == Access::All;
    let found = app.catalog.freshness(&caller.access, &uid, operator).await?;
    found.map(|freshness| json(&freshness)).ok_or_else(|| ApiError::not_found(format!("No entity with uid {uid}")))
}

/// The entity with a name, in whatever case.
#[utoipa::path(get, path = "/entities/by-name/{kind}/{namespace}/{name}", tag = "catalog", operation_id = "GetEntityByName",
    params(("kind" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Entity), (status = 404, description = "None that the caller may see")))]
pub(super) async fn by_name(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Result<Response> {
    let found = app.catalog.by_ref(&caller.access, &EntityRef::new(&kind, &namespace, &name)).await?;
    found.map(|entity| json(&entity)).ok_or_else(|| {
        ApiError::not_found(format!("No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'"))
    })
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

/// Entities in the order of their refs; null for what is not there.
#[utoipa::path(post, path = "/entities/by-refs", tag = "catalog", operation_id = "GetEntitiesByRefs",
    params(("filter" = Option<Vec<String>>, Query)),
    request_body = ByRefsRequest,
    responses((status = 200, description = "In the order of the refs", body = EntitiesByRefs)))]
pub(super) async fn by_refs(
    State(app): State<App>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    body: Fields,
) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &["filter"])?;
    let refs = body.texts("entityRefs")?;
    let refs = refs.ok_or_else(|| ApiError::input("request/body must have required property 'entityRefs'"))?;
    let filter = match (query::filter(&params)?, query::predicate(&body)?) {
        (Some(filter), Some(predicate)) => Some(Predicate::All(vec![filter, predicate])),
        (filter, predicate) => filter.or(predicate),
    };
    let fields = body.texts("fields")?.unwrap_or_default();
    let items = app.catalog.by_refs(&caller.access, &refs, filter.as_ref(), &fields).await?;
    Ok(json(&Items { items }))
}
