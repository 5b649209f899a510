//! One service that requests are passed on to.

use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use callboard_egress::{Credential, Policy, Reach, Refused, Secret, SetHeader, address};
use url::{Host, Url};

use super::headers::{Allowed, belongs_to_connection};
use super::path::{self, Readings};
use super::rewrite::Rewrite;
use crate::config::{ProxyCredentials, ProxyEndpoint, ProxyHeader};
use crate::policy::{Action, Permission, Subject};

/// Where the proxy is mounted.
pub(crate) const MOUNT: &str = "/api/proxy";

/// An endpoint that can be used.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Such as `/grafana/api`, without a slash at the end.
    pub(crate) route: String,
    pub(super) target: Url,
    /// What the target is told that it is called; its own name where absent.
    pub(super) host: Option<HeaderValue>,
    pub(super) credentials: ProxyCredentials,
    pub(super) timeout: Duration,
    rewrites: Option<Vec<Rewrite>>,
    methods: Vec<Method>,
    allowed: Allowed,
    headers: Vec<SetHeader>,
}

/// Why an endpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// The keys below the endpoint that lead to the place.
    pub(crate) at: Vec<String>,
    /// What is wrong, as the end of a sentence. It never has a value that may be a secret.
    pub(crate) message: String,
    /// What to do.
    pub(crate) fix: String,
}

impl Invalid {
    fn new(at: &[&str], message: impl Into<String>, fix: impl Into<String>) -> Invalid {
        Invalid { at: at.iter().map(ToString::to_string).collect(), message: message.into(), fix: fix.into() }
    }
}

impl Endpoint {
    /// `portal` is the portal's own host, for `changeOrigin: false`.
    pub(crate) fn parse(written: &ProxyEndpoint, portal: &HeaderValue) -> Result<Endpoint, Invalid> {
        let target = target(&written.target)?;
        let named = |name: &String| HeaderName::from_bytes(name.as_bytes()).ok();
        let allowed: Vec<HeaderName> = written.allowed_headers.iter().filter_map(named).collect();
        if allowed.len() < written.allowed_headers.len() {
            return Err(Invalid::new(&["allowedHeaders"], "has an entry that is not the name of a header", ""));
        }
        Ok(Endpoint {
            route: route(&written.route)?,
            host: match &written.host {
                Some(host) => Some(self::host(host)?),
                None => (!written.change_origin).then(|| portal.clone()),
            },
            credentials: written.credentials,
            timeout: written.timeout,
            rewrites: rewrites(written)?,
            methods: methods(written.allowed_methods.as_deref())?,
            allowed: Allowed::new(&allowed),
            headers: headers(&target, &written.headers)?,
            target,
        })
    }

    /// Whether it is there for everybody.
    pub(crate) fn is_open(&self) -> bool {
        self.credentials == ProxyCredentials::DangerouslyAllowUnauthenticated
    }

    /// Whether what it sends along must not be seen on the way.
    pub(crate) fn sends_secrets(&self) -> bool {
        self.lends_secrets() || self.credentials == ProxyCredentials::Forward
    }

    /// Whether it sends along what app-config has and its callers need not have.
    pub(crate) fn lends_secrets(&self) -> bool {
        self.headers.iter().any(|header| header.is_masked)
    }

    pub(crate) fn target(&self) -> &Url {
        &self.target
    }

    pub(super) fn takes(&self, method: &Method) -> bool {
        self.methods.contains(method)
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        self.route.split('/').skip(1)
    }

