//! The cryptography under `sigstore-verify`: what is in the tree already.
//!
//! That crate's own choice builds a C library, which this project does without (deny.toml); it takes another one here.

use std::sync::Once;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::signature as algorithms;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider};
use sigstore_types::HashAlgorithm;

/// Must be called before anything of sigstore's: without a provider it panics.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if install_default_provider(&Provider).is_err() {
            tracing::debug!("somebody else chose the cryptography of sigstore-verify");
        }
    });
}

#[derive(Debug)]
struct Provider;

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        Ok(match algorithm {
            HashAlgorithm::Sha2256 => Box::new(Hash(Sha256::new())),
            HashAlgorithm::Sha2384 => Box::new(Hash(Sha384::new())),
            HashAlgorithm::Sha2512 => Box::new(Hash(Sha512::new())),
            other => return Err(Error::UnsupportedAlgorithm(format!("the digest {other}"))),
        })
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        let algorithm: &dyn algorithms::VerificationAlgorithm = match scheme {
            SigningScheme::EcdsaP256Sha256 => &algorithms::ECDSA_P256_SHA256_ASN1,
            SigningScheme::EcdsaP256Sha384 => &algorithms::ECDSA_P256_SHA384_ASN1,
            SigningScheme::EcdsaP384Sha256 => &algorithms::ECDSA_P384_SHA256_ASN1,
            SigningScheme::EcdsaP384Sha384 => &algorithms::ECDSA_P384_SHA384_ASN1,
            SigningScheme::Ed25519 => &algorithms::ED25519,
            SigningScheme::RsaPssSha256 => &algorithms::RSA_PSS_2048_8192_SHA256,
            SigningScheme::RsaPssSha384 => &algorithms::RSA_PSS_2048_8192_SHA384,
            SigningScheme::RsaPssSha512 => &algorithms::RSA_PSS_2048_8192_SHA512,
            SigningScheme::RsaPkcs1Sha256 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            SigningScheme::RsaPkcs1Sha384 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            SigningScheme::RsaPkcs1Sha512 => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            other => return Err(unsupported(other)),
        };
        let key = algorithms::UnparsedPublicKey::new(algorithm, key);
        key.verify(data, signature).map_err(|_| wrong(scheme))
    }

    fn verify_prehashed(&self, scheme: SigningScheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        let is_good = match scheme {
            SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP256Sha384 => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| wrong(scheme))?;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| wrong(scheme))?;
                key.verify_prehash(digest, &signature).is_ok()
            }
            SigningScheme::EcdsaP384Sha256 | SigningScheme::EcdsaP384Sha384 => {
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| wrong(scheme))?;
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| wrong(scheme))?;
                key.verify_prehash(digest, &signature).is_ok()
            }
            other => return Err(unsupported(other)),
        };
        if is_good { Ok(()) } else { Err(wrong(scheme)) }
    }
}

fn wrong(scheme: SigningScheme) -> Error {
    Error::Verification(format!("the signature ({}) is wrong", scheme.name()))
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(format!("signatures by {} are not checked here", scheme.name()))
}

struct Hash<D>(D);

impl<D: sha2::Digest + Send> HashContext for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}
