//! ID tokens: what must be so before one is believed (OpenID Connect Core 1.0, 3.1.3.7).

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl, Nonce, SignatureVerificationError,
};
use serde::{Deserialize, Serialize};

use crate::identity::sign_in::failure::{Failure, quoted};
use crate::identity::sign_in::profile::Email;

/// A token as it comes, of which nothing is believed.
pub(super) type Unverified =
    openidconnect::IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// Signatures with a public key. With a shared secret, whoever knows it, or takes something public for it, could sign.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How far the clocks of portal and service may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// How old a token may be. It comes straight from the service, which made it for this exchange.
const OLDEST: TimeDelta = TimeDelta::seconds(10 * 60);

/// The longest subject that there is (OpenID Connect Core 1.0, 2).
const SUBJECT: usize = 255;

/// Claims that are no standard ones of an ID token.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Extra {
    /// Not valid before, in seconds.
    nbf: Option<serde_json::Number>,
    /// Entra's id of a user.
    #[serde(default)]
    oid: Option<String>,
}

impl AdditionalClaims for Extra {}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a IssuerUrl,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// A token that is believed. Nothing of it is optional that says who it is about, for whom it is, from whom and from when:
/// what lacks one of these does not become one.
#[derive(Clone, Debug)]
pub(super) struct IdToken {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// The portal's own client id.
    pub(super) audience: String,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    /// The one that went out with the browser.
    pub(super) nonce: String,
    /// What the user is called at the service, where it says so.
    pub(super) username: Option<String>,
    pub(super) email: Option<Email>,
    pub(super) name: Option<String>,
    pub(super) oid: Option<String>,
}

/// For the log.
impl fmt::Display for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IdToken { issuer, audience, issued_at, expires_at, nonce, .. } = self;
        let nonce = nonce.get(..8).unwrap_or_default();
        write!(f, "by {issuer} for {audience}, at {issued_at} until {expires_at}, for the nonce {nonce}…")
    }
}

/// Why a token is not believed.
#[derive(Debug)]
pub(super) enum NotVerified {
    /// Its key is not among those that are known.
    UnknownKey,
    /// Whatever else is wrong with it.
    Wrong(String),
}

impl From<NotVerified> for Failure {
    fn from(error: NotVerified) -> Failure {
        Failure::Unproven(match error {
            NotVerified::UnknownKey => "no key of the issuer's has the id that its ID token names".to_owned(),
            NotVerified::Wrong(reason) => format!("its ID token: {reason}"),
        })
    }
}

