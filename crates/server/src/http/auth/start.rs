//! `GET /api/auth/{provider}/start`: sends a browser to a service.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use utoipa_axum::routes;

use super::{Parameters, Way, browser_cookie, check_environment, failed, redirect, set_browser_cookie};
use crate::http::body::Path;
use crate::http::error::{ApiError, Result};
use crate::http::routes::Routes;
use crate::http::state::App;
use crate::identity::session::cookie;
use crate::identity::sign_in::flow::{Browser, LIFETIME};
use crate::identity::sign_in::landing::Landing;
use crate::policy::Permission;

pub(super) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(start))
}

/// Goes to a service to sign in. `env` is the portal's environment, `redirectUrl` where to go afterwards. Scopes that are
/// asked for are not: what a service gives the portal is for finding out who somebody is, and for nothing else.
#[utoipa::path(get, path = "/{provider}/start", tag = "auth", operation_id = "startSignIn",
    params(
        ("provider" = String, Path, description = "A key of `auth.providers`"),
        ("env" = String, Query, description = "The environment"),
        ("redirectUrl" = Option<String>, Query, description = "A path of the portal, or an address below `app.baseUrl`"),
        ("flow" = Option<String>, Query, description = "`redirect`, which is the only one there is"),
    ),
    responses((status = 302, description = "To the service, or to the sign-in page with an `error`")))]
async fn start(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let provider = Way::named(&app, &name)?.service()?;
    let query = Parameters::read(query.unwrap_or_default().as_bytes());
    check_environment(&app, provider, &query)?;
    let landing = landing(&app, &query)?;
    let known = cookie::named(&headers, &browser_cookie(provider));
    let browser = known.and_then(|value| Browser::of_cookie(&value)).unwrap_or_default();
    match app.sign_in.begin(provider, &browser, landing).await {
        Ok(url) => {
            let mut response = redirect(StatusCode::FOUND, url.as_str())?;
            response
                .headers_mut()
                .append(header::SET_COOKIE, set_browser_cookie(provider, browser.as_str(), LIFETIME)?);
            Ok(response)
        }
        Err(failure) => failed(provider, &failure),
    }
}

fn landing(app: &App, query: &Parameters) -> Result<Landing> {
    let wish = query.get("redirectUrl");
    match query.get("flow") {
        None => {}
        Some("redirect") if wish.is_some() => {}
        Some("redirect") => return Err(ApiError::input("The flow 'redirect' needs the query 'redirectUrl'")),
        Some("popup") => {
            return Err(ApiError::input(
                "The flow 'popup' is not there, because its page hands tokens to other windows; use 'flow=redirect' \
                 with a 'redirectUrl'",
            ));
        }
        Some(other) => {
            return Err(ApiError::input(format!("There is no flow '{}'; use 'flow=redirect'", other.escape_default())));
        }
    }
    match wish {
        Some(wish) => Landing::parse(wish, &app.base_url).map_err(|error| ApiError::input(error.to_string())),
        None => Ok(Landing::home()),
    }
}
