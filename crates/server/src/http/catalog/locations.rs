//! `/locations`: what somebody registered.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_catalog::{LocationQuery, NewLocation, OnConflict};
use callboard_model::access::Access;
use callboard_model::api::{LocationData, LocationInput, LocationPage, PageInfo, RegisteredLocation};
use callboard_model::entity_ref::EntityRef;
use serde::Serialize;
use serde_json::Value;

use super::reading;
use super::schema::{LocationsRequest, RegisterAnswer, RegisterRequest};
use crate::http::body::{Fields, Path};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::{NoParams, Params};
use crate::http::state::App;
use crate::policy::Permission;

#[derive(Serialize)]
struct Registered {
    location: RegisteredLocation,
    /// Always empty: what is there is in the catalog.
    entities: [(); 0],
}

/// All registered locations.
#[utoipa::path(get, path = "/locations", tag = "catalog", operation_id = "GetLocations",
    responses((status = 200, body = Vec<LocationData>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller, _: NoParams) -> Result<Response> {
    let locations = match caller.access {
        Access::None => Vec::new(),
        _ => app.catalog.locations().await?,
    };
    Ok(json(&locations.into_iter().map(|data| LocationData { data }).collect::<Vec<_>>()))
}

/// A registered location.
#[utoipa::path(get, path = "/locations/{id}", tag = "catalog", operation_id = "GetLocation",
    params(("id" = String, Path)),
    responses((status = 200, body = RegisteredLocation), (status = 404, description = "None with this id")))]
pub(super) async fn one(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path(id): Path<String>,
) -> Result<Response> {
    if caller.access == Access::None {
        return Err(ApiError::not_found(format!("Found no location with ID {id}")));
    }
    Ok(json(&app.catalog.location(&id).await?))
}

/// The registered location that an entity comes from.
#[utoipa::path(get, path = "/locations/by-entity/{kind}/{namespace}/{name}", tag = "catalog", operation_id = "getLocationByEntity",
    params(("kind" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = RegisteredLocation),
        (status = 404, description = "No such entity, or it comes from elsewhere")))]
pub(super) async fn by_entity(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Result<Response> {
    let entity_ref = EntityRef::new(&kind, &namespace, &name);
    if caller.access == Access::None {
        return Err(ApiError::not_found(format!("Found no location for entity {entity_ref}")));
    }
    let readable = caller.access_to(Permission::EntityRead);
    Ok(json(&app.catalog.location_by_entity(&readable, &entity_ref).await?))
}

/// A page of the registered locations, by id.
#[utoipa::path(post, path = "/locations/by-query", tag = "catalog", operation_id = "GetLocationsByQuery",
    request_body = LocationsRequest,
    responses((status = 200, body = LocationPage)))]
pub(super) async fn by_query(State(app): State<App>, caller: Caller, _: NoParams, body: Fields) -> Result<Response> {
    let limit = body.integer("limit")?;
    if limit == Some(0) {
        return Err(ApiError::input("request/body/limit must be >= 1"));
    }
    let cursor = body.text("cursor")?.map(ToOwned::to_owned);
    if cursor.as_deref() == Some("") {
        return Err(ApiError::input("request/body/cursor must NOT have fewer than 1 characters"));
    }
    let query = body.0.get("query").cloned();
    if caller.access == Access::None {
        return Ok(json(&LocationPage { items: Vec::new(), total_items: 0, page_info: PageInfo::default() }));
    }
    Ok(json(&app.catalog.query_locations(&LocationQuery { limit, cursor, query }).await?))
}

/// Has a registered location name something else, and answers when what is there can be read, or some seconds later.
#[utoipa::path(put, path = "/locations/{id}", tag = "catalog", operation_id = "UpdateLocation",
    params(("id" = String, Path)), request_body = LocationInput,
    responses((status = 200, body = RegisteredLocation), (status = 404, description = "None with this id"),
        (status = 409, description = "Registered already")))]
pub(super) async fn update(
    State(app): State<App>,
    _: NoParams,
    Path(id): Path<String>,
    body: Fields,
) -> Result<Response> {
    Ok(json(&app.catalog.update_location(&id, &input(&body, "")?).await?))
}

/// A location in a body, or in the part of it that `at` is.
pub(super) fn input(body: &Fields, at: &str) -> Result<LocationInput> {
    let read = || {
        body.only(&["type", "target"])?;
        Ok(LocationInput { kind: body.required("type")?.to_owned(), target: body.required("target")?.to_owned() })
    };
    read().map_err(|error: ApiError| {
        ApiError::input(error.message.replacen("request/body", &format!("request/body{at}"), 1))
    })
}

/// Registers a location, and answers when what is there can be read, or some seconds later.
#[utoipa::path(post, path = "/locations", tag = "catalog", operation_id = "CreateLocation",
    params(
        ("dryRun" = Option<String>, Query, description = "`true`: reads what would come in, and changes nothing"),
        ("onConflict" = Option<String>, Query, description = "`refresh` or `reject`"),
    ),
    request_body = RegisterRequest,
    responses((status = 201, description = "Registered, or what that would bring", body = RegisterAnswer), (status = 409, description = "Registered already")))]
pub(super) async fn register(State(app): State<App>, RawQuery(raw): RawQuery, body: Fields) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &["dryRun", "onConflict"])?;
    let location = read(body)?;
    let on_conflict = params.word("onConflict", &["refresh", "reject"])?.map(|word| match word {
        "refresh" => OnConflict::Refresh,
        _ => OnConflict::Reject,
    });
    if params.one("dryRun")?.is_some_and(is_truthy) {
        let outcome = reading::within(reading::PATIENCE, app.catalog.dry_run_location(&location))
            .await
            .map_err(ApiError::input)??;
        return Ok((StatusCode::CREATED, json(&outcome)).into_response());
    }
    let location = app.catalog.register_location(&location, on_conflict).await?;
    Ok((StatusCode::CREATED, json(&Registered { location, entities: [] })).into_response())
}

fn read(body: Fields) -> Result<NewLocation> {
    body.required("type")?;
    body.required("target")?;
    body.text("presence")?;
    body.only(&["type", "target", "presence"])?;
    serde_json::from_value(Value::Object(body.0)).map_err(|error| ApiError::input(format!("request/body: {error}")))
}

fn is_truthy(text: &str) -> bool {
    ["true", "1", "y", "yes", "on"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// Removes a registered location, with what came from it.
#[utoipa::path(delete, path = "/locations/{id}", tag = "catalog", operation_id = "DeleteLocation",
    params(("id" = String, Path)),
    responses((status = 204, description = "Gone"), (status = 404, description = "None with this id")))]
pub(super) async fn remove(State(app): State<App>, _: NoParams, Path(id): Path<String>) -> Result<StatusCode> {
    app.catalog.delete_location(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
