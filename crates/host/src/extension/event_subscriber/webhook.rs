//! Whether a request to a webhook comes from who it should.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::manifest::{Manifest, WebhookContribution, WebhookSignature};
use callboard_model::rights::Rights;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::guest_config::at;
use crate::limits::{WEBHOOK_HEADER_BYTES, WEBHOOK_WINDOW};

/// A webhook of a plugin that may be told of it.
pub(crate) struct Webhook {
    pub(crate) topic: String,
    scheme: Scheme,
    /// Knows the secret, and hands it to nobody; none where app-config has none.
    key: Option<Hmac<Sha256>>,
    /// Where app-config has the secret.
    place: String,
    delivery_id: Option<HeaderName>,
    headers: Vec<HeaderName>,
}

enum Scheme {
    /// The secret itself is sent.
    Token(HeaderName),
    /// Each of the values with this prefix is a signature of the body.
    Body { header: HeaderName, prefix: &'static str, several: bool },
    /// The time is signed with the body.
    Timed { header: HeaderName, time: HeaderName, window: i64 },
}

/// What is known of a request whose sender has shown that they know the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the plugin is handed beside the body.
    pub headers: BTreeMap<String, String>,
    /// What another request has in common with this one only where it is the same again.
    pub marks: BTreeSet<String>,
}

/// Why a request is not taken for one of the sender's. For the operator: there is no secret in it, and nothing that the
/// sender wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such webhook, or the plugin may not be told of it.
    #[error("the plugin has no webhook of this topic, or may not be told of it")]
    NotThere,
    /// Nobody could sign.
    #[error("app-config has no secret at {0}, so that nobody can show that they are the sender")]
    NoSecret(String),
    /// Something that a signed request has is not there.
    #[error("the header {0} is missing, is there twice, or is not written as it must be")]
    Header(HeaderName),
    /// Somebody else signed, or something else.
    #[error(
        "what {header} says does not go with the body and the secret at {place}; is the same secret set at the sender?"
    )]
    Signature {
        /// Where it was.
        header: HeaderName,
        /// Where app-config has the secret.
        place: String,
    },
    /// It was signed too long ago, or is signed for later.
    #[error("it was signed {seconds} s away from now, and holds for {window} s; do the clocks agree?")]
    Time {
        /// How far away.
        seconds: u64,
        /// How far away it may be.
        window: i64,
    },
}

impl Webhook {
    /// Those of a plugin that both sides name. The manifest was checked: the names of headers are some, and a secret is in
    /// a part of app-config that it asks for.
    pub(crate) fn all(manifest: &Manifest, effective: &Rights, config: &Value) -> Result<Vec<Webhook>, String> {
        let contributed = manifest.contributes.event_subscriber.iter().flat_map(|contributed| &contributed.webhooks);
        let granted = contributed.filter(|one| effective.event_subscriber.topics.contains(&one.topic));
        granted.map(|one| Webhook::new(one, effective, config)).collect()
    }

