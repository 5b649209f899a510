//! Tokens of others, and the keys that they publish.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_egress::{Egress, OnlyOrigin, Request};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::Mutex;
use url::Url;

use super::Claims;
use crate::config::ALGORITHMS;

/// The largest set of keys that is read. A signer has a handful, of half a KiB each.
const BYTES: u64 = 256 * 1024;

/// The most keys that are kept.
const KEYS: usize = 100;

/// How long keys are believed in: one that its signer withdrew is out after this.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// How soon they are asked for again because of a key that is not among them. Anybody may send tokens that name one, and
/// must not make the portal ask more often.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the signer may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a signer's keys are, and what its tokens must say.
pub(super) struct Jwks {
    egress: Egress,
    url: Url,
    algorithms: Vec<Algorithm>,
    issuers: Vec<String>,
    audiences: Vec<String>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: Arc<HashMap<String, Jwk>>,
    asked: Option<Instant>,
}

impl Jwks {
    pub(super) fn new(
        egress: Egress,
        url: Url,
        algorithms: &[String],
        issuers: &[String],
        audiences: &[String],
    ) -> Jwks {
        let named: Vec<&str> = match algorithms.is_empty() {
            true => ALGORITHMS.to_vec(),
            false => algorithms.iter().map(String::as_str).collect(),
        };
        // app-config was checked against the same list, which has none whose key is a shared secret.
        let algorithms = named.iter().filter(|name| ALGORITHMS.contains(name)).filter_map(|name| name.parse().ok());
        Jwks {
            egress,
            url,
            algorithms: algorithms.collect(),
            issuers: issuers.to_vec(),
            audiences: audiences.to_vec(),
            known: Mutex::default(),
        }
    }

    /// The subject of a token that is good.
    pub(super) async fn subject(&self, token: &str) -> Option<String> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let algorithm = self.algorithms.contains(&header.alg).then_some(header.alg)?;
        let key = self.key(&header.kid?).await?;
        // A key that says what it is for is for nothing else.
        if key.common.key_algorithm.is_some_and(|own| own != KeyAlgorithm::from(algorithm)) {
            return None;
        }
        let key = DecodingKey::from_jwk(&key).ok()?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation(algorithm)).ok()?.claims;
        claims.sub.filter(|subject| !subject.is_empty())
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        let mut required = vec!["exp", "sub"];
        validation.validate_nbf = true;
        if !self.issuers.is_empty() {
            validation.set_issuer(&self.issuers);
            required.push("iss");
        }
        validation.validate_aud = !self.audiences.is_empty();
        if !self.audiences.is_empty() {
            validation.set_audience(&self.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    /// The key with an id. Its signer is asked where what is known is old or has no such key.
    async fn key(&self, id: &str) -> Option<Jwk> {
        let mut known = self.known.lock().await;
        let age = known.asked.map(|asked| asked.elapsed());
        let is_fresh = age.is_some_and(|age| age < FRESH);
        if let Some(key) = known.keys.get(id).filter(|_| is_fresh) {
            return Some(key.clone());
        }
        if age.is_some_and(|age| age < PAUSE) {
            return None;
        }
        known.asked = Some(Instant::now());
        match self.ask().await {
            Ok(keys) => known.keys = Arc::new(keys),
            Err(reason) => {
                tracing::warn!(url = %self.url, "the keys of a token's signer cannot be read: {reason}");
                known.keys = Arc::default();
            }
        }
        known.keys.get(id).cloned()
    }

    async fn ask(&self) -> Result<HashMap<String, Jwk>, String> {
        let mut request = Request::get(self.url.clone());
        request.timeout = TIMEOUT;
        request.max_body = BYTES;
        request.max_redirects = 0;
        let response =
            self.egress.send(request, &OnlyOrigin::of(&self.url)).await.map_err(|error| error.to_string())?;
        if !response.status.is_success() {
            return Err(format!("it answered {}", response.status));
        }
        let body = response.body.collect(BYTES).await.map_err(|error| error.to_string())?;
        let set: JwkSet = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        if set.keys.len() > KEYS {
            return Err(format!("it has {} keys, and {KEYS} are read", set.keys.len()));
        }
        let named = set.keys.into_iter().filter_map(|key| Some((key.common.key_id.clone()?, key)));
        Ok(named.collect())
    }
}
