//! `/api/proxy`: requests that are passed on to the services of app-config's `proxy.endpoints`.
//!
//! `path.rs` and `endpoints.rs` say which endpoint a request is for, `endpoint.rs` where it goes and what it needs,
//! `headers.rs` what passes in either direction. What is sent is sent by egress.

mod endpoint;
mod endpoints;
mod headers;
mod path;
mod rewrite;

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::{OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing;
use callboard_egress::{self as egress, Cut, Error, HeaderProfile, Upload};
use futures::StreamExt as _;
use utoipa_axum::routes;

pub(crate) use self::endpoint::{Endpoint, Invalid};
pub(crate) use self::endpoints::{Endpoints, Live};
pub(crate) use self::headers::kept_from_targets;

use self::endpoints::Found;
use super::caller::Caller;
use super::error::{ApiError, Result};
use super::routes::{Needs, Routes};
use super::state::App;
use crate::identity::Principal;
use crate::policy::Permission;

/// The largest body in either direction. It passes through and is never held, so this only ends what has no end.
const BODY_BYTES: u64 = 1024 * 1024 * 1024;

/// How long a request may take in all, however steadily it moves.
const LONGEST: Duration = Duration::from_secs(3600);

/// How much of an answer is handed on at once.
const PART_BYTES: usize = 64 * 1024;

/// What a browser may do with an answer that it opens as a page: show its text. It comes from the portal's origin, and
/// nothing in it may act as the portal.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

pub(crate) fn routes(app: &App) -> Routes {
    let (schemas, mut paths, _) = routes!(pass_on);
    for item in paths.paths.values_mut() {
        let operations = [
            ("Get", &mut item.get),
            ("Post", &mut item.post),
            ("Put", &mut item.put),
            ("Patch", &mut item.patch),
            ("Delete", &mut item.delete),
        ];
        for (method, operation) in operations.into_iter().filter_map(|(name, found)| Some((name, found.as_mut()?))) {
            operation.operation_id = Some(format!("proxy{method}"));
        }
    }
    let needs = Needs::Found { described: "proxy.<endpoint>.read, proxy.<endpoint>.write", of: permission };
    Routes::new(app).add_below(needs, (schemas, paths, routing::any(pass_on)))
}

/// Which endpoint a request is for, and what that needs. The handler works with what is found here, so that what was
/// permitted is what is done.
fn permission(app: &App, parts: &mut Parts) -> Permission {
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
    let found = app.proxy.get().find(&parts.method, path);
    let permission = match &found {
        Found::Endpoint(endpoint) => endpoint.permission(&parts.method),
        // There is nothing to permit; the handler says so.
        Found::BadPath | Found::Nothing { .. } => Permission::Public,
    };
    parts.extensions.insert(found);
    permission
}

/// Passes a request on to the service that an endpoint of app-config's `proxy` names, and its answer back. The first
/// segments of the path are the endpoint's; GET and HEAD are passed on, other methods where `allowedMethods` has them.
#[utoipa::path(method(get, post, put, patch, delete), path = "/{path}", tag = "proxy", operation_id = "proxy",
    params(("path" = String, Path, description = "The endpoint, and what is asked of the service; it may have slashes")),
    responses((status = 200, description = "What the service answered, whatever its status"),
        (status = 400, description = "The path could be taken for another one: plain text"),
        (status = 404, description = "No such endpoint, or not with this method: no body"),
        (status = 413, description = "The body is too large"),
        (status = 500, description = "The service could not be asked: plain text"),
        (status = 502, description = "The service did not answer in HTTP: plain text"),
        (status = 504, description = "The service did not answer: plain text")))]
