//! The hosts of a rule.

use serde::{Deserialize, de::Error as _};
use url::Url;

use crate::Reach;

/// A host of `backend.reading.allow`: `example.com`, `example.com:8443`, `*.example.com` or `*`.
///
/// Without a port only the scheme's default port is meant. `*.example.com` means every host below it, at any depth, and
/// not `example.com` itself. `*` means every public host. A host that is written out may lead to private and loopback
/// addresses; a wildcard never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    text: String,
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Every,
    Below(String),
    One(String),
}

impl HostPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains("://") {
            return Err(format!("the host '{text}' must be written without a scheme, such as example.com"));
        }
        if text == "*" {
            return Ok(Self { text: text.to_owned(), hosts: Hosts::Every, port: None });
        }
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(format!("'{text}': a * may only stand alone or as the first label, such as *.example.com"));
        }
        // A default port that is written out would be dropped by one scheme and kept by the other, so read it by hand.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().map_err(|_| format!("'{text}': '{port}' is not a port"))?;
                (host, Some(port))
            }
            _ => (rest, None),
        };
        let url = Url::parse(&format!("http://{host}/")).map_err(|error| format!("'{text}' is not a host: {error}"))?;
        let plain = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match url.host_str() {
            Some(host) if plain => {
                let host = host.trim_end_matches('.').to_owned();
                let hosts = if below { Hosts::Below(format!(".{host}")) } else { Hosts::One(host) };
                Ok(Self { text: text.to_owned(), hosts, port })
            }
            _ => Err(format!("'{text}' is not a host; write example.com or example.com:8443, and paths under `paths`")),
        }
    }

    /// Whether the URL's host and port match, and how far that reaches.
    pub fn matches(&self, url: &Url) -> Option<Reach> {
        let host = url.host_str()?.trim_end_matches('.');
        let port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none() || self.hosts == Hosts::Every,
        };
        let reach = match &self.hosts {
            Hosts::Every => Reach::Public,
            Hosts::Below(suffix) if host.len() > suffix.len() && host.ends_with(suffix.as_str()) => Reach::Public,
            Hosts::One(one) if host == one => Reach::Named,
            _ => return None,
        };
        port.then_some(reach)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        let check = |pattern: &str, url: &str, expected: Option<Reach>| {
            let pattern = HostPattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(&Url::parse(url).unwrap()), expected, "{pattern:?} {url}");
        };
        let (named, public) = (Some(Reach::Named), Some(Reach::Public));
        check("example.com", "https://example.com/a", named);
        check("Example.COM", "https://EXAMPLE.com/a", named);
        check("example.com", "https://example.com./a", named);
        check("example.com", "http://example.com/a", named);
        check("example.com", "http://example.com:80/a", named);
        check("example.com", "http://example.com:443/a", None);
        check("example.com", "https://example.com:8443/a", None);
        check("example.com:8443", "https://example.com:8443/a", named);
        check("example.com:8443", "https://example.com/a", None);
        check("example.com:443", "https://example.com/a", named);
        check("example.com:443", "http://example.com/a", None);
        check("example.com", "https://www.example.com/", None);
        check("example.com", "https://example.com.evil.test/", None);
        check("example.com", "https://notexample.com/", None);
        check("example.com", "https://user@example.com/", named);
        check("example.com", "https://example.com@evil.test/", None);
        check("*.example.com", "https://a.example.com/", public);
        check("*.example.com", "https://a.b.example.com/", public);
        check("*.example.com", "https://example.com/", None);
        check("*.example.com", "https://evilexample.com/", None);
        check("*.example.com:8080", "http://a.example.com:8080/", public);
        check("*.example.com", "http://a.example.com:8080/", None);
        check("*", "https://anything.test/", public);
        check("*", "https://anything.test:8443/", public);
        check("*", "http://127.0.0.1:9000/", public);
        check("127.0.0.1:9000", "http://127.0.0.1:9000/", named);
        check("127.0.0.1:9000", "http://0x7f.1:9000/", named);
        check("0x7f.1:9000", "http://127.0.0.1:9000/", named);
        check("[::1]:9000", "http://[::1]:9000/", named);
        check("[::1]", "http://[0:0::1]/", named);
        check("bücher.example", "https://xn--bcher-kva.example/", named);
        check("localhost", "http://localhost/", named);
    }

    #[test]
    fn mistakes() {
        let check = |pattern: &str, part: &str| {
            let error = HostPattern::parse(pattern).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check("https://example.com", "without a scheme");
        check("example.com/path", "paths");
        check("a.*.example.com", "first label");
        check("exa*mple.com", "first label");
        check("*.*", "first label");
        check("example.com:http", "not a port");
        check("user@example.com", "not a host");
        check("", "not a host");
        check("example.com:99999", "not a port");
    }
}
