//! All endpoints, and which of them a request is for.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderValue, Method};

use super::endpoint::{Endpoint, Invalid, MOUNT};
use super::path::{self, Readings};
use crate::config::{self, Config};

/// The endpoints of app-config.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    all: Vec<Arc<Endpoint>>,
    /// The same by their folded segments.
    folded: BTreeMap<Vec<String>, usize>,
}

/// What a request is for.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Its path could be taken for another one.
    BadPath,
    /// No endpoint, or one that does not take the method.
    Nothing {
        /// Whether everybody may know that.
        is_open: bool,
    },
    /// This one.
    Endpoint(Arc<Endpoint>),
}

impl Endpoints {
    /// # Errors
    /// An endpoint cannot be used. The configuration's own check has said so before.
    pub(crate) fn new(written: &config::Proxy, portal: &HeaderValue) -> Result<Endpoints, Invalid> {
        let mut endpoints = Endpoints::default();
        for endpoint in &written.endpoints {
            endpoints.add(Endpoint::parse(endpoint, portal)?)?;
        }
        Ok(endpoints)
    }

    /// Adds one that is neither there already nor has the permission of another.
    pub(crate) fn add(&mut self, endpoint: Endpoint) -> Result<&Endpoint, Invalid> {
        let folded: Vec<String> = endpoint.segments().map(path::fold).collect();
        let same = |other: &&Arc<Endpoint>| {
            let folded = other.segments().map(path::fold).eq(folded.iter().cloned());
            folded || other.permission_stem().eq_ignore_ascii_case(&endpoint.permission_stem())
        };
        if let Some(other) = self.all.iter().find(same) {
            return Err(Invalid {
                at: Vec::new(),
                message: format!("cannot be told from `{}`", other.route),
                fix: "Give it a name that differs in more than case, dots and slashes.".to_owned(),
            });
        }
        let index = self.all.len();
        self.folded.insert(folded, index);
        self.all.push(Arc::new(endpoint));
        self.all.get(index).map(Arc::as_ref).ok_or_else(|| Invalid {
            at: Vec::new(),
            message: "was not added".to_owned(),
            fix: String::new(),
        })
    }

    /// What a request is for, by its whole path.
    ///
    /// The endpoint with the most segments decides, whatever it says; it takes nothing over from one that has fewer. A
    /// path belongs to it to the letter, and a path that would be another endpoint's in another reading is nobody's.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found {
        let below = path.strip_prefix(MOUNT).unwrap_or_default();
        let Some(readings) = Readings::of(below) else { return Found::BadPath };
        let written = readings.written();
        let is_prefix = |endpoint: &&Arc<Endpoint>| {
            let mut written = written.iter();
            endpoint.segments().all(|segment| written.next().is_some_and(|other| *other == segment))
        };
        let longest = self.all.iter().filter(is_prefix).max_by_key(|endpoint| endpoint.segments().count());
        let Some(endpoint) = longest else { return Found::Nothing { is_open: false } };
        if readings.folded().any(|segments| !self.folded(&segments).is_some_and(|other| Arc::ptr_eq(other, endpoint))) {
            return Found::BadPath;
        }
        match endpoint.takes(method) {
            true => Found::Endpoint(endpoint.clone()),
            false => Found::Nothing { is_open: endpoint.is_open() },
        }
    }

    /// The endpoint with the most folded segments at the beginning of these.
    fn folded(&self, segments: &[String]) -> Option<&Arc<Endpoint>> {
        let index = (0..=segments.len()).rev().find_map(|count| self.folded.get(segments.get(..count)?))?;
        self.all.get(*index)
    }
}

/// The endpoints in force, and their changes while the portal runs.
pub(crate) struct Live {
    portal: HeaderValue,
    current: RwLock<Current>,
}

struct Current {
    /// `proxy`, as app-config has it.
    written: serde_json::Value,
    endpoints: Arc<Endpoints>,
}

impl Live {
    /// Begins with those of a configuration.
    pub(crate) fn new(config: &Config, portal: HeaderValue) -> Result<Live, Invalid> {
        let endpoints = Arc::new(Endpoints::new(&config.proxy, &portal)?);
        Ok(Live { current: RwLock::new(Current { written: written(config), endpoints }), portal })
    }

