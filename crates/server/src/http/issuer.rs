//! `/api/auth`: what others need to check the tokens that the portal signs for its users.

use axum::extract::State;
use axum::response::Response;
use chrono::Utc;
use serde_json::json;
use utoipa_axum::routes;

use super::caller::Caller;
use super::error::{ApiError, Result, json as answer};
use super::routes::Routes;
use super::state::App;
use crate::identity::Credential;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app)
        .add(Permission::Public, routes!(configuration))
        .add(Permission::Public, routes!(keys))
        .add(Permission::Public, routes!(user_info))
        .add(Permission::Public, routes!(token))
}

/// Who signs, and where the rest is. Other portals than the pages' own cannot sign people in here.
#[utoipa::path(get, path = "/auth/.well-known/openid-configuration", tag = "auth", operation_id = "getOpenidConfiguration",
    responses((status = 200, description = "As OpenID Connect Discovery has it", body = Object)))]
async fn configuration(State(app): State<App>) -> Response {
    let issuer = app.user_tokens.issuer();
    answer(&json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/v1/token"),
        "userinfo_endpoint": format!("{issuer}/v1/userinfo"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "authorization_endpoint": format!("{issuer}/v1/authorize"),
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid"],
        "token_endpoint_auth_methods_supported": [],
        "claims_supported": ["sub", "ent"],
        "grant_types_supported": [],
    }))
}

/// The public keys of the tokens that are valid.
#[utoipa::path(get, path = "/auth/.well-known/jwks.json", tag = "auth", operation_id = "getUserTokenKeys",
    responses((status = 200, description = "A JSON Web Key Set", body = Object)))]
async fn keys(State(app): State<App>) -> Result<Response> {
    Ok(answer(&app.user_tokens.keys(Utc::now()).await?))
}

/// Whose a token is, and what counts as theirs.
#[utoipa::path(get, path = "/auth/v1/userinfo", tag = "auth", operation_id = "getUserInfo",
    responses((status = 200, description = "`claims` with `sub` and `ent`", body = Object), (status = 401, description = "No token, or none of a user")))]
async fn user_info(caller: Caller) -> Result<Response> {
    let missing = || ApiError { message: "No token provided".to_owned(), ..ApiError::missing_credentials() };
    let user = caller.principal.user().filter(|_| caller.credential == Credential::UserToken).ok_or_else(missing)?;
    let ent: Vec<String> = user.ownership.iter().map(ToString::to_string).collect();
    Ok(answer(&json!({ "claims": { "sub": user.entity_ref.to_string(), "ent": ent } })))
}

/// Part of a provider for others, which the portal is not.
#[utoipa::path(get, path = "/auth/v1/token", tag = "auth", operation_id = "getToken",
    responses((status = 501, description = "Other programs do not sign people in here")))]
async fn token() -> ApiError {
    ApiError::not_implemented("Not implemented")
}
