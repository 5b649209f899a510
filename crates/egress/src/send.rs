//! Sends a request: rules, address, credential, redirects, repeated attempts; in this order, for each hop.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
    },
};
use tokio::time::Instant;
use url::Url;

use crate::{
    Body, Credential, Cut, Error, Limits, Policy, Request, Response, Upload,
    body::Terms,
    egress::Inner,
    headers,
    resolver::Unresolved,
    revalidate::{Kept, Key},
    scrub::{MASK, Pattern, Scrubber},
    tape::{self, Line, Sent},
    target,
    upload::Moved,
};

pub(crate) async fn send(inner: &Inner, request: Request, policy: &dyn Policy) -> Result<Response, Error> {
    let mut sending = Sending::prepare(inner, request, policy)?;
    let mut attempt = 1;
    loop {
        let hop = sending.first.clone();
        let (hop, response) = sending.follow(hop).await?;
        if let Some(wait) = sending.pause_after(&response, attempt) {
            tracing::debug!(url = %target::shown(&hop.url), status = %response.status(), ?wait, "throttled");
            tokio::time::sleep(wait).await;
            attempt += 1;
            continue;
        }
        return sending.finish(hop, response);
    }
}

pub(crate) async fn pass_on(
    inner: &Inner,
    request: Request,
    upload: Option<Upload>,
    policy: &dyn Policy,
) -> Result<Response, Error> {
    let request = Request { max_redirects: 0, retry: false, revalidate: None, ..request };
    let mut sending = Sending::prepare(inner, request, policy)?;
    let hop = sending.first.clone();
    let response = sending.send_one(&hop, false, upload).await?;
    sending.finish(hop, response)
}

/// One request of the chain that redirects make.
#[derive(Clone)]
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    credential: Option<Credential>,
}

struct Sending<'a> {
    inner: &'a Inner,
    policy: &'a dyn Policy,
    first: Hop,
    host: Option<HeaderValue>,
    kept: Option<(Key, Option<Kept>)>,
    attached: Vec<Pattern>,
    max_redirects: usize,
    max_body: u64,
    retry: bool,
    timeout: Duration,
    stall: Option<Duration>,
    deadline: Instant,
}

impl<'a> Sending<'a> {
    fn prepare(inner: &'a Inner, request: Request, policy: &'a dyn Policy) -> Result<Self, Error> {
        let Request { method, url, headers, body, timeout, max_redirects, max_body, profile, credential, .. } = request;
        let (stall, host) = (request.stall, request.host);
        let url = target::prepare(url)?;
        if matches!(method, Method::CONNECT | Method::TRACE) {
            let reason = format!("the method {method} is not sent");
            return Err(Error::Url { url: target::shown(&url), reason });
        }
        let signed = credential.as_ref().is_some_and(Credential::signs);
        let mut headers = headers::check(&headers, profile, signed)?;
        let asks_itself = headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
        let kept = match request.revalidate {
            Some(scope) if method == Method::GET && !asks_itself => {
                let key = Key::new(&scope, &url, &headers, credential.as_ref());
                let kept = inner.cache.get(&key);
                if let Some(kept) = &kept {
                    kept.make_conditional(&mut headers);
                }
                Some((key, kept))
            }
            _ => None,
        };
        let retry = request.retry && matches!(method, Method::GET | Method::HEAD);
        Ok(Self {
            inner,
            policy,
            first: Hop { method, url, headers, body, credential },
            host,
            kept,
            attached: Vec::new(),
            max_redirects,
            max_body,
            retry,
            timeout,
            stall,
            deadline: Instant::now() + timeout,
        })
    }

    /// Sends a request and follows where it leads.
    async fn follow(&mut self, mut hop: Hop) -> Result<(Hop, reqwest::Response), Error> {
        let mut redirects = 0;
        loop {
            let response = self.send_one(&hop, redirects > 0, None).await?;
            tracing::debug!(method = %hop.method, url = %target::shown(&hop.url), status = %response.status(), "sent");
            let Some(next) = self.redirect(&hop, &response)? else { return Ok((hop, response)) };
            redirects += 1;
            if redirects > self.max_redirects {
                let reason = format!("more than {} times", self.max_redirects);
                return Err(Error::Redirect { url: target::shown(&self.first.url), reason });
            }
            hop = next;
        }
    }

