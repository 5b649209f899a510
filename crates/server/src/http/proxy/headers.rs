//! Which headers pass through the proxy, in either direction.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use callboard_egress::named_by_connection;

use crate::identity::session;

/// What passes without being named, as with Backstage. Of these `host` and `content-length` are written anew.
const ALWAYS: [HeaderName; 11] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::HOST,
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::USER_AGENT,
];

/// The headers of an endpoint's `allowedHeaders` that pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    names: BTreeSet<String>,
}

impl Allowed {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a HeaderName>) -> Allowed {
        Allowed { names: names.into_iter().map(|name| name.as_str().to_owned()).collect() }
    }

    /// Those of a request's headers that go to the target.
    pub(super) fn of_request(&self, headers: &HeaderMap) -> HeaderMap {
        let framing = |name: &HeaderName| *name == header::HOST || *name == header::CONTENT_LENGTH;
        self.of(headers, |name| !framing(name) && kept_from_targets(name).is_none())
    }

    /// Those of an answer's headers that come back.
    pub(super) fn of_response(&self, headers: &HeaderMap) -> HeaderMap {
        let mut kept = self.of(headers, |name| !is_ours(name));
        let cookies: Vec<HeaderValue> = kept.get_all(header::SET_COOKIE).iter().cloned().collect();
        kept.remove(header::SET_COOKIE);
        for cookie in cookies.into_iter().filter(|cookie| !sets_ours(cookie)) {
            kept.append(header::SET_COOKIE, cookie);
        }
        kept
    }

    fn of(&self, headers: &HeaderMap, may: impl Fn(&HeaderName) -> bool) -> HeaderMap {
        let hops = named_by_connection(headers);
        let mut kept = HeaderMap::new();
        for (name, value) in headers {
            let named = ALWAYS.contains(name) || self.names.contains(name.as_str());
            if named && may(name) && !hops.contains(name) {
                kept.append(name, value.clone());
            }
        }
        kept
    }
}

/// Why a header of a request never goes to a target, whatever `allowedHeaders` says; none of most.
pub(crate) fn kept_from_targets(name: &HeaderName) -> Option<&'static str> {
    match name.as_str() {
        "authorization" => Some("`credentials: forward` is what passes it on"),
        "cookie" | "cookie2" => Some("cookies are the portal's own, and good for everything that their owner may do"),
        "x-http-method" | "x-http-method-override" | "x-method-override" => {
            Some("it would hide the method from `allowedMethods`")
        }
        "x-original-url" | "x-original-uri" | "x-rewrite-url" => Some("it would hide the path"),
        "accept-encoding" => Some("bodies arrive decoded, and are compressed anew for the browser"),
        name if belongs_to_connection(name) => Some("it belongs to the connection"),
        _ => None,
    }
}

/// Whether a header says how one message travels over one connection.
pub(crate) fn belongs_to_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    ) || name.starts_with("proxy-")
}

/// Whether a header would speak for the portal: about what a browser may do with its pages, cookies and origin.
fn is_ours(name: &HeaderName) -> bool {
    let name = name.as_str();
    let framing = belongs_to_connection(name) && name != "content-length";
    let starts = ["access-control-", "content-security-policy", "cross-origin-", "permissions-policy", "report"];
    framing
        || starts.iter().any(|start| name.starts_with(start))
        || matches!(
            name,
            "alt-svc"
                | "clear-site-data"
                | "nel"
                | "origin-agent-cluster"
                | "referrer-policy"
                | "refresh"
                | "service-worker-allowed"
                | "set-cookie2"
                | "set-login"
                | "speculation-rules"
                | "strict-transport-security"
                | "x-content-type-options"
                | "x-frame-options"
                | "x-permitted-cross-domain-policies"
        )
}

/// Whether a cookie has, or may be taken to have, a name of those that the portal and Backstage's clients use.
fn sets_ours(cookie: &HeaderValue) -> bool {
    let Ok(text) = cookie.to_str() else { return true };
    let Some((name, _)) = text.split(';').next().unwrap_or_default().split_once('=') else { return true };
    let name = name.trim().to_ascii_lowercase();
    let plain = name.trim_start_matches("__host-").trim_start_matches("__secure-");
    let is_token = HeaderName::from_bytes(name.as_bytes()).is_ok();
    !is_token
        || plain == session::NAME
        || plain.starts_with("callboard")
        || plain.starts_with("backstage")
        || plain.ends_with("-nonce")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        lines.iter().map(line).for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn cookies() {
        fn check(cookie: &str, expected: bool) {
            let allowed = Allowed::new([&header::SET_COOKIE]);
            let passes = !allowed.of_response(&headers(&[("Set-Cookie", cookie)])).is_empty();
            assert_eq!(passes, expected, "{cookie}");
        }
        check("grafana_session=1; Path=/", true);
        check("a=", true);
        check("callboard-session=1", false);
        check("Callboard-Session =1", false);
        check("__Host-callboard-session=1", false);
        check("backstage-auth=1", false);
        check("github-nonce=1", false);
        check("=callboard-session=1", false);
        check("callboard-session", false);
        check("", false);
        check("a b=1", false);
    }

    #[test]
    fn what_the_connection_names_ends_here() {
        let allowed = Allowed::new([&HeaderName::from_static("x-a"), &HeaderName::from_static("x-b")]);
        let message = headers(&[("Connection", "close, X-A"), ("X-A", "1"), ("X-B", "2"), ("Accept", "*/*")]);
        let names = |kept: HeaderMap| kept.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(allowed.of_request(&message)), ["x-b", "accept"]);
        assert_eq!(names(allowed.of_response(&message)), ["x-b", "accept"]);
    }
}
