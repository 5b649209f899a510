//! One request to a registry.

use std::time::Duration;

use bytes::Bytes;
use callboard_egress::{Request, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::{Registry, RegistryError, Repository, error::tame};
use crate::limits;

/// What a request wants to do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Pull,
    Push,
}

impl Access {
    /// As token servers are asked for it.
    pub(super) fn scope(self, repository: &Repository) -> String {
        let actions = match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        };
        format!("repository:{}:{actions}", repository.path())
    }
}

/// A request before it is known who asks.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) access: Access,
    pub(super) accept: Option<&'static str>,
    pub(super) body: Option<(&'static str, Bytes)>,
    pub(super) max_body: u64,
    pub(super) timeout: Duration,
    pub(super) redirects: usize,
}

impl Call {
    pub(super) fn get(url: Url, max_body: u64) -> Self {
        Self {
            method: Method::GET,
            url,
            access: Access::Pull,
            accept: None,
            body: None,
            max_body,
            timeout: limits::REQUEST_TIME,
            redirects: 5,
        }
    }

    /// One that changes something: what it leads to is asked for by us, never by a redirect.
    pub(super) fn push(method: Method, url: Url) -> Self {
        let call = Self::get(url, limits::LIST_BYTES);
        Self { method, access: Access::Push, redirects: 0, timeout: limits::TRANSFER_TIME, ..call }
    }
}

impl Registry {
    /// The URL of a part of a repository: `tags/list`, `manifests/1.2.3`. Both parts hold no character that means
    /// anything in a URL; what is wrong is refused by their types.
    pub(super) fn url(&self, repository: &Repository, part: &str) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v2/{}/{part}", repository.path()));
        url
    }

    /// Sends a request, and once more if the registry first wants to know who asks.
    pub(super) async fn call(&self, repository: &Repository, call: Call) -> Result<Response, RegistryError> {
        let response = self.send(repository, &call).await?;
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.authorise(repository, call.access, &response.headers).await?;
        self.send(repository, &call).await
    }

    async fn send(&self, repository: &Repository, call: &Call) -> Result<Response, RegistryError> {
        let mut request = Request {
            timeout: call.timeout,
            stall: Some(limits::STALL),
            max_redirects: call.redirects,
            max_body: call.max_body,
            retry: true,
            credential: self.credential(repository, call.access).filter(|_| self.is_at_home(&call.url)),
            ..Request::new(call.method.clone(), call.url.clone())
        };
        if let Some(accept) = call.accept {
            request.header("accept", accept)?;
        }
        if let Some((content_type, body)) = &call.body {
            request.header("content-type", content_type)?;
            request.body = body.clone();
        }
        Ok(self.egress.send(request, &self.reaching).await?)
    }

    /// Whether a URL is one of the registry's own API.
    pub(super) fn is_at_home(&self, url: &Url) -> bool {
        url.origin() == self.origin.origin()
    }

    /// The answer if it has one of these statuses, or else what it means that it has another one.
    pub(super) async fn expect(
        &self,
        response: Response,
        what: &str,
        statuses: &[StatusCode],
    ) -> Result<Response, RegistryError> {
        let status = response.status;
        if statuses.contains(&status) {
            return Ok(response);
        }
        let (what, message) = (what.to_owned(), message(response).await);
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => self.not_let_in(what, message),
            StatusCode::NOT_FOUND => RegistryError::NotFound { what, message },
            _ => RegistryError::Status { what, status, message },
        })
    }
}

/// What the body of an error says, if it is one that the specification knows. It is read for a message alone, so a body
/// that cannot be read is one without a message.
pub(super) async fn message(response: Response) -> String {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(body) = response.body.collect(limits::ERROR_BYTES).await else { return String::new() };
    let Ok(Body { errors }) = serde_json::from_slice(&body) else { return String::new() };
    errors.first().map(|one| tame(format!("{} {}", one.code, one.message).trim())).unwrap_or_default()
}
