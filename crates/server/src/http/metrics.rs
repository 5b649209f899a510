//! `/metrics`: for a monitoring system, which shows a token of `backend.auth.externalAccess`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

use super::error::{ApiError, Result};
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::MetricsRead, routes!(metrics))
}

/// The numbers of the replica that answers.
#[utoipa::path(get, path = "/metrics", tag = "metrics", operation_id = "readMetrics",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text", body = String)))]
async fn metrics(State(app): State<App>) -> Result<Response> {
    let text = app.metrics.text(&app).await.map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
