//! `GET` and `POST /entity-facets`.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::query;
use super::schema::{FacetsAnswer, FacetsRequest};
use crate::http::body::Fields;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::{NoParams, Params};
use crate::http::state::App;

/// The values that entities have in some fields, with how many have each.
#[utoipa::path(get, path = "/entity-facets", tag = "catalog", operation_id = "GetEntityFacets",
    params(("facet" = Vec<String>, Query), ("filter" = Option<Vec<String>>, Query)),
    responses((status = 200, body = FacetsAnswer)))]
pub(super) async fn get(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &["facet", "filter"])?;
    let facets = params.many("facet");
    if facets.is_empty() {
        return Err(ApiError::input("request/query must have required property 'facet'"));
    }
    let filter = query::filter(&params)?;
    Ok(json(&app.catalog.facets(&caller.access, &facets, filter.as_ref()).await?))
}

/// The same, asked with a predicate.
#[utoipa::path(post, path = "/entity-facets", tag = "catalog", operation_id = "QueryEntityFacetsByPredicate",
    request_body = FacetsRequest,
    responses((status = 200, body = FacetsAnswer)))]
pub(super) async fn post(State(app): State<App>, caller: Caller, _: NoParams, body: Fields) -> Result<Response> {
    let facets = body.texts("facets")?.unwrap_or_default();
    if facets.is_empty() {
        return Err(ApiError::input("Missing or empty facets parameter"));
    }
    let filter = query::predicate(&body)?;
    Ok(json(&app.catalog.facets(&caller.access, &facets, filter.as_ref()).await?))
}
