//! How far a request for a plugin may go.

use callboard_egress::{Policy, Reach, Refused};
use http::Method;
use url::Url;

use crate::source::shown;

/// Permits the origins that app-config names, and from there, by redirects, whatever is public and has TLS: registries
/// keep their blobs elsewhere. What comes from there is worth as much as its digest.
#[derive(Clone, Debug)]
pub(crate) struct Reaching {
    own: Vec<Url>,
    /// Where to name another origin.
    fix: &'static str,
}

impl Reaching {
    pub(crate) fn registry(own: Vec<Url>) -> Self {
        Self { own, fix: "if that server belongs to the registry, add it to its `origins` in plugins.registries" }
    }

    pub(crate) fn address(url: &Url) -> Self {
        Self { own: vec![url.clone()], fix: "name the address where the file really is" }
    }

    pub(crate) fn is_own(&self, url: &Url) -> bool {
        self.own.iter().any(|own| own.origin() == url.origin())
    }
}

impl Policy for Reaching {
    fn check(&self, _: &Method, url: &Url) -> Result<Reach, Refused> {
        if self.is_own(url) {
            return Ok(Reach::Named);
        }
        if url.scheme() == "https" {
            return Ok(Reach::Public);
        }
        Err(Refused::new(format!("{} is reached without TLS", shown(url))).with_fix(self.fix))
    }
}
