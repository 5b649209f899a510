//! Where a plugin comes from, as app-config says it.

use std::{fmt, path::PathBuf};

use semver::VersionReq;
use url::Url;

use crate::{
    Digest, DigestError,
    oci::{Repository, is_loopback},
};

/// What `plugins.<id>.source` says, with the `version` beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, relative to app-config.
    File(PathBuf),
    /// An address. `http` only on this machine.
    Url(Url),
    /// A repository of an OCI registry, and what is wanted of it.
    Oci(Repository, Wanted),
}

/// What is wanted of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The highest version that satisfies a requirement.
    Matching(VersionReq),
    /// What has this tag now.
    Tagged(String),
    /// What has this digest, whatever its tag; one that is written with it says which version it is.
    Exactly(Digest, Option<String>),
}

/// Why a source cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is nothing.
    #[error("`source` is empty: name a file, an https:// address or an oci://registry/repository")]
    Empty,
    /// Another kind of address.
    #[error("{0}:// is no source of plugins: name a file, an https:// address or an oci://registry/repository")]
    Scheme(String),
    /// `file://…`.
    #[error("a file is named by its path alone: leave file:// out")]
    FileUrl,
    /// No address.
    #[error("{0} is not an address: {1}")]
    Url(String, url::ParseError),
    /// Without TLS, to another machine.
    #[error("{0} would be fetched without TLS, where anybody on the way may change it: write https://")]
    Plain(String),
    /// With a password in it.
    #[error(
        "{0} has a user name or a password in it, which would end up in the lock file: remove the part before the @"
    )]
    UserInfo(String),
    /// With `#…`.
    #[error("{0} has a part after #, which no server sees: remove it")]
    Fragment(String),
    /// No registry.
    #[error("{0} does not name a registry: write oci://registry.example.com/repository")]
    Registry(String),
    /// No repository.
    #[error("{0} does not name a repository: {1}")]
    Repository(String, &'static str),
    /// No tag.
    #[error(
        "{0:?} is not a tag: it begins with a letter, a digit or _, then . and - may follow, 128 characters in all"
    )]
    Tag(String),
    /// No digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// No requirement.
    #[error("`version: {0}` is not a requirement: {1}. ^1.2 means 1.2 or any later 1.x, =1.2.3 means that one")]
    Requirement(String, String),
    /// A requirement for what has one version only.
    #[error("`version` chooses among the tags of an oci:// source; {0} has one version only, so remove `version`")]
    OneVersion(String),
    /// A requirement and something that leaves no choice.
    #[error("{0} already says which version it is, by tag or digest: remove it from `source`, or remove `version`")]
    TwoVersions(String),
}

impl Source {
    /// Reads `source`, and `version` where it is there.
    ///
    /// # Errors
    /// Each says what to write instead.
    pub fn parse(source: &str, version: Option<&str>) -> Result<Self, SourceError> {
        let source = source.trim();
        if source.is_empty() {
            return Err(SourceError::Empty);
        }
        let Some((scheme, rest)) = source.split_once("://") else {
            return one_version(Self::File(source.into()), version);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "oci" => oci(source, rest, version),
            "http" | "https" => one_version(Self::Url(address(source)?), version),
            "file" => Err(SourceError::FileUrl),
            other => Err(SourceError::Scheme(other.to_owned())),
        }
    }

    /// Whether it is on another machine, so that its digest must be in the lock file before it is loaded.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// The requirement for its version, where it has one.
    #[must_use]
    pub fn requirement(&self) -> Option<&VersionReq> {
        match self {
            Self::Oci(_, Wanted::Matching(requirement)) => Some(requirement),
            _ => None,
        }
    }
}

/// As app-config has it, without the requirement, and without a query, which may hold a token.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&shown(url)),
            Self::Oci(repository, wanted) => {
                write!(f, "oci://{repository}")?;
                match wanted {
                    Wanted::Matching(_) => Ok(()),
                    Wanted::Tagged(tag) => write!(f, ":{tag}"),
                    Wanted::Exactly(digest, Some(tag)) => write!(f, ":{tag}@{digest}"),
                    Wanted::Exactly(digest, None) => write!(f, "@{digest}"),
                }
            }
        }
    }
}

/// An address without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}{}{query}", url.origin().ascii_serialization(), url.path())
}

fn one_version(source: Source, version: Option<&str>) -> Result<Source, SourceError> {
    match version {
        None => Ok(source),
        Some(_) => Err(SourceError::OneVersion(source.to_string())),
    }
}

