//! Answers that are given again while nothing is written: those of routes whose answer depends on nothing but the URL and
//! what the catalog holds, for callers who may see all of it.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callboard_model::access::Access;
use callboard_store::{Db, Memo, Seen};

use super::caller::Caller;
use super::error::{ApiError, Result};
use super::etag;
use super::state::App;

/// Bytes that are remembered: the pages that everybody opens, and some thousand entities.
const BYTES: u64 = 16 * 1024 * 1024;

/// Larger answers are made each time: one must not take the place of hundreds.
const LARGEST: u64 = 256 * 1024;

/// Longer URLs than this nobody sends twice.
const LONGEST_URL: usize = 2_000;

/// What was answered to URLs.
pub(crate) struct Answers {
    db: Db,
    memo: Memo<String, (HeaderMap, Bytes)>,
}

impl Answers {
    pub(crate) fn new(db: Db) -> Answers {
        // A header is an entry of two pointers, and there are a few of them.
        let weigh =
            |url: &String, (headers, body): &(HeaderMap, Bytes)| url.len() + body.len() + headers.len() * 100 + 200;
        Answers { db, memo: Memo::new(BYTES, weigh) }
    }

    /// The state that a request reads which comes now.
    pub(crate) async fn seen(&self) -> Result<Seen> {
        Ok(Seen::now(&self.db).await?)
    }
}

/// Answers as before where that is still true. It comes after the check of permissions: what is remembered was made for
/// those who may see everything, and only they get it.
pub(crate) async fn answer(State(app): State<App>, request: Request, next: Next) -> Response {
    let sees_all = request.extensions().get::<Caller>().is_some_and(|caller| caller.access == Access::All);
    let url = request.uri().path_and_query().map(|url| url.as_str()).filter(|url| url.len() <= LONGEST_URL);
    let Some(url) = url.filter(|_| sees_all && *request.method() == Method::GET).map(str::to_owned) else {
        return next.run(request).await;
    };
    let answers = &app.answers;
    // Somebody with a session was looked up in a state, which is that of the whole request.
    let seen = match request.extensions().get::<Seen>() {
        Some(seen) => seen.clone(),
        None => match answers.seen().await {
            Ok(seen) => seen,
            Err(error) => return error.into_response(),
        },
    };
    if let Some((headers, body)) = answers.memo.at(&seen, &url) {
        return (headers, body).into_response();
    }
    let response = next.run(request).await;
    let small = response.body().size_hint().exact().is_some_and(|size| size <= LARGEST);
    if response.status() != StatusCode::OK || !small {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            etag::tag(&mut parts.headers, &bytes);
            answers.memo.keep(url, seen, (parts.headers.clone(), bytes.clone()));
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(error) => ApiError::internal(&error).into_response(),
    }
}
