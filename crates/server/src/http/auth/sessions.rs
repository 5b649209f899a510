//! `/api/auth/sessions`: where the user who asks is signed in, and signing out there.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_model::api::{SessionInfo, SessionList};
use chrono::{DateTime, SecondsFormat, Utc};
use utoipa_axum::routes;

use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::routes::Routes;
use crate::http::state::App;
use crate::identity::session::{Session, cookie};
use crate::identity::{Credential, User};
use crate::policy::Permission;

pub(super) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Own, routes!(list, end_all)).add(Permission::Own, routes!(end))
}

/// Where the user who asks is signed in.
#[utoipa::path(get, path = "/sessions", tag = "session", operation_id = "getSessions", responses((status = 200, body = SessionList)))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Response> {
    let (user, current) = signed_in(&caller)?;
    let mut sessions = app.sessions.of_user(&user.entity_ref).await?;
    sessions.sort_by_key(|session| session.id != current);
    Ok(json(&SessionList { items: sessions.into_iter().map(|session| info(session, current)).collect() }))
}

/// Signs the user who asks out everywhere.
#[utoipa::path(delete, path = "/sessions", tag = "session", operation_id = "endSessions", responses((status = 204, description = "Signed out everywhere")))]
async fn end_all(State(app): State<App>, caller: Caller) -> Result<Response> {
    let (user, _) = signed_in(&caller)?;
    app.sessions.end_all(&user.entity_ref).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear(app.is_https))]).into_response())
}

/// Ends one session of the user who asks.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "session", operation_id = "endSession", params(("id" = String, Path)),
    responses((status = 204, description = "Signed out there"), (status = 404, description = "The user has no such session")))]
async fn end(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let (user, current) = signed_in(&caller)?;
    if !app.sessions.end_by_id(&user.entity_ref, &id).await? {
        return Err(ApiError::not_found(format!("You have no session {}", id.escape_default())));
    }
    if id == current {
        return Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear(app.is_https))]).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The user and the session that asks. Sessions are for whoever sits at the browser: a token that got into the wrong hands
/// must neither find out about them nor end them.
fn signed_in(caller: &Caller) -> Result<(&User, &str)> {
    match (caller.principal.user(), &caller.credential) {
        (Some(user), Credential::Session(id)) => Ok((user, id)),
        _ => Err(ApiError::not_allowed(
            "sessions are for whoever is signed in to the portal's pages; no token reaches them",
        )),
    }
}

fn info(session: Session, current: &str) -> SessionInfo {
    SessionInfo {
        current: session.id == current,
        id: session.id,
        provider: session.provider,
        created_at: text(session.created_at),
        seen_at: text(session.seen_at),
        expires_at: text(session.expires_at),
        user_agent: session.user_agent,
    }
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