/// Believes a token, or not.
pub(super) fn verify(
    token: &Unverified,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<IdToken, NotVerified> {
    let client_id = ClientId::new(expected.client_id.to_owned());
    let (now, latest, oldest) = (expected.now, expected.now + SKEW, expected.now - OLDEST);
    let verifier = IdTokenVerifier::new_public_client(client_id, expected.issuer.clone(), keys.clone())
        .set_allowed_algs(ALGORITHMS)
        // Others may be addressed as well; `azp` is then to say that the token was made for the portal.
        .set_other_audience_verifier_fn(|_| true)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| match (issued > latest, issued < oldest) {
            (true, _) => Err(format!("it was issued at {issued}, which is yet to come")),
            (_, true) => Err(format!("it was issued at {issued}, too long ago")),
            (false, false) => Ok(()),
        });
    let nonce = Nonce::new(expected.nonce.to_owned());
    let claims = token.claims(&verifier, &nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            NotVerified::UnknownKey
        }
        error => NotVerified::Wrong(quoted(&error.to_string())),
    })?;
    let wrong = |reason: &str| Err(NotVerified::Wrong(reason.to_owned()));
    if expected.nonce.is_empty() {
        return wrong("no nonce was sent that it could repeat");
    }
    let is_for_us = |party: Option<&ClientId>| party.is_some_and(|party| party.as_str() == expected.client_id);
    if (claims.authorized_party().is_some() || claims.audiences().len() > 1) && !is_for_us(claims.authorized_party()) {
        return wrong("it was made for another client");
    }
    if let Some(nbf) = &claims.additional_claims().nbf {
        let begins =
            nbf.as_f64().map(|seconds| seconds as i64).and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        if begins.is_none_or(|begins| begins > now + SKEW) {
            return wrong("it is not valid yet");
        }
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT || subject.chars().any(char::is_control) {
        return wrong("it does not say who it is about");
    }
    Ok(IdToken {
        issuer: claims.issuer().as_str().to_owned(),
        subject: subject.to_owned(),
        audience: expected.client_id.to_owned(),
        issued_at: claims.issue_time(),
        expires_at: claims.expiration(),
        nonce: expected.nonce.to_owned(),
        username: claims.preferred_username().map(|name| name.as_str().to_owned()),
        email: claims.email().map(|address| Email {
            address: address.as_str().to_owned(),
            // Nothing else will do: not that it says nothing, and the type knows no text.
            is_verified: claims.email_verified() == Some(true),
        }),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
        oid: claims.additional_claims().oid.clone(),
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKey};
    use openidconnect::{JsonWebKeyId, PrivateSigningKey};
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example";
    const CLIENT: &str = "portal";
    const NONCE: &str = "5ec7e7";
    const NOW: i64 = 1_800_000_000;

    /// A key of a seed: PKCS #8 around 32 bytes.
    fn key(seed: u8, id: &str) -> CoreEdDsaPrivateSigningKey {
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend([seed; 32]);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", STANDARD.encode(der));
        CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(id.to_owned()))).unwrap()
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "sub": "7f3c", "aud": CLIENT, "exp": NOW + 300, "iat": NOW, "nonce": NONCE,
            "preferred_username": "ada", "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace",
        })
    }

    fn changed(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
        let mut claims = claims();
        change(claims.as_object_mut().unwrap());
        claims
    }

    fn signed(header: &Value, claims: &Value, key: &CoreEdDsaPrivateSigningKey) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = key.sign(&CoreJwsSigningAlgorithm::EdDsa, input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn good(claims: &Value) -> String {
        signed(&json!({ "alg": "EdDSA", "kid": "current", "typ": "JWT" }), claims, &key(1, "current"))
    }

    /// What becomes of a token: nothing where it cannot even be read.
    fn believe(token: &str) -> Result<IdToken, String> {
        let keys: Vec<CoreJsonWebKey> =
            vec![key(1, "current").as_verification_key(), key(2, "next").as_verification_key()];
        let issuer = IssuerUrl::new(ISSUER.to_owned()).unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let expected = Expected { issuer: &issuer, client_id: CLIENT, nonce: NONCE, now };
        let token: Unverified = token.parse().map_err(|_| "unreadable".to_owned())?;
        verify(&token, &CoreJsonWebKeySet::new(keys), &expected).map_err(|error| match error {
            NotVerified::UnknownKey => "unknown key".to_owned(),
            NotVerified::Wrong(reason) => reason,
        })
    }

    #[test]
    fn a_sound_token() {
        let token = believe(&good(&claims())).unwrap();
        let email = Email { address: "ada@example.com".to_owned(), is_verified: true };
        assert_eq!((token.issuer.as_str(), token.subject.as_str(), token.audience.as_str()), (ISSUER, "7f3c", CLIENT));
        assert_eq!((token.username.as_deref(), token.name.as_deref()), (Some("ada"), Some("Ada Lovelace")));
        assert_eq!(token.email, Some(email));
        assert_eq!(token.expires_at.timestamp(), NOW + 300);
        for claims in [
            changed(|claims| drop(claims.insert("aud".to_owned(), json!([CLIENT])))),
            changed(|claims| drop(claims.insert("azp".to_owned(), json!(CLIENT)))),
            changed(|claims| {
                claims.insert("aud".to_owned(), json!([CLIENT, "another"]));
                claims.insert("azp".to_owned(), json!(CLIENT));
            }),
            changed(|claims| drop(claims.insert("nbf".to_owned(), json!(NOW + 59)))),
            changed(|claims| drop(claims.insert("iat".to_owned(), json!(NOW + 59)))),
            changed(|claims| drop(claims.insert("updated_at".to_owned(), json!("2026-11-21T10:00:00Z")))),
        ] {
            believe(&good(&claims)).unwrap_or_else(|error| panic!("{claims}: {error}"));
        }
        let next = signed(&json!({ "alg": "EdDSA", "kid": "next" }), &claims(), &key(2, "next"));
        believe(&next).unwrap();
    }

    #[test]
    fn a_verified_address_is_said_to_be_so() {
        let check = |verified: Option<Value>, expected: Option<bool>| {
            let claims = changed(|claims| match &verified {
                Some(value) => drop(claims.insert("email_verified".to_owned(), value.clone())),
                None => drop(claims.remove("email_verified")),
            });
            let found = believe(&good(&claims)).ok().and_then(|token| token.email).map(|email| email.is_verified);
            assert_eq!(found, expected, "{verified:?}");
        };
        check(Some(json!(true)), Some(true));
        check(Some(json!(false)), Some(false));
        check(None, Some(false));
        check(Some(json!(null)), Some(false));
        // What is not as the specification has it is no token.
        check(Some(json!("true")), None);
        check(Some(json!("false")), None);
        check(Some(json!(1)), None);
    }

    #[test]
    fn claims_that_are_missing_or_wrong() {
        let check = |name: &str, value: Option<Value>, reason: &str| {
            let claims = changed(|claims| match &value {
                Some(value) => drop(claims.insert(name.to_owned(), value.clone())),
                None => drop(claims.remove(name)),
            });
            let found = believe(&good(&claims)).err().unwrap_or_else(|| panic!("{name} {value:?} is believed"));
            assert!(found.contains(reason), "{name} {value:?}: {found}");
        };
        check("iss", None, "unreadable");
        check("iss", Some(json!("https://other.example")), "Invalid issuer");
        check("iss", Some(json!("https://id.example/")), "Invalid issuer");
        check("iss", Some(json!("HTTPS://ID.example")), "Invalid issuer");
        check("sub", None, "unreadable");
        check("sub", Some(json!("")), "who it is about");
        check("sub", Some(json!(7)), "unreadable");
        check("sub", Some(json!("a\u{0}b")), "who it is about");
        check("sub", Some(json!("a".repeat(256))), "who it is about");
        check("aud", None, "Invalid audience");
        check("aud", Some(json!([])), "Invalid audience");
        check("aud", Some(json!("another")), "Invalid audience");
        check("aud", Some(json!("PORTAL")), "Invalid audience");
        check("aud", Some(json!([CLIENT, "another"])), "another client");
        check("azp", Some(json!("another")), "another client");
        check("exp", None, "unreadable");
        check("exp", Some(json!(NOW)), "Expired");
        check("exp", Some(json!((NOW + 300).to_string())), "unreadable");
        check("iat", None, "unreadable");
        check("iat", Some(json!(NOW + 61)), "yet to come");
        check("iat", Some(json!(NOW - 601)), "too long ago");
        check("nbf", Some(json!(NOW + 61)), "not valid yet");
        check("nbf", Some(json!("soon")), "unreadable");
        check("nonce", None, "Invalid nonce");
        check("nonce", Some(json!("")), "Invalid nonce");
        check("nonce", Some(json!("5ec7e8")), "Invalid nonce");
    }

    #[test]
    fn signatures() {
        let check = |token: &str, reason: &str| {
            let found = believe(token).err().unwrap_or_else(|| panic!("{token} is believed"));
            assert!(found.contains(reason), "{token}: {found}");
        };
        let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
        let (ours, theirs) = (key(1, "current"), key(9, "current"));
        check(&signed(&header("EdDSA", "current"), &claims(), &theirs), "Signature verification failed");
        check(&signed(&header("EdDSA", "next"), &claims(), &ours), "Signature verification failed");
        check(&signed(&header("EdDSA", "unknown"), &claims(), &ours), "unknown key");
        for alg in ["HS256", "HS384", "HS512", "ES512"] {
            check(&signed(&header(alg, "current"), &claims(), &ours), "Signature verification failed");
        }
        // None of these keys can have made such a signature.
        for alg in ["RS256", "PS256", "ES256"] {
            check(&signed(&header(alg, "current"), &claims(), &ours), "unknown key");
        }
        let token = good(&claims());
        let (input, signature) = token.rsplit_once('.').unwrap();
        check(&format!("{input}."), "Signature verification failed");
        let (start, end) = input.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
        check(&format!("{none}.{end}."), "Signature verification failed");
        check(&format!("{none}.{end}.{signature}"), "Signature verification failed");
        let altered =
            URL_SAFE_NO_PAD.encode(changed(|claims| drop(claims.insert("sub".to_owned(), json!("eve")))).to_string());
        check(&format!("{start}.{altered}.{signature}"), "Signature verification failed");
        for rubbish in ["", ".", "..", "...", "rubbish", "a.b.c"] {
            check(rubbish, "unreadable");
        }
        let embedded = json!({ "alg": "EdDSA", "jwk": theirs.as_verification_key() });
        check(&signed(&embedded, &claims(), &theirs), "Signature verification failed");
        let critical = json!({ "alg": "EdDSA", "kid": "current", "crit": ["exp"], "exp": 1 });
        check(&signed(&critical, &claims(), &ours), "Unsupported");
    }
}
