//! `/api/session`: signing in and out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_model::access::Access;
use callboard_model::api::{Session, SessionUser, SignIn, SignInChoice};
use utoipa_axum::routes;

use super::audit::Asked;
use super::auth;
use super::body::Json;
use super::caller::Caller;
use super::error::{ApiError, Result, json};
use super::routes::Routes;
use super::state::App;
use crate::identity::directory::{Choice, DEVELOPMENT};
use crate::identity::session::{Begin, cookie};
use crate::identity::{Credential, Principal};
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(show, sign_in, sign_out))
}

/// Who is signed in, and who could.
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "getSession", responses((status = 200, body = Session)))]
async fn show(State(app): State<App>, caller: Caller) -> Response {
    json(&of(&app, &caller.principal))
}

/// Signs in as one of the choices. The answer sets the session's cookie.
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "signIn", request_body = SignIn,
    responses((status = 200, body = Session), (status = 403, description = "Not one of the choices")))]
async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    asked: Asked,
    Json(wish): Json<SignIn>,
) -> Result<Response> {
    let Some(choice) = app.directory.named(&wish.entity_ref) else {
        asked.turned_away(&app, DEVELOPMENT, "not one of the choices");
        return Err(ApiError::not_allowed(format!(
            "{} is not one of the ways to sign in; auth.providers in app-config has them",
            wish.entity_ref.escape_default()
        )));
    };
    let recorded = asked.signs_in(&app, &choice.entity_ref, choice.provider()).await?;
    let old = cookie::read(&headers);
    let begin = Begin {
        user: &choice.entity_ref,
        provider: choice.provider(),
        display_name: &choice.display_name,
        user_agent: user_agent(&headers),
        lifetime: None,
        instead_of: old.as_deref(),
    };
    let handed = app.sessions.start(begin).await?;
    recorded.ended(StatusCode::OK.as_u16());
    let principal = Principal::User(app.directory.user(choice, &app.catalog, false).await?);
    let cookie = cookie::set(&handed, app.is_https);
    Ok(([(header::SET_COOKIE, cookie)], json(&of(&app, &principal))).into_response())
}

/// Ends the session.
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "signOut", responses((status = 204, description = "Signed out")))]
async fn sign_out(State(app): State<App>, headers: HeaderMap, caller: Caller, asked: Asked) -> Result<Response> {
    let mut recorded = None;
    if let (Some(user), Credential::Session(id)) = (caller.principal.user(), &caller.credential) {
        let provider = app.sessions.by_id(id).await?.map_or_else(String::new, |session| session.provider);
        recorded = Some(asked.signs_out(&app, &user.entity_ref, &provider).await?);
    }
    // A session that is worth nothing any more ends as well.
    if let Some(secret) = cookie::read(&headers) {
        app.sessions.end(&secret).await?;
    }
    if let Some(recorded) = recorded {
        recorded.ended(StatusCode::NO_CONTENT.as_u16());
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear(app.is_https))]).into_response())
}

/// What a browser says that it is.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok())
}

/// What the page is told about who is looking.
pub(crate) fn of(app: &App, principal: &Principal) -> Session {
    let anonymous = app.policy.get().decide(&Principal::Anonymous, &Permission::EntityRead);
    Session {
        user: principal.user().map(|user| SessionUser {
            entity_ref: user.entity_ref.to_string(),
            display_name: user.display_name.clone(),
        }),
        anonymous_may_read: anonymous.access != Access::None,
        choices: app.directory.choices().iter().map(choice).collect(),
        providers: app.sign_in.offered().map(|provider| auth::offer(app, provider)).collect(),
    }
}

fn choice(choice: &Choice) -> SignInChoice {
    SignInChoice {
        entity_ref: choice.entity_ref.to_string(),
        display_name: choice.display_name.clone(),
        guest: choice.guest,
    }
}
