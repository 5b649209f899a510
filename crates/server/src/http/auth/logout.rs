//! `POST /api/auth/{provider}/logout`: ends the session of a provider.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

use super::{Parameters, Way, check_environment, check_requested_with};
use crate::http::audit::Asked;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::routes::Routes;
use crate::http::state::App;
use crate::identity::Credential;
use crate::identity::session::cookie;
use crate::policy::Permission;

pub(super) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(logout))
}

/// Ends the session, where it began with this provider. The header `Origin` was checked before, as for everything that
/// changes something.
#[utoipa::path(post, path = "/{provider}/logout", tag = "auth", operation_id = "signOutOfProvider",
    params(
        ("provider" = String, Path, description = "A key of `auth.providers`"),
        ("env" = String, Query, description = "The environment"),
    ),
    responses((status = 200, description = "Signed out")))]
async fn logout(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    caller: Caller,
    asked: Asked,
) -> Result<Response> {
    let provider = Way::named(&app, &name)?.service()?;
    check_environment(&app, provider, &Parameters::read(query.unwrap_or_default().as_bytes()))?;
    check_requested_with(&headers)?;
    if let (Some(user), Credential::Session(id)) = (caller.principal.user(), &caller.credential) {
        let session = app.sessions.by_id(id).await?.filter(|session| session.provider == name);
        if session.is_some() {
            let recorded = asked.signs_out(&app, &user.entity_ref, &name).await?;
            app.sessions.end_by_id(&user.entity_ref, id).await?;
            recorded.ended(StatusCode::OK.as_u16());
            return Ok((StatusCode::OK, [(header::SET_COOKIE, cookie::clear(app.is_https))]).into_response());
        }
    }
    Ok(StatusCode::OK.into_response())
}
