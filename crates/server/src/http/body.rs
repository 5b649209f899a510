//! JSON bodies, checked with the words of the API's description.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::{ApiError, Result};

/// The most that a body may have, unless its route says otherwise: what the official server takes.
pub(crate) const BODY_BYTES: usize = 100 * 1024;

/// What is sent beyond the limit is read for this long and thrown away. A sender that meets a closed connection while
/// it is still sending often never sees the answer that was to tell it why.
const LINGER: Duration = Duration::from_secs(5);

/// An extension of routes with a limit of their own, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// A parameter in the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(crate) struct Path<T>(pub(crate) T);

/// A body that is a JSON object, as a type of the API.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let Fields(map) = Fields::from_request(request, state).await?;
        serde_json::from_value(Value::Object(map))
            .map(Json)
            .map_err(|error| ApiError::input(format!("request/body is not what this route takes: {error}")))
    }
}

/// A body that is a JSON object, field by field.
#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let Some(bytes) = sent(request).await? else { return Ok(Fields(Map::new())) };
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => Ok(Fields(map)),
            Ok(_) => Err(ApiError::input("request/body must be object")),
            Err(error) => Err(ApiError::input(format!("request/body is not JSON: {error}"))),
        }
    }
}

/// A body that is a JSON object, as it was sent: for values that are handed on as they are.
pub(crate) struct Sent(Vec<u8>);

impl Sent {
    /// As a type of the API, which may borrow parts of it.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.0)
            .map_err(|error| ApiError::input(format!("request/body is not what this route takes: {error}")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let bytes = sent(request).await?.unwrap_or_else(|| b"{}".to_vec());
        let json: &RawValue = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::input(format!("request/body is not JSON: {error}")))?;
        match json.get().starts_with('{') {
            true => Ok(Sent(bytes)),
            false => Err(ApiError::input("request/body must be object")),
        }
    }
}

/// A body that is JSON of any kind, as it was sent, for whoever reads it elsewhere; none where nothing was sent.
pub(crate) struct Text(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let Some(bytes) = sent(request).await? else { return Ok(Text(None)) };
        let invalid = |error: &dyn std::fmt::Display| ApiError::input(format!("request/body is not JSON: {error}"));
        serde_json::from_slice::<IgnoredAny>(&bytes).map_err(|error| invalid(&error))?;
        String::from_utf8(bytes).map(|text| Text(Some(text))).map_err(|error| invalid(&error))
    }
}

/// The bytes of a JSON body; none where nothing was sent.
async fn sent(request: Request) -> Result<Option<Vec<u8>>> {
    let limit = request.extensions().get::<BodyLimit>().map_or(BODY_BYTES, |limit| limit.0);
    let is_empty = request.body().size_hint().exact() == Some(0);
    if is_empty && !request.headers().contains_key(header::CONTENT_TYPE) {
        // What a route does not need it need not be sent; what it needs is then missing.
        return Ok(None);
    }
    // A page of another site can send a form or plain text without asking, but not JSON.
    if !is_json(request.headers()) {
        return Err(not_json());
    }
    read(request.into_body(), limit).await.map(Some)
}

/// 415.
pub(crate) fn not_json() -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaTypeError",
        "the body must be JSON, with the header `Content-Type: application/json`",
    )
}

