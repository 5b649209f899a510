//! Requests to the services where people sign in.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use callboard_egress::{Egress, Error, HeaderProfile, OnlyOrigin, Request};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use url::Url;

use crate::identity::sign_in::failure::{Failure, quoted};

/// The largest answer that is read. Descriptions, keys and profiles have some KiB.
const BYTES: u64 = 256 * 1024;

/// How long a service may take for one answer. Somebody sits there and waits for two or three of them.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks services. Each request goes to the origin of its URL and nowhere else: no redirect is followed.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    egress: Egress,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// No request was sent, or nothing came back.
    #[error(transparent)]
    Egress(#[from] Error),
    /// The library made a request that is none.
    #[error("a request was made that cannot be sent: {0}")]
    Request(String),
}

impl Ask {
    pub(super) fn new(egress: Egress) -> Ask {
        Ask { egress }
    }

    /// Gets a JSON document.
    pub(super) async fn json<T: DeserializeOwned>(&self, url: &Url, token: Option<&str>) -> Result<T, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|_| Failure::Unproven("its access token cannot be sent".to_owned()))?;
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        let answer = self.send(Method::GET, url.clone(), headers, Vec::new()).await.map_err(Failure::from)?;
        let (status, body) = (answer.status(), answer.into_body());
        let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Failure::Refused(format!("{place} answered {status}")));
            }
            _ => return Err(Failure::Unreachable(format!("{place} answered {status}"))),
        }
        serde_json::from_slice(&body).map_err(|error| {
            Failure::Unproven(format!("{place} answered with something else: {}", quoted(&error.to_string())))
        })
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<HttpResponse, AskError> {
        let policy = OnlyOrigin::of(&url);
        let mut request = Request::new(method, url);
        request.headers = headers;
        request.body = body.into();
        request.timeout = TIMEOUT;
        request.max_redirects = 0;
        request.max_body = BYTES;
        request.profile = HeaderProfile::Portal;
        let answer = self.egress.send(request, &policy).await?;
        let (status, headers) = (answer.status, answer.headers);
        let body = answer.body.collect(BYTES).await?;
        let mut response = HttpResponse::new(body.to_vec());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// For the library that exchanges codes.
impl<'c> AsyncHttpClient<'c> for Ask {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string()).map_err(|error| AskError::Request(error.to_string()))?;
            self.send(parts.method, url, parts.headers, body).await
        })
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Failure {
        match error {
            // What is too large to be read is not an answer either.
            AskError::Egress(error @ Error::TooLarge { .. }) => Failure::Unproven(error.to_string()),
            error => Failure::Unreachable(error.to_string()),
        }
    }
}