    fn new(contributed: &WebhookContribution, effective: &Rights, config: &Value) -> Result<Webhook, String> {
        let place = contributed.signature.secret().to_owned();
        let may_read = effective.config.iter().any(|path| is_below(&place, path));
        let secret = at(config, &place).filter(|_| may_read);
        let key = secret.map(|secret| match secret.as_str() {
            Some(secret) if !secret.is_empty() => Ok(key(secret.as_bytes())),
            _ => Err(format!("{place} in app-config must be a text, and not an empty one")),
        });
        let name = |text: &str| text.parse().map_err(|_| format!("`{text}` is no name of a header"));
        Ok(Webhook {
            topic: contributed.topic.clone(),
            scheme: Scheme::of(&contributed.signature)?,
            key: key.transpose()?.flatten(),
            place,
            delivery_id: contributed.delivery_id.as_deref().map(name).transpose()?,
            headers: contributed.headers.iter().map(|text| name(text)).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn verify(&self, headers: &HeaderMap, body: &[u8], now: i64) -> Result<Verified, Refusal> {
        let key = self.key.as_ref().ok_or_else(|| Refusal::NoSecret(self.place.clone()))?;
        let mut marks = BTreeSet::new();
        match &self.scheme {
            Scheme::Token(header) => {
                // As keys of the same text, so that neither length nor content shows in the time that it takes.
                let given = self::key(text(headers, header)?.as_bytes()).ok_or_else(|| self.mismatch(header))?;
                let given = given.chain_update(SAME).finalize().into_bytes();
                self.compare(key.clone().chain_update(SAME), &given, header)?;
            }
            Scheme::Body { header, prefix, several } => {
                let signed = key.clone().chain_update(body);
                let given = text(headers, header)?;
                let given: Vec<&str> = if *several { given.split(',').collect() } else { vec![given] };
                if given.len() > SIGNATURES {
                    return Err(Refusal::Header(header.clone()));
                }
                let fits = |one: &&str| {
                    let signature = one.trim().strip_prefix(prefix).and_then(|hex| hex::decode(hex).ok());
                    signature.is_some_and(|signature| signed.clone().verify_slice(&signature).is_ok())
                };
                if !given.iter().any(fits) {
                    return Err(self.mismatch(header));
                }
                // The id of a delivery is not signed: with another one it would be the same request all the same.
                marks.insert(format!("body:{}", hex::encode(Sha256::digest(body))));
            }
            Scheme::Timed { header, time, window } => {
                let stamp = text(headers, time)?;
                let at: i64 = stamp.parse().map_err(|_| Refusal::Header(time.clone()))?;
                let given = text(headers, header)?.strip_prefix("v0=").and_then(|hex| hex::decode(hex).ok());
                let given = given.ok_or_else(|| Refusal::Header(header.clone()))?;
                let signed = key.clone().chain_update("v0:").chain_update(stamp).chain_update(":").chain_update(body);
                self.compare(signed, &given, header)?;
                let seconds = now.abs_diff(at);
                if seconds > window.unsigned_abs() {
                    return Err(Refusal::Time { seconds, window: *window });
                }
                marks.insert(format!("signed:{}", hex::encode(given)));
            }
        }
        if let Some(header) = &self.delivery_id {
            marks.insert(format!("id:{}", text(headers, header)?));
        }
        let handed = self.headers.iter().filter_map(|name| {
            let value = headers.get(name)?.to_str().ok().filter(|value| value.len() <= WEBHOOK_HEADER_BYTES)?;
            Some((name.to_string(), value.to_owned()))
        });
        Ok(Verified { headers: handed.collect(), marks })
    }

    fn compare(&self, expected: Hmac<Sha256>, given: &[u8], header: &HeaderName) -> Result<(), Refusal> {
        expected.verify_slice(given).map_err(|_| self.mismatch(header))
    }

    fn mismatch(&self, header: &HeaderName) -> Refusal {
        Refusal::Signature { header: header.clone(), place: self.place.clone() }
    }
}

/// What two tokens are compared by.
const SAME: &[u8] = b"callboard webhook token";

/// Signatures that a sender may have at once, while their secret changes.
const SIGNATURES: usize = 8;

impl Scheme {
    fn of(signature: &WebhookSignature) -> Result<Scheme, String> {
        Ok(match signature {
            WebhookSignature::GitlabToken { .. } => Scheme::Token(HeaderName::from_static("x-gitlab-token")),
            WebhookSignature::HmacSha256 { header, .. } => {
                let header = header.as_deref().unwrap_or("x-hub-signature-256");
                let header = header.parse().map_err(|_| format!("`{header}` is no name of a header"))?;
                Scheme::Body { header, prefix: "sha256=", several: false }
            }
            WebhookSignature::Pagerduty { .. } => {
                let header = HeaderName::from_static("x-pagerduty-signature");
                Scheme::Body { header, prefix: "v1=", several: true }
            }
            WebhookSignature::Slack { window_seconds, .. } => Scheme::Timed {
                header: HeaderName::from_static("x-slack-signature"),
                time: HeaderName::from_static("x-slack-request-timestamp"),
                window: i64::from(window_seconds.unwrap_or(WEBHOOK_WINDOW)),
            },
        })
    }
}

/// The headers in which a sender shows who they are. No plugin is handed them.
pub(crate) fn signing_headers(signature: &WebhookSignature) -> Result<Vec<HeaderName>, String> {
    Ok(match Scheme::of(signature)? {
        Scheme::Token(header) | Scheme::Body { header, .. } => vec![header],
        Scheme::Timed { header, time, .. } => vec![header, time],
    })
}

/// None never comes: HMAC takes keys of any length.
fn key(secret: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret).ok()
}

/// A header that is there once and says something.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    let value = value.filter(|value| !value.is_empty() && value.len() <= WEBHOOK_HEADER_BYTES);
    value.ok_or_else(|| Refusal::Header(name.clone()))
}

/// Whether a dotted path is another one or leads further down from it.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests;
