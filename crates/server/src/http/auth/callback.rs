//! `/api/auth/{provider}/handler/frame`: where a service sends browsers back to.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use url::form_urlencoded::Serializer;
use utoipa_axum::routes;

use super::{Parameters, Way, browser_cookie, failed, redirect, set_browser_cookie};
use crate::http::audit::Asked;
use crate::http::body::Path;
use crate::http::error::Result;
use crate::http::routes::Routes;
use crate::http::session::user_agent;
use crate::http::state::App;
use crate::identity::session::{Begin, cookie};
use crate::identity::sign_in::Return;
use crate::identity::sign_in::failure::Failure;
use crate::identity::sign_in::flow::Browser;
use crate::policy::Permission;

/// What a service sends back, of which nothing else is looked at.
const FIELDS: [&str; 5] = ["state", "code", "iss", "error", "error_description"];

pub(super) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(come_back, come_back_by_form))
}

/// Finds out who came back, and signs them in.
#[utoipa::path(get, path = "/{provider}/handler/frame", tag = "auth", operation_id = "finishSignIn",
    params(("provider" = String, Path, description = "A key of `auth.providers`")),
    responses((status = 302, description = "To where they wanted, signed in; or to the sign-in page with an `error`")))]
async fn come_back(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response> {
    let provider = Way::named(&app, &name)?.service()?;
    let back = Parameters::read(query.unwrap_or_default().as_bytes());
    let field = |name: &str| back.get(name).map(str::to_owned);
    let back = Return {
        state: field("state"),
        code: field("code"),
        issuer: field("iss"),
        error: field("error"),
        error_description: field("error_description"),
    };
    let browser = cookie::named(&headers, &browser_cookie(provider)).and_then(|value| Browser::of_cookie(&value));
    let arrival = match app.sign_in.finish(provider, browser.as_ref(), &back, &app.catalog).await {
        Ok(arrival) => arrival,
        Err(failure) => {
            asked.turned_away(&app, &provider.config.id, failure.code().code());
            return failed(provider, &failure);
        }
    };
    let recorded = match asked.signs_in(&app, &arrival.user, &provider.config.id).await {
        Ok(recorded) => recorded,
        // It is a browser that comes here, and its reader is told at the page where they can try again.
        Err(error) => return failed(provider, &Failure::Internal(error.message)),
    };
    let old = cookie::read(&headers);
    let begin = Begin {
        user: &arrival.user,
        provider: &provider.config.id,
        display_name: &arrival.display_name,
        user_agent: user_agent(&headers),
        lifetime: provider.config.session_duration,
        instead_of: old.as_deref(),
    };
    let handed = match app.sessions.start(begin).await {
        Ok(handed) => handed,
        Err(error) => return failed(provider, &error.into()),
    };
    recorded.ended(StatusCode::FOUND.as_u16());
    tracing::info!(provider = provider.config.id, user = %arrival.user, "signed in");
    let mut response = redirect(StatusCode::FOUND, arrival.landing.as_str())?;
    response.headers_mut().append(header::SET_COOKIE, cookie::set(&handed, app.is_https));
    response.headers_mut().append(header::SET_COOKIE, set_browser_cookie(provider, "", Duration::ZERO)?);
    Ok(response)
}

/// The same for services that have the browser post a form. That comes from their site, so that the browser keeps its
/// cookies back; it brings them when it is sent here once more.
#[utoipa::path(post, path = "/{provider}/handler/frame", tag = "auth", operation_id = "finishSignInByForm",
    params(("provider" = String, Path, description = "A key of `auth.providers`")),
    responses((status = 303, description = "To the same address, by GET")))]
async fn come_back_by_form(State(app): State<App>, Path(name): Path<String>, body: Bytes) -> Result<Response> {
    let provider = Way::named(&app, &name)?.service()?;
    let form = Parameters::read(&body);
    let fields = FIELDS.iter().filter_map(|name| Some((*name, form.get(name)?)));
    let query = Serializer::new(String::new()).extend_pairs(fields).finish();
    redirect(StatusCode::SEE_OTHER, &format!("{}?{query}", provider.callback.path()))
}
