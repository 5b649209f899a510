//! Finds out who is asking: once per request, from the session's cookie or the token that it carries.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::error::{ApiError, Result};
use super::state::App;
use super::trace::Asker;
use crate::identity::{Credential, Principal, session};

/// Who is asking, and how they said so.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) principal: Principal,
    pub(crate) credential: Credential,
}

/// What was found out, for [`admit`](super::caller::admit): it is the route that answers, so that errors name the
/// route's URL.
#[derive(Clone)]
pub(crate) struct Identified(pub(crate) Result<Identity>);

/// Finds out who is asking, and whether another site's page sent it.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let identity = identity(&app, request.method(), request.headers()).await;
    let asker = match &identity {
        Ok(identity) => identity.principal.to_string(),
        Err(error) => error.name.to_owned(),
    };
    request.extensions_mut().insert(Identified(identity));
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Asker(asker));
    response
}

async fn identity(app: &App, method: &Method, headers: &HeaderMap) -> Result<Identity> {
    let session = session::cookie(headers);
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        app.origins.check(headers, session.is_some()).map_err(|foreign| ApiError::not_allowed(foreign.to_string()))?;
    }
    match (bearer(headers), session) {
        (Some(token), _) => of_token(app, token),
        (None, Some(secret)) => of_session(app, &secret).await,
        (None, None) => Ok(Identity { principal: Principal::Anonymous, credential: Credential::None }),
    }
}

fn of_token(app: &App, token: &[u8]) -> Result<Identity> {
    if let Some(source) = app.push_tokens.source(token) {
        return Ok(Identity { principal: Principal::Source(source.to_owned()), credential: Credential::Push });
    }
    Err(ApiError::new(StatusCode::UNAUTHORIZED, "AuthenticationError", "Illegal token"))
}

async fn of_session(app: &App, secret: &str) -> Result<Identity> {
    let anonymous = Identity { principal: Principal::Anonymous, credential: Credential::None };
    let entity_ref = app.sessions.find(secret).await?;
    // A session ends with the way to sign in: somebody taken out of app-config is out.
    let Some(choice) = entity_ref.and_then(|entity_ref| app.directory.choice(&entity_ref)) else {
        return Ok(anonymous);
    };
    let user = app.directory.user(choice, &app.catalog, app.policy.get().names_entities()).await?;
    Ok(Identity { principal: Principal::User(user), credential: Credential::Session(String::new()) })
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut parts = value.splitn(2, |byte| *byte == b' ');
    parts.next().filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))?;
    Some(parts.next().unwrap_or_default().trim_ascii())
}
