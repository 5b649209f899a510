//! Which headers a caller may set, and which come back.

use http::{HeaderMap, HeaderName, HeaderValue, header::CONNECTION};

use crate::Error;

/// Whose headers a request carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderProfile {
    /// A plugin's. Nothing that authenticates, nothing that the connection needs, nothing that hides the method.
    #[default]
    Plugin,
    /// The portal's own, for a protocol that says itself how to authenticate, such as OAuth's. As a plugin's, but it may
    /// set `Authorization`.
    Portal,
    /// What a person typed into "Try it out". As a plugin's, but `Authorization` and other keys may be typed; what a
    /// browser adds on its own is dropped.
    TryItOut,
    /// What app-config lets through to an endpoint of the proxy, and what it sets itself: everything but what belongs to
    /// the connection.
    Proxy,
}

/// Reads one header from texts.
pub(crate) fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let refuse = |reason| Error::Header { name: name.escape_debug().to_string(), reason };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("is not the name of a header"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| refuse("has a value with a line break or another character that no header may hold"))?;
    Ok((parsed, value))
}

/// Refuses what the profile does not permit and drops what is not worth an error.
pub(crate) fn check(headers: &HeaderMap, profile: HeaderProfile, signed: bool) -> Result<HeaderMap, Error> {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if profile == HeaderProfile::TryItOut && is_browsers_own(name.as_str()) {
            continue;
        }
        if let Some(reason) = refusal(name.as_str(), profile, signed) {
            return Err(Error::Header { name: name.to_string(), reason });
        }
        kept.append(name, value.clone());
    }
    Ok(kept)
}

fn refusal(name: &str, profile: HeaderProfile, signed: bool) -> Option<&'static str> {
    match name {
        "host" => Some("is not yours to set: it follows from the URL"),
        "content-length" | "transfer-encoding" | "te" | "trailer" | "connection" | "keep-alive" | "upgrade"
        | "expect" | "http2-settings" => Some("is not yours to set: it belongs to the connection"),
        _ if name.starts_with("proxy-") => Some("is not sent: requests go through no proxy"),
        _ if profile == HeaderProfile::Proxy => None,
        "accept-encoding" => Some("is not yours to set: bodies arrive decoded"),
        "cookie" | "cookie2" => Some("is not sent: requests carry no cookies"),
        "x-http-method" | "x-http-method-override" | "x-method-override" => {
            Some("is not sent: it would hide the method from the rule that permits it")
        }
        "forwarded" | "via" | "x-real-ip" | "x-client-ip" | "true-client-ip" => {
            Some("is not sent: it would claim another sender")
        }
        _ if name.starts_with("x-forwarded-") => Some("is not sent: it would claim another sender"),
        "authorization" if profile == HeaderProfile::Plugin => {
            Some("is not yours to set: name a credential, and it is attached where it belongs")
        }
        "x-amz-security-token" | "x-amz-date" | "x-amz-content-sha256" if signed => {
            Some("is not yours to set: it belongs to the signature")
        }
        _ => None,
    }
}

fn is_browsers_own(name: &str) -> bool {
    matches!(
        name,
        "accept-encoding" | "connection" | "content-length" | "origin" | "referer" | "user-agent" | "dnt" | "host"
    ) || name.starts_with("sec-")
}

/// What stays on a request that is redirected to another origin: what says which answer is wanted, and nothing that may
/// have been meant for the first origin only.
pub(crate) fn keep_across_origins(headers: &mut HeaderMap) {
    let foreign: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            !matches!(
                name.as_str(),
                "accept"
                    | "accept-language"
                    | "content-language"
                    | "content-type"
                    | "user-agent"
                    | "range"
                    | "if-none-match"
                    | "if-modified-since"
                    | "if-range"
            )
        })
        .cloned()
        .collect();
    for name in foreign {
        headers.remove(name);
    }
}

/// Takes out of a response what concerns only the connection, and the session that an upstream may open for whoever
/// authenticated: it would be as good as the credential.
pub(crate) fn clean_response(headers: &mut HeaderMap, authenticated: bool) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    for name in ["connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
    if authenticated {
        headers.remove("set-cookie");
        headers.remove("set-cookie2");
    }
}