    /// What somebody needs to use it with a method.
    pub(crate) fn permission(&self, method: &Method) -> Permission {
        if self.is_open() {
            return Permission::Public;
        }
        let (kind, action) = match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => ("read", Action::Read),
            Method::POST => ("write", Action::Create),
            Method::DELETE => ("write", Action::Delete),
            _ => ("write", Action::Update),
        };
        Permission::named(format!("{}.{kind}", self.permission_stem()), action, Subject::Whole)
    }

    /// The beginning of its permissions' names, such as `proxy.grafana.api`.
    pub(crate) fn permission_stem(&self) -> String {
        format!("proxy{}", self.route.replace('/', "."))
    }

    /// Where a request goes; none where that would not be below the target. The path is the whole one of the request.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Option<Url> {
        let path = path::joined(self.target.path(), &self.rewritten(path)?);
        Readings::of(&path)?;
        let mut url = self.target.clone();
        url.set_path(&path);
        url.set_query(query);
        self.covers(&url).then_some(url)
    }

    fn rewritten(&self, path: &str) -> Option<String> {
        match &self.rewrites {
            Some(rewrites) => {
                Some(rewrites.iter().find_map(|rewrite| rewrite.apply(path)).unwrap_or_else(|| path.to_owned()))
            }
            None => {
                let rest = path.strip_prefix(MOUNT)?.strip_prefix(self.route.as_str())?;
                Some(format!("/{}", rest.strip_prefix('/').unwrap_or(rest)))
            }
        }
    }

    fn covers(&self, url: &Url) -> bool {
        url.origin() == self.target.origin() && path::is_below(url.path(), self.target.path())
    }

    /// The caller's headers that the target gets.
    pub(super) fn request_headers(&self, headers: &HeaderMap) -> HeaderMap {
        self.allowed.of_request(headers)
    }

    /// The target's headers that the caller gets.
    pub(super) fn response_headers(&self, headers: &HeaderMap) -> HeaderMap {
        self.allowed.of_response(headers)
    }

    /// The headers that are bound to the target's origin: those of app-config, which win over the caller's, and what the
    /// caller identified themselves with, where that is forwarded.
    pub(super) fn credential(&self, headers: &HeaderMap) -> Result<Option<Credential>, callboard_egress::Error> {
        let forwarded = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let forwarded = forwarded.filter(|_| self.credentials == ProxyCredentials::Forward).map(|value| SetHeader {
            name: header::AUTHORIZATION,
            value: Secret::new(value),
            is_masked: true,
        });
        // Of two with one name the later one is sent.
        let set: Vec<SetHeader> = forwarded.into_iter().chain(self.headers.iter().cloned()).collect();
        if set.is_empty() { Ok(None) } else { Credential::headers(&self.target, set).map(Some) }
    }
}

/// Asked by egress before the request is sent: what [`Endpoint::url`] said holds for the URL that is requested. The origin
/// is written in app-config, so it may be a private one.
impl Policy for Endpoint {
    fn check(&self, _: &Method, url: &Url) -> Result<Reach, Refused> {
        if self.covers(url) {
            return Ok(Reach::Named);
        }
        Err(Refused::new(format!("the proxy's endpoint {} does not lead there", self.route)))
    }
}

fn route(written: &str) -> Result<String, Invalid> {
    let fix = "Write it like `/grafana/api`: letters, digits, `-`, `_`, `.` and `~` between slashes.";
    let refuse = |message: &str| Err(Invalid::new(&[], message, fix));
    let route = written.trim_end_matches('/');
    let Some(rest) = route.strip_prefix('/') else { return refuse("is not a path that an endpoint may have") };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if rest.split('/').any(|segment| path::fold(segment).is_empty() || !segment.chars().all(is_plain)) {
        return refuse("is not a path that an endpoint may have");
    }
    Ok(route.to_owned())
}

