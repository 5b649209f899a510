//! The tokens of `backend.auth.externalAccess`, to the letter of Backstage's: static, legacy, and those of others whose
//! public keys are at a URL.

mod jwks;

use std::sync::Arc;

use callboard_egress::Egress;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::secret::Fingerprint;
use crate::config::{ExternalAccess, ExternalKind};
use crate::identity::Service;
use crate::policy::Scope;
use jwks::Jwks;

/// The subject of every legacy token.
const LEGACY_SUBJECT: &str = "backstage-server";

/// The largest token that is looked at. Backstage never makes a longer one.
pub(super) const LONGEST: usize = 32 * 1024;

/// Everything that programs may show. Cheap to clone.
#[derive(Clone)]
pub struct External {
    entries: Arc<Vec<Entry>>,
}

struct Entry {
    check: Check,
    scope: Scope,
}

enum Check {
    Static { token: Fingerprint, subject: String },
    Legacy { key: DecodingKey, validation: Box<Validation>, subject: String },
    Jwks { keys: Jwks, prefix: Option<String> },
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
}

impl External {
    /// What app-config has.
    #[must_use]
    pub fn new(access: &[ExternalAccess], egress: &Egress) -> External {
        let entries = access.iter().map(|access| {
            let check = match &access.kind {
                ExternalKind::Static { token, subject } => {
                    Check::Static { token: Fingerprint::of(token.as_bytes()), subject: subject.clone() }
                }
                ExternalKind::Legacy { secret, subject } => Check::Legacy {
                    key: DecodingKey::from_secret(secret),
                    validation: Box::new(legacy()),
                    subject: subject.clone(),
                },
                ExternalKind::Jwks { url, algorithms, issuers, audiences, prefix } => Check::Jwks {
                    keys: Jwks::new(egress.clone(), url.clone(), algorithms, issuers, audiences),
                    prefix: prefix.clone(),
                },
            };
            let scope = access.restrictions.iter().cloned().fold(Scope::unlimited(), Scope::and);
            Entry { check, scope }
        });
        External { entries: Arc::new(entries.collect()) }
    }

    /// Whose token this is; none where it is nobody's here.
    pub async fn find(&self, token: &str) -> Option<Service> {
        if token.len() > LONGEST {
            return None;
        }
        let mut found = None;
        for Entry { check, scope } in self.entries.iter() {
            if let Some(subject) = check.subject(token).await {
                found = Some(Service { subject: format!("external:{subject}"), scope: scope.clone() });
            }
        }
        found
    }
}

impl Check {
    async fn subject(&self, token: &str) -> Option<String> {
        match self {
            Check::Static { token: known, subject } => {
                known.is(&Fingerprint::of(token.as_bytes())).then(|| subject.clone())
            }
            Check::Legacy { key, validation, subject } => {
                let claims = jsonwebtoken::decode::<Claims>(token, key, validation).ok()?.claims;
                (claims.sub.as_deref() == Some(LEGACY_SUBJECT)).then(|| subject.clone())
            }
            Check::Jwks { keys, prefix } => {
                let subject = keys.subject(token).await?;
                Some(match prefix {
                    Some(prefix) => format!("{prefix}:{subject}"),
                    None => subject,
                })
            }
        }
    }
}

/// Only what is signed with the shared secret, and only for a time.
fn legacy() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "sub"]);
    validation.validate_nbf = true;
    // Backstage puts none there.
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests {
    use callboard_egress::Settings;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;

    fn external() -> External {
        let access = [
            ExternalAccess {
                kind: ExternalKind::Static { token: "a-static-token".to_owned(), subject: "ci".to_owned() },
                restrictions: None,
            },
            ExternalAccess {
                kind: ExternalKind::Legacy { secret: b"shared".to_vec(), subject: "old".to_owned() },
                restrictions: None,
            },
        ];
        External::new(&access, &Egress::new(Settings::default()).unwrap())
    }

    #[tokio::test]
    async fn tokens() {
        let external = external();
        let now = jsonwebtoken::get_current_timestamp();
        let signed = |algorithm: Algorithm, secret: &[u8], claims: Value| {
            jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret)).unwrap()
        };
        let legacy = |claims: Value| signed(Algorithm::HS256, b"shared", claims);
        let good = json!({ "sub": "backstage-server", "exp": now + 600 });
        let check = async |token: &str, expected: Option<&str>| {
            let found = external.find(token).await.map(|service| service.subject);
            assert_eq!(found.as_deref(), expected, "{token}");
        };
        check("a-static-token", Some("external:ci")).await;
        check("A-static-token", None).await;
        check("a-static-token ", None).await;
        check("", None).await;
        check(&legacy(good.clone()), Some("external:old")).await;
        check(&legacy(json!({ "sub": "backstage-server" })), None).await;
        check(&legacy(json!({ "sub": "backstage-server", "exp": now - 600 })), None).await;
        check(&legacy(json!({ "sub": "backstage-server", "exp": now + 600, "nbf": now + 300 })), None).await;
        check(&legacy(json!({ "sub": "somebody", "exp": now + 600 })), None).await;
        check(&legacy(json!({ "exp": now + 600 })), None).await;
        check(&signed(Algorithm::HS256, b"other", good.clone()), None).await;
        check(&signed(Algorithm::HS512, b"shared", good.clone()), None).await;
        // {"alg":"none"}
        let unsigned =
            legacy(good).rsplit_once('.').map(|(rest, _)| rest.split_once('.').unwrap().1.to_owned()).unwrap();
        check(&format!("eyJhbGciOiJub25lIn0.{unsigned}."), None).await;
        check(&"x".repeat(LONGEST + 1), None).await;
    }
}