/// The headers that a message's `Connection` says are for this connection only (RFC 9110, section 7.6.1).
pub fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().map(HeaderValue::as_bytes);
    let names = values.flat_map(|value| value.split(|byte| *byte == b','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let check = |name: &str, value: &str, part: Option<&str>| match (parse(name, value), part) {
            (Ok(_), None) => {}
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            (seen, _) => panic!("{name}: {value:?}: {seen:?}"),
        };
        check("Accept", "text/plain", None);
        check("x-y", "grüße", None);
        check("x-y", "a\r\nHost: evil", Some("line break"));
        check("x-y", "a\nb", Some("line break"));
        check("x-y", "a\rb", Some("line break"));
        check("x-y", "a\0b", Some("line break"));
        check("x-y\r\nHost", "a", Some("not the name"));
        check("x y", "a", Some("not the name"));
        check("", "a", Some("not the name"));
        check(":authority", "a", Some("not the name"));
    }

    #[test]
    fn profiles() {
        const KEPT: u8 = 0;
        const DROPPED: u8 = 1;
        const REFUSED: u8 = 2;
        let seen = |name: &str, profile, signed| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("x"));
            match check(&headers, profile, signed) {
                Ok(kept) if kept.is_empty() => DROPPED,
                Ok(_) => KEPT,
                Err(_) => REFUSED,
            }
        };
        for (name, plugin, typed, proxied) in [
            ("Accept", KEPT, KEPT, KEPT),
            ("Content-Type", KEPT, KEPT, KEPT),
            ("X-Api-Key", KEPT, KEPT, KEPT),
            ("If-None-Match", KEPT, KEPT, KEPT),
            ("User-Agent", KEPT, DROPPED, KEPT),
            ("Authorization", REFUSED, KEPT, KEPT),
            ("Cookie", REFUSED, REFUSED, KEPT),
            ("Host", REFUSED, DROPPED, REFUSED),
            ("Content-Length", REFUSED, DROPPED, REFUSED),
            ("Transfer-Encoding", REFUSED, REFUSED, REFUSED),
            ("TE", REFUSED, REFUSED, REFUSED),
            ("Upgrade", REFUSED, REFUSED, REFUSED),
            ("Connection", REFUSED, DROPPED, REFUSED),
            ("Accept-Encoding", REFUSED, DROPPED, KEPT),
            ("Proxy-Authorization", REFUSED, REFUSED, REFUSED),
            ("Proxy-Connection", REFUSED, REFUSED, REFUSED),
            ("X-HTTP-Method-Override", REFUSED, REFUSED, KEPT),
            ("X-Forwarded-For", REFUSED, REFUSED, KEPT),
            ("Forwarded", REFUSED, REFUSED, KEPT),
            ("Expect", REFUSED, REFUSED, REFUSED),
            ("Origin", KEPT, DROPPED, KEPT),
            ("Sec-Fetch-Mode", KEPT, DROPPED, KEPT),
        ] {
            assert_eq!(seen(name, HeaderProfile::Plugin, false), plugin, "{name} of a plugin");
            assert_eq!(seen(name, HeaderProfile::TryItOut, false), typed, "{name} typed");
            assert_eq!(seen(name, HeaderProfile::Proxy, false), proxied, "{name} of the proxy");
            let own = if name == "Authorization" { KEPT } else { plugin };
            assert_eq!(seen(name, HeaderProfile::Portal, false), own, "{name} of the portal");
        }
        assert_eq!(seen("X-Amz-Date", HeaderProfile::Plugin, false), KEPT);
        assert_eq!(seen("X-Amz-Date", HeaderProfile::Plugin, true), REFUSED);
        assert_eq!(seen("X-Amz-Security-Token", HeaderProfile::Plugin, true), REFUSED);
    }

    #[test]
    fn connection_names_headers() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, X-Hop ,"), ("connection", "x-other"), ("x-hop", "1"), ("x-end", "2")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert("x-other", HeaderValue::from_static("3"));
        clean_response(&mut headers, false);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-end"]);
    }
}
