//! Finds out who is asking: once per request, from the session's cookie or the token that it carries.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use callboard_model::entity_ref::EntityRef;
use callboard_store::Seen;
use chrono::Utc;

use super::auth;
use super::error::{ApiError, Result};
use super::remote::Remote;
use super::state::App;
use super::trace::Asker;
use crate::identity::session::{self, Handed, cookie};
use crate::identity::sign_in::provider::Provider;
use crate::identity::token::user::TokenError;
use crate::identity::{Credential, Person, Principal, User};
use crate::policy::Scope;

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

/// What was found out on the way to who is asking.
#[derive(Default)]
struct Known {
    /// A new secret of the session.
    offer: Option<Handed>,
    /// The state of the database, for whoever answers.
    seen: Option<Seen>,
}

impl Known {
    async fn seen(&mut self, app: &App) -> Result<Seen> {
        Ok(self.seen.insert(app.answers.seen().await?).clone())
    }
}

/// Finds out who is asking, and whether another site's page sent it.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    if let Some(peer) = peer {
        let remote = Remote::of(peer, request.headers(), &app.trusted_proxies);
        request.extensions_mut().insert(remote);
    }
    let mut known = Known::default();
    let is_return = auth::is_return(request.uri().path());
    let identity = identity(&app, request.method(), request.headers(), is_return, &mut known).await;
    let asker = match &identity {
        Ok(identity) => identity.principal.to_string(),
        Err(error) => error.name.to_owned(),
    };
    request.extensions_mut().insert(Identified(identity));
    if let Some(seen) = known.seen {
        request.extensions_mut().insert(seen);
    }
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Asker(asker));
    if let Some(offer) = known.offer {
        hand_over(&app, &offer, response.headers_mut());
    }
    response
}

/// Sends a session's new secret along, unless the answer is about the session's cookie itself.
fn hand_over(app: &App, offer: &Handed, headers: &mut HeaderMap) {
    let of_session = |value: &HeaderValue| value.as_bytes().starts_with(cookie::NAME.as_bytes());
    if headers.get_all(header::SET_COOKIE).iter().any(of_session) {
        return;
    }
    headers.append(header::SET_COOKIE, cookie::set(offer, app.is_https));
    // Whatever the answer is otherwise, nobody may keep it for somebody else.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

async fn identity(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    is_return: bool,
    known: &mut Known,
) -> Result<Identity> {
    let session = cookie::read(headers);
    // A service that has a browser post what it brings back is another site, and it changes nothing.
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !is_return {
        app.origins.check(headers, session.is_some()).map_err(|foreign| ApiError::not_allowed(foreign.to_string()))?;
    }
    match (bearer(headers), session) {
        (Some(token), _) => of_token(app, token).await,
        (None, Some(secret)) => of_session(app, &secret, known).await,
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
            // It ends with the session that it was made in.
            let session = app.sessions.by_id(&verified.session).await?.filter(|session| session.user == verified.user);
            let session = session.ok_or_else(|| illegal("Illegal token"))?;
            let user = user_of(app, &session).await?.ok_or_else(|| illegal("Illegal token"))?;
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

async fn of_session(app: &App, secret: &str, known: &mut Known) -> Result<Identity> {
    let anonymous = Identity { principal: Principal::Anonymous, credential: Credential::None };
    let Some(session::Found { session, offer: new }) = app.sessions.find(secret, known.seen(app).await?).await? else {
        return Ok(anonymous);
    };
    let Some(user) = user_of(app, &session).await? else { return Ok(anonymous) };
    known.offer = new;
    Ok(Identity { principal: Principal::User(user), credential: Credential::Session(session.id) })
}

/// Somebody who is signed in. A session is worth nothing while its way to sign in is not in app-config, or, where that is a
/// service, while its user is not in the catalog.
async fn user_of(app: &App, session: &session::Session) -> Result<Option<User>> {
    if let Some(choice) = app.directory.signed_in(&session.user, &session.provider) {
        return Ok(Some(app.directory.user(choice, &app.catalog, app.policy.get().names_entities()).await?));
    }
    let mut offered = app.sign_in.offered();
    match offered.find(|provider| provider.config.id == session.provider) {
        Some(provider) => known(app, &session.user, &session.display_name, provider.admits_strangers()).await,
        None => Ok(None),
    }
}

/// Somebody who may sign in, in whatever way. What they hold ends with that: somebody taken out of app-config, or out of the
/// catalog, is out.
async fn user(app: &App, entity_ref: &EntityRef) -> Result<Option<User>> {
    if let Some(choice) = app.directory.choice(entity_ref) {
        return Ok(Some(app.directory.user(choice, &app.catalog, app.policy.get().names_entities()).await?));
    }
    if app.sign_in.offered().next().is_none() {
        return Ok(None);
    }
    known(app, entity_ref, entity_ref.name(), app.sign_in.offered().any(Provider::admits_strangers)).await
}

/// Somebody whom the catalog knows, or a stranger where those are admitted.
async fn known(app: &App, entity_ref: &EntityRef, called: &str, strangers: bool) -> Result<Option<User>> {
    Ok(match Person::find(&app.catalog, entity_ref).await? {
        Some(person) => Some(person.into_user(called)),
        None if strangers => Some(User {
            entity_ref: entity_ref.clone(),
            display_name: called.to_owned(),
            ownership: vec![entity_ref.clone()],
            scope: Scope::unlimited(),
        }),
        None => None,
    })
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut parts = value.splitn(2, |byte| *byte == b' ');
    parts.next().filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))?;
    Some(parts.next().unwrap_or_default().trim_ascii())
}