/// Whether a request says that its body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The whole body, of at most so many bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Vec<u8>> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| ApiError::input(format!("request/body broke off: {error}")))?;
        if bytes.len() + part.len() > limit {
            drop(bytes);
            let rest = async { while let Some(Ok(_)) = stream.next().await {} };
            let is_whole = tokio::time::timeout(LINGER, rest).await.is_ok();
            tracing::debug!(limit, is_whole, "a body was too large");
            let message = format!("request/body is too large: this route takes {limit} bytes at most");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", message));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

impl Fields {
    /// Refuses what the route does not know.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(ApiError::input(format!("request/body must NOT have additional properties: '{key}'"))),
            None => Ok(()),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| ApiError::input(format!("request/body must have required property '{name}'")))
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::input(format!("request/body/{name} must be string"))),
        }
    }

    /// A whole number, 0 or more.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None if value.is_number() => {
                    Err(ApiError::input(format!("request/body/{name} must be a whole number >= 0")))
                }
                None => Err(ApiError::input(format!("request/body/{name} must be number"))),
            },
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.0.get(name).map(|value| texts(value, name)).transpose()
    }

    /// An object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields(map.clone()))),
            Some(_) => Err(ApiError::input(format!("request/body/{name} must be object"))),
        }
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields>> {
        let items = match self.0.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(ApiError::input(format!("request/body/{name} must be array"))),
        };
        let objects = items.iter().enumerate().map(|(index, item)| match item {
            Value::Object(map) => Ok(Fields(map.clone())),
            _ => Err(ApiError::input(format!("request/body/{name}/{index} must be object"))),
        });
        objects.collect()
    }
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>> {
    let Value::Array(items) = value else {
        return Err(ApiError::input(format!("request/body/{name} must be array")));
    };
    let texts = items.iter().enumerate().map(|(index, item)| match item {
        Value::String(text) => Ok(text.clone()),
        _ => Err(ApiError::input(format!("request/body/{name}/{index} must be string"))),
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use super::*;

    async fn read(content_type: Option<&str>, body: &str) -> Result<Fields> {
        let mut request = Request::post("/");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        Fields::from_request(request.body(Body::from(body.to_owned())).unwrap(), &()).await
    }

    #[tokio::test]
    async fn bodies() {
        async fn check(content_type: Option<&str>, body: &str, expected: Option<(u16, &str)>) {
            let found = read(content_type, body).await.err().map(|error| (error.status.as_u16(), error.message));
            let found = found.as_ref().map(|(status, message)| (*status, message.as_str()));
            match (found, expected) {
                (None, None) => {}
                (Some((status, message)), Some((expected, start))) => {
                    assert_eq!(status, expected, "{message}");
                    assert!(message.starts_with(start), "{message}");
                }
                other => panic!("{content_type:?} {body}: {other:?}"),
            }
        }
        let json = Some("application/json");
        check(json, "{}", None).await;
        check(Some("Application/JSON; charset=utf-8"), "{}", None).await;
        check(None, "{}", Some((415, "the body must be JSON"))).await;
        check(Some("text/plain"), "{}", Some((415, "the body must be JSON"))).await;
        check(Some("application/jsonp"), "{}", Some((415, "the body must be JSON"))).await;
        check(json, "[]", Some((400, "request/body must be object"))).await;
        check(json, "{", Some((400, "request/body is not JSON"))).await;
        check(json, "", Some((400, "request/body is not JSON"))).await;
        check(None, "", None).await;
        check(Some("text/plain"), "", Some((415, "the body must be JSON"))).await;
    }

    #[test]
    fn fields() {
        fn check<T: std::fmt::Debug>(body: Value, read: impl Fn(&Fields) -> Result<T>, expected: &str) {
            let Value::Object(map) = body else { panic!("an object is needed") };
            assert_eq!(read(&Fields(map)).unwrap_err().message, expected);
        }
        check(json!({}), |body| body.required("a").map(str::to_owned), "request/body must have required property 'a'");
        check(json!({"a": 1}), |body| body.required("a").map(str::to_owned), "request/body/a must be string");
        check(json!({"a": "1"}), |body| body.integer("a"), "request/body/a must be number");
        check(json!({"a": -1}), |body| body.integer("a"), "request/body/a must be a whole number >= 0");
        check(json!({"a": "x"}), |body| body.texts("a"), "request/body/a must be array");
        check(json!({"a": ["x", 1]}), |body| body.texts("a"), "request/body/a/1 must be string");
        check(json!({"a": []}), |body| body.object("a"), "request/body/a must be object");
        check(json!({"a": ["x"]}), |body| body.objects("a"), "request/body/a/0 must be object");
        check(json!({"b": 1}), |body| body.only(&["a"]), "request/body must NOT have additional properties: 'b'");
    }
}
