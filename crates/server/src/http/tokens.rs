//! `/api/auth/tokens`: the tokens that somebody made for programs of theirs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_model::api::{MadePersonalToken, NewPersonalToken, PersonalTokenList};
use callboard_model::entity_ref::EntityRef;
use chrono::Utc;
use utoipa_axum::routes;

use super::body::{Json, Path};
use super::caller::Caller;
use super::error::{ApiError, Result, json};
use super::routes::Routes;
use super::state::App;
use crate::identity::token::personal::MakeError;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Own, routes!(list, make)).add(Permission::Own, routes!(revoke))
}

/// The tokens of whoever asks. None of them is shown again.
#[utoipa::path(get, path = "/auth/tokens", tag = "auth", operation_id = "listPersonalTokens",
    responses((status = 200, body = PersonalTokenList)))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Response> {
    let items = app.personal_tokens.of(own(&caller)?, Utc::now()).await?;
    Ok(json(&PersonalTokenList { items }))
}

/// Makes a token, with what its owner names of what they may do. The answer is the only place where it stands.
#[utoipa::path(post, path = "/auth/tokens", tag = "auth", operation_id = "makePersonalToken", request_body = NewPersonalToken,
    responses((status = 201, body = MadePersonalToken), (status = 400, description = "What is wrong with the wish")))]
async fn make(State(app): State<App>, caller: Caller, Json(wish): Json<NewPersonalToken>) -> Result<Response> {
    let made = app.personal_tokens.make(own(&caller)?, &wish, Utc::now()).await;
    let (token, secret) = made.map_err(|error| match error {
        MakeError::Input(message) => ApiError::input(message),
        MakeError::Store(error) => error.into(),
    })?;
    Ok((StatusCode::CREATED, json(&MadePersonalToken { token, secret })).into_response())
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/auth/tokens/{id}", tag = "auth", operation_id = "revokePersonalToken",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is worth nothing now"), (status = 404, description = "No token of theirs")))]
async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode> {
    match app.personal_tokens.revoke(own(&caller)?, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(format!("You have no token {}", id.escape_default()))),
    }
}

/// Whose affairs these are. Only somebody at the portal's pages has them in hand: a token that could make tokens would
/// outlive its own end.
pub(super) fn own(caller: &Caller) -> Result<&EntityRef> {
    let Some(user) = caller.principal.user() else { return Err(ApiError::missing_credentials()) };
    if !caller.credential.is_session() {
        return Err(ApiError::not_allowed(
            "only somebody who is signed in at the portal's pages may do this, not a token",
        ));
    }
    Ok(&user.entity_ref)
}
