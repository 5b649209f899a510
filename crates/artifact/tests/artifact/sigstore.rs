//! A sigstore of our own: a certificate authority, a log of certificates and a log of signatures.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callboard_artifact::Digest;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::random;

pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";
pub(crate) const SUBJECT: &str = "https://github.com/acme/s3/.github/workflows/release.yml@refs/tags/v1.2.3";

/// 1 March 2024 at noon, when the certificate of [`Sigstore::sign`] is valid, for two days.
pub(crate) const NOON: i64 = 1_709_294_400;

/// Everything that a `trusted_root.json` names.
pub(crate) struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    authority_der: Vec<u8>,
    authority_public: Vec<u8>,
    certificates: Log,
    signatures: Log,
}

struct Log {
    key: SigningKey,
    public: Vec<u8>,
}

impl Log {
    fn new() -> Self {
        let key = SigningKey::from_slice(&random()).unwrap();
        let public = key.verifying_key().to_public_key_der().unwrap().as_bytes().to_vec();
        Self { key, public }
    }

    fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.public).into()
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        sign(&self.key, bytes)
    }
}

fn sign(key: &SigningKey, bytes: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(bytes);
    signature.to_der().as_bytes().to_vec()
}

/// What is signed, by whom, and when.
#[derive(Clone)]
pub(crate) struct Signing<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) at: i64,
    pub(crate) predicate: &'a str,
    pub(crate) purpose: ExtendedKeyUsagePurpose,
    pub(crate) is_seen_by_log: bool,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Self {
            issuer: ISSUER,
            subject: SUBJECT,
            at: NOON,
            predicate: "https://sigstore.dev/cosign/sign/v1",
            purpose: ExtendedKeyUsagePurpose::CodeSigning,
            is_seen_by_log: true,
        }
    }
}

