//! `/api/auth/{provider}/refresh`: who is signed in with a provider, and a token for them.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use callboard_model::api::{BackstageIdentity, BackstageUser, ProviderProfile, ProviderSession};
use chrono::Utc;
use utoipa_axum::routes;

use super::{Parameters, Way, check_environment, check_requested_with, unauthorized};
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::routes::Routes;
use crate::http::session::user_agent;
use crate::http::state::App;
use crate::identity::directory::{Choice, GUEST};
use crate::identity::session::{Begin, Session, cookie};
use crate::identity::{Credential, Person, User};
use crate::policy::Permission;

pub(super) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(refresh, refresh_by_post))
}

/// Who is signed in with this provider, with a token for them. The provider's own tokens are not handed out.
#[utoipa::path(get, path = "/{provider}/refresh", tag = "auth", operation_id = "refreshSignIn",
    params(
        ("provider" = String, Path, description = "A key of `auth.providers`"),
        ("env" = Option<String>, Query, description = "The environment; a service needs it"),
    ),
    responses((status = 200, body = ProviderSession), (status = 401, description = "Nobody is signed in with this provider")))]
async fn refresh(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response> {
    answer(&app, &name, query, &headers, &caller).await
}

/// The same.
#[utoipa::path(post, path = "/{provider}/refresh", tag = "auth", operation_id = "refreshSignInByPost",
    params(
        ("provider" = String, Path, description = "A key of `auth.providers`"),
        ("env" = Option<String>, Query, description = "The environment; a service needs it"),
    ),
    responses((status = 200, body = ProviderSession), (status = 401, description = "Nobody is signed in with this provider")))]
async fn refresh_by_post(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response> {
    answer(&app, &name, query, &headers, &caller).await
}

async fn answer(
    app: &App,
    name: &str,
    query: Option<String>,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Response> {
    let way = Way::named(app, name)?;
    if let Way::Service(provider) = &way {
        check_environment(app, provider, &Parameters::read(query.unwrap_or_default().as_bytes()))?;
        check_requested_with(headers)?;
    }
    let session = session(app, caller).await?.filter(|session| session.provider == name);
    match (way, session, caller.principal.user()) {
        (_, Some(session), Some(user)) => Ok(json(&said(app, &session.id, user).await?)),
        (Way::Guest(guest), ..) => as_guest(app, guest, headers).await,
        _ => Err(unauthorized("Refresh failed")),
    }
}

async fn session(app: &App, caller: &Caller) -> Result<Option<Session>> {
    match &caller.credential {
        Credential::Session(id) => Ok(app.sessions.by_id(id).await?),
        _ => Ok(None),
    }
}

/// A guest need not have been here before. Whoever is signed in otherwise stays so in their browser.
async fn as_guest(app: &App, guest: &Choice, headers: &HeaderMap) -> Result<Response> {
    let begin = Begin {
        user: &guest.entity_ref,
        provider: GUEST,
        display_name: &guest.display_name,
        user_agent: user_agent(headers),
        lifetime: None,
        instead_of: None,
    };
    let handed = app.sessions.start(begin).await?;
    let user = app.directory.user(guest, &app.catalog, true).await?;
    let mut response = json(&said(app, &handed.session, &user).await?);
    if cookie::read(headers).is_none() {
        response.headers_mut().append(header::SET_COOKIE, cookie::set(&handed, app.is_https));
    }
    Ok(response)
}

async fn said(app: &App, session: &str, user: &User) -> Result<ProviderSession> {
    let person = Person::find(&app.catalog, &user.entity_ref).await?;
    let issued = app.user_tokens.issue(&user.entity_ref, session, Utc::now()).await;
    let issued = issued.map_err(|error| ApiError::internal(&error))?;
    let mut ownership = user.ownership.clone();
    for group in person.iter().flat_map(|person| &person.groups) {
        if !ownership.contains(group) {
            ownership.push(group.clone());
        }
    }
    Ok(ProviderSession {
        profile: match person {
            Some(Person { email, display_name, picture, .. }) => {
                let display_name = display_name.or_else(|| Some(user.display_name.clone()));
                ProviderProfile { email, display_name, picture }
            }
            None => ProviderProfile::default(),
        },
        backstage_identity: BackstageIdentity {
            token: issued.token,
            expires_in_seconds: issued.expires_in,
            identity: BackstageUser {
                kind: "user".to_owned(),
                user_entity_ref: user.entity_ref.to_string(),
                ownership_entity_refs: ownership.iter().map(ToString::to_string).collect(),
            },
        },
    })
}
