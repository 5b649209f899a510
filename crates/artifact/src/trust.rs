//! Who signed a plugin: sigstore bundles, by key and by identity, without asking anybody.
//!
//! What is signed is the manifest for a plugin from a registry (cosign's `sign`), and the component itself for one from
//! an address or a file (`sign-blob`). A manifest names its component by digest, so both say the same about the bytes
//! that run; [`Trust::verify`] checks that it does.

mod bundle;
mod identity;
mod key;
mod provider;
mod settings;
mod sign;

use crate::{
    Digest, SignedBy,
    limits::BUNDLE_BYTES,
    oci::{FoundBundles, Manifest},
};

pub use self::{
    identity::{TrustRoot, TrustRootError},
    key::{KeyError, PublicKey},
    settings::{RequirementSettings, Subject, TrustSettings, TrustSettingsError},
    sign::{SignError, SigningKey},
};

/// What cosign's `sign` says of an artefact: that somebody signed it.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// What a build service says of an artefact: that it built it, and from what. With an identity, which is then the
/// build's, that is as good.
pub(crate) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// Whose signature is good enough.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// Whoever holds a key. No log is asked: the operator named the key, and who uses it unseen could as well sign with
    /// it seen.
    Key(PublicKey),
    /// Whom an issuer vouched for, with a certificate, its entry in a log of certificates, and the signature's entry in
    /// a log of signatures.
    Identity {
        /// The issuer, exactly.
        issuer: String,
        /// Who they are there.
        subject: Subject,
    },
}

/// Whose signatures are good enough, and what certificates and logs are believed.
#[derive(Debug, Default)]
pub struct Trust {
    require: Vec<Requirement>,
    root: Option<TrustRoot>,
}

/// Why a plugin is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// There is no signature.
    #[error(
        "it is not signed, and plugins.trust.require in app-config asks for a signature by {wanted}{}. Ask its author \
         to sign it (`callboard plugin sign` or cosign), or change what is required", listed(.passed_over)
    )]
    Unsigned {
        /// Whose would be good enough.
        wanted: String,
        /// What looked like a signature and was not taken.
        passed_over: Vec<String>,
    },
    /// No signature is good enough.
    #[error(
        "none of its signatures is by {wanted}, as plugins.trust.require in app-config asks for{}. Do not use it unless \
         you know why; whom you trust is written there", listed(.reasons)
    )]
    Untrusted {
        /// Whose would be good enough.
        wanted: String,
        /// Why each was not.
        reasons: Vec<String>,
    },
    /// The manifest is about another component.
    #[error("its manifest is that of another component: it names {named}, and these bytes have the digest {got}")]
    OtherComponent {
        /// The digest in the manifest, or why there is none.
        named: String,
        /// The digest of the component.
        got: Digest,
    },
}

fn listed(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

impl Trust {
    /// Any one of these is good enough; with none, everything is.
    ///
    /// # Errors
    /// An identity is required and there is nothing to check its certificate with.
    pub fn new(require: Vec<Requirement>, root: Option<TrustRoot>) -> Result<Self, TrustSettingsError> {
        if root.is_none() && require.iter().any(|one| matches!(one, Requirement::Identity { .. })) {
            return Err(TrustSettingsError::NoRoot);
        }
        Ok(Self { require, root })
    }

    /// Whether a signature is required at all.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.require.is_empty()
    }

    /// Checks the signatures of a plugin, and says whose was good enough; none if none is required.
    ///
    /// # Errors
    /// No signature is good enough, with the reason for each.
    pub fn verify(
        &self,
        component: &[u8],
        manifest: Option<&Manifest>,
        bundles: &FoundBundles,
    ) -> Result<Option<SignedBy>, TrustError> {
        if let Some(manifest) = manifest {
            let got = Digest::of(component);
            let named = manifest.component();
            if named.as_ref().map(|layer| layer.digest) != Ok(got) {
                let named = named.map_or_else(|error| error.to_string(), |layer| layer.digest.to_string());
                return Err(TrustError::OtherComponent { named, got });
            }
        }
        if !self.is_required() {
            return Ok(None);
        }
        let signed = match manifest {
            Some(manifest) => Signed { bytes: &manifest.bytes, is_manifest: true },
            None => Signed { bytes: component, is_manifest: false },
        };
        let mut reasons = Vec::new();
        for bundle in &bundles.bundles {
            match self.verify_one(signed, bundle) {
                Ok(by) => return Ok(Some(by)),
                Err(reason) => reasons.push(reason),
            }
        }
        let wanted = self.wanted();
        if reasons.is_empty() {
            return Err(TrustError::Unsigned { wanted, passed_over: bundles.passed_over.clone() });
        }
        reasons.extend(bundles.passed_over.iter().cloned());
        Err(TrustError::Untrusted { wanted, reasons })
    }

    fn verify_one(&self, signed: Signed<'_>, bundle: &[u8]) -> Result<SignedBy, String> {
        if bundle.len() as u64 > BUNDLE_BYTES {
            return Err(format!("a bundle has {} bytes, and no more than {BUNDLE_BYTES} are read", bundle.len()));
        }
        let parsed = bundle::Bundle::parse(bundle)?;
        let mut last = None;
        for requirement in &self.require {
            let result = match (requirement, &self.root) {
                (Requirement::Key(key), _) => parsed.verify_by_key(key, signed),
                (Requirement::Identity { issuer, subject }, Some(root)) => {
                    root.verify(&parsed, bundle, issuer, subject, signed)
                }
                (Requirement::Identity { .. }, None) => Err("there is no trust root".to_owned()),
            };
            match result {
                Ok(by) => return Ok(by),
                // A bundle is of one kind, and why it does not meet a requirement of the other kind is no news.
                Err(reason) => {
                    if last.is_none() || requirement.is_for(&parsed) {
                        last = Some(reason);
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| "nothing is required".to_owned()))
    }

    fn wanted(&self) -> String {
        let all: Vec<_> = self.require.iter().map(ToString::to_string).collect();
        all.join(", or by ")
    }
}

impl Requirement {
    fn is_for(&self, bundle: &bundle::Bundle) -> bool {
        matches!(self, Self::Key(_)) != bundle.has_certificate()
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => write!(f, "the key {}", key.digest()),
            Self::Identity { issuer, subject } => write!(f, "{subject} (vouched for by {issuer})"),
        }
    }
}

/// What a signature is to be for.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) is_manifest: bool,
}
