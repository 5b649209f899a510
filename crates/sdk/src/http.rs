//! Outgoing HTTP to what is granted (`callboard:host/http`). The host resolves, checks, connects, signs and follows
//! redirects, and checks the grant again at each of them.

use serde::de::DeserializeOwned;

use crate::Error;
use crate::bindings::host::http;

pub use http::Method;

/// A request that is being put together.
///
/// ```no_run
/// use callboard_sdk::http::Request;
///
/// let answer = Request::get("https://api.example.com/teams").header("accept", "application/json").send()?;
/// if answer.status == 200 {
///     let teams: Vec<String> = answer.json()?;
/// }
/// # Ok::<(), callboard_sdk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    inner: http::Request,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: &str) -> Request {
        let inner = http::Request {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            credential: None,
            revalidate: false,
        };
        Request { inner }
    }

    /// `GET`.
    pub fn get(url: &str) -> Request {
        Request::new(Method::Get, url)
    }

    /// Adds a header. `host`, `cookie`, `authorization` and the like are the host's and are refused.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.inner.headers.push(http::Header { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sets the body, at most 4 MiB.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>) -> Request {
        self.inner.body = Some(body);
        self
    }

    /// Has the host attach the credential behind a handle that came from [`config::get`](crate::config::get).
    #[must_use]
    pub fn credential(mut self, handle: &str) -> Request {
        self.inner.credential = Some(handle.to_owned());
        self
    }

    /// Lets the host keep the answer and ask the server only whether it changed. What comes back is the whole answer
    /// either way.
    #[must_use]
    pub fn revalidate(mut self) -> Request {
        self.inner.revalidate = true;
        self
    }

    /// Sends the request. An answer with a status that says "error" is an answer.
    ///
    /// # Errors
    /// The request is not granted, or there is no answer.
    pub fn send(self) -> Result<Response, Error> {
        send_all(vec![self])
            .pop()
            .unwrap_or_else(|| Err(Error::Unavailable("the host gave no answer to a request".to_owned())))
    }
}

/// Sends requests side by side and answers in their order. At most 64.
pub fn send_all(requests: Vec<Request>) -> Vec<Result<Response, Error>> {
    let requests: Vec<_> = requests.into_iter().map(|request| request.inner).collect();
    http::send(&requests)
        .into_iter()
        .map(|answer| match answer {
            Ok(answer) => Ok(Response::from(answer)),
            Err(error) => Err(error.into()),
        })
        .collect()
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Response {
    /// For example 200.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from, after redirects.
    pub url: String,
    body: http::Body,
}

impl Response {
    /// The first header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// Up to `max` bytes more of the body; none at its end.
    ///
    /// # Errors
    /// The connection broke, or the body is larger than the host lets through (32 MiB).
    pub fn read(&self, max: u32) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.body.read(max)?)
    }

    /// What is left of the body, where it is at most `limit` bytes.
    ///
    /// # Errors
    /// As [`read`](Response::read), and where there is more.
    pub fn bytes(&self, limit: usize) -> Result<Vec<u8>, Error> {
        const PART: u32 = 1024 * 1024;
        let mut bytes = Vec::new();
        while let Some(part) = self.read(PART)? {
            if bytes.len() + part.len() > limit {
                return Err(Error::TooLarge(format!("the answer of {} has more than {limit} bytes", self.url)));
            }
            bytes.extend(part);
        }
        Ok(bytes)
    }

    /// What is left of the body, as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Response::bytes), and where it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let bytes = self.bytes(32 * 1024 * 1024)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::Invalid(format!("the answer of {} cannot be read: {error}", self.url)))
    }
}

impl From<http::Response> for Response {
    fn from(answer: http::Response) -> Response {
        Response {
            status: answer.status,
            headers: answer.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            url: answer.url,
            body: answer.body,
        }
    }
}