    /// An upload takes the place of the hop's body.
    async fn send_one(
        &mut self,
        hop: &Hop,
        redirected: bool,
        upload: Option<Upload>,
    ) -> Result<reqwest::Response, Error> {
        let reach = self.policy.check(&hop.method, &hop.url).map_err(|refused| Error::Refused {
            url: target::shown(&hop.url),
            redirected,
            refused,
        })?;
        target::check_literal(&hop.url, reach)?;
        let mut request = reqwest::Request::new(hop.method.clone(), hop.url.clone());
        *request.headers_mut() = hop.headers.clone();
        let mut moved = Moved::now();
        if let Some(upload) = upload {
            moved = upload.moved();
            if let Some(length) = upload.length() {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            *request.body_mut() = Some(upload.into_body());
        } else if !hop.body.is_empty() {
            *request.body_mut() = Some(hop.body.clone().into());
        }
        if let Some(host) = &self.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        let timed_out = || Error::Timeout { url: target::shown(&hop.url), after: self.stall.unwrap_or(self.timeout) };
        if let Some(credential) = &hop.credential {
            if !credential.covers(&hop.url) {
                return Err(Error::CredentialNotForOrigin {
                    url: target::shown(&hop.url),
                    scope: credential.scope().to_string(),
                });
            }
            let attached = tokio::time::timeout_at(self.deadline, credential.attach(&mut request))
                .await
                .map_err(|_| timed_out())?;
            self.attached.extend(attached?);
        }
        let told = || Sent {
            method: hop.method.clone(),
            url: hop.url.to_string(),
            headers: hop.headers.clone(),
            credential: hop.credential.as_ref().map(|credential| credential.scope().to_string()),
            body: hop.body.clone(),
        };
        let recording = match &self.inner.line {
            Line::Network => None,
            Line::Replay(tape) => return tape.answer(&told()).map(tape::response_of).map_err(Error::NotRecorded),
            Line::Record(recorder) => Some(recorder.begin(told(), &self.attached)?),
        };
        let client = self.inner.clients.get(reach, self.host.is_some()).ok_or_else(|| Error::Header {
            name: HOST.to_string(),
            reason: "is only named for an origin that the configuration names",
        })?;
        let response = match self.head(client.execute(request), &moved).await {
            None => Err(timed_out()),
            Some(Ok(response)) => Ok(response),
            Some(Err(error)) => Err(failure(&error, &hop.url, &self.inner.settings.limits)),
        };
        match recording {
            None => response,
            Some(recording) => recording.finish(response?, |scrubber| self.terms(hop, scrubber)).await,
        }
    }

    /// What a body is read under.
    fn terms(&self, hop: &Hop, scrubber: Scrubber) -> Terms {
        Terms {
            scrubber,
            limit: self.max_body,
            url: target::shown(&hop.url),
            deadline: self.deadline,
            timeout: self.timeout,
            stall: self.stall,
            keep: None,
        }
    }

    /// Waits for the head of the answer, for as long as there is time and the body that is being sent moves.
    async fn head<T>(&self, sent: impl Future<Output = T>, moved: &Moved) -> Option<T> {
        let mut sent = std::pin::pin!(sent);
        loop {
            let until = self.stall.map_or(self.deadline, |stall| self.deadline.min(moved.last() + stall));
            match tokio::time::timeout_at(until, &mut sent).await {
                Ok(answer) => return Some(answer),
                Err(_) if until < self.deadline && self.stall.is_some_and(|stall| moved.last() + stall > until) => {}
                Err(_) => return None,
            }
        }
    }

    /// The request that a redirect asks for, or `None` if the response is not one that is followed.
    fn redirect(&self, hop: &Hop, response: &reqwest::Response) -> Result<Option<Hop>, Error> {
        let status = response.status();
        if self.max_redirects == 0 || !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
        let wrong = |reason: String| Error::Redirect { url: target::shown(&hop.url), reason };
        let location = location.to_str().map_err(|_| wrong("to something that is not a URL".to_owned()))?;
        // On a recording it is masked already.
        if self.scrubber()?.text(location) != location || location.contains(MASK) {
            return Err(wrong("to a URL that carries the credential of the request".to_owned()));
        }
        let url = hop.url.join(location).map_err(|error| wrong(format!("to something that is not a URL: {error}")))?;
        let url = target::prepare(url).map_err(|error| wrong(format!("to a place that is not followed: {error}")))?;

        let mut next = Hop { url, ..hop.clone() };
        let to_get = status == StatusCode::SEE_OTHER && hop.method != Method::HEAD
            || matches!(status.as_u16(), 301 | 302) && hop.method == Method::POST;
        if to_get {
            next.method = Method::GET;
            next.body = Bytes::new();
            for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
                next.headers.remove(name);
            }
        }
        if next.url.origin() != hop.url.origin() {
            headers::keep_across_origins(&mut next.headers);
        }
        if matches!(self.kept, Some((_, Some(_)))) {
            // The validator is that of the URL that was asked, and says nothing about any other.
            next.headers.remove(IF_NONE_MATCH);
            next.headers.remove(IF_MODIFIED_SINCE);
        }
        // Once gone it stays gone: a stranger in the chain must not choose which path is asked for with it.
        next.credential = next.credential.filter(|credential| credential.covers(&next.url));
        Ok(Some(next))
    }

