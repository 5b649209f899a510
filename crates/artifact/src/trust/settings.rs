//! What app-config says about trust.

use std::{fmt, path::Path};

use serde::Deserialize;

use super::{KeyError, PublicKey, Requirement, Trust, TrustRoot, TrustRootError};

/// `plugins.trust`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustSettings {
    /// Whose signature a remote plugin must have: any one of these.
    #[serde(default)]
    pub require: Vec<RequirementSettings>,
    /// The file of certificates and logs that are believed, as sigstore publishes it (`trusted_root.json`).
    #[serde(default)]
    pub root: Option<String>,
}

/// One of `plugins.trust.require`: a key, or an issuer with a subject.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RequirementSettings {
    /// A public key as PEM, or the file of one.
    #[serde(default)]
    pub key: Option<String>,
    /// Who vouches for the subject: `https://token.actions.githubusercontent.com`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Who signed: an address, or the URL of a workflow, where `@refs/tags/*` stands for every tag.
    #[serde(default)]
    pub subject: Option<String>,
}

/// Why `plugins.trust` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustSettingsError {
    /// An entry says neither or both.
    #[error("plugins.trust.require[{0}] needs either `key`, or `issuer` and `subject`")]
    Shape(usize),
    /// A subject with a wildcard elsewhere.
    #[error(
        "plugins.trust.require[{0}].subject: {1:?} cannot be used: it is compared as a whole, and * may only stand at \
         its end, after @refs/tags/ or @refs/heads/"
    )]
    Subject(usize, String),
    /// A key that is none.
    #[error("plugins.trust.require[{0}].key: {1}")]
    Key(usize, KeyError),
    /// A file that cannot be read.
    #[error("plugins.trust: {path} cannot be read: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The trust root.
    #[error("plugins.trust.root: {0}")]
    Root(#[from] TrustRootError),
    /// No trust root.
    #[error(
        "plugins.trust.require asks for an issuer and a subject, which are checked against certificates and logs: name \
         the file of those under plugins.trust.root. Sigstore's own is trusted_root.json of \
         https://github.com/sigstore/root-signing"
    )]
    NoRoot,
}

/// Who somebody is at an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Exactly this, letter by letter.
    Exactly(String),
    /// Whatever begins with this, which ends in `@refs/tags/` or `@refs/heads/`: a workflow at any tag or branch.
    AnyRefOf(String),
}

impl Subject {
    /// Reads one; none if it has a wildcard where none may be, or is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let subject = match text.strip_suffix('*') {
            None => Self::Exactly(text.to_owned()),
            Some(start) if start.ends_with("@refs/tags/") || start.ends_with("@refs/heads/") => {
                Self::AnyRefOf(start.to_owned())
            }
            Some(_) => return None,
        };
        let plain = match &subject {
            Self::Exactly(text) | Self::AnyRefOf(text) => text,
        };
        (!plain.is_empty() && !plain.contains('*')).then_some(subject)
    }

    pub(crate) fn matches(&self, actual: &str) -> bool {
        match self {
            Self::Exactly(expected) => actual == expected,
            Self::AnyRefOf(start) => actual.strip_prefix(start).is_some_and(|rest| !rest.is_empty()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(text) => f.write_str(text),
            Self::AnyRefOf(start) => write!(f, "{start}*"),
        }
    }
}

impl Trust {
    /// Reads the keys and the trust root that app-config names, relative to a folder.
    ///
    /// # Errors
    /// One of them cannot be used, with its place.
    pub fn load(settings: &TrustSettings, folder: &Path) -> Result<Self, TrustSettingsError> {
        let read = |name: &str| {
            let path = folder.join(name);
            let failed = |error| TrustSettingsError::File { path: path.display().to_string(), error };
            std::fs::read_to_string(&path).map_err(failed)
        };
        let mut require = Vec::with_capacity(settings.require.len());
        for (index, one) in settings.require.iter().enumerate() {
            require.push(match (&one.key, &one.issuer, &one.subject) {
                (Some(key), None, None) => {
                    let pem = if key.contains("-----BEGIN") { key.clone() } else { read(key)? };
                    let key = PublicKey::from_pem(&pem).map_err(|error| TrustSettingsError::Key(index, error))?;
                    Requirement::Key(key)
                }
                (None, Some(issuer), Some(subject)) if !issuer.is_empty() => {
                    let wrong = || TrustSettingsError::Subject(index, subject.clone());
                    let subject = Subject::parse(subject).ok_or_else(wrong)?;
                    Requirement::Identity { issuer: issuer.clone(), subject }
                }
                _ => return Err(TrustSettingsError::Shape(index)),
            });
        }
        let root = settings.root.as_deref().map(read).transpose()?;
        let root = root.map(|json| TrustRoot::from_json(&json)).transpose()?;
        Self::new(require, root)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn subjects() {
        let check = |pattern: &str, actual: &str, expected: Option<bool>| {
            let seen = Subject::parse(pattern).map(|subject| subject.matches(actual));
            assert_eq!(seen, expected, "{pattern} {actual}");
        };
        check("me@example.com", "me@example.com", Some(true));
        check("me@example.com", "ME@example.com", Some(false));
        check("me@example.com", "xme@example.com", Some(false));
        check("https://h/w.yml@refs/tags/*", "https://h/w.yml@refs/tags/v1/2", Some(true));
        check("https://h/w.yml@refs/tags/*", "https://h/w.yml@refs/tags/", Some(false));
        check("https://h/w.yml@refs/tags/*", "https://h/w.yml@refs/heads/main", Some(false));
        check("https://h/w.yml@refs/heads/*", "https://h/W.yml@refs/heads/main", Some(false));
        check("*", "x", None);
        check("", "", None);
        check("https://h/*", "https://h/x", None);
        check("https://*/w.yml@refs/tags/*", "x", None);
        check("*@example.com", "me@example.com", None);
    }

    #[test]
    fn settings() {
        let check = |settings: Value, part: &str| {
            let settings: TrustSettings = serde_json::from_value(settings).unwrap();
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("root.json"), "{}").unwrap();
            match Trust::load(&settings, folder.path()) {
                Ok(trust) => assert!(part.is_empty() && !trust.is_required(), "{part}"),
                Err(error) => assert!(!part.is_empty() && error.to_string().contains(part), "{part}: {error}"),
            }
        };
        check(json!({}), "");
        check(json!({"require": [{}]}), "require[0] needs either");
        check(json!({"require": [{"issuer": "a"}]}), "require[0] needs either");
        check(json!({"require": [{"issuer": "", "subject": "a"}]}), "require[0] needs either");
        check(json!({"require": [{"key": "a", "issuer": "a", "subject": "b"}]}), "require[0] needs either");
        check(json!({"require": [{"issuer": "a", "subject": "*"}]}), "\"*\" cannot be used");
        check(json!({"require": [{"issuer": "a", "subject": "b"}]}), "plugins.trust.root");
        check(json!({"require": [{"key": "none.pub"}]}), "none.pub cannot be read");
        check(json!({"require": [{"key": "-----BEGIN PUBLIC KEY-----"}]}), "require[0].key");
        check(json!({"root": "none.json"}), "none.json cannot be read");
        check(json!({"root": "root.json"}), "plugins.trust.root: ");
    }
}
