//! Signatures by somebody whom an issuer vouched for: a short-lived certificate, and two logs that saw it in time.

use sigstore_trust_root::TrustedRoot;
use sigstore_verify::{VerificationPolicy, Verifier};

use super::{Signed, Subject, bundle, provider};
use crate::SignedBy;

/// The certificates and logs that are believed.
pub struct TrustRoot {
    verifier: Verifier,
}

/// Why a file is no trust root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no trust root that can be used: {0}. Sigstore's own is called trusted_root.json")]
pub struct TrustRootError(String);

impl TrustRoot {
    /// Reads a `trusted_root.json`, as sigstore publishes it and `cosign trusted-root create` makes it.
    ///
    /// # Errors
    /// It is something else, or holds nothing that a signature could be checked with.
    pub fn from_json(json: &str) -> Result<Self, TrustRootError> {
        provider::install();
        let root = TrustedRoot::from_json(json).map_err(|error| TrustRootError(error.to_string()))?;
        for (what, is_empty) in [
            ("certificate authority", root.certificate_authorities.is_empty()),
            ("log of signatures (tlogs)", root.tlogs.is_empty()),
            ("log of certificates (ctlogs)", root.ctlogs.is_empty()),
        ] {
            if is_empty {
                return Err(TrustRootError(format!("it names no {what}")));
            }
        }
        let verifier = Verifier::new(&root).map_err(|error| TrustRootError(error.to_string()))?;
        Ok(Self { verifier })
    }

    /// Whether a bundle is by a subject, as an issuer says.
    pub(crate) fn verify(
        &self,
        parsed: &bundle::Bundle,
        bundle: &[u8],
        issuer: &str,
        subject: &Subject,
        signed: Signed<'_>,
    ) -> Result<SignedBy, String> {
        if !parsed.has_certificate() {
            return Err("a bundle was made with a key, not with a certificate".to_owned());
        }
        let wrong = |error: String| format!("a bundle does not hold: {error}");
        let text = std::str::from_utf8(bundle).map_err(|error| wrong(error.to_string()))?;
        let bundle = sigstore_types::Bundle::from_json(text).map_err(|error| wrong(error.to_string()))?;
        let policy = VerificationPolicy::any_identity().require_issuer(issuer);
        let result = self.verifier.verify(signed.bytes, &bundle, &policy).map_err(|error| wrong(error.to_string()))?;
        // Each is what the policy asks for by itself; this is in case that it ever is not.
        if !(result.certificate_verified() && result.sct_verified() && result.tlog_verified()) {
            return Err(wrong("not everything was checked".to_owned()));
        }
        parsed.check_content(signed)?;
        let actual = result.identity().ok_or_else(|| wrong("its certificate names nobody".to_owned()))?;
        if !subject.matches(actual.as_str()) {
            return Err(format!("a bundle is by {} and not by {subject}", crate::oci::tame(actual.as_str())));
        }
        Ok(SignedBy::Identity { issuer: issuer.to_owned(), subject: actual.as_str().to_owned() })
    }
}

impl std::fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrustRoot")
    }
}
