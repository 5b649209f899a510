//! Finds out who is asking: once per request, from the session's cookie or the token that it carries.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use callboard_model::entity_ref::EntityRef;
use chrono::Utc;

use super::error::{ApiError, Result};
use super::state::App;
use super::trace::Asker;
use crate::identity::token::user::TokenError;
use crate::identity::{Credential, Principal, User, session};

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
        (Some(token), _) => of_token(app, token).await,
        (None, Some(secret)) => of_session(app, &secret).await,
        (None, None) => Ok(Identity { principal: Principal::Anonymous, credential: Credential::None }),
    }
}

/// Whose token it is. Each kind is told by its form or, where it has none, by comparing.
async fn of_token(app: &App, token: &[u8]) -> Result<Identity> {
    if let Some(source) = app.push_tokens.source(token) {
        return Ok(Identity { principal: Principal::Source(source.to_owned()), credential: Credential::Push });
    }
    let Ok(token) = std::str::from_utf8(token) else { return Err(illegal("Illegal token")) };
    let now = Utc::now();
    if let Some(found) = app.personal_tokens.find(token, now).await? {
        let user = user(app, &found.user).await?.ok_or_else(|| illegal("Illegal token"))?;
        let user = User { scope: user.scope.and(found.limit), ..user };
        return Ok(Identity { principal: Principal::User(user), credential: Credential::PersonalToken(found.id) });
    }
    match app.user_tokens.verify(token, now).await {
        Ok(verified) => {
            let user = user(app, &verified.user).await?.ok_or_else(|| illegal("Illegal token"))?;
            return Ok(Identity { principal: Principal::User(user), credential: Credential::UserToken });
        }
        Err(TokenError::Illegal) => {}
        Err(TokenError::Limited) => return Err(illegal("Illegal limited user token")),
        Err(TokenError::Store(error)) => return Err(error.into()),
        Err(error @ TokenError::Sign(_)) => return Err(ApiError::internal(&error)),
    }
    let service = app.external.find(token).await.ok_or_else(|| illegal("Illegal token"))?;
    Ok(Identity { principal: Principal::Service(service), credential: Credential::External })
}

fn illegal(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "AuthenticationError", message)
}

async fn of_session(app: &App, secret: &str) -> Result<Identity> {
    let anonymous = Identity { principal: Principal::Anonymous, credential: Credential::None };
    let Some(entity_ref) = app.sessions.find(secret).await? else { return Ok(anonymous) };
    match user(app, &entity_ref).await? {
        Some(user) => Ok(Identity { principal: Principal::User(user), credential: Credential::Session(String::new()) }),
        None => Ok(anonymous),
    }
}

/// Somebody who may sign in. Whatever they hold ends with the way to sign in: somebody taken out of app-config is out.
async fn user(app: &App, entity_ref: &EntityRef) -> Result<Option<User>> {
    let Some(choice) = app.directory.choice(entity_ref) else { return Ok(None) };
    Ok(Some(app.directory.user(choice, &app.catalog, app.policy.get().names_entities()).await?))
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut parts = value.splitn(2, |byte| *byte == b' ');
    parts.next().filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))?;
    Some(parts.next().unwrap_or_default().trim_ascii())
}
