//! The right to send HTTP requests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::{HostPattern, PathPattern};

/// `METHOD[,METHOD] ORIGIN[/PATH]`, for example `GET https://*.s3.*.amazonaws.com`,
/// `GET,POST https://api.github.com/repos/*/*` or `GET config:integrations.awsS3.endpoint`.
///
/// In a host `*` stands for one or more labels, in a path for one segment; `/**` at the end of a path stands for the
/// rest. Without a path every path is meant. The query is never restricted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpRight {
    /// In upper case, sorted, each once.
    pub methods: Vec<String>,
    /// Whereto.
    pub origin: Origin,
    /// Which paths; any where absent.
    pub path: Option<PathPattern>,
}

/// Where requests may go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// One origin. It was named itself, and so may lie in a private network.
    Exact {
        /// `http` or `https`.
        scheme: String,
        /// As URLs have it: in lower case, internationalised names in Punycode, IPv6 addresses in brackets.
        host: String,
        /// Always there, the scheme's own included.
        port: u16,
    },
    /// All hosts of a pattern.
    Pattern {
        /// `http` or `https`.
        scheme: String,
        /// With at least one `*`.
        host: HostPattern,
        /// Always there, the scheme's own included.
        port: u16,
    },
    /// The URLs that stand in app-config at a path, which only the operator can know.
    Config {
        /// Dotted.
        path: String,
    },
}

/// Methods that a right may name. `CONNECT` and `TRACE` are none of them.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl HttpRight {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, RightError> {
        let refuse = |reason: String| RightError { right: text.to_owned(), reason };
        let (methods, target) = text.trim().split_once(char::is_whitespace).ok_or_else(|| {
            refuse("write a method and an origin, for example \"GET https://api.example.com\"".to_owned())
        })?;
        let methods = parse_methods(methods).map_err(refuse)?;
        let (origin, path) = split_path(target.trim());
        let origin = Origin::parse(origin).map_err(refuse)?;
        let path = path.map(PathPattern::parse).transpose().map_err(refuse)?;
        Ok(Self { methods, origin, path })
    }

    /// Whether a request is covered. A `config:` origin covers nothing until it is resolved.
    pub fn allows(&self, method: &str, url: &Url) -> bool {
        self.methods.iter().any(|allowed| allowed == method)
            && self.origin.allows(url)
            && self.path.as_ref().is_none_or(|path| path.matches(url.path()))
    }

    /// The right itself, or for a `config:` origin one right for every absolute `http` or `https` URL that `lookup`
    /// finds at the path. Where such a URL has a path of its own, the right holds below that path only. Other values
    /// give no right.
    pub fn resolve_config(&self, lookup: &dyn Fn(&str) -> Vec<String>) -> Vec<Self> {
        let Origin::Config { path } = &self.origin else { return vec![self.clone()] };
        let urls = lookup(path).into_iter().filter_map(|value| Url::parse(&value).ok());
        let below = |url: Url| {
            let base = PathPattern::below(url.path());
            Some(Self {
                methods: self.methods.clone(),
                origin: Origin::exact(&url)?,
                path: match (&self.path, base) {
                    (None, base) => base,
                    (Some(path), None) => Some(path.clone()),
                    (Some(path), Some(base)) => Some(base.join(path)),
                },
            })
        };
        urls.filter_map(below).collect()
    }
}

impl Origin {
    /// The origin of a URL that may be requested.
    pub fn exact(url: &Url) -> Option<Self> {
        match url.scheme() {
            scheme @ ("http" | "https") => Some(Self::Exact {
                scheme: scheme.to_owned(),
                host: url.host_str()?.to_owned(),
                port: url.port_or_known_default()?,
            }),
            _ => None,
        }
    }

    /// Whether a URL is of this origin.
    pub fn allows(&self, url: &Url) -> bool {
        match self {
            Self::Exact { scheme, host, port } => {
                url.scheme() == scheme && url.host_str() == Some(host) && url.port_or_known_default() == Some(*port)
            }
            Self::Pattern { scheme, host, port } => {
                url.scheme() == scheme
                    && url.port_or_known_default() == Some(*port)
                    && url.domain().is_some_and(|domain| host.matches(domain))
            }
            Self::Config { .. } => false,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("config:") {
            let is_key =
                |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            if path.split('.').all(is_key) {
                return Ok(Self::Config { path: path.to_owned() });
            }
            return Err(format!("\"{path}\" is no dotted path of app-config"));
        }
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), authority)) => (scheme, authority),
            _ => return Err("an origin starts with https://, http:// or config:".to_owned()),
        };
        if authority.contains(['@', '?', '#', '\\']) || authority.is_empty() {
            return Err("an origin is a scheme, a host and perhaps a port".to_owned());
        }
        if authority.contains('*') {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, port.parse().map_err(|_| format!("\"{port}\" is no port"))?),
                None => (authority, if scheme == "https" { 443 } else { 80 }),
            };
            return Ok(Self::Pattern { scheme: scheme.to_owned(), host: HostPattern::parse(host)?, port });
        }
        let url = Url::parse(text).map_err(|error| format!("\"{text}\" is no origin: {error}"))?;
        match Self::exact(&url) {
            Some(Self::Exact { host, .. }) if host.ends_with('.') => {
                Err(format!("the host \"{host}\" ends with a dot; leave it out"))
            }
            Some(origin) => Ok(origin),
            None => Err(format!("\"{text}\" is no origin")),
        }
    }
}

