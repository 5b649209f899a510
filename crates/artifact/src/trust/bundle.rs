//! A sigstore bundle, as far as a signature by key needs it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

use super::{PREDICATE, PROVENANCE, PublicKey, Signed};
use crate::{Digest, SignedBy, oci::media_type};

/// What sign and sign-blob of cosign 2.4 and later write.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bundle {
    media_type: String,
    verification_material: Material,
    #[serde(default)]
    message_signature: Option<MessageSignature>,
    #[serde(default)]
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default)]
    public_key: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    certificate: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    #[serde(default)]
    message_digest: Option<MessageDigest>,
    #[serde(deserialize_with = "base64")]
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct MessageDigest {
    /// Not there where the signature is over the bytes themselves.
    #[serde(default)]
    algorithm: String,
    #[serde(default, deserialize_with = "base64")]
    digest: Vec<u8>,
}

/// A DSSE envelope (Dead Simple Signing Envelope).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    #[serde(deserialize_with = "base64")]
    payload: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    #[serde(deserialize_with = "base64")]
    sig: Vec<u8>,
}

/// An in-toto statement, as far as it says what it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<StatementSubject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct StatementSubject {
    digest: BTreeMap<String, String>,
}

/// The payload of every envelope that is taken.
pub(super) const PAYLOAD: &str = "application/vnd.in-toto+json";

impl Bundle {
    pub(crate) fn parse(bundle: &[u8]) -> Result<Self, String> {
        let parsed: Self =
            serde_json::from_slice(bundle).map_err(|error| format!("a bundle cannot be read: {error}"))?;
        if !parsed.media_type.starts_with(media_type::ANY_BUNDLE) {
            return Err("a bundle says that it is something else".to_owned());
        }
        Ok(parsed)
    }

    /// Whether it was made with a certificate, and not with a key that the reader has.
    pub(crate) fn has_certificate(&self) -> bool {
        let material = &self.verification_material;
        material.certificate.is_some() || material.x509_certificate_chain.is_some()
    }

    /// Whether a key signed it for these bytes.
    pub(crate) fn verify_by_key(&self, key: &PublicKey, signed: Signed<'_>) -> Result<SignedBy, String> {
        if self.has_certificate() || self.verification_material.public_key.is_none() {
            return Err("a bundle was made with a certificate, not with a key".to_owned());
        }
        let other_key = || "a bundle is not signed with that key, or was changed".to_owned();
        match (&self.message_signature, &self.dsse_envelope) {
            (Some(message), None) => {
                message.check_digest(signed.bytes)?;
                key.verifies(signed.bytes, &message.signature).then_some(()).ok_or_else(other_key)?;
            }
            (None, Some(envelope)) => {
                let [signature] = envelope.signatures.as_slice() else {
                    return Err("a bundle has an envelope with more or fewer signatures than one".to_owned());
                };
                if !key.verifies(&envelope.to_be_signed(), &signature.sig) {
                    return Err(other_key());
                }
                // With a key only what says that it signs counts: it may have attested something bad as well.
                envelope.check_statement(signed, &[PREDICATE])?;
            }
            _ => return Err("a bundle holds no signature, or several".to_owned()),
        }
        Ok(SignedBy::Key(key.digest()))
    }

    /// What a statement that was signed with a certificate must say on top of what sigstore's own rules ask for.
    pub(crate) fn check_content(&self, signed: Signed<'_>) -> Result<(), String> {
        match (&self.message_signature, &self.dsse_envelope) {
            (Some(message), None) => message.check_digest(signed.bytes),
            (None, Some(envelope)) => envelope.check_statement(signed, &[PREDICATE, PROVENANCE]),
            _ => Err("a bundle holds no signature, or several".to_owned()),
        }
    }
}

const SHA_256: &str = "SHA2_256";
const SHA_512: &str = "SHA2_512";

impl MessageSignature {
    /// The digest is no proof, but where it is there it tells a signature of something else from a wrong one.
    fn check_digest(&self, bytes: &[u8]) -> Result<(), String> {
        use sha2::{Digest as _, Sha512};
        let is_other = match &self.message_digest {
            Some(of) if of.algorithm == SHA_256 => of.digest != Digest::of(bytes).as_bytes(),
            Some(of) if of.algorithm == SHA_512 => of.digest != Sha512::digest(bytes).as_slice(),
            Some(of) if of.algorithm.is_empty() => false,
            Some(of) => return Err(format!("a bundle has a digest of another kind: {:?}", short(&of.algorithm))),
            None => false,
        };
        if is_other { Err("a bundle is the signature of something else".to_owned()) } else { Ok(()) }
    }
}

impl Envelope {
    /// What the signature is made over: lengths and parts, so that no two contents look alike.
    fn to_be_signed(&self) -> Vec<u8> {
        pre_authentication(&self.payload_type, &self.payload)
    }

    fn check_statement(&self, signed: Signed<'_>, predicates: &[&str]) -> Result<(), String> {
        if self.payload_type != PAYLOAD {
            return Err(format!("a bundle signs something of the type {:?}", short(&self.payload_type)));
        }
        let statement: Statement =
            serde_json::from_slice(&self.payload).map_err(|error| format!("a bundle's statement: {error}"))?;
        if !statement.kind.starts_with("https://in-toto.io/Statement/") {
            return Err("a bundle signs a statement of another kind".to_owned());
        }
        if !predicates.contains(&statement.predicate_type.as_str()) {
            let says = short(&statement.predicate_type);
            return Err(format!("a bundle says something else than that it is signed ({says:?})"));
        }
        let digest = Digest::of(signed.bytes).hex();
        let is_about = |subject: &StatementSubject| subject.digest.get("sha256") == Some(&digest);
        if statement.subject.iter().any(is_about) {
            return Ok(());
        }
        let what = if signed.is_manifest { "artefact" } else { "component" };
        Err(format!("a bundle is the signature of another {what}"))
    }
}

/// DSSE's pre-authentication encoding.
pub(super) fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}