async fn pass_on(
    State(app): State<App>,
    caller: Caller,
    Extension(found): Extension<Found>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response> {
    let anonymous = caller.principal == Principal::Anonymous;
    let endpoint = match found {
        Found::BadPath => return Ok(bad_path()),
        Found::Nothing { is_open: false } if anonymous => return Err(ApiError::missing_credentials()),
        Found::Nothing { .. } => return Ok(StatusCode::NOT_FOUND.into_response()),
        Found::Endpoint(endpoint) => endpoint,
    };
    if anonymous && !endpoint.is_open() {
        // Also where a rule gives the permission to anyone: `require` is about who asks, not about what they may.
        return Err(ApiError::missing_credentials());
    }
    let (parts, body) = request.into_parts();
    refuse_code(&parts.headers)?;
    let Some(url) = endpoint.url(uri.path(), uri.query()) else { return Ok(bad_path()) };
    let sent = egress::Request {
        headers: endpoint.request_headers(&parts.headers),
        host: endpoint.host.clone(),
        timeout: LONGEST,
        stall: Some(endpoint.timeout),
        max_body: BODY_BYTES,
        profile: HeaderProfile::Proxy,
        credential: endpoint.credential(&parts.headers).map_err(|error| ApiError::internal(&error))?,
        ..egress::Request::new(parts.method.clone(), url)
    };
    let answer = match upload(body, &parts.headers) {
        Ok(upload) => app.egress.pass_on(sent, upload, &*endpoint).await,
        Err(cut) => return Err(cut_short(&cut)),
    };
    match answer {
        Ok(response) if response.status == StatusCode::SWITCHING_PROTOCOLS => {
            Ok(failed(&endpoint, &parts.method, StatusCode::BAD_GATEWAY, "its target wants another protocol"))
        }
        Ok(response) => Ok(answered(&endpoint, response)),
        Err(Error::Upload { cut, .. }) => Err(cut_short(&cut)),
        Err(error) => {
            tracing::warn!(target: "callboard::proxy", endpoint = endpoint.route, method = %parts.method, "{error}");
            let (status, reason) = told(&error);
            Ok(failed(&endpoint, &parts.method, status, reason))
        }
    }
}

/// What comes from a target is data. A page's own policy lets it run what comes from the portal's origin, so that nothing
/// of a target's may be loaded as code or style, whoever wrote the page.
fn refuse_code(headers: &HeaderMap) -> Result<()> {
    const CODE: &[&str] = &[
        "audioworklet",
        "embed",
        "frame",
        "iframe",
        "object",
        "paintworklet",
        "script",
        "serviceworker",
        "sharedworker",
        "style",
        "worker",
        "xslt",
    ];
    let wanted = headers.get(HeaderName::from_static("sec-fetch-dest")).and_then(|value| value.to_str().ok());
    match wanted.and_then(|wanted| CODE.iter().find(|code| **code == wanted)) {
        Some(code) => Err(ApiError::not_allowed(format!(
            "what comes through the proxy is data, and a page may not load it as {code}"
        ))),
        None => Ok(()),
    }
}

/// The body as it comes in; none where the request has none.
fn upload(body: Body, headers: &HeaderMap) -> std::result::Result<Option<Upload>, Cut> {
    let length = body.size_hint().exact();
    if length == Some(0) && !headers.contains_key(header::CONTENT_LENGTH) {
        return Ok(None);
    }
    Upload::new(body.into_data_stream(), length, BODY_BYTES).map(Some)
}

fn answered(endpoint: &Endpoint, response: egress::Response) -> Response {
    let mut headers = endpoint.response_headers(&response.headers);
    if !endpoint.is_open() {
        keep_private(&mut headers);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    let route = endpoint.route.clone();
    let parts = futures::stream::unfold(response.body, move |mut body| {
        let route = route.clone();
        async move {
            match body.read(PART_BYTES).await {
                Ok(part) => part.map(|part| (Ok(part), body)),
                Err(error) => {
                    // The head is gone already: that the connection ends too early is all that can be told.
                    tracing::warn!(target: "callboard::proxy", endpoint = route, "an answer broke off: {error}");
                    Some((Err(error), body))
                }
            }
        }
    });
    // Whoever compresses asks once more after the end.
    (response.status, headers, Body::from_stream(parts.fuse())).into_response()
}

/// What somebody may see is not for caches that others share, whatever the target says.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    let Some(value) = headers.get(header::CACHE_CONTROL) else { return };
    let text = value.to_str().unwrap_or("no-store").to_ascii_lowercase();
    let directives = text.split(',').map(str::trim).filter(|directive| {
        !directive.is_empty() && *directive != "public" && *directive != "private" && !directive.starts_with("s-maxage")
    });
    let kept: Vec<&str> = std::iter::once("private").chain(directives).collect();
    let value = HeaderValue::from_str(&kept.join(", ")).unwrap_or(HeaderValue::from_static("private, no-store"));
    headers.insert(header::CACHE_CONTROL, value);
}

/// As Backstage answers, in plain text.
fn bad_path() -> Response {
    (StatusCode::BAD_REQUEST, "Bad Request").into_response()
}

/// As Backstage answers, in plain text. Whoever asks learns what went wrong, and not where the target is.
fn failed(endpoint: &Endpoint, method: &Method, status: StatusCode, reason: &str) -> Response {
    tracing::debug!(target: "callboard::proxy", endpoint = endpoint.route, %method, status = status.as_u16(), reason);
    let text = format!("Error occurred while trying to proxy: {}: {reason}", endpoint.route);
    (status, text).into_response()
}

fn told(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Resolve { .. } => (StatusCode::GATEWAY_TIMEOUT, "the name of its target cannot be resolved"),
        Error::Connect { .. } => (StatusCode::GATEWAY_TIMEOUT, "there is no connection to its target"),
        Error::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "its target did not answer in time"),
        Error::Broken { .. } => (StatusCode::GATEWAY_TIMEOUT, "the connection to its target broke"),
        Error::Malformed { .. } => (StatusCode::BAD_GATEWAY, "its target did not answer in HTTP"),
        Error::Tls { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "there is no secure connection to its target"),
        Error::TooLarge { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "the answer of its target is too large"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "its target may not be reached"),
    }
}

/// The caller's own body is what went wrong.
fn cut_short(cut: &Cut) -> ApiError {
    match cut {
        Cut::TooLarge(limit) => {
            let message = format!("request/body is too large: {limit} bytes at most are passed on");
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", message)
        }
        Cut::Broken(_) => ApiError::input("request/body broke off"),
    }
}
