//! `backend.reading.allow` as a policy.

use std::sync::Arc;

use http::Method;
use url::Url;

use crate::{Policy, Reach, ReadingRule, Refused, egress::Inner, target};

/// The rules of `backend.reading.allow`, for GET, HEAD and OPTIONS.
#[derive(Clone)]
pub struct ReadingPolicy {
    inner: Arc<Inner>,
}

impl ReadingPolicy {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Whether the URL may be read, and how far that reaches, whatever the method.
    pub fn permits(&self, url: &Url) -> Result<Reach, Refused> {
        let rules = &self.inner.settings.reading;
        let permitted: Vec<Reach> = rules.iter().filter_map(|rule| rule.permits(url)).collect();
        if permitted.contains(&Reach::Named) {
            return Ok(Reach::Named);
        }
        permitted.first().copied().ok_or_else(|| refusal(rules, url))
    }
}

impl Policy for ReadingPolicy {
    fn check(&self, method: &Method, url: &Url) -> Result<Reach, Refused> {
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Err(Refused::new(format!(
                "{method} {} is refused: reading is GET, HEAD or OPTIONS",
                target::shown(url)
            )));
        }
        self.permits(url)
    }
}

impl std::fmt::Debug for ReadingPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadingPolicy").field("rules", &self.inner.settings.reading).finish()
    }
}

fn refusal(rules: &[ReadingRule], url: &Url) -> Refused {
    let shown = target::shown(url);
    let paths: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.host.matches(url).is_some())
        .flat_map(|rule| rule.paths.iter().flatten().map(String::as_str))
        .collect();
    if paths.is_empty() {
        let refused = Refused::new(format!("reading {shown} is not allowed by `backend.reading.allow`"));
        return refused.with_fix(line_for(url));
    }
    let host = target::authority(url);
    Refused::new(format!(
        "reading {shown} is not allowed: `backend.reading.allow` permits {host} only below {}",
        paths.join(", ")
    ))
    .with_fix(format!("add `{}` to the `paths` of its entry in app-config.yaml", folder(url)))
}

/// The line that permits the URL.
pub(super) fn line_for(url: &Url) -> String {
    let host = target::authority(url);
    // A host with a port or in brackets means something else to YAML unless it is quoted.
    let host = if host.contains([':', '[', '*']) { format!("'{host}'") } else { host };
    format!("add `- host: {host}` to `backend.reading.allow` in app-config.yaml")
}

fn folder(url: &Url) -> &str {
    match url.path().rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}
