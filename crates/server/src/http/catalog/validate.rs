//! `POST /validate-entity` and `POST /analyze-location`: what the catalog would say, before anything is in it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_model::api::described::Entity;
use callboard_model::api::{EntityError, LocationAnalysis, ValidationErrors};
use serde_json::Value;

use super::reading;
use super::schema::{AnalyzeRequest, ValidateRequest};
use crate::http::body::Fields;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::NoParams;
use crate::http::state::App;
use crate::policy::Permission;

/// Checks an entity as the catalog would, and stores nothing. What it refers to is read.
#[utoipa::path(post, path = "/validate-entity", tag = "catalog", operation_id = "ValidateEntity",
    request_body = ValidateRequest,
    responses((status = 200, description = "The catalog would take it"),
        (status = 400, description = "It would not", body = ValidationErrors)))]
pub(super) async fn validate(State(app): State<App>, _: NoParams, mut body: Fields) -> Result<Response> {
    let location = body.required("location")?.to_owned();
    body.object("entity")?.ok_or_else(|| ApiError::input("request/body must have required property 'entity'"))?;
    let entity = body.0.remove("entity").unwrap_or(Value::Null);
    let errors = reading::within(reading::PATIENCE, app.catalog.validate_entity(entity, &location)).await;
    let errors = errors.unwrap_or_else(|message| vec![EntityError { name: "TimeoutError".to_owned(), message }]);
    if errors.is_empty() {
        return Ok(StatusCode::OK.into_response());
    }
    // The one error of this API without the common body: clients read the list.
    Ok((StatusCode::BAD_REQUEST, json(&ValidationErrors { errors })).into_response())
}

/// What the catalog has from a location, or else an entity to begin with.
#[utoipa::path(post, path = "/analyze-location", tag = "catalog", operation_id = "AnalyzeLocation",
    request_body = AnalyzeRequest,
    responses((status = 200, body = LocationAnalysis<Entity>)))]
pub(super) async fn analyze(State(app): State<App>, caller: Caller, _: NoParams, body: Fields) -> Result<Response> {
    // Backstage's description and its clients write the name differently.
    body.text("catalogFileName")?;
    body.text("catalogFilename")?;
    let location = body.object("location")?;
    let location = location.ok_or_else(|| ApiError::input("request/body must have required property 'location'"))?;
    let location = super::locations::input(&location, "/location")?;
    let readable = caller.access_to(Permission::EntityRead);
    Ok(json(&app.catalog.analyze_location(&readable, &location).await?))
}
