//! One request in the reader's place: how much, which, and what comes back.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_egress::{Egress, Error, HeaderProfile, HostPattern, Policy, Reach, Refused, Request};
use callboard_model::api::{TryRequest, TryResponse};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use url::Url;

use super::servers::Servers;
use crate::config::TryAllow;
use crate::http::error::{ApiError, Result};

/// What a reader may send: they type it, or choose a file.
pub(super) const BODY_BYTES: usize = 1024 * 1024;

/// What a reader gets back: it ends as text on a page.
const ANSWER_BYTES: u64 = 4 * 1024 * 1024;

/// How long the server in question may take. The reader waits.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A person who explores an API presses the button a few times in a row, and then reads.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
const PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// How often each user may send.
pub(crate) struct RateLimit {
    limiter: DefaultKeyedRateLimiter<String>,
}

impl RateLimit {
    pub(crate) fn new() -> RateLimit {
        RateLimit { limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(PER_MINUTE).allow_burst(BURST)) }
    }

    /// Takes one turn of a user's.
    pub(crate) fn take(&self, user: &str) -> Result<()> {
        // Those who have not sent anything for a while need no entry.
        self.limiter.retain_recent();
        self.limiter.check_key(&user.to_owned()).map_err(|early| {
            let wait = early.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1);
            let message = format!("Too many requests, please try again in {wait} s");
            let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsError", message);
            error.retry_after = Some(wait);
            error
        })
    }
}

/// Methods beyond reading that app-config allows for some hosts.
pub(crate) struct Allowed {
    host: HostPattern,
    methods: std::collections::BTreeSet<String>,
}

impl Allowed {
    /// `apis.tryItOut.allow`.
    ///
    /// # Errors
    /// What is wrong with the host.
    pub(crate) fn parse(allow: &TryAllow) -> Result<Allowed, String> {
        Ok(Allowed { host: HostPattern::parse(&allow.host)?, methods: allow.methods.clone() })
    }
}

/// Asked for the request, and again for each redirect: a server of the definition, a method that is allowed there, and
/// what `backend.reading.allow` says.
pub(super) struct TryPolicy<'a, R> {
    pub(super) servers: Servers,
    pub(super) allow: &'a [Allowed],
    pub(super) reading: R,
}

impl<R: Policy> Policy for TryPolicy<'_, R> {
    fn check(&self, method: &Method, url: &Url) -> std::result::Result<Reach, Refused> {
        self.servers.check(url).map_err(|error| Refused::new(error.to_string()))?;
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let allowed = || {
            let rule = |rule: &&Allowed| rule.host.matches(url).is_some() && rule.methods.contains(method.as_str());
            self.allow.iter().find(rule).is_some()
        };
        if !reads && !allowed() {
            let host = url.host_str().unwrap_or_default();
            return Err(Refused::new(format!("{method} may not be tried out at {host}")).with_fix(format!(
                "add {{ host: '{host}', methods: [{method}] }} to apis.tryItOut.allow in app-config"
            )));
        }
        // What may be read is asked as a read: the rule knows no other method.
        self.reading.check(&Method::GET, url)
    }
}

/// The request that a reader wishes for.
pub(super) fn request(wish: &TryRequest) -> Result<Request> {
    let method = Method::from_bytes(wish.method.to_ascii_uppercase().as_bytes())
        .map_err(|_| ApiError::input(format!("'{}' is no method", wish.method.escape_default())))?;
    let mut url = Url::parse(&wish.url)
        .map_err(|error| ApiError::input(format!("'{}' is not an absolute URL: {error}", wish.url.escape_default())))?;
    url.set_fragment(None);
    let mut request = Request::new(method, url);
    for (name, value) in &wish.headers {
        // Cookies never travel, whatever a definition says.
        if name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("cookie2") {
            continue;
        }
        request.header(name, value).map_err(|error| ApiError::input(error.to_string()))?;
    }
    if let Some(body) = &wish.body {
        let body =
            STANDARD.decode(body).map_err(|error| ApiError::input(format!("the body is not base64: {error}")))?;
        if body.len() > BODY_BYTES {
            let message = format!("the body has {} bytes, and {BODY_BYTES} may be sent", body.len());
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", message));
        }
        request.body = body.into();
    }
    request.timeout = TIMEOUT;
    request.max_body = ANSWER_BYTES;
    request.profile = HeaderProfile::TryItOut;
    Ok(request)
}