    /// How long to wait before the request is sent again, if it is.
    fn pause_after(&self, response: &reqwest::Response, attempt: u32) -> Option<Duration> {
        let limits = &self.inner.settings.limits;
        let throttled = matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if !self.retry || !throttled || attempt >= limits.attempts {
            return None;
        }
        let wait = pause(limits, attempt, retry_after(response.headers(), SystemTime::now()));
        (Instant::now() + wait < self.deadline).then_some(wait)
    }

    fn finish(self, hop: Hop, response: reqwest::Response) -> Result<Response, Error> {
        let scrubber = self.scrubber()?;
        let status = response.status();
        let mut headers = response.headers().clone();
        headers::clean_response(&mut headers, !self.attached.is_empty());
        scrubber.headers(&mut headers);
        if !scrubber.is_idle() {
            // What is masked changes the length, and a body that does not have the length it says is cut off.
            headers.remove(CONTENT_LENGTH);
        }
        let mut terms = self.terms(&hop, scrubber);
        if let Some((key, kept)) = self.kept {
            match kept {
                Some(kept) if status == StatusCode::NOT_MODIFIED => {
                    return Ok(Response {
                        status: StatusCode::OK,
                        headers: kept.renewed(&headers),
                        url: hop.url,
                        body: Body::from_bytes(kept.body, terms)?,
                    });
                }
                // A redirect may lead elsewhere next time, and its validators are not those of the URL that was asked.
                _ if status == StatusCode::OK && hop.url == self.first.url => {
                    terms.keep = self.inner.cache.keep(key, &headers);
                }
                _ => {}
            }
        }
        let body = Body::new(response, terms)?;
        Ok(Response { status, headers, url: hop.url, body })
    }

    fn scrubber(&self) -> Result<Scrubber, Error> {
        Scrubber::new(&self.attached)
            .map_err(|error| Error::Credential(format!("the answer cannot be searched for the credential: {error}")))
    }
}

/// The wait before the next attempt: what the upstream asks for, or else a growing time of which half is random, so that
/// many that were throttled together do not come back together.
fn pause(limits: &Limits, attempt: u32, asked: Option<Duration>) -> Duration {
    let grown = limits.backoff.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(limits.longest_wait);
    let own = grown.mul_f64(rand::random_range(0.5..=1.0));
    asked.unwrap_or_default().max(own).min(limits.longest_wait)
}

/// `Retry-After`, as seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).ok(),
    }
}

/// Puts an error of the HTTP client into words.
fn failure(error: &reqwest::Error, url: &Url, limits: &Limits) -> Error {
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut is_malformed = false;
    while let Some(current) = source {
        match current.downcast_ref::<Unresolved>() {
            Some(Unresolved::Forbidden(addr, reason)) => {
                let url = target::shown(url);
                return Error::Address { url, host, addr: *addr, reason: *reason, literal: false };
            }
            Some(Unresolved::Lookup(reason)) => return Error::Resolve { host, reason: reason.clone() },
            None => {}
        }
        if let Some(cut) = current.downcast_ref::<Cut>() {
            return Error::Upload { url: target::shown(url), cut: cut.clone() };
        }
        if let Some(error) = find_tls(current) {
            return Error::Tls { origin: target::origin(url), reason: error.to_string() };
        }
        is_malformed |= current.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
        source = current.source();
    }
    let origin = target::origin(url);
    if error.is_connect() && error.is_timeout() {
        let reason = format!("no answer within {} s", limits.connect_timeout.as_secs());
        return Error::Connect { origin, reason };
    }
    if error.is_connect() {
        return Error::Connect { origin, reason: cause(error) };
    }
    let (url, reason) = (target::shown(url), cause(error));
    if is_malformed { Error::Malformed { url, reason } } else { Error::Broken { url, reason } }
}

/// TLS errors travel inside `io::Error`, which does not name what it wraps as its source.
fn find_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| {
        let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
        find_tls(inner)
    })
}

/// The innermost reason; the layers above it only say that a request failed, and repeat the URL.
pub(crate) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses() {
        let limits = Limits::default();
        let check = |attempt: u32, asked: Option<u64>, low: u64, high: u64| {
            for _ in 0..50 {
                let wait = pause(&limits, attempt, asked.map(Duration::from_secs)).as_millis() as u64;
                assert!((low..=high).contains(&wait), "{attempt} {asked:?}: {wait}");
            }
        };
        check(1, None, 100, 200);
        check(2, None, 200, 400);
        check(5, None, 1600, 3200);
        check(60, None, 5000, 10_000);
        check(1, Some(3), 3000, 3000);
        check(1, Some(0), 100, 200);
        check(1, Some(86_400), 10_000, 10_000);
    }

    #[test]
    fn retry_after_values() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let check = |value: &'static str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        };
        check("7", Some(7));
        check(" 7 ", Some(7));
        check("Sun, 06 Nov 1994 08:49:47 GMT", Some(10));
        check("Sun, 06 Nov 1994 08:49:27 GMT", None);
        check("soon", None);
        check("-1", None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
