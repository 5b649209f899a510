//! What goes wrong, as the API tells it: the common error envelope.

use std::fmt::Display;

use axum::extract::Request;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callboard_model::api::{ErrorRequest, ErrorResponse};
use serde::Serialize;
use serde_json::{Map, Value};

/// An answer that is an error. [`envelope`] writes its body, because only that knows the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    /// For programs.
    pub name: &'static str,
    /// For people.
    pub message: String,
    /// More for programs, beside `name` and `message`.
    pub more: Map<String, Value>,
    /// Seconds after which it makes sense to try again.
    pub retry_after: Option<u64>,
}

/// Where an error has the name of the permission that is missing.
pub(crate) const MISSING: &str = "permission";

/// Seconds after which a database that was away is worth another try. It is mended within a second of its return.
pub(crate) const RETRY_AFTER: u64 = 5;

pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, name, message: message.into(), more: Map::new(), retry_after: None }
    }

    /// 400: the request makes no sense.
    pub(crate) fn input(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "InputError", message)
    }

    /// 401: nobody said who is asking.
    pub(crate) fn missing_credentials() -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "AuthenticationError", "Missing credentials")
    }

    /// 403.
    pub(crate) fn not_allowed(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "NotAllowedError", message)
    }

    /// 404, for a route that exists and a thing that does not.
    pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "NotFoundError", message)
    }

    /// 501: something that clients of Backstage may ask for, and that is not there.
    pub(crate) fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "ConflictError", message)
    }

    pub(crate) fn not_implemented(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_IMPLEMENTED, "NotImplementedError", message)
    }

    /// 503.
    pub(crate) fn unavailable(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError", message)
    }

    /// 500: a fault of the server. What it was stays in the log, under an id that the answer names.
    pub(crate) fn internal(error: &dyn Display) -> ApiError {
        let id = hex::encode(rand::random::<[u8; 10]>());
        tracing::error!(log_id = id, "{error}");
        let message = format!("An internal error occurred logId={id}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Error", message)
    }

    /// Whether the policy is what refused it.
    pub(crate) fn is_denial(&self) -> bool {
        self.more.contains_key(MISSING)
    }

    /// Adds something for programs.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> ApiError {
        self.more.insert(key.to_owned(), value.into());
        self
    }
}

/// A database that is away is not a fault of the server, and the same request may work a moment later. What it said stays
/// in the log: it names addresses.
impl From<callboard_store::Error> for ApiError {
    fn from(error: callboard_store::Error) -> ApiError {
        use callboard_store::Error;
        let message = match &error {
            Error::Unavailable(_) => "The database cannot be reached at the moment. Try again in a few seconds",
            Error::Busy(_) | Error::Conflict(_) => "The database is busy with other work. Try again in a few seconds",
            _ => return ApiError::internal(&error),
        };
        tracing::warn!(%error, "a request is answered with 503");
        ApiError { retry_after: Some(RETRY_AFTER), ..ApiError::unavailable(message) }
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> ApiError {
        ApiError::input(rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Detail<'a>,
    request: ErrorRequest,
    response: ErrorResponse,
}

#[derive(Serialize)]
struct Detail<'a> {
    name: &'a str,
    message: &'a str,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

/// Gives errors their body. As a layer of a nested router it sees, and writes, the URL relative to the mount.
pub(crate) async fn envelope(request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let url = request.uri().path_and_query().map_or_else(|| request.uri().path().to_owned(), ToString::to_string);
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let body = Envelope {
        error: Detail { name: error.name, message: &error.message, more: &error.more },
        request: ErrorRequest { method, url },
        response: ErrorResponse { status_code: error.status.as_u16() },
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, json(&body)).into_response()
}

/// A JSON answer, with the charset that the official server names.
pub(crate) fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => ([(header::CONTENT_TYPE, JSON)], bytes).into_response(),
        Err(error) => ApiError::internal(&error).into_response(),
    }
}

/// The content type of every JSON answer.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

#[cfg(test)]
mod tests {
    use callboard_store::Error;

    use super::*;

    #[test]
    fn the_database_says_whether_to_try_again() {
        const ADDRESS: &str = "10.0.0.7";
        let reason = || format!("PostgreSQL at {ADDRESS}: connection refused");
        for (error, status, expected) in [
            (Error::Unavailable(reason()), 503, "The database cannot be reached at the moment. Try again"),
            (Error::Busy(reason()), 503, "The database is busy with other work. Try again"),
            (Error::Conflict(reason()), 503, "The database is busy with other work. Try again"),
            (Error::Failed(reason()), 500, "An internal error occurred"),
        ] {
            let case = format!("{error:?}");
            // As the catalog hands it on, and without it.
            let error = ApiError::from(callboard_catalog::Error::from(error));
            assert_eq!(error.status.as_u16(), status, "{case}");
            assert!(
                error.message.starts_with(expected) && !error.message.contains(ADDRESS),
                "{case}: {}",
                error.message
            );
            let name = if status == 503 { "ServiceUnavailableError" } else { "Error" };
            assert_eq!((error.name, error.retry_after.is_some()), (name, status == 503), "{case}");
            let response = error.into_response();
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), status == 503, "{case}");
        }
    }
}
