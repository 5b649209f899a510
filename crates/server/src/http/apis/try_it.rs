//! `POST /api/apis/try`.

use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use callboard_model::api::{TryRequest, TryResponse};
use serde_json::Value;
use utoipa_axum::router::UtoipaMethodRouterExt;
use utoipa_axum::routes;

use super::exchange::{self, BODY_BYTES, TryPolicy};
use super::servers::Servers;
use crate::http::body::{BodyLimit, Json};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::extensions;
use crate::http::routes::Routes;
use crate::http::state::App;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    // The body is base64 inside JSON.
    let limit = BODY_BYTES / 3 * 4 + 64 * 1024;
    let route = routes!(try_it).layer::<_, Infallible>(Extension(BodyLimit(limit)));
    Routes::new(app).add(Permission::ApiTry, route)
}

/// Sends a request to a server that the entity's definition names, and answers with what it said. GET, HEAD and
/// OPTIONS where `backend.reading.allow` permits it, other methods where `apis.tryItOut.allow` does as well.
#[utoipa::path(post, path = "/apis/try", tag = "apis", operation_id = "tryApi", request_body = TryRequest,
    responses((status = 200, body = TryResponse), (status = 403, description = "Not a server of the definition, or not permitted"),
        (status = 404, description = "No such entity"), (status = 429, description = "Too many requests"),
        (status = 502, description = "The server could not be reached, or its answer is too large")))]
async fn try_it(State(app): State<App>, caller: Caller, Json(wish): Json<TryRequest>) -> Result<Response> {
    let user = caller.user_ref().ok_or_else(ApiError::missing_credentials)?;
    app.try_rate.take(&user)?;
    let request = exchange::request(&wish)?;
    let entity = extensions::entity(&app, &caller, &wish.entity_ref).await?;
    let servers = Servers::of(definition(&entity)?).map_err(|error| ApiError::not_allowed(error.to_string()))?;
    let policy = TryPolicy { servers, allow: &app.try_allow, reading: app.egress.reader().reading_policy() };
    exchange::send(&app.egress, request, &policy, &user).await.map(|answer| json(&answer))
}

fn definition(entity: &Value) -> Result<&str> {
    let is_api = entity.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("api"));
    let kind = entity.pointer("/spec/type").and_then(Value::as_str);
    match entity.pointer("/spec/definition").and_then(Value::as_str) {
        Some(definition) if is_api && kind == Some("openapi") => Ok(definition),
        _ => Err(ApiError::input("only an entity of kind API with spec.type openapi can be tried out")),
    }
}
