//! Answers that were recorded in the place of the network, for the tests of plugins.
//!
//! All that comes before the network is as it always is: the policy is asked for each hop, an address that is written out
//! is checked, and the credential must be valid for the URL and is attached. Then a request is either answered from what
//! was recorded, and nothing leaves the process; or it is sent, and written down together with its answer.
//!
//! An [`Egress`](crate::Egress) is made for one of these by a constructor of its own, and stays what it was made for.
//! Nothing that is read from a configuration leads there.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, PROXY_AUTHORIZATION},
};

use crate::{
    Body, Error,
    body::Terms,
    headers,
    scrub::{Pattern, Scrubber},
};

/// A request as its sender made it, without what authenticates it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: String,
    /// The headers that the sender set.
    pub headers: HeaderMap,
    /// Where the credential is valid that is attached to it; none where there is none.
    pub credential: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// What came back. No secret is in what is recorded, nor a session that was opened.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decoded.
    pub body: Bytes,
}

/// Answers in the place of the network.
pub trait Replay: Send + Sync {
    /// The answer to a request.
    ///
    /// # Errors
    /// There is none; says what to do.
    fn answer(&self, sent: &Sent) -> Result<Answered, String>;
}

/// Writes down what goes over the network.
pub trait Record: Send + Sync {
    /// A request is about to be sent; its number, for the answer. Requests that are sent together come in their order.
    fn sent(&self, sent: Sent) -> usize;

    /// The answer to that request came.
    fn answered(&self, number: usize, answered: Answered);
}

/// What requests go over.
pub(crate) enum Line {
    Network,
    Replay(Arc<dyn Replay>),
    Record(Recorder),
}

pub(crate) struct Recorder {
    pub(crate) to: Arc<dyn Record>,
    /// What must not be written down wherever it stands, beside the credentials of each request.
    pub(crate) secrets: Vec<Pattern>,
}

/// A request that was written down and has no answer yet.
pub(crate) struct Recording {
    to: Arc<dyn Record>,
    number: usize,
    is_head: bool,
    scrubber: Scrubber,
}

impl Recorder {
    /// Writes a request down.
    pub(crate) fn begin(&self, sent: Sent, attached: &[Pattern]) -> Result<Recording, Error> {
        let attached = attached.iter().flat_map(Pattern::also_encoded);
        let patterns: Vec<Pattern> = attached.chain(self.secrets.iter().flat_map(Pattern::also_encoded)).collect();
        let scrubber = || {
            Scrubber::new(&patterns)
                .map_err(|error| Error::Credential(format!("the secrets cannot be searched for: {error}")))
        };
        let is_head = sent.method == Method::HEAD;
        let number = self.to.sent(masked(sent, scrubber()?));
        Ok(Recording { to: self.to.clone(), number, is_head, scrubber: scrubber()? })
    }
}

impl Recording {
    /// Writes the answer down, and hands it on as it was written, so that whoever sent the request sees now what they will
    /// see when it is replayed.
    pub(crate) async fn finish(
        self,
        response: reqwest::Response,
        terms: impl FnOnce(Scrubber) -> Terms,
    ) -> Result<reqwest::Response, Error> {
        let status = response.status();
        let mut headers = response.headers().clone();
        clean(&mut headers, self.is_head);
        self.scrubber.headers(&mut headers);
        let terms = terms(self.scrubber);
        let limit = terms.limit;
        let body = Body::new(response, terms)?.collect(limit).await?;
        let answered = Answered { status, headers, body };
        self.to.answered(self.number, answered.clone());
        Ok(response_of(answered))
    }
}

/// The response that the rest of sending takes for one of the network's.
pub(crate) fn response_of(answered: Answered) -> reqwest::Response {
    let Answered { status, headers, body } = answered;
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.into()
}

/// The sender knows no secret, so there is nothing to mask unless somebody put one where it does not belong.
fn masked(mut sent: Sent, mut scrubber: Scrubber) -> Sent {
    sent.url = scrubber.text(&sent.url);
    scrubber.headers(&mut sent.headers);
    let mut body = BytesMut::from(scrubber.push(sent.body));
    body.extend_from_slice(&scrubber.finish());
    sent.body = body.freeze();
    sent
}

/// Takes out what would authenticate somebody, and the length of a body that is masked and decoded.
fn clean(headers: &mut HeaderMap, is_head: bool) {
    const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
    const INFO: HeaderName = HeaderName::from_static("authentication-info");
    headers::clean_response(headers, true);
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, TOKEN, INFO] {
        headers.remove(name);
    }
    if !is_head {
        headers.remove(CONTENT_LENGTH);
    }
}
