//! Which headers a caller may set, and which come back.

use http::{HeaderMap, HeaderName, HeaderValue};

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
        "accept-encoding" => Some("is not yours to set: bodies arrive decoded"),
        "cookie" | "cookie2" => Some("is not sent: requests carry no cookies"),
        "x-http-method" | "x-http-method-override" | "x-method-override" => {
            Some("is not sent: it would hide the method from the rule that permits it")
        }
        "forwarded" | "via" | "x-real-ip" | "x-client-ip" | "true-client-ip" => {
            Some("is not sent: it would claim another sender")
        }
        _ if name.starts_with("proxy-") => Some("is not sent: requests go through no proxy"),
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
    for name in ["connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
    if authenticated {
        headers.remove("set-cookie");
        headers.remove("set-cookie2");
    }
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
        for (name, plugin, typed) in [
            ("Accept", KEPT, KEPT),
            ("Content-Type", KEPT, KEPT),
            ("X-Api-Key", KEPT, KEPT),
            ("If-None-Match", KEPT, KEPT),
            ("User-Agent", KEPT, DROPPED),
            ("Authorization", REFUSED, KEPT),
            ("Cookie", REFUSED, REFUSED),
            ("Host", REFUSED, DROPPED),
            ("Content-Length", REFUSED, DROPPED),
            ("Transfer-Encoding", REFUSED, REFUSED),
            ("TE", REFUSED, REFUSED),
            ("Upgrade", REFUSED, REFUSED),
            ("Connection", REFUSED, DROPPED),
            ("Accept-Encoding", REFUSED, DROPPED),
            ("Proxy-Authorization", REFUSED, REFUSED),
            ("Proxy-Connection", REFUSED, REFUSED),
            ("X-HTTP-Method-Override", REFUSED, REFUSED),
            ("X-Forwarded-For", REFUSED, REFUSED),
            ("Forwarded", REFUSED, REFUSED),
            ("Expect", REFUSED, REFUSED),
            ("Origin", KEPT, DROPPED),
            ("Sec-Fetch-Mode", KEPT, DROPPED),
        ] {
            assert_eq!(seen(name, HeaderProfile::Plugin, false), plugin, "{name} of a plugin");
            assert_eq!(seen(name, HeaderProfile::TryItOut, false), typed, "{name} typed");
            let own = if name == "Authorization" { KEPT } else { plugin };
            assert_eq!(seen(name, HeaderProfile::Portal, false), own, "{name} of the portal");
        }
        assert_eq!(seen("X-Amz-Date", HeaderProfile::Plugin, false), KEPT);
        assert_eq!(seen("X-Amz-Date", HeaderProfile::Plugin, true), REFUSED);
        assert_eq!(seen("X-Amz-Security-Token", HeaderProfile::Plugin, true), REFUSED);
    }
}
