//! One line in the log per request: who asked what, what the answer was, how long it took. Never a body, never a
//! query string, because either may hold what is not for the log.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use callboard_host::spans;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::metrics::{Requests, RequestsOfRoute, known_method};
use crate::telemetry;

/// Put into an answer's extensions by whoever found out who is asking.
#[derive(Clone)]
pub(crate) struct Asker(pub(crate) String);

/// In a request's extensions: the id under which the log knows it.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Logs the request when it is answered. Everything else that is logged for it has the same id, and so does the
/// answer: whoever reports an error can name it.
pub(crate) async fn log(State(requests): State<Requests>, mut request: Request, next: Next) -> Response {
    let id = hex::encode(rand::random::<[u8; 8]>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!(target: "callboard::http", "request", id);
    let route = RequestsOfRoute::default();
    request.extensions_mut().insert(route.clone());
    let (method, traced, start) = (request.method().clone(), traced(&request, &id), Instant::now());
    let mut response = answer(request, next).instrument(traced.clone()).instrument(span).await;
    requests.answered(&method, &route, response.status(), start.elapsed());
    told(&traced, &method, &route, &response);
    if let Ok(id) = HeaderValue::from_str(&id) {
        // What came through the proxy may have one of its own, where app-config lets it pass.
        response.headers_mut().entry("x-request-id").or_insert(id);
    }
    response
}

async fn answer(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = escape(request.uri().path());
    let start = Instant::now();
    let response = next.run(request).await;
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    let principal = response.extensions().get::<Asker>().map_or("-", |asker| asker.0.as_str());
    if is_probe(&path) {
        tracing::debug!(target: "callboard::http", %method, path, status, ms, principal, "answered");
    } else if response.status().is_server_error() {
        tracing::warn!(target: "callboard::http", %method, path, status, ms, principal, "answered");
    } else {
        tracing::info!(target: "callboard::http", %method, path, status, ms, principal, "answered");
    }
    response
}

/// The request in a trace; it continues that of whoever sent it.
fn traced(request: &Request, id: &str) -> Span {
    let method = known_method(request.method());
    let span = tracing::info_span!(
        target: spans::TARGET,
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
        callboard.request = id,
    );
    telemetry::continue_trace(&span, request.headers());
    span
}

fn told(span: &Span, method: &Method, route: &RequestsOfRoute, response: &Response) {
    telemetry::name(span, format!("{} {}", known_method(method), route.get()));
    span.record("http.route", route.get());
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Whoever watches over the portal asks every few seconds, and is told whether it is ready: that is no news.
fn is_probe(path: &str) -> bool {
    path == "/healthcheck" || path.starts_with("/.backstage/health/")
}

/// A path as one line of plain text: nothing in it can start a line of its own, or turn the rest around.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => escaped.push(c),
            _ => escaped.extend(c.escape_unicode()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        fn check(text: &str, expected: &str) {
            assert_eq!(escape(text), expected);
        }
        check("/api/catalog/entities", "/api/catalog/entities");
        check("/a\r\nGET /b", "/a\\u{d}\\u{a}GET /b");
        check("/\u{1b}[31m", "/\\u{1b}[31m");
        check("/\u{202e}gpj", "/\\u{202e}gpj");
    }
}