fn address(text: &str) -> Result<Url, SourceError> {
    let before_query = text.split(['?', '#']).next().unwrap_or_default();
    let without_user = before_query.rsplit_once('@').map_or(before_query, |(_, rest)| rest);
    let url = Url::parse(text).map_err(|error| SourceError::Url(without_user.to_owned(), error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SourceError::UserInfo(shown(&url)));
    }
    if url.fragment().is_some() {
        return Err(SourceError::Fragment(shown(&url)));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(SourceError::Plain(shown(&url)));
    }
    Ok(url)
}

fn oci(source: &str, rest: &str, version: Option<&str>) -> Result<Source, SourceError> {
    let (name, digest) = match rest.split_once('@') {
        Some((name, digest)) if digest.starts_with("sha") => (name, Some(digest.parse::<Digest>()?)),
        Some(_) => {
            let after_user = rest.rsplit_once('@').map_or("", |(_, rest)| rest);
            return Err(SourceError::UserInfo(format!("oci://{after_user}")));
        }
        None => (rest, None),
    };
    let (host, path) = name.split_once('/').ok_or_else(|| SourceError::Registry(source.to_owned()))?;
    // A colon after the first slash begins a tag; one before it belongs to the port.
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) => (path, Some(checked_tag(tag)?)),
        None => (path, None),
    };
    let repository = Repository::parse(host, path)?;
    let wanted = match (digest, tag, version) {
        (None, None, version) => Wanted::Matching(requirement(version.unwrap_or("*"))?),
        (None, Some(tag), None) => Wanted::Tagged(tag),
        (Some(digest), tag, None) => Wanted::Exactly(digest, tag),
        (_, _, Some(_)) => return Err(SourceError::TwoVersions(source.to_owned())),
    };
    Ok(Source::Oci(repository, wanted))
}

