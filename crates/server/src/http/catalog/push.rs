//! `POST /push/{source}`: entities from whoever has the source's token.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_model::api::{PushRequest, PushResult};
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use crate::http::body::{BodyLimit, Json, Path};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::NoParams;
use crate::http::routes::Routes;
use crate::http::state::App;
use crate::identity::Principal;
use crate::policy::Permission;

/// As much as a descriptor file may have: some ten thousand entities. It is held in memory while it is read.
const BODY_BYTES: usize = 32 * 1024 * 1024;

/// How long the answer waits for the engine. Ten thousand entities take it a few seconds; a proxy on the way gives up
/// after a minute.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn routes(routes: Routes) -> Routes {
    let route = routes!(push).layer::<_, Infallible>(Extension(BodyLimit(BODY_BYTES)));
    routes.add(Permission::EntityPush, route)
}

/// Takes over what a source says, as a whole or not at all, and answers when it can be read.
#[utoipa::path(post, path = "/push/{source}", tag = "catalog", operation_id = "pushEntities",
    params(("source" = String, Path, description = "A name in `catalog.push` of app-config")),
    request_body = PushRequest,
    responses((status = 200, description = "Everything was dealt with; `failed` says what cannot be read", body = PushResult),
        (status = 202, description = "Taken over, and `pending` follows", body = PushResult),
        (status = 401, description = "Not a token"), (status = 403, description = "The token is for another source, or an entity is of a kind that may not come from this one"),
        (status = 413, description = "More than 32 MiB")))]
async fn push(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path(source): Path<String>,
    Json(request): Json<PushRequest>,
) -> Result<Response> {
    if caller.principal != Principal::Source(source.clone()) {
        let message = format!("the token is for {}, not for push:{}", caller.principal, source.escape_default());
        return Err(ApiError::not_allowed(message));
    }
    let result = app.catalog.push(&source, request, PATIENCE).await?;
    let status = if result.complete { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, json(&result)).into_response())
}