/// Sends it, and logs that it was sent.
pub(super) async fn send(egress: &Egress, request: Request, policy: &dyn Policy, user: &str) -> Result<TryResponse> {
    let method = request.method.clone();
    let place = format!("{}{}", request.url.origin().ascii_serialization(), request.url.path());
    let start = Instant::now();
    let answer = exchange(egress, request, policy, start).await;
    match &answer {
        Ok(answer) => {
            tracing::info!(target: "callboard::try", user, %method, place, status = answer.status, ms = answer.elapsed_ms, "sent")
        }
        Err(error) => tracing::info!(target: "callboard::try", user, %method, place, "not answered: {error}"),
    }
    answer.map_err(failed)
}

async fn exchange(
    egress: &Egress,
    request: Request,
    policy: &dyn Policy,
    start: Instant,
) -> std::result::Result<TryResponse, Error> {
    let response = egress.send(request, policy).await?;
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in &response.headers {
        // The upstream's session is not the reader's.
        if matches!(*name, header::SET_COOKIE) || name.as_str() == "set-cookie2" {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = headers.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(&value);
    }
    let status = response.status.as_u16();
    let url = response.url.to_string();
    let body = response.body.collect(ANSWER_BYTES).await?;
    let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(TryResponse { status, headers, body: STANDARD.encode(body), url, elapsed_ms })
}

fn failed(error: Error) -> ApiError {
    let message = error.to_string();
    match error {
        Error::Refused { .. } | Error::Address { .. } => ApiError::not_allowed(message),
        Error::Url { .. } | Error::Header { .. } => ApiError::input(message),
        Error::Timeout { .. } => ApiError::new(StatusCode::GATEWAY_TIMEOUT, "UpstreamError", message),
        _ => ApiError::new(StatusCode::BAD_GATEWAY, "UpstreamError", message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns() {
        let limit = RateLimit::new();
        for _ in 0..BURST.get() {
            limit.take("user:default/ada").unwrap();
        }
        let error = limit.take("user:default/ada").unwrap_err();
        assert_eq!(error.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(error.retry_after.is_some());
        limit.take("user:default/guest").unwrap();
    }

    struct Anything;

    impl Policy for Anything {
        fn check(&self, _: &Method, _: &Url) -> std::result::Result<Reach, Refused> {
            Ok(Reach::Public)
        }
    }

    #[test]
    fn methods() {
        let definition = "openapi: 3.0.0\nservers: [{url: 'https://a.example'}, {url: 'https://b.example'}]\n";
        let allow = [Allowed {
            host: HostPattern::parse("a.example").unwrap(),
            methods: ["POST".to_owned(), "DELETE".to_owned()].into(),
        }];
        let policy = TryPolicy { servers: Servers::of(definition).unwrap(), allow: &allow, reading: Anything };
        let check = |method: &str, url: &str, expected: bool| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let checked = policy.check(&method, &Url::parse(url).unwrap());
            assert_eq!(checked.is_ok(), expected, "{method} {url}: {checked:?}");
        };
        check("GET", "https://a.example/x", true);
        check("HEAD", "https://b.example/x", true);
        check("OPTIONS", "https://b.example/x", true);
        check("POST", "https://a.example/x", true);
        check("DELETE", "https://a.example/x", true);
        check("PUT", "https://a.example/x", false);
        check("POST", "https://b.example/x", false);
        check("POST", "https://a.example:8443/x", false);
        check("GET", "https://c.example/x", false);
        check("TRACE", "https://a.example/x", false);
        check("CONNECT", "https://a.example/x", false);
    }
}