    /// Those in force now.
    pub(crate) fn get(&self) -> Arc<Endpoints> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).endpoints.clone()
    }

    /// Takes over those of a changed configuration. Requests that are under way end as they began.
    pub(crate) fn follow(&self, config: &Config) {
        let written = written(config);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).written == written {
            return;
        }
        match Endpoints::new(&config.proxy, &self.portal) {
            Ok(endpoints) => {
                let endpoints = Arc::new(endpoints);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { written, endpoints };
                tracing::info!("the proxy's endpoints in app-config changed and are in force");
            }
            Err(invalid) => tracing::error!("the proxy's endpoints stay as they were: one {}", invalid.message),
        }
    }
}

fn written(config: &Config) -> serde_json::Value {
    config.raw.get("proxy").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Proxy, ProxyCredentials, ProxyEndpoint};

    fn endpoint(route: &str, methods: &[&str], is_open: bool) -> ProxyEndpoint {
        ProxyEndpoint {
            route: route.to_owned(),
            target: "https://a.example/base".to_owned(),
            host: None,
            change_origin: true,
            path_rewrite: None,
            headers: Vec::new(),
            allowed_methods: Some(methods.iter().map(ToString::to_string).collect()),
            allowed_headers: Vec::new(),
            credentials: match is_open {
                true => ProxyCredentials::DangerouslyAllowUnauthenticated,
                false => ProxyCredentials::Require,
            },
            timeout: Duration::from_secs(1),
        }
    }

    fn endpoints(all: Vec<ProxyEndpoint>) -> Result<Endpoints, Invalid> {
        Endpoints::new(&Proxy { endpoints: all }, &HeaderValue::from_static("portal.example"))
    }

    /// CVE-2026-106456: a nested route was as open as the one around it.
    #[test]
    fn the_longest_decides() {
        let check = |reverse: bool, method: Method, path: &str, expected: &str| {
            let mut all = vec![
                endpoint("/open", &["GET", "POST"], true),
                endpoint("/open/closed", &["GET"], false),
                endpoint("/open/closed/open", &["GET"], true),
                endpoint("/other", &["GET"], false),
            ];
            if reverse {
                all.reverse();
            }
            let found = match endpoints(all).unwrap().find(&method, &format!("{MOUNT}{path}")) {
                Found::BadPath => "bad path".to_owned(),
                Found::Nothing { is_open } => format!("nothing{}", if is_open { ", for everybody" } else { "" }),
                Found::Endpoint(endpoint) => endpoint.route.clone(),
            };
            assert_eq!(found, expected, "{method} {path}");
        };
        for reverse in [false, true] {
            let check = |path: &str, expected: &str| check(reverse, Method::GET, path, expected);
            check("/open", "/open");
            check("/open/", "/open");
            check("/open/x/closed", "/open");
            check("/open/closed", "/open/closed");
            check("/open/closed/", "/open/closed");
            check("/open/closed/x", "/open/closed");
            check("/open/closed/open/x", "/open/closed/open");
            check("/open/closedx", "/open");
            check("/openx", "nothing");
            check("/ope", "nothing");
            check("/other/open", "/other");
            check("/", "nothing");
            check("", "bad path");
            // Another reading of the path is another endpoint's.
            for path in [
                "/open/Closed/x",
                "/open/CLOSED",
                "/open/closed%2fx",
                "/open/closed%5cx",
                "/open/%63losed/x",
                "/open/%2563losed/x",
                "/open/closed;a=b/x",
                "/open/;a/closed/x",
                "/open/closed./x",
                "/open/closed%20/x",
                "/open/%2fclosed/x",
                "/open/clo%C5%BFed/x",
                "/open/closed%ef%bc%8fx",
                "/open/closed/open%2f",
                "/open/closed/Open/x",
            ] {
                check(path, "bad path");
            }
            for path in ["/Open/x", "/OPEN", "/%6fpen", "/open;a/x", "/OTHER", "/open%2fclosed"] {
                check(path, "nothing");
            }
        }
        check(false, Method::POST, "/open/x", "/open");
        check(false, Method::POST, "/open/closed/x", "nothing");
        check(false, Method::POST, "/open/closed/open/x", "nothing, for everybody");
        check(false, Method::DELETE, "/open/x", "nothing, for everybody");
        check(false, Method::HEAD, "/other", "nothing");
    }

    #[test]
    fn two_that_cannot_be_told_apart() {
        fn check(first: &str, second: &str, expected: bool) {
            let both = endpoints(vec![endpoint(first, &[], false), endpoint(second, &[], false)]);
            assert_eq!(both.is_ok(), expected, "{first} {second}");
        }
        check("/a", "/b", true);
        check("/a", "/a/b", true);
        check("/a", "/A", false);
        check("/a", "/a/", false);
        check("/a", "/a.", false);
        check("/a/b", "/a.b", false);
        check("/a/b", "/A.B", false);
    }
}