fn target(written: &str) -> Result<Url, Invalid> {
    let refuse = |message: &str, fix: &str| Err(Invalid::new(&["target"], message, fix));
    let url = match Url::parse(written) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => return refuse("is not an http or https URL", "Write it like `https://example.com/api`."),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("has a user name or a password", "Set `headers: { Authorization: Basic … }` instead.");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or a fragment", "Requests bring their own query; write the URL without it.");
    }
    if Readings::of(url.path()).is_none() {
        return refuse("has a path that cannot be told from another", "Write it without `//` and encoded dots.");
    }
    let literal = match url.host() {
        Some(Host::Ipv4(addr)) => Some(addr.into()),
        Some(Host::Ipv6(addr)) => Some(addr.into()),
        _ => None,
    };
    match literal.map(|addr| address::check(addr, Reach::Named)) {
        Some(Err(reason)) => refuse(&format!("is {reason}"), ""),
        _ => Ok(url),
    }
}

fn rewrites(written: &ProxyEndpoint) -> Result<Option<Vec<Rewrite>>, Invalid> {
    let Some(rules) = &written.path_rewrite else { return Ok(None) };
    let parsed = rules.iter().map(|(pattern, replacement)| {
        Rewrite::parse(pattern, replacement).map_err(|message| {
            Invalid::new(&["pathRewrite", pattern], message, "docs/api.md says what a rewrite may be.")
        })
    });
    parsed.collect::<Result<_, _>>().map(Some)
}

fn methods(written: Option<&[String]>) -> Result<Vec<Method>, Invalid> {
    let Some(written) = written else { return Ok(vec![Method::GET, Method::HEAD]) };
    let parsed = written.iter().map(|name| match Method::from_bytes(name.to_uppercase().as_bytes()) {
        Ok(method) if !matches!(method, Method::CONNECT | Method::TRACE) => Ok(method),
        _ => Err(Invalid::new(&["allowedMethods"], "has a method that is not passed on", "")),
    });
    parsed.collect()
}

fn host(written: &str) -> Result<HeaderValue, Invalid> {
    let is_authority = written.parse::<Authority>().is_ok() && !written.contains('@');
    let value = HeaderValue::from_str(written).ok().filter(|_| is_authority);
    value.ok_or_else(|| Invalid::new(&["headers", "Host"], "is not a host", "Write it like `example.com:8080`."))
}

fn headers(target: &Url, written: &[ProxyHeader]) -> Result<Vec<SetHeader>, Invalid> {
    let header = |written: &ProxyHeader| {
        let refuse = |message: &str| Invalid::new(&["headers", &written.name], message, "");
        let name = HeaderName::from_bytes(written.name.as_bytes());
        let name = name.map_err(|_| refuse("is not the name of a header"))?;
        if belongs_to_connection(name.as_str()) {
            return Err(refuse("is not set here: it belongs to the connection"));
        }
        let is_masked = is_secret(&name, written);
        let set = SetHeader { name, value: written.value.clone(), is_masked };
        let unfit = |_| refuse("has a value that no header may hold, such as one with a line break");
        Credential::headers(target, [set.clone()]).map_err(unfit)?;
        Ok(set)
    };
    written.iter().map(header).collect()
}

