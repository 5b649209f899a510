//! Signs with a key, as cosign does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use ed25519_dalek::Signer as _;
use p256::{
    ecdsa::{Signature, SigningKey as P256Key},
    pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding, SecretDocument},
};
use serde_json::{Value, json};

use super::{
    PREDICATE, PublicKey,
    bundle::{PAYLOAD, pre_authentication},
};
use crate::{
    Digest,
    oci::{Manifest, media_type},
};

/// A private key: ECDSA on P-256 or Ed25519. It shows nothing of itself.
pub struct SigningKey {
    kind: Kind,
    public_pem: String,
    public_digest: Digest,
}

enum Kind {
    P256(P256Key),
    Ed25519(ed25519_dalek::SigningKey),
}

/// Why a text is no key to sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not PEM.
    #[error("it is no private key: it begins with -----BEGIN PRIVATE KEY----- (`openssl genpkey` writes one)")]
    Pem,
    /// Encrypted.
    #[error(
        "it is encrypted with a password, which cannot be given here: sign with cosign, or decrypt it (`openssl pkey`) \
         where only you can read it"
    )]
    Encrypted,
    /// In an older form.
    #[error("it is in an older form: `openssl pkcs8 -topk8 -nocrypt` makes one that begins with BEGIN PRIVATE KEY")]
    Older,
    /// Another algorithm.
    #[error("it is of a kind that is not used here: ECDSA on P-256 and Ed25519 are")]
    Kind,
}

impl SigningKey {
    /// Reads a key as PEM (PKCS #8), without a password.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(pem: &str) -> Result<Self, SignError> {
        if pem.contains("-----BEGIN ENCRYPTED ") {
            return Err(SignError::Encrypted);
        }
        let (label, document) = SecretDocument::from_pem(pem.trim_start()).map_err(|_| SignError::Pem)?;
        match label {
            "PRIVATE KEY" => {}
            "EC PRIVATE KEY" => return Err(SignError::Older),
            _ => return Err(SignError::Pem),
        }
        let der = document.as_bytes();
        let kind = P256Key::from_pkcs8_der(der)
            .map(Kind::P256)
            .or_else(|_| ed25519_dalek::SigningKey::from_pkcs8_der(der).map(Kind::Ed25519))
            .map_err(|_| SignError::Kind)?;
        let public = match &kind {
            Kind::P256(key) => key.verifying_key().to_public_key_der(),
            Kind::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        let public = public.map_err(|_| SignError::Kind)?;
        let public_pem = public.to_pem("PUBLIC KEY", LineEnding::LF).map_err(|_| SignError::Kind)?;
        Ok(Self { kind, public_pem, public_digest: Digest::of(public.as_bytes()) })
    }

    /// The public half, for those who are to trust it.
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The public half.
    ///
    /// # Errors
    /// None, as far as is known: it was made here.
    pub fn public_key(&self) -> Result<PublicKey, super::KeyError> {
        PublicKey::from_pem(&self.public_pem)
    }

    /// A bundle that signs an artefact of a registry.
    #[must_use]
    pub fn sign_artefact(&self, manifest: &Manifest) -> Bytes {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": manifest.digest.hex() } }],
            "predicateType": PREDICATE,
            "predicate": {},
        });
        let payload = statement.to_string();
        let signature = self.sign(&pre_authentication(PAYLOAD, payload.as_bytes()));
        self.bundle(
            "dsseEnvelope",
            json!({
                "payload": STANDARD.encode(payload),
                "payloadType": PAYLOAD,
                "signatures": [{ "sig": STANDARD.encode(signature) }],
            }),
        )
    }

    /// A bundle that signs a file, to lie beside it as `<file>.sigstore.json`.
    #[must_use]
    pub fn sign_component(&self, component: &[u8]) -> Bytes {
        let digest = STANDARD.encode(Digest::of(component).as_bytes());
        let message = json!({
            "messageDigest": { "algorithm": "SHA2_256", "digest": digest },
            "signature": STANDARD.encode(self.sign(component)),
        });
        self.bundle("messageSignature", message)
    }

    fn bundle(&self, name: &str, content: Value) -> Bytes {
        let hint = STANDARD.encode(self.public_digest.as_bytes());
        let bundle = json!({
            "mediaType": media_type::BUNDLE,
            "verificationMaterial": { "publicKey": { "hint": hint } },
            name: content,
        });
        bundle.to_string().into()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.kind {
            Kind::P256(key) => {
                let signature: Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Kind::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public_digest)
    }
}
