//! `/api/auth`: signing in with services, and who is signed in where.

mod callback;
mod logout;
mod refresh;
mod sessions;
mod start;

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_model::api::{SignInError, SignInProvider};
use url::form_urlencoded;

use super::error::{ApiError, Result};
use super::routes::Routes;
use super::state::App;
use crate::identity::directory::{Choice, DEVELOPMENT, GUEST};
use crate::identity::sign_in::failure::Failure;
use crate::identity::sign_in::provider::Provider;

pub(crate) fn routes(app: &App) -> Routes {
    let routes = sessions::routes(app)
        .merge(start::routes(app))
        .merge(callback::routes(app))
        .merge(refresh::routes(app))
        .merge(logout::routes(app));
    Routes::new(app).mount("/auth", routes)
}

/// What the sign-in page is told of a service.
pub(crate) fn offer(app: &App, provider: &Provider) -> SignInProvider {
    let environment: String = form_urlencoded::byte_serialize(app.sign_in.environment.as_bytes()).collect();
    SignInProvider {
        id: provider.config.id.clone(),
        title: provider.config.title.clone(),
        start: format!("/api/auth/{}/start?env={environment}", provider.config.id),
    }
}

/// Whether this is where services send browsers back to, some of them by a form that another site posts.
pub(crate) fn is_return(path: &str) -> bool {
    let provider = path.strip_prefix("/api/auth/").and_then(|path| path.strip_suffix("/handler/frame"));
    provider.is_some_and(|provider| !provider.contains('/'))
}

/// A way to sign in, as `auth.providers` has it.
enum Way<'a> {
    Guest(&'a Choice),
    Development,
    Service(&'a Provider),
}

impl<'a> Way<'a> {
    /// The one with this name.
    fn named(app: &'a App, name: &str) -> Result<Way<'a>> {
        if let Some(provider) = app.sign_in.provider(name) {
            return Ok(Way::Service(provider));
        }
        match (name, app.directory.guest()) {
            (GUEST, Some(guest)) => Ok(Way::Guest(guest)),
            (GUEST, None) if app.directory.is_guest_refused() => Err(ApiError::not_allowed(
                "no guest may sign in, since this is not a development environment; \
                 auth.providers.guest.dangerouslyAllowOutsideDevelopment in app-config allows it",
            )),
            (DEVELOPMENT, _) if app.directory.choices().iter().any(|choice| !choice.guest) => Ok(Way::Development),
            _ => Err(ApiError::not_found(format!("Unknown auth provider '{}'", name.escape_default()))),
        }
    }

    /// The service; nothing else has what a service has.
    fn service(self) -> Result<&'a Provider> {
        match self {
            Way::Service(provider) => Ok(provider),
            Way::Guest(_) | Way::Development => Err(ApiError::not_implemented("Not implemented")),
        }
    }
}

/// The parameters of a query or a form: clients of Backstage send more than is looked at here. The first of each counts.
struct Parameters(HashMap<String, String>);

impl Parameters {
    fn read(text: &[u8]) -> Parameters {
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(text).into_owned().filter(|(_, value)| !value.is_empty()) {
            fields.entry(name).or_insert(value);
        }
        Parameters(fields)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Clients of Backstage say for which environment they ask, and there is one.
fn check_environment(app: &App, provider: &Provider, query: &Parameters) -> Result<()> {
    let asked = query.get("env").ok_or_else(|| ApiError::input("Must specify 'env' query to select environment"))?;
    if asked == app.sign_in.environment {
        return Ok(());
    }
    Err(ApiError::not_found(format!(
        "The provider '{}' is not configured for the environment '{}'; this is the environment '{}'",
        provider.config.id,
        asked.escape_default(),
        app.sign_in.environment
    )))
}

/// Pages of other sites cannot set this header without being allowed to.
fn check_requested_with(headers: &HeaderMap) -> Result<()> {
    match headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest") {
        true => Ok(()),
        false => Err(unauthorized("Invalid X-Requested-With header")),
    }
}

fn unauthorized(message: &str) -> ApiError {
    ApiError { message: message.to_owned(), ..ApiError::missing_credentials() }
}

/// The cookie that binds a flow to a browser, and its header. It is sent back to where the service sends people, and
/// nowhere else.
fn browser_cookie(provider: &Provider) -> String {
    format!("{}-nonce", provider.config.id)
}

fn set_browser_cookie(provider: &Provider, value: &str, lifetime: Duration) -> Result<HeaderValue> {
    let callback = &provider.callback;
    let path = callback.path().rsplit_once('/').map_or("/", |(path, _)| path);
    let secure = if callback.scheme() == "https" { "; Secure" } else { "" };
    let (name, seconds) = (browser_cookie(provider), lifetime.as_secs());
    let text = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).map_err(|error| ApiError::internal(&error))
}

/// Sends a browser on. What it is told there is for it alone.
fn redirect(status: StatusCode, to: &str) -> Result<Response> {
    let location = HeaderValue::try_from(to).map_err(|error| ApiError::internal(&error))?;
    let caching = HeaderValue::from_static("no-store");
    Ok((status, [(header::LOCATION, location), (header::CACHE_CONTROL, caching)]).into_response())
}

/// Back to the sign-in page, with a word for what happened. The rest is for the log, where the request's id leads to it.
fn failed(provider: &Provider, failure: &Failure) -> Result<Response> {
    let code: SignInError = failure.code();
    tracing::warn!(provider = provider.config.id, code = code.code(), "nobody was signed in: {failure}");
    redirect(StatusCode::FOUND, &format!("/sign-in?error={}", code.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_services_send_people_back() {
        for (path, expected) in [
            ("/api/auth/oidc/handler/frame", true),
            ("/api/auth/oidc/logout", false),
            ("/api/auth/a/b/handler/frame", false),
            ("/api/catalog/refresh/handler/frame", false),
            ("/api/auth/oidc/handler/frame/", false),
            ("/api/auth//handler/frame", true),
        ] {
            assert_eq!(is_return(path), expected, "{path}");
        }
    }

    #[test]
    fn parameters() {
        let fields = Parameters::read(b"state=a%2Fb&state=c&code=&env=production&x");
        assert_eq!(fields.get("state"), Some("a/b"));
        assert_eq!(fields.get("code"), None);
        assert_eq!(fields.get("env"), Some("production"));
    }
}