/// Whether what a header holds must not come back. What is in clear in app-config, under a name that says nothing of
/// secrets, is none: to mask `acme` wherever an answer has it would only spoil the answer.
fn is_secret(name: &HeaderName, written: &ProxyHeader) -> bool {
    const HARMLESS: &[&str] =
        &["accept", "accept-language", "cache-control", "content-language", "content-type", "pragma", "user-agent"];
    const TELLING: &[&str] =
        &["auth", "cookie", "credential", "jwt", "key", "pass", "pwd", "secret", "session", "signature", "token"];
    let name = name.as_str();
    !HARMLESS.contains(&name) && (written.is_substituted || TELLING.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(route: &str, target: &str) -> ProxyEndpoint {
        ProxyEndpoint {
            route: route.to_owned(),
            target: target.to_owned(),
            host: None,
            change_origin: true,
            path_rewrite: None,
            headers: Vec::new(),
            allowed_methods: None,
            allowed_headers: Vec::new(),
            credentials: ProxyCredentials::Require,
            timeout: Duration::from_secs(1),
        }
    }

    fn parse(written: &ProxyEndpoint) -> Result<Endpoint, Invalid> {
        Endpoint::parse(written, &HeaderValue::from_static("portal.example"))
    }

    #[test]
    fn urls() {
        fn check(target: &str, rewrites: Option<&[(&str, &str)]>, path: &str, expected: Option<&str>) {
            let rewrites = rewrites.map(|rules| rules.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect());
            let endpoint = parse(&ProxyEndpoint { path_rewrite: rewrites, ..written("/x", target) }).unwrap();
            let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
            let url = endpoint.url(&format!("/api/proxy/x{path}"), query);
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{target} {path}");
        }
        check("https://a.example", None, "", Some("https://a.example/"));
        check("https://a.example", None, "/", Some("https://a.example/"));
        check("https://a.example/base", None, "", Some("https://a.example/base/"));
        check("https://a.example/base/", None, "/b/c?d=e/../f", Some("https://a.example/base/b/c?d=e/../f"));
        check("https://a.example/base", None, "/b%20c%2Fd?", Some("https://a.example/base/b%20c%2Fd?"));
        check("https://a.example/base", None, "/b;c=d@e:80", Some("https://a.example/base/b;c=d@e:80"));
        check("https://a.example/base", None, "/../admin", None);
        check("https://a.example/base", None, "/%2e%2e/admin", None);
        let rules: &[_] = &[("^/api/proxy/x/old/(.*)", "/new/$1"), ("^/api/proxy/x/?", "/"), ("x", "never")];
        check("https://a.example/base", Some(rules), "/old/b", Some("https://a.example/base/new/b"));
        check("https://a.example/base", Some(rules), "/b", Some("https://a.example/base/b"));
        check("https://a.example/base", Some(&[]), "/b", Some("https://a.example/base/api/proxy/x/b"));
        check(
            "https://a.example/base",
            Some(&[("^/nothing", "/")]),
            "/b",
            Some("https://a.example/base/api/proxy/x/b"),
        );
        check("https://a.example/base", Some(&[("^/api/proxy/x", "")]), "", Some("https://a.example/base"));
        check(
            "https://a.example/base",
            Some(&[("^.*$", "//evil.example/a")]),
            "/b",
            Some("https://a.example/base/evil.example/a"),
        );
        // Neither half leads upwards, and both together do.
        check("https://a.example/base", Some(&[("^.*/a(.*)/(.*)b/", "/$1$2/")]), "/a./.b/c", None);
        check("https://a.example/base", Some(&[("^.*/a(.*)b(.*)$", "/$1$2")]), "/a%2b%65%2e%2e", None);
    }

    /// What egress asks, whatever was said before.
    #[test]
    fn what_may_be_requested() {
        let endpoint = parse(&written("/x", "https://a.example:8443/base")).unwrap();
        let check = |url: &str, expected: bool| {
            assert_eq!(endpoint.check(&Method::GET, &Url::parse(url).unwrap()).is_ok(), expected, "{url}");
        };
        check("https://a.example:8443/base", true);
        check("https://a.example:8443/base/b?c", true);
        check("https://a.example:8443/base2", false);
        check("https://a.example:8443/", false);
        check("https://a.example:8443/base/../admin", false);
        check("https://a.example/base/b", false);
        check("http://a.example:8443/base/b", false);
        check("https://b.example:8443/base/b", false);
    }

    #[test]
    fn permissions() {
        fn check(route: &str, method: Method, name: &str, action: Action) {
            let permission = parse(&written(route, "https://a.example")).unwrap().permission(&method);
            assert_eq!((permission.name(), permission.action()), (name, Some(action)));
            assert_eq!(permission.subject(), Subject::Whole);
        }
        check("/x", Method::GET, "proxy.x.read", Action::Read);
        check("/grafana/api/", Method::HEAD, "proxy.grafana.api.read", Action::Read);
        check("/x", Method::OPTIONS, "proxy.x.read", Action::Read);
        check("/x", Method::POST, "proxy.x.write", Action::Create);
        check("/x", Method::PUT, "proxy.x.write", Action::Update);
        check("/x", Method::PATCH, "proxy.x.write", Action::Update);
        check("/x", Method::DELETE, "proxy.x.write", Action::Delete);
        check("/x", Method::from_bytes(b"PURGE").unwrap(), "proxy.x.write", Action::Update);
        let open = ProxyCredentials::DangerouslyAllowUnauthenticated;
        let open = parse(&ProxyEndpoint { credentials: open, ..written("/x", "https://a.example") }).unwrap();
        assert_eq!(open.permission(&Method::DELETE), Permission::Public);
    }

    #[test]
    fn refused() {
        fn check(written: &ProxyEndpoint, expected: &str) {
            let invalid = parse(written).unwrap_err();
            let found = format!("{}: {}", invalid.at.join("."), invalid.message);
            assert!(found.starts_with(expected), "{found}");
            assert!(!format!("{found}{}", invalid.fix).contains("canary"), "{found}");
        }
        for target in ["", "example.com", "/base", "ftp://a.example", "file:///etc/passwd", "http://", "canary"] {
            check(&written("/x", target), "target: is not an http or https URL");
        }
        check(&written("/x", "https://u:canary@a.example"), "target: has a user name or a password");
        check(&written("/x", "https://a.example/?canary=1"), "target: has a query");
        check(&written("/x", "https://a.example/a//b"), "target: has a path");
        check(&written("/x", "http://169.254.169.254/latest"), "target: is a cloud's metadata address");
        check(&written("/x", "http://[fe80::1]/"), "target: is a link-local address");
        for route in ["", "/", "x", "/a b", "/a/*", "/a/:b", "/a%2fb", "/..", "/a/../b", "/a//b", "/é", "/a;b", "/a?b"]
        {
            check(&written(route, "https://a.example"), ": is not a path");
        }
        let header = |name: &str, value: &str| ProxyEndpoint {
            headers: vec![ProxyHeader { name: name.into(), value: Secret::new(value), is_substituted: false }],
            ..written("/x", "https://a.example")
        };
        check(&header("a b", "canary"), "headers.a b: is not the name");
        check(&header("X-Key", "canary\r\nHost: b"), "headers.X-Key: has a value");
        for name in ["Connection", "Transfer-Encoding", "Content-Length", "Proxy-Authorization", "Upgrade"] {
            check(&header(name, "canary"), &format!("headers.{name}: is not set here"));
        }
        let x = || written("/x", "https://a.example");
        check(&ProxyEndpoint { host: Some("a b".into()), ..x() }, "headers.Host: is not a host");
        check(&ProxyEndpoint { host: Some("a@b/c".into()), ..x() }, "headers.Host: is not a host");
        check(&ProxyEndpoint { allowed_headers: vec!["a b".into()], ..x() }, "allowedHeaders: has an entry");
        for method in ["TRACE", "CONNECT", "G ET", ""] {
            check(&ProxyEndpoint { allowed_methods: Some(vec![method.into()]), ..x() }, "allowedMethods: has a method");
        }
        check(&ProxyEndpoint { path_rewrite: Some(vec![("(".into(), "/".into())]), ..x() }, "pathRewrite.(: is not an");
    }

    #[test]
    fn secrets() {
        fn check(name: &'static str, is_substituted: bool, expected: bool) {
            let written = ProxyHeader { name: name.to_owned(), value: Secret::new("x"), is_substituted };
            assert_eq!(is_secret(&HeaderName::from_static(name), &written), expected, "{name}");
        }
        check("authorization", false, true);
        check("x-api-key", false, true);
        check("private-token", false, true);
        check("cookie", false, true);
        check("x-scope-orgid", false, false);
        check("x-scope-orgid", true, true);
        check("accept", true, false);
        check("content-type", false, false);
    }
}
