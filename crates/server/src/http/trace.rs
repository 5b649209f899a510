//! One line in the log per request: who asked what, what the answer was, how long it took. Never a body, never a
//! query string, because either may hold what is not for the log.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Put into an answer's extensions by whoever found out who is asking.
#[derive(Clone)]
pub(crate) struct Asker(pub(crate) String);

/// Logs the request when it is answered.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = escape(request.uri().path());
    let start = Instant::now();
    let response = next.run(request).await;
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    let principal = response.extensions().get::<Asker>().map_or("-", |asker| asker.0.as_str());
    if response.status().is_server_error() {
        tracing::warn!(target: "callboard::http", %method, path, status, ms, principal, "request");
    } else {
        tracing::info!(target: "callboard::http", %method, path, status, ms, principal, "request");
    }
    response
}

/// A path as one line of plain text: nothing in it can start a line of its own, or turn the rest around.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' '..='~' => c.to_string(),
            _ => c.escape_unicode().to_string(),
        })
        .collect()
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