impl Sigstore {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let (key, pair) = pair();
        let certificate = params.self_signed(&pair).unwrap();
        Self {
            authority_der: certificate.der().to_vec(),
            authority_public: key.verifying_key().to_public_key_der().unwrap().as_bytes().to_vec(),
            authority: Issuer::new(params, pair),
            certificates: Log::new(),
            signatures: Log::new(),
        }
    }

    /// The file that says whom to believe.
    pub(crate) fn trusted_root(&self) -> Value {
        let log = |log: &Log| {
            json!([{
                "baseUrl": "https://log.example.com", "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(&log.public), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                },
                "logId": {"keyId": STANDARD.encode(log.id())},
            }])
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.signatures),
            "ctlogs": log(&self.certificates),
            "certificateAuthorities": [{
                "subject": {"organization": "test", "commonName": "test"}, "uri": "https://ca.example.com",
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(&self.authority_der)}]},
                "validFor": {"start": "2020-01-01T00:00:00Z"},
            }],
            "timestampAuthorities": [],
        })
    }

    /// What `cosign sign` makes for a manifest.
    pub(crate) fn sign_artefact(&self, manifest: &[u8], signing: &Signing<'_>) -> Value {
        let (key, certificate) = self.certify(signing);
        let payload = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": Digest::of(manifest).hex()}}],
            "predicateType": signing.predicate,
            "predicate": {},
        })
        .to_string();
        let kind = "application/vnd.in-toto+json";
        let signature = sign(&key, format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).as_bytes());
        let body = json!({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": Digest::of(b"as it was sent").hex()},
                "payloadHash": {"algorithm": "sha256", "value": Digest::of(payload.as_bytes()).hex()},
                "signatures": [{"signature": STANDARD.encode(&signature), "verifier": STANDARD.encode(certificate.pem())}],
            },
        });
        let envelope = json!({
            "payload": STANDARD.encode(payload), "payloadType": kind, "signatures": [{"sig": STANDARD.encode(signature)}],
        });
        self.bundle(&certificate, "dsse", &body, signing.at, "dsseEnvelope", envelope)
    }

    /// What `cosign sign-blob` makes for a file.
    pub(crate) fn sign_component(&self, component: &[u8], signing: &Signing<'_>) -> Value {
        let (key, certificate) = self.certify(signing);
        let signature = STANDARD.encode(sign(&key, component));
        let body = json!({
            "apiVersion": "0.0.1", "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": Digest::of(component).hex()}},
                "signature": {"content": signature, "publicKey": {"content": STANDARD.encode(certificate.pem())}},
            },
        });
        let digest = STANDARD.encode(Digest::of(component).as_bytes());
        let message = json!({"messageDigest": {"algorithm": "SHA2_256", "digest": digest}, "signature": signature});
        self.bundle(&certificate, "hashedrekord", &body, signing.at, "messageSignature", message)
    }

    /// A certificate that the log of certificates has seen, and its key.
    fn certify(&self, signing: &Signing<'_>) -> (SigningKey, Certificate) {
        let (key, pair) = pair();
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from(vec![1, 2, 3]));
        params.not_before = date_time_ymd(2024, 3, 1);
        params.not_after = date_time_ymd(2024, 3, 3);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![signing.purpose.clone()];
        let subject = signing.subject.try_into().unwrap();
        params.subject_alt_names = vec![match signing.subject.starts_with("https://") {
            true => SanType::URI(subject),
            false => SanType::Rfc822Name(subject),
        }];
        let issuer = tagged(0x0c, signing.issuer.as_bytes());
        let oid = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
        params.custom_extensions.push(CustomExtension::from_oid_content(&oid, issuer));
        let unseen = params.clone().signed_by(&pair, &self.authority).unwrap();
        if !signing.is_seen_by_log {
            return (key, unseen);
        }
        let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
        params.custom_extensions.push(CustomExtension::from_oid_content(&oid, self.seen(unseen.der())));
        (key, params.signed_by(&pair, &self.authority).unwrap())
    }

    /// The promise of the log of certificates for one that lacks it (RFC 6962, section 3).
    fn seen(&self, certificate: &[u8]) -> Vec<u8> {
        let to_be_signed = first(first(certificate).1).0;
        let time = u64::to_be_bytes(1_709_294_000_000);
        let mut signed = vec![0, 0];
        signed.extend(time);
        signed.extend([0, 1]);
        signed.extend(Sha256::digest(&self.authority_public));
        signed.extend(&(to_be_signed.len() as u32).to_be_bytes()[1..]);
        signed.extend(to_be_signed);
        signed.extend([0, 0]);
        let signature = self.certificates.sign(&signed);
        let mut promise = vec![0];
        promise.extend(self.certificates.id());
        promise.extend(time);
        promise.extend([0, 0, 4, 3]);
        promise.extend(with_length(&signature));
        tagged(0x04, &with_length(&with_length(&promise)))
    }

    /// A bundle with the entry of the log of signatures, which is the second of two.
    fn bundle(
        &self,
        certificate: &Certificate,
        kind: &str,
        body: &Value,
        at: i64,
        name: &str,
        content: Value,
    ) -> Value {
        let body = body.to_string();
        let leaf = |bytes: &[u8]| Sha256::new().chain_update([0]).chain_update(bytes).finalize();
        let other = leaf(b"another entry");
        let root = Sha256::new().chain_update([1]).chain_update(other).chain_update(leaf(body.as_bytes())).finalize();
        let note = format!("log.example.com\n2\n{}\n", STANDARD.encode(root));
        let mut note_signature = self.signatures.id()[..4].to_vec();
        note_signature.extend(self.signatures.sign(note.as_bytes()));
        let promise = json!({
            "body": STANDARD.encode(&body), "integratedTime": at, "logID": hex::encode(self.signatures.id()), "logIndex": 1,
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": STANDARD.encode(certificate.der())},
                "tlogEntries": [{
                    "logIndex": "1",
                    "logId": {"keyId": STANDARD.encode(self.signatures.id())},
                    "kindVersion": {"kind": kind, "version": "0.0.1"},
                    "integratedTime": at.to_string(),
                    "inclusionPromise": {
                        "signedEntryTimestamp": STANDARD.encode(self.signatures.sign(promise.to_string().as_bytes())),
                    },
                    "inclusionProof": {
                        "logIndex": "1", "treeSize": "2", "rootHash": STANDARD.encode(root),
                        "hashes": [STANDARD.encode(other)],
                        "checkpoint": {"envelope": format!("{note}\n— log.example.com {}\n", STANDARD.encode(note_signature))},
                    },
                    "canonicalizedBody": STANDARD.encode(&body),
                }],
            },
            name: content,
        })
    }
}

/// One key, as both libraries have it.
fn pair() -> (SigningKey, KeyPair) {
    let key = SigningKey::from_slice(&random()).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    assert!(SigningKey::from_pkcs8_pem(&pem).is_ok());
    let pair = KeyPair::from_pem(&pem).unwrap();
    (key, pair)
}

/// The first DER value with its head, and its content.
fn first(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = match der[1] {
        short if short < 0x80 => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        other => panic!("a length of {other:x}"),
    };
    (&der[..head + length], &der[head..head + length])
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        short if short < 0x80 => der.push(short as u8),
        long => der.extend([0x81, u8::try_from(long).unwrap()]),
    }
    der.extend(content);
    der
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let mut all = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    all.extend(bytes);
    all
}
