//! The web UI: the files that `cargo xtask` builds into `target/web`, inside the binary.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::etag;

/// Debug builds read the folder when they are asked, so that a new UI needs no new server.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../target/web"]
#[allow_missing = true]
struct Files;

/// Everything that is no route: a file of the UI, or its page for whatever path a reader navigates to.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(file) = Files::get(path).filter(|_| path != PAGE) {
        return answer(path, file, request.headers());
    }
    if is_navigation(path, request.headers()) {
        return match Files::get(PAGE) {
            Some(file) => answer(PAGE, file, request.headers()),
            None => missing(),
        };
    }
    StatusCode::NOT_FOUND.into_response()
}

const PAGE: &str = "index.html";

/// A browser that opens an address asks for HTML; a program that looks for something else does not, and gets 404.
fn is_navigation(path: &str, headers: &HeaderMap) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let reserved = matches!(first, "api" | "assets" | "viewer" | ".backstage" | ".well-known");
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepts.flat_map(|value| value.split(','));
    let wants_html = !headers.contains_key(header::ACCEPT) || kinds.any(|kind| kind.trim().starts_with("text/html"));
    path.is_empty() || (!reserved && wants_html)
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    // Weak, because what is sent may be compressed.
    let tag = format!("W/\"{}\"", hex::encode(file.metadata.sha256_hash()));
    // The names in `assets/` carry their content's hash.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut answer = HeaderMap::new();
    let content_type = mime_guess::from_path(path).first_or_octet_stream();
    let content_type = match content_type.type_().as_str() {
        "text" => format!("{content_type}; charset=utf-8"),
        _ => content_type.to_string(),
    };
    for (name, value) in
        [(header::CONTENT_TYPE, content_type.as_str()), (header::CACHE_CONTROL, caching), (header::ETAG, tag.as_str())]
    {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    }
    // Also where it is not sent: what lies between may only keep it for readers who take it too.
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if etag::matches(headers, &tag) {
        return etag::not_modified(answer);
    }
    if let Some(packed) = Files::get(&format!("{path}.br")).filter(|_| takes_brotli(headers)) {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        return (answer, packed.data.into_owned()).into_response();
    }
    (answer, file.data.into_owned()).into_response()
}

/// Whether `Accept-Encoding` names brotli and does not give it the weight 0 (RFC 9110, 12.5.3).
fn takes_brotli(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("br") && weight.unwrap_or(1.0) > 0.0
    })
}

fn missing() -> Response {
    let page = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Callboard</title>\
                <h1>The web UI is not built yet</h1>\
                <p>The server and its API run. Build the UI with <code>cargo xtask web</code>, or everything with \
                <code>cargo xtask run</code>, and reload this page.</p></html>";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli() {
        fn check(accept: Option<&'static str>, expected: bool) {
            let named = accept.map(|value| (header::ACCEPT_ENCODING, HeaderValue::from_static(value)));
            assert_eq!(takes_brotli(&named.into_iter().collect()), expected, "{accept:?}");
        }
        check(Some("gzip, deflate, br, zstd"), true);
        check(Some("BR;q=0.5"), true);
        check(Some("br; q=0"), false);
        check(Some("gzip, broken"), false);
        check(None, false);
    }

    #[test]
    fn navigation() {
        fn check(path: &str, accept: Option<&str>, expected: bool) {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            }
            assert_eq!(is_navigation(path, &headers), expected, "{path} {accept:?}");
        }
        let browser = Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
        check("", browser, true);
        check("catalog/default/api/petstore", browser, true);
        check("catalog", Some("*/*"), false);
        check("catalog", None, true);
        check("", Some("*/*"), true);
        check("api/unknown", None, false);
        check("api/unknown", browser, false);
        check("assets/gone.js", browser, false);
        check("viewer/other", browser, false);
        check("apis", browser, true);
    }
}
