//! `callboard.lock`: which version, digest and rights of each plugin were approved.
//!
//! It is JSON: the product reads and writes that anyway, so that no other parser stands before what decides which code
//! runs; rights look in it as in a plugin's manifest; and every tool that reviews or merges knows it. It lies beside
//! app-config, is meant to be committed, and is written in one way only, so that a change of one plugin is a change of
//! that plugin's lines.

mod decide;
mod file;

use std::collections::BTreeMap;

use callboard_model::rights::Rights;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::{Digest, Source};

pub use self::{
    decide::{Candidate, Decision, decide},
    file::LockError,
};

/// The lock file. An empty one approves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What was approved, by the plugin's id.
    pub plugins: BTreeMap<String, Locked>,
}

/// What was approved of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Locked {
    /// Where it is from, as [`Source`] shows itself.
    pub source: String,
    /// The requirement that led to the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<VersionReq>,
    /// The version.
    pub version: Version,
    /// The digest of the component.
    pub digest: Digest,
    /// The digest of the manifest, where it is from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// The rights that it asked for when it was approved.
    #[serde(serialize_with = "file::rights")]
    pub rights: Rights,
    /// Who had signed it, where that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SignedBy>,
    /// A newer version that nobody has agreed to yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A newer version that asks for more than was approved, and waits for somebody to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Held {
    /// The version.
    pub version: Version,
    /// What it asks for beyond what was approved, as lines for `plugins.<id>.grant`.
    pub added: Vec<String>,
}

/// Who signed a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignedBy {
    /// Whoever holds the key whose public half has this digest.
    Key(Digest),
    /// Somebody whom an issuer vouched for.
    Identity {
        /// The issuer.
        issuer: String,
        /// Who they are there.
        subject: String,
    },
}

impl std::fmt::Display for SignedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(digest) => write!(f, "the key {digest}"),
            Self::Identity { issuer, subject } => write!(f, "{subject} (says {issuer})"),
        }
    }
}

/// Why a remote plugin has no digest to be loaded by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPinned {
    /// It was never approved.
    #[error(
        "plugins.{id} comes from {source_name} and is not in callboard.lock, so nobody has approved it yet: \
         `callboard plugin update {id}` shows what it asks for and adds it"
    )]
    Missing {
        /// The plugin.
        id: String,
        /// Its source.
        source_name: String,
    },
    /// It was approved from elsewhere.
    #[error(
        "plugins.{id} comes from {now}, and callboard.lock approves it from {locked}: \
         `callboard plugin update {id}` shows what it is now and approves it"
    )]
    OtherSource {
        /// The plugin.
        id: String,
        /// The source that was approved.
        locked: String,
        /// The one in app-config.
        now: String,
    },
    /// The version that was approved is not one that is wanted.
    #[error(
        "plugins.{id} is to have a version that satisfies {requirement}, and callboard.lock approves {version}: \
         `callboard plugin update {id}` looks for one"
    )]
    OtherVersion {
        /// The plugin.
        id: String,
        /// The version that was approved.
        version: Version,
        /// The requirement in app-config.
        requirement: VersionReq,
    },
}

impl Lock {
    /// What was approved of a plugin, as far as it still is what app-config says.
    ///
    /// # Errors
    /// There is nothing, or it is about something else.
    pub fn pinned(&self, id: &str, source: &Source) -> Result<&Locked, NotPinned> {
        let now = source.to_string();
        let Some(locked) = self.plugins.get(id) else {
            return Err(NotPinned::Missing { id: id.to_owned(), source_name: now });
        };
        if locked.source != now {
            return Err(NotPinned::OtherSource { id: id.to_owned(), locked: locked.source.clone(), now });
        }
        match source.requirement() {
            Some(requirement) if !requirement.matches(&locked.version) => Err(NotPinned::OtherVersion {
                id: id.to_owned(),
                version: locked.version.clone(),
                requirement: requirement.clone(),
            }),
            _ => Ok(locked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned() {
        fn check(source: &str, version: Option<&str>, expected: Result<(), &str>) {
            let locked = Locked {
                source: "oci://ghcr.io/acme/s3".to_owned(),
                requirement: Some("^1".parse().unwrap()),
                version: Version::new(1, 2, 3),
                digest: Digest::of(b"a"),
                manifest: Some(Digest::of(b"b")),
                rights: Rights::default(),
                signed_by: None,
                held: None,
            };
            let lock = Lock { plugins: BTreeMap::from([("s3".to_owned(), locked)]) };
            let source = Source::parse(source, version).unwrap();
            match (lock.pinned("s3", &source), expected) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(part)) => {
                    let text = error.to_string();
                    assert!(text.contains(part) && text.contains("callboard plugin update s3"), "{text}");
                }
                (seen, expected) => panic!("{source}: {seen:?}, {expected:?}"),
            }
            assert!(matches!(lock.pinned("other", &source), Err(NotPinned::Missing { .. })));
        }
        check("oci://ghcr.io/acme/s3", None, Ok(()));
        check("oci://ghcr.io/acme/s3", Some("^1.2"), Ok(()));
        check("oci://ghcr.io/acme/s3", Some("^1.3"), Err("satisfies ^1.3, and callboard.lock approves 1.2.3"));
        check("oci://ghcr.io/acme/s3:1.2.3", None, Err("comes from oci://ghcr.io/acme/s3:1.2.3, and"));
        check("oci://ghcr.io/acme/other", None, Err("approves it from oci://ghcr.io/acme/s3"));
        check("https://ghcr.io/acme/s3", None, Err("approves it from oci://ghcr.io/acme/s3"));
    }
}
