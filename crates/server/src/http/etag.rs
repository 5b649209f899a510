//! Weak ETags for JSON answers, 304 where the reader already has them, and nothing for caches that others share.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Larger answers are sent as they come: to hash them would mean to hold them.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Adds an ETag to what has none, and answers 304 where it is the one that the reader names.
pub(crate) async fn weak_etags(request: Request, next: Next) -> Response {
    // The answer to HEAD has lost its body by now.
    let reads = *request.method() == Method::GET;
    let known = request.headers().clone();
    let mut response = next.run(request).await;
    // What somebody may see is not for caches that others share, and is asked for again each time.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    if !reads || response.status() != StatusCode::OK {
        return response;
    }
    if !response.headers().contains_key(header::ETAG) {
        response = tagged(response).await;
    }
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    match tag.is_some_and(|tag| matches(&known, tag)) {
        true => not_modified(response.into_parts().0.headers),
        false => response,
    }
}

/// Adds an ETag, unless it is too large.
async fn tagged(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let small = body.size_hint().exact().is_some_and(|size| size <= MAX_BYTES);
    if !small {
        return Response::from_parts(parts, body);
    }
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            tag(&mut parts.headers, &bytes);
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(error) => super::error::ApiError::internal(&error).into_response(),
    }
}

/// Adds the weak ETag of an answer's content.
pub(crate) fn tag(headers: &mut HeaderMap, content: &[u8]) {
    if let Ok(value) = HeaderValue::try_from(weak(content)) {
        headers.insert(header::ETAG, value);
    }
}

/// The weak ETag of some content.
pub(crate) fn weak(content: &[u8]) -> String {
    let mut digest = hex::encode(Sha256::digest(content));
    digest.truncate(27);
    format!("W/\"{:x}-{digest}\"", content.len())
}

/// Whether `If-None-Match` names this ETag.
pub(crate) fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = opaque(tag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| candidate.trim() == "*" || opaque(candidate) == wanted)
}

/// 304 with the headers that still say something.
pub(crate) fn not_modified(mut headers: HeaderMap) -> Response {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_TYPE);
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match() {
        fn check(header_value: Option<&str>, expected: bool) {
            let mut headers = HeaderMap::new();
            if let Some(value) = header_value {
                headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(matches(&headers, "W/\"2-abc\""), expected, "{header_value:?}");
        }
        check(None, false);
        check(Some("W/\"2-abc\""), true);
        check(Some("\"2-abc\""), true);
        check(Some("\"x\", W/\"2-abc\""), true);
        check(Some("*"), true);
        check(Some("W/\"2-abd\""), false);
        check(Some(""), false);
    }
}
