//! Who is asking, for handlers: established once per request, with what the policy lets them do.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use callboard_model::access::Access;

use super::error::{ApiError, Result};
use super::state::App;
use super::trace::Asker;
use crate::identity::permission::Denied;
use crate::identity::{Permission, Policy, Principal, session};

/// Who is asking, and what they may do with what the route is about.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    /// For the permission of the route.
    pub(crate) access: Access,
    policy: Arc<Policy>,
}

impl Caller {
    /// What they may do with something else.
    pub(crate) fn access_to(&self, permission: Permission) -> Access {
        self.policy.decide(&self.principal, permission)
    }

    /// The user's ref, for a plugin.
    pub(crate) fn user_ref(&self) -> Option<String> {
        self.principal.user().map(|user| user.entity_ref.to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let found = parts.extensions.get::<Caller>().cloned();
        found.ok_or_else(|| ApiError::internal(&"a route was added without Routes::add"))
    }
}

/// What [`identify`] found out, for [`admit`]: it is the route that answers, so that errors name the route's URL.
#[derive(Clone)]
struct Identified(Result<Principal>);

/// Finds out who is asking, and whether another site's page sent it.
pub(crate) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let principal = principal(&app, request.method(), request.headers()).await;
    let asker = Asker(principal.as_ref().map_or_else(|error| error.name.to_owned(), ToString::to_string));
    request.extensions_mut().insert(Identified(principal));
    let mut response = next.run(request).await;
    response.extensions_mut().insert(asker);
    response
}

async fn principal(app: &App, method: &Method, headers: &HeaderMap) -> Result<Principal> {
    let session = session::cookie(headers);
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        app.origins.check(headers, session.is_some()).map_err(|foreign| ApiError::not_allowed(foreign.to_string()))?;
    }
    if let Some(token) = token(headers) {
        // Those of push sources are the only ones that there are.
        let source = app.push_tokens.source(token).map(|source| Principal::Source(source.to_owned()));
        return source.ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "AuthenticationError", "Illegal token"));
    }
    let Some(session) = session else { return Ok(Principal::Anonymous) };
    let entity_ref = app.sessions.find(&session).await?;
    // A session ends with the way to sign in: somebody taken out of app-config is out.
    let Some(choice) = entity_ref.and_then(|entity_ref| app.directory.choice(&entity_ref)) else {
        return Ok(Principal::Anonymous);
    };
    let user = app.directory.user(choice, &app.catalog, app.policy.names_entities()).await;
    Ok(Principal::User(user?))
}

fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut parts = value.splitn(2, |byte| *byte == b' ');
    parts.next().filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))?;
    Some(parts.next().unwrap_or_default().trim_ascii())
}

/// Lets a request pass that has the permission, and tells the handler what it covers.
pub(crate) fn admit(app: &App, permission: Permission, request: &mut Request) -> Result<()> {
    let identified = request.extensions_mut().remove::<Identified>();
    let Identified(principal) =
        identified.ok_or_else(|| ApiError::internal(&"a route is not below the layer that identifies callers"))?;
    let principal = principal?;
    let access = app.policy.decide(&principal, permission);
    if access == Access::None {
        match &principal {
            Principal::Anonymous => return Err(ApiError::missing_credentials()),
            Principal::Source(source) => {
                return Err(ApiError::not_allowed(format!(
                    "the token of the push source {source} is for POST /api/catalog/push/{source} and for nothing else"
                )));
            }
            Principal::User(_) => {}
        }
        if permission == Permission::EntityPush {
            return Err(ApiError::not_allowed(
                "entities are pushed with the token that catalog.push of app-config has for the source",
            ));
        }
        if permission.denied() == Denied::Forbidden {
            return Err(ApiError::not_allowed(format!(
                "{principal} does not have the permission {}; a rule in permission.policy of app-config gives it",
                permission.name()
            )));
        }
    }
    request.extensions_mut().insert(Caller { principal, access, policy: app.policy.clone() });
    Ok(())
}
