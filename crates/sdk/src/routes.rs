//! The extension point `routes`: the trait [`Routes`], what it is asked and what it answers.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::host::types;
use crate::bindings::routes::wit;
use crate::entity_provider::to_json;
use crate::{Context, Error};

pub use callboard_model::route::RouteMethod as Method;

/// Answers requests below `/api/<plugin>`, in JSON.
///
/// Which there are, and which permission each needs, is in `plugin.yaml`; no other request arrives, and none of somebody
/// who lacks the permission. [`Context::user`] is who asks.
///
/// ```
/// use callboard_sdk::routes::{Request, Response};
/// use callboard_sdk::{Context, Error, Routes, kv};
///
/// /// `plugin.yaml` has
/// ///
/// ///     contributes:
/// ///       routes:
/// ///         - { method: GET, path: "/notes/{id}", permission: note.read, description: A note. }
/// ///         - { method: PUT, path: "/notes/{id}", permission: note.write, description: Keeps a note. }
/// struct Notes;
///
/// impl Routes for Notes {
///     fn handle(_: &Context, request: &Request) -> Result<Response, Error> {
///         let id = request.param("id");
///         match request.name().as_str() {
///             "GET /notes/{id}" => match kv::get(id)? {
///                 Some(note) => Response::json(&String::from_utf8_lossy(&note)),
///                 None => Err(Error::NotFound(format!("there is no note {id}"))),
///             },
///             "PUT /notes/{id}" => {
///                 let note: String = request.json()?;
///                 kv::set(id, note.as_bytes())?;
///                 Ok(Response::empty())
///             }
///             other => Err(Error::NotFound(format!("there is no route {other}"))),
///         }
///     }
/// }
///
/// callboard_sdk::export!(routes: Notes);
/// # fn main() {}
/// ```
pub trait Routes {
    /// Answers one request.
    ///
    /// # Errors
    /// Answered with the portal's own body for errors: [`Error::Invalid`] as 400, [`Error::NotFound`] as 404, all others
    /// as 502. For a status and a body of its own, a plugin answers with a [`Response`].
    fn handle(context: &Context, request: &Request) -> Result<Response, Error>;
}

/// A request to a route of `plugin.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub method: Method,
    /// The route's path as `plugin.yaml` has it, such as `/notes/{id}`.
    pub route: String,
    /// The path below `/api/<plugin>`, segment by segment, each decoded.
    pub path: Vec<String>,
    /// What stands in the place of each `{name}` of the route.
    pub params: Vec<(String, String)>,
    /// The query, decoded, in its order.
    pub query: Vec<(String, String)>,
    /// `accept`, `accept-language`, `content-type`, `if-match` and `if-none-match`, as far as they are there.
    pub headers: Vec<(String, String)>,
    /// JSON text; none where nothing was sent.
    pub body: Option<String>,
}

impl Request {
    /// Method and route as `plugin.yaml` has them, such as `GET /notes/{id}`: what to tell routes by.
    pub fn name(&self) -> String {
        format!("{} {}", self.method.name(), self.route)
    }

    /// What stands in the place of `{name}`. Empty where the route has no such parameter; none of those that it has is.
    pub fn param(&self, name: &str) -> &str {
        first(&self.params, name).unwrap_or_default()
    }

    /// The first of that name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The body.
    ///
    /// # Errors
    /// Nothing was sent, or it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body = self.body.as_deref().ok_or_else(|| Error::Invalid("the request must have a body".to_owned()))?;
        serde_json::from_str(body)
            .map_err(|error| Error::Invalid(format!("the body is not what is taken here: {error}")))
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
}

/// What a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 to 299, 304, or 400 to 599 without 401 and 407.
    pub status: u16,
    /// `cache-control`, `content-language`, `etag`, `last-modified` and `retry-after`; no others.
    pub headers: Vec<(String, String)>,
    /// JSON text of at most 4 MiB. None for 204, 205 and 304.
    pub body: Option<String>,
}

impl Response {
    /// 200 with a body.
    ///
    /// # Errors
    /// The value has no form in JSON.
    pub fn json<T: Serialize + ?Sized>(body: &T) -> Result<Response, Error> {
        Ok(Response { status: 200, headers: Vec::new(), body: Some(to_json(body)?) })
    }

    /// 204: done, and there is nothing to say.
    pub fn empty() -> Response {
        Response { status: 204, headers: Vec::new(), body: None }
    }

    /// With another status.
    #[must_use]
    pub fn status(self, status: u16) -> Response {
        Response { status, ..self }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: Routes> wit::Guest for Glue<T> {
    fn handle(context: types::Context, request: wit::Request) -> Result<wit::Response, types::Error> {
        let pairs = |pairs: Vec<wit::Pair>| pairs.into_iter().map(|pair| (pair.name, pair.value)).collect();
        let request = Request {
            method: match request.method {
                wit::Method::Get => Method::Get,
                wit::Method::Post => Method::Post,
                wit::Method::Put => Method::Put,
                wit::Method::Patch => Method::Patch,
                wit::Method::Delete => Method::Delete,
            },
            route: request.route,
            path: request.path,
            params: pairs(request.params),
            query: pairs(request.query),
            headers: pairs(request.headers),
            body: request.body,
        };
        let Response { status, headers, body } = T::handle(&context.into(), &request)?;
        let headers = headers.into_iter().map(|(name, value)| wit::Pair { name, value }).collect();
        Ok(wit::Response { status, headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            method: Method::Put,
            route: "/notes/{id}".to_owned(),
            path: vec!["notes".to_owned(), "7".to_owned()],
            params: vec![pair("id", "7")],
            query: vec![pair("a", "1"), pair("a", "2")],
            headers: vec![pair("accept", "*/*")],
            body: Some("[1]".to_owned()),
        };
        assert_eq!(request.name(), "PUT /notes/{id}");
        assert_eq!((request.param("id"), request.param("other")), ("7", ""));
        assert_eq!((request.query("a"), request.query("b")), (Some("1"), None));
        assert_eq!(request.header("accept"), Some("*/*"));
        assert_eq!(request.json(), Ok(vec![1]));
        assert!(matches!(request.json::<String>(), Err(Error::Invalid(_))));
        assert!(matches!(Request { body: None, ..request }.json::<String>(), Err(Error::Invalid(_))));
        let response = Response::json("x").unwrap().status(201).header("etag", "\"1\"");
        assert_eq!((response.status, response.body.as_deref()), (201, Some("\"x\"")));
        assert_eq!(response.headers, [pair("etag", "\"1\"")]);
    }
}