/// The origin and the path, which begins with the first slash that is not the scheme's.
fn split_path(target: &str) -> (&str, Option<&str>) {
    let authority = target.find("://").map_or(0, |colon| colon + 3);
    let slash = target.char_indices().find(|(at, c)| *at >= authority && *c == '/').map(|(at, _)| at);
    match slash.and_then(|slash| target.split_at_checked(slash)) {
        Some((origin, path)) => (origin, Some(path)),
        None => (target, None),
    }
}

fn parse_methods(text: &str) -> Result<Vec<String>, String> {
    let mut methods = Vec::new();
    for method in text.split(',') {
        if !METHODS.contains(&method) {
            return Err(format!("\"{method}\" is no method; there are {}", METHODS.join(", ")));
        }
        methods.push(method.to_owned());
    }
    methods.sort();
    methods.dedup();
    Ok(methods)
}

impl fmt::Display for HttpRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.methods.join(","), self.origin)?;
        self.path.as_ref().map_or(Ok(()), |path| path.fmt(f))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port): (_, &dyn fmt::Display, _) = match self {
            Self::Exact { scheme, host, port } => (scheme, host, port),
            Self::Pattern { scheme, host, port } => (scheme, host, port),
            Self::Config { path } => return write!(f, "config:{path}"),
        };
        write!(f, "{scheme}://{host}")?;
        match (scheme.as_str(), port) {
            ("http", 80) | ("https", 443) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl FromStr for HttpRight {
    type Err = RightError;

    fn from_str(text: &str) -> Result<Self, RightError> {
        Self::parse(text)
    }
}

impl Serialize for HttpRight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HttpRight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is no right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the http right \"{right}\" cannot be used: {reason}")]
pub struct RightError {
    /// As it was written.
    pub right: String,
    /// What is wrong and how to write it.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse() {
        fn check(text: &str, written: &str) {
            let right = HttpRight::parse(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(right.to_string(), written);
            assert_eq!(HttpRight::parse(written), Ok(right));
        }
        check("GET https://api.example.com", "GET https://api.example.com");
        check("POST,GET,GET  HTTPS://x".replace("HTTPS", "https").as_str(), "GET,POST https://x");
        check("GET https://API.Example.com:443", "GET https://api.example.com");
        check("GET http://localhost:9000", "GET http://localhost:9000");
        check("GET http://[::1]:80", "GET http://[::1]");
        check("GET http://0x7f.1", "GET http://127.0.0.1");
        check("GET https://bücher.example", "GET https://xn--bcher-kva.example");
        check("GET https://*.s3.*.amazonaws.com", "GET https://*.s3.*.amazonaws.com");
        check("GET https://*.example.com:8443/a", "GET https://*.example.com:8443/a");
        check("GET,POST https://api.github.com/repos/*/*", "GET,POST https://api.github.com/repos/*/*");
        check("GET https://x/bucket/**", "GET https://x/bucket/**");
        check("GET https://x/", "GET https://x/");
        check("GET https://x/a b/é", "GET https://x/a%20b/%C3%A9");
        check("GET config:integrations.awsS3.endpoint", "GET config:integrations.awsS3.endpoint");
        check("GET config:kubernetes.url/api/**", "GET config:kubernetes.url/api/**");
    }

