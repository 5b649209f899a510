//! `/viewer/swagger/`: swagger-ui in a page of its own, for `<iframe sandbox="allow-scripts">`.
//!
//! The page shows what strangers wrote, with a large library. So it gets an opaque origin, no session, and a policy
//! under which it can connect to nothing: its requests go through the portal's page by `postMessage`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::etag;

/// The frame's own policy. Its origin is opaque, `'self'` is where it was loaded from. swagger-ui's style sheet has
/// its icons as `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts",
);

/// swagger-ui's crate has its files behind a router of its own; this is where they are taken from, once.
const VENDOR: &str = "/vendor";

/// The frame page and the files that it loads.
pub(crate) struct Viewer {
    page: Bytes,
    /// By a name that carries the content's hash.
    files: BTreeMap<String, File>,
}

struct File {
    content_type: &'static str,
    content: Bytes,
}

impl Viewer {
    /// Takes swagger-ui out of its crate.
    ///
    /// # Errors
    /// The crate does not have a file that the frame needs.
    pub(crate) async fn load() -> Result<Viewer, ViewerError> {
        let mut page = include_str!("../../assets/viewer/swagger/index.html").to_owned();
        let mut files = BTreeMap::new();
        let own = |text: &'static str| Bytes::from_static(text.as_bytes());
        for (name, content_type, content) in [
            ("swagger-ui.css", CSS, vendored("swagger-ui.css").await?),
            ("swagger-ui-bundle.js", JS, vendored("swagger-ui-bundle.js").await?),
            ("frame.css", CSS, own(include_str!("../../assets/viewer/swagger/frame.css"))),
            ("frame.js", JS, own(include_str!("../../assets/viewer/swagger/frame.js"))),
        ] {
            let hash: String = hex::encode(Sha256::digest(&content)).chars().take(16).collect();
            let hashed = format!("{hash}.{name}");
            page = page.replace(&format!("{{{name}}}"), &hashed);
            files.insert(hashed, File { content_type, content });
        }
        Ok(Viewer { page: Bytes::from(page), files })
    }

    /// Its routes. They need no permission: the frame has no session, and there is nothing of the portal's in it.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/viewer/swagger/", routing::get(page))
            .route("/viewer/swagger/{file}", routing::get(file))
            .with_state(Arc::new(self))
    }
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The portal cannot show API definitions.
#[derive(Debug, thiserror::Error)]
#[error("the crate swagger-ui-dist does not have the file {0} at this version")]
pub struct ViewerError(String);

async fn vendored(name: &str) -> Result<Bytes, ViewerError> {
    let definition = swagger_ui_dist::ApiDefinition {
        uri_prefix: VENDOR,
        api_definition: swagger_ui_dist::OpenApiSource::Uri(""),
        title: None,
    };
    let router: Router = swagger_ui_dist::generate_routes(definition);
    let missing = || ViewerError(name.to_owned());
    let request = Request::get(format!("{VENDOR}/{name}")).body(Body::empty()).map_err(|_| missing())?;
    let response = match router.oneshot(request).await {
        Ok(response) if response.status().is_success() => response,
        Ok(_) => return Err(missing()),
        Err(never) => match never {},
    };
    axum::body::to_bytes(response.into_body(), usize::MAX).await.map_err(|_| missing())
}

async fn page(State(viewer): State<Arc<Viewer>>, headers: HeaderMap) -> Response {
    let tag = etag::weak(&viewer.page);
    let mut answer = HeaderMap::new();
    answer.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    if etag::matches(&headers, &tag) {
        return etag::not_modified(answer);
    }
    (answer, viewer.page.clone()).into_response()
}

async fn file(State(viewer): State<Arc<Viewer>>, Path(name): Path<String>) -> Response {
    let Some(file) = viewer.files.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, file.content.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_page_names_files_that_are_there() {
        let viewer = Viewer::load().await.unwrap();
        let page = String::from_utf8(viewer.page.to_vec()).unwrap();
        assert_eq!(viewer.files.len(), 4);
        for name in viewer.files.keys() {
            assert!(page.contains(&format!("\"{name}\"")), "{name} in {page}");
        }
        assert!(!page.contains('{'), "{page}");
    }
}
