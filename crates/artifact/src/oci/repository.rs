//! The name of a repository, and where its registry answers.

use std::fmt;

use url::{Host, Url};

use crate::SourceError;

/// A repository: `ghcr.io/acme/s3`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    host: String,
    path: String,
}

/// The longest name of a repository that registries take.
const LONGEST_PATH: usize = 255;

impl Repository {
    /// A repository of a registry, which is named by its host, and its port where it is not the usual one.
    ///
    /// # Errors
    /// The host is not one, or the path is not as the specification has it.
    pub fn parse(host: &str, path: &str) -> Result<Self, SourceError> {
        let no_host = || SourceError::Registry(format!("oci://{host}/{path}"));
        if host.is_empty() || host.contains(['/', '?', '#', '@', '\\']) {
            return Err(no_host());
        }
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| no_host())?;
        if url.port() == Some(0) || url.path() != "/" {
            return Err(no_host());
        }
        // What the parser makes of it: lower case, without the port that https has anyway.
        let parsed = url.host_str().ok_or_else(no_host)?;
        let host = url.port().map_or_else(|| parsed.to_owned(), |port| format!("{parsed}:{port}"));
        let refuse = |why| Err(SourceError::Repository(format!("oci://{host}/{path}"), why));
        if path.chars().any(|char| char.is_ascii_uppercase()) {
            return refuse("registries know lower case only");
        }
        if path.len() > LONGEST_PATH || !path.split('/').all(is_component) {
            return refuse("it is made of letters, digits, and single . _ - between them, with / in between");
        }
        Ok(Self { host, path: path.to_owned() })
    }

    /// The registry's host, with its port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name within the registry.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    if !component.starts_with(is_plain) || !component.ends_with(is_plain) {
        return false;
    }
    component
        .split(is_plain)
        .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

/// Whether a URL leads to this machine and nowhere else, so that nobody is on the way.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name == "localhost.",
        Some(Host::Ipv4(addr)) => addr.is_loopback(),
        Some(Host::Ipv6(addr)) => addr.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components() {
        for name in ["a", "s3", "a.b", "a_b", "a__b", "a-b", "a---b", "0"] {
            assert!(is_component(name), "{name}");
        }
        for name in ["", ".", "a.", "-a", "a..b", "a___b", "a._b", "A", "ä", "a b", "..", "a:b"] {
            assert!(!is_component(name), "{name}");
        }
    }
}
