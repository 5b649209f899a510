//! A request and its response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::{Body, CacheScope, Credential, Error, HeaderProfile, headers};

/// A request to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL: http or https, without userinfo.
    pub url: Url,
    /// The headers; [`profile`](Self::profile) says which may be set.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The time for everything: connecting, redirects, repeated attempts and reading the body.
    pub timeout: Duration,
    /// The time in which something must move: the head of the answer, or a part of a body in either direction. Without
    /// it only [`timeout`](Self::timeout) counts.
    pub stall: Option<Duration>,
    /// Another `Host` than the URL's, where the configuration names it. Such a request is sent over HTTP/1.1, where that
    /// is possible.
    pub host: Option<HeaderValue>,
    /// How many redirects are followed; with 0 a redirect is the response.
    pub max_redirects: usize,
    /// The largest body that the response may have.
    pub max_body: u64,
    /// Whose headers these are.
    pub profile: HeaderProfile,
    /// What to authenticate with. It is attached only inside its own scope.
    pub credential: Option<Credential>,
    /// Keeps validator and body of a GET under this scope and asks for it conditionally the next time; an unchanged one
    /// comes back as the response that was kept.
    pub revalidate: Option<CacheScope>,
    /// Whether a GET or HEAD that is answered with 429 or 503 is sent again, after a growing wait and a bounded number of
    /// times.
    pub retry: bool,
}

impl Request {
    /// A request with the defaults for plugins: 30 s, five redirects, 32 MiB.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            stall: None,
            host: None,
            max_redirects: 5,
            max_body: 32 << 20,
            profile: HeaderProfile::Plugin,
            credential: None,
            revalidate: None,
            retry: false,
        }
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// Adds a header from texts; line breaks and other characters that no header may hold are refused.
    pub fn header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let (name, value) = headers::parse(name, value)?;
        self.headers.append(name, value);
        Ok(())
    }
}

/// What came back. What was attached as a credential is masked in headers and body.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those that only concern the connection.
    pub headers: HeaderMap,
    /// The URL that answered, after redirects.
    pub url: Url,
    /// The body, to be read in parts or at once.
    pub body: Body,
}