fn requirement(text: &str) -> Result<VersionReq, SourceError> {
    VersionReq::parse(text).map_err(|error| SourceError::Requirement(text.to_owned(), error.to_string()))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`, as the specification of registries has it.
fn checked_tag(tag: &str) -> Result<String, SourceError> {
    let begins = tag.starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
    let goes_on = tag.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-'));
    if begins && goes_on && tag.len() <= 128 {
        Ok(tag.to_owned())
    } else {
        Err(SourceError::Tag(tag.chars().take(140).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn sources() {
        /// `shown` is what the source is written as; where it is another text, that is the reason.
        fn check(source: &str, version: Option<&str>, shown: &str) {
            let parsed = Source::parse(source, version).unwrap_or_else(|error| panic!("{source}: {error}"));
            assert_eq!(parsed.to_string(), shown, "{source}");
        }
        for path in ["plugins/s3.wasm", "./a b.wasm", "/opt/x.wasm", "../x.wasm", "C:x.wasm", "oci:/x"] {
            check(path, None, path);
            assert_eq!(Source::parse(path, None), Ok(Source::File(path.into())));
        }
        check(" plugins/s3.wasm ", None, "plugins/s3.wasm");
        check("https://example.com/a/s3.wasm", None, "https://example.com/a/s3.wasm");
        check("HTTPS://Example.com:443/s3.wasm?job=t0ken", None, "https://example.com/s3.wasm?…");
        for host in ["localhost:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"] {
            check(&format!("http://{host}/s3.wasm"), None, &format!("http://{host}/s3.wasm"));
        }
        check("oci://ghcr.io/acme/s3", None, "oci://ghcr.io/acme/s3");
        check("oci://ghcr.io/acme/s3", Some("^1.2"), "oci://ghcr.io/acme/s3");
        check("OCI://GHCR.io/acme/s3", Some("=1.2.3"), "oci://ghcr.io/acme/s3");
        check("oci://localhost:5000/s3:1.2.3", None, "oci://localhost:5000/s3:1.2.3");
        check("oci://registry.example.com:8443/a/b/c:v1", None, "oci://registry.example.com:8443/a/b/c:v1");
        check(&format!("oci://ghcr.io/acme/s3@{DIGEST}"), None, &format!("oci://ghcr.io/acme/s3@{DIGEST}"));
        let both = format!("oci://[::1]:5000/s3:1.0.0_b@{DIGEST}");
        check(&both, None, &both);
    }

    #[test]
    fn what_is_wanted() {
        let of = |text: &str, version| match Source::parse(text, version).unwrap() {
            Source::Oci(_, wanted) => wanted,
            other => panic!("{other:?}"),
        };
        assert_eq!(of("oci://r.io/s3", None), Wanted::Matching(VersionReq::STAR));
        assert_eq!(of("oci://r.io/s3", Some("^1.2")), Wanted::Matching("^1.2".parse().unwrap()));
        assert_eq!(of("oci://r.io/s3", Some("1.2")), Wanted::Matching("^1.2".parse().unwrap()));
        assert_eq!(of("oci://r.io/s3:1.2", None), Wanted::Tagged("1.2".to_owned()));
        let digest: Digest = DIGEST.parse().unwrap();
        assert_eq!(of(&format!("oci://r.io/s3@{DIGEST}"), None), Wanted::Exactly(digest, None));
        let both = of(&format!("oci://r.io/s3:1.2.3@{DIGEST}"), None);
        assert_eq!(both, Wanted::Exactly(digest, Some("1.2.3".to_owned())));
    }

    #[test]
    fn what_cannot_be_used() {
        fn check(source: &str, version: Option<&str>, part: &str) {
            let error = Source::parse(source, version).expect_err(source).to_string();
            assert!(error.contains(part), "{source}: {error}");
            assert!(!error.contains("hunter2"), "{source}: {error}");
        }
        check("", None, "is empty");
        check("  ", None, "is empty");
        check("file:///opt/s3.wasm", None, "leave file:// out");
        check("ftp://example.com/s3.wasm", None, "ftp:// is no source");
        check("git+ssh://example.com/s3", None, "is no source");
        check("https://", None, "not an address");
        check("https://a b/", None, "not an address");
        check("http://example.com/s3.wasm", None, "without TLS");
        check("http://localhost.example.com/s3.wasm", None, "without TLS");
        check("http://10.0.0.1/s3.wasm", None, "without TLS");
        check("http://128.0.0.1/s3.wasm", None, "without TLS");
        check("https://me:hunter2@example.com/s3.wasm", None, "before the @");
        check("https://hunter2@example.com/s3.wasm", None, "before the @");
        check("https://me:hunter2@exa mple.com/s3.wasm", None, "not an address");
        check("https://example.com/s3.wasm?t=hunter2#x", None, "after #");
        check("plugins/s3.wasm", Some("^1"), "remove `version`");
        check("https://example.com/s3.wasm", Some("^1"), "remove `version`");
        check("oci://ghcr.io", None, "does not name a registry");
        check("oci:///acme/s3", None, "does not name a registry");
        check("oci://me:hunter2@ghcr.io/acme/s3", None, "before the @");
        check("oci://gh cr.io/acme", None, "does not name a registry");
        check("oci://ghcr.io:x/acme", None, "does not name a registry");
        check("oci://ghcr.io:0/acme", None, "does not name a registry");
        check("oci://ghcr.io?x/acme", None, "does not name a registry");
        check("oci://ghcr.io/", None, "does not name a repository");
        check("oci://ghcr.io/Acme/s3", None, "lower case");
        check("oci://ghcr.io/a//b", None, "does not name a repository");
        check("oci://ghcr.io/a/../b", None, "does not name a repository");
        check("oci://ghcr.io/a/b/", None, "does not name a repository");
        check("oci://ghcr.io/a%2fb", None, "does not name a repository");
        check("oci://ghcr.io/a?b", None, "does not name a repository");
        check("oci://ghcr.io/a#b", None, "does not name a repository");
        check(&format!("oci://ghcr.io/{}", "a".repeat(300)), None, "does not name a repository");
        check("oci://ghcr.io/s3:", None, "not a tag");
        check("oci://ghcr.io/s3:-1", None, "not a tag");
        check("oci://ghcr.io/s3:1.0+b", None, "not a tag");
        check("oci://ghcr.io/s3:1/2", None, "not a tag");
        check(&format!("oci://ghcr.io/s3:{}", "1".repeat(129)), None, "not a tag");
        check("oci://ghcr.io/s3@sha256:abc", None, "not a digest");
        check("oci://ghcr.io/s3@sha512:abc", None, "not a digest");
        check("oci://ghcr.io/s3", Some("latest"), "not a requirement");
        check("oci://ghcr.io/s3", Some(""), "not a requirement");
        check("oci://ghcr.io/s3:1.2.3", Some("^1"), "already says which version");
        check(&format!("oci://ghcr.io/s3@{DIGEST}"), Some("^1"), "already says which version");
    }
}