    #[test]
    fn refused() {
        fn check(text: &str, reason: &str) {
            let error = HttpRight::parse(text).unwrap_err();
            assert_eq!(error.reason, reason, "{text}");
            assert!(error.to_string().contains(text));
        }
        let form = "write a method and an origin, for example \"GET https://api.example.com\"";
        check("", form);
        check("https://api.example.com", form);
        let methods = "is no method; there are DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
        for method in ["get", "*", "CONNECT", "TRACE", "GET,", ""] {
            if !method.is_empty() {
                let named = method.split(',').next_back().unwrap();
                check(&format!("{method} https://x"), &format!("\"{named}\" {methods}"));
            }
        }
        let origin = "an origin starts with https://, http:// or config:";
        for text in ["GET api.example.com", "GET ftp://x", "GET *", "GET //x", "GET file:///x", "GET *://x"] {
            check(text, origin);
        }
        let parts = "an origin is a scheme, a host and perhaps a port";
        for text in ["GET https://", "GET https://a@b", "GET https://a?b", "GET https://a#b", "GET https:///a"] {
            check(text, parts);
        }
        check("GET https://example.com.", "the host \"example.com.\" ends with a dot; leave it out");
        check("GET https://*.example.com:x", "\"x\" is no port");
        check("GET config:", "\"\" is no dotted path of app-config");
        check("GET config:a..b", "\"a..b\" is no dotted path of app-config");
        check("GET config:*", "\"*\" is no dotted path of app-config");
    }

    #[test]
    fn allows() {
        fn check(right: &str, method: &str, url: &str, expected: bool) {
            let right = HttpRight::parse(right).unwrap();
            assert_eq!(right.allows(method, &Url::parse(url).unwrap()), expected, "{right}: {method} {url}");
        }
        let api = "GET,POST https://api.github.com/repos/*/*";
        check(api, "GET", "https://api.github.com/repos/a/b?page=2", true);
        check(api, "POST", "https://API.GITHUB.COM:443/repos/a/b", true);
        check(api, "DELETE", "https://api.github.com/repos/a/b", false);
        check(api, "get", "https://api.github.com/repos/a/b", false);
        check(api, "GET", "http://api.github.com/repos/a/b", false);
        check(api, "GET", "https://api.github.com:8443/repos/a/b", false);
        check(api, "GET", "https://api.github.com.evil.example/repos/a/b", false);
        check(api, "GET", "https://api.github.com@evil.example/repos/a/b", false);
        check(api, "GET", "https://api.github.com./repos/a/b", false);
        check(api, "GET", "https://api.github.com/repos/a", false);
        check(api, "GET", "https://api.github.com/repos/a/b/c", false);
        check(api, "GET", "https://api.github.com/repos/a/../../user/b", false);
        check(api, "GET", "https://api.github.com/repos/a/%2e%2e/%2e%2e/x", false);
        check(api, "GET", "https://api.github.com/repos/a/b%2f..%2f..%2fuser", false);
        let s3 = "GET https://*.s3.*.amazonaws.com";
        check(s3, "GET", "https://bucket.s3.eu-west-1.amazonaws.com/any/key?x", true);
        check(s3, "GET", "https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/", true);
        check(s3, "GET", "https://s3.eu-west-1.amazonaws.com/", false);
        check(s3, "GET", "https://bucket.s3.amazonaws.com/", false);
        check(s3, "GET", "https://bucket.s3.eu.amazonaws.com.evil.example/", false);
        check(s3, "GET", "https://bucket.s3.eu.evilamazonaws.com/", false);
        check(s3, "PUT", "https://bucket.s3.eu-west-1.amazonaws.com/", false);
        check("GET http://127.0.0.1:9000", "GET", "http://127.0.0.1:9000/x", true);
        check("GET http://127.0.0.1:9000", "GET", "http://2130706433:9000/x", true);
        check("GET http://127.0.0.1:9000", "GET", "http://127.0.0.1:9001/x", false);
        check("GET http://[::1]:9000", "GET", "http://[0:0::1]:9000/", true);
        check("GET config:a.b", "GET", "https://a.b/", false);
    }

    #[test]
    fn config() {
        fn check(right: &str, found: &[&str], expected: &[&str]) {
            let lookup = |path: &str| {
                assert_eq!(path, "a.b");
                found.iter().map(ToString::to_string).collect()
            };
            let resolved = HttpRight::parse(right).unwrap().resolve_config(&lookup);
            assert_eq!(resolved.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
        check("GET config:a.b", &[], &[]);
        check(
            "GET config:a.b",
            &["http://localhost:9000", "https://minio.internal/", "nonsense", "ftp://x", "file:///etc"],
            &["GET http://localhost:9000", "GET https://minio.internal"],
        );
        check("GET config:a.b", &["https://x/base/"], &["GET https://x/base/**"]);
        check("GET config:a.b/v1/*", &["https://x"], &["GET https://x/v1/*"]);
        check("GET config:a.b/v1/*", &["https://x/base"], &["GET https://x/base/v1/*"]);
        check("GET config:a.b", &["https://x/a*b/c"], &["GET https://x/a%2Ab/c/**"]);
    }
}
