//! `/api/v3`: who a token is for.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Mood, Shared, Token};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/user", get(user)).route("/user/emails", get(emails))
}

async fn user(State(shared): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = caller(&shared, &headers)?;
    let account = &token.account;
    let mut user = json!(account);
    let more = json!({
        "avatar_url": format!("https://avatars.example.com/u/{}?v=4", account.id),
        "html_url": format!("https://github.example.com/{}", account.login),
        "type": "User",
        "site_admin": false,
        "company": null,
        "created_at": "2008-01-14T04:33:35Z",
        "updated_at": "2026-01-14T04:33:35Z",
    });
    crate::portal::merge(&mut user, more);
    Ok(answer(&token, user))
}

async fn emails(State(shared): State<Shared>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = caller(&shared, &headers)?;
    if !token.scopes.iter().any(|scope| scope == "user" || scope == "user:email") {
        return Err(Refusal::Scope);
    }
    Ok(answer(&token, json!(token.account.emails)))
}

fn answer(token: &Token, body: Value) -> Response {
    ([("x-oauth-scopes", token.scopes.join(", "))], Json(body)).into_response()
}

fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Token, Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::USER_AGENT).is_none_or(str::is_empty) {
        return Err(Refusal::Agent);
    }
    let known = shared.known();
    match known.mood {
        Mood::Down => return Err(Refusal::Down),
        Mood::Revokes => return Err(Refusal::Token),
        _ => {}
    }
    let token = text(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let is_known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        known.tokens.get(token).filter(|_| is_known).cloned()
    });
    token.ok_or(Refusal::Token)
}

enum Refusal {
    /// A request does not say which program sends it.
    Agent,
    /// A token that is none, or none any more.
    Token,
    /// A token that is not for this. GitHub does not say so.
    Scope,
    Down,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Agent => {
                let page = "Request forbidden by administrative rules. Please make sure your request has a User-Agent \
                            header (https://docs.github.com/rest).";
                return (StatusCode::FORBIDDEN, page).into_response();
            }
            Self::Down => {
                let page = Html("<!doctype html><title>Unicorn!</title><p>No server is currently available.</p>");
                return (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
            }
            Self::Token => (StatusCode::UNAUTHORIZED, "Bad credentials"),
            Self::Scope => (StatusCode::NOT_FOUND, "Not Found"),
        };
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.as_u16().to_string(),
        });
        (status, Json(body)).into_response()
    }
}
