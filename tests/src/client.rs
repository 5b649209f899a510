//! A small HTTP client for the portal, which listens on loopback in clear text.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// Sends requests below one address.
#[derive(Clone)]
pub struct Client {
    base: Url,
    pool: Pool<HttpConnector, Full<Bytes>>,
    /// Sent with every request: the session, once there is one.
    pub cookie: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    #[must_use]
    pub fn new(base: Url) -> Self {
        Self { base, pool: Pool::builder(TokioExecutor::new()).build_http(), cookie: None }
    }

    /// One that is signed in the same, with connections of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { cookie: self.cookie.clone(), ..Self::new(self.base.clone()) }
    }

    /// Where the requests go.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// `GET`, whose answer is to be good.
    pub async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.get(path).await?.ok()?.json()
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, None).await
    }

    /// Any request. Those that change something come from the portal's own origin, as the page's would.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = http::Request::builder().method(method.clone()).uri(self.base.join(path)?.as_str());
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if method != Method::GET {
            request = request.header(header::ORIGIN, self.base.origin().ascii_serialization());
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.request(request.body(Full::new(body))?).await.with_context(|| format!("{method} {path}"))
    }

    /// A request as it is.
    pub async fn request(&self, request: http::Request<Full<Bytes>>) -> Result<Answer> {
        let (parts, body) = self.pool.request(request).await?.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.collect().await?.to_bytes() })
    }
}

impl Answer {
    /// Itself where the status says so, otherwise an error with the body.
    pub fn ok(self) -> Result<Self> {
        ensure!(self.status.is_success(), "{}: {}", self.status, self.text());
        Ok(self)
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("not the JSON that was expected: {}", self.text()))
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
