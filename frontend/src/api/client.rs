//! Sending a request, and making sense of what comes back.

use callboard_model::api::ErrorBody;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::AbortSignal;

use super::identity::Question;
use crate::messages::{Msg, t};
use crate::permissions;

/// After this many milliseconds without an answer, a request has failed.
const PATIENCE: u32 = 30_000;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// For people.
    pub message: String,
    /// For machines: `NotFoundError` …
    pub name: String,
    /// The status, where the server answered at all.
    pub status: Option<u16>,
    /// Method and path.
    pub request: String,
    /// What the server's log has this request under.
    pub id: Option<String>,
    /// The permission that is missing, where that is the reason.
    pub permission: Option<Box<str>>,
}

impl ApiError {
    /// There is no such thing, or not for this reader.
    pub(crate) fn is_gone(&self) -> bool {
        self.status == Some(404)
    }

    /// The page that says why, where a permission is missing; `about` is the entity that was at hand.
    pub(crate) fn why(&self, about: Option<&str>) -> Option<String> {
        let permission = self.permission.as_deref()?.to_owned();
        let entity_ref = about.unwrap_or_default().to_owned();
        Some(permissions::address(&Question { permission, entity_ref, user: String::new() }))
    }

    /// What a report of this error needs.
    pub(crate) fn facts(&self) -> Vec<(Msg, String)> {
        let status = self.status.map_or_else(|| self.name.clone(), |status| format!("{status} {}", self.name));
        let mut facts = vec![(Msg::ErrorCode, status), (Msg::ErrorRequest, self.request.clone())];
        facts.extend(self.id.clone().map(|id| (Msg::ErrorId, id)));
        facts
    }

    /// The same as one text.
    pub(crate) fn report(&self) -> String {
        let facts = self.facts().into_iter().map(|(name, value)| format!("{}: {value}", t(name)));
        std::iter::once(self.message.clone()).chain(facts).collect::<Vec<_>>().join("\n")
    }

    fn unanswered(request: &str, reason: &str) -> Self {
        let late = reason.contains("Timeout") || reason.contains("timed out");
        Self {
            message: t(if late { Msg::ErrorTimeout } else { Msg::ErrorOffline }).to_owned(),
            name: if late { "Timeout" } else { "NoAnswer" }.to_owned(),
            status: None,
            request: request.to_owned(),
            id: None,
            permission: None,
        }
    }
}

/// `GET`, and the answer's JSON.
pub(super) async fn get<T: DeserializeOwned>(url: &str) -> Result<T, ApiError> {
    let call = Call::new("GET", url);
    let text = call.text(call.send(Request::get(url).build_with_signal()).await?).await?;
    call.parse(&text)
}

/// `POST` with a JSON body, and the answer's JSON.
pub(super) async fn post<T: DeserializeOwned>(url: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let call = Call::new("POST", url);
    let text = call.send_json(Request::post(url), body).await?;
    call.parse(&text)
}

/// `POST` with a JSON body; whatever the answer says beyond having worked is not read.
pub(super) async fn post_only(url: &str, body: &impl Serialize) -> Result<(), ApiError> {
    Call::new("POST", url).send_json(Request::post(url), body).await.map(drop)
}

/// `PUT` with a JSON body; whatever the answer says beyond having worked is not read.
pub(super) async fn put_only(url: &str, body: &impl Serialize) -> Result<(), ApiError> {
    Call::new("PUT", url).send_json(Request::put(url), body).await.map(drop)
}

/// `DELETE`.
pub(super) async fn delete(url: &str) -> Result<(), ApiError> {
    let call = Call::new("DELETE", url);
    let response = call.send(Request::delete(url).build_with_signal()).await?;
    call.text(response).await.map(drop)
}

/// A query, of the parameters that have a value, with its `?`.
pub(super) fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let given = parameters.into_iter().filter(|(_, value)| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// A segment of a path.
pub(super) fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

trait WithSignal {
    fn build_with_signal(self) -> Result<Request, gloo_net::Error>;
}

impl WithSignal for RequestBuilder {
    fn build_with_signal(self) -> Result<Request, gloo_net::Error> {
        self.abort_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE))).header("accept", "application/json").build()
    }
}

/// A request, for its errors.
struct Call(String);

impl Call {
    fn new(method: &str, url: &str) -> Self {
        Self(format!("{method} {url}"))
    }

    async fn send_json(&self, request: RequestBuilder, body: &impl Serialize) -> Result<String, ApiError> {
        let body = serde_json::to_string(body).map_err(|error| self.unreadable(None, &error))?;
        let request = request
            .abort_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)))
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(body);
        self.text(self.send(request).await?).await
    }

    async fn send(&self, request: Result<Request, gloo_net::Error>) -> Result<Response, ApiError> {
        let unanswered = |error: gloo_net::Error| ApiError::unanswered(&self.0, &error.to_string());
        request.map_err(unanswered)?.send().await.map_err(unanswered)
    }

    async fn text(&self, response: Response) -> Result<String, ApiError> {
        let status = response.status();
        let id = response.headers().get("x-request-id");
        let text = response.text().await.map_err(|error| ApiError::unanswered(&self.0, &error.to_string()))?;
        if response.ok() {
            return Ok(text);
        }
        let (name, message, permission) = match serde_json::from_str::<ErrorBody>(&text) {
            Ok(body) => (body.error.name, body.error.message, body.error.permission.map(String::into_boxed_str)),
            // Not the server's own words: something between here and there answered.
            Err(_) => (response.status_text(), Msg::ErrorStatus.with(&[("status", &status)]), None),
        };
        Err(ApiError { message, name, status: Some(status), request: self.0.clone(), id, permission })
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, ApiError> {
        serde_json::from_str(text).map_err(|error| self.unreadable(Some(200), &error))
    }

    fn unreadable(&self, status: Option<u16>, error: &serde_json::Error) -> ApiError {
        ApiError {
            message: Msg::ErrorUnreadable.with(&[("error", error)]),
            name: "Unreadable".to_owned(),
            status,
            request: self.0.clone(),
            id: None,
            permission: None,
        }
    }
}
