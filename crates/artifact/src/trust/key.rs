//! Public keys.

use ed25519_dalek::VerifyingKey as Ed25519Key;
use p256::{
    ecdsa::{Signature, VerifyingKey as P256Key, signature::Verifier as _},
    pkcs8::{DecodePublicKey as _, Document},
};
use sha2::{Digest as _, Sha512};

use crate::Digest;

/// A public key: ECDSA on P-256 or Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    digest: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    P256(P256Key),
    Ed25519(Ed25519Key),
}

/// Why a text is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM.
    #[error("it is no public key: it begins with -----BEGIN PUBLIC KEY-----")]
    Pem,
    /// A private key, where it does not belong.
    #[error("it is a private key, which does not belong here: name the public one, and take care of this one")]
    Private,
    /// Another algorithm.
    #[error("it is of a kind that is not used here: ECDSA on P-256 and Ed25519 are")]
    Kind,
}

impl PublicKey {
    /// Reads a key as PEM, as `cosign generate-key-pair` and `openssl pkey -pubout` write it.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        let (label, document) = Document::from_pem(pem.trim_start()).map_err(|_| KeyError::Pem)?;
        if label != "PUBLIC KEY" {
            return Err(KeyError::Pem);
        }
        let der = document.as_bytes();
        let kind = P256Key::from_public_key_der(der)
            .map(Kind::P256)
            .or_else(|_| Ed25519Key::from_public_key_der(der).map(Kind::Ed25519))
            .map_err(|_| KeyError::Kind)?;
        Ok(Self { kind, digest: Digest::of(der) })
    }

    /// The digest of the key as DER, by which it is called.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether a signature is by this key. With Ed25519 cosign signs the bytes themselves or their SHA-512, depending on
    /// whether a log is to see it; the two are made so that neither can be taken for the other.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::P256(key) => Signature::from_der(signature).is_ok_and(|it| key.verify(message, &it).is_ok()),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature).is_ok_and(|it| {
                let hashed = || Sha512::new().chain_update(message);
                key.verify_strict(message, &it).is_ok() || key.verify_prehashed_strict(hashed(), None, &it).is_ok()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEaGRLsnSRgqNVvMIE2AlxnV4mUAQmZ2mT
-----END PUBLIC KEY-----";

    #[test]
    fn what_is_no_key() {
        let check = |pem: &str, expected| assert_eq!(PublicKey::from_pem(pem), Err(expected), "{pem}");
        check("", KeyError::Pem);
        check("ssh-ed25519 AAAA", KeyError::Pem);
        check("-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----", KeyError::Pem);
        check("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", KeyError::Pem);
        check("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", KeyError::Private);
        check("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", KeyError::Kind);
        assert!(PublicKey::from_pem(P384).is_err());
    }

    #[test]
    fn both_ways_of_ed25519() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let public = Ed25519Key::from(&key);
        let key_of_ours = PublicKey { kind: Kind::Ed25519(public), digest: Digest::of(b"") };
        let plain = ed25519_dalek::Signer::sign(&key, b"message").to_bytes();
        let hashed = key.sign_prehashed(Sha512::new().chain_update(b"message"), None).unwrap().to_bytes();
        assert_ne!(plain, hashed);
        for signature in [plain, hashed] {
            assert!(key_of_ours.verifies(b"message", &signature));
            assert!(!key_of_ours.verifies(b"another", &signature));
        }
    }
}
