//! What a case has in the place of app-config and of a task's secrets.

use std::collections::BTreeMap;

use callboard_egress::{Credential, Secret, Settings};
use callboard_host::{TaskSecret, secrets};
use callboard_model::manifest::Manifest;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{CaseError, no_egress};

/// What a case has in the place of app-config, with every `${…}` replaced.
pub(crate) struct Values {
    pub(super) config: Value,
    /// Of a scaffolder's task, by their names.
    secrets: BTreeMap<String, BoundSecret>,
    /// All of it, to compare.
    whole: Value,
}

/// A secret, and where it may be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundSecret {
    value: String,
    origin: Url,
}

impl Values {
    pub(super) fn read(whole: &Value) -> Result<Values, String> {
        let config = whole.get("config").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let secrets = whole.get("secrets").map(serde_path_to_error::deserialize).transpose();
        let secrets = secrets.map_err(|error| format!("secrets.{}: {}", error.path(), error.inner()))?;
        Ok(Values { config, secrets: secrets.unwrap_or_default(), whole: whole.clone() })
    }

    /// As the portal has them of its app-config.
    pub(super) fn egress_settings(&self) -> Result<Settings, CaseError> {
        let part = |pointer: &str| self.config.pointer(pointer).unwrap_or(&Value::Null);
        Settings::from_values(part("/backend/reading"), part("/integrations"), part("/aws")).map_err(no_egress)
    }

    pub(super) fn task_secrets(&self) -> Result<Vec<TaskSecret>, String> {
        let made = self.secrets.iter().map(|(name, secret)| {
            let credential = Credential::bearer(&secret.origin, &Secret::new(secret.value.as_str()));
            let credential = credential.map_err(|error| format!("secrets.{name}: {error}"))?;
            Ok(TaskSecret { name: name.clone(), credential })
        });
        made.collect()
    }

    /// Everything that no cassette may have.
    pub(super) fn secrets(&self, manifest: &Manifest) -> Vec<Secret> {
        let mut found = secrets(manifest, &self.config);
        found.extend(self.secrets.values().map(|secret| Secret::new(secret.value.as_str())));
        found
    }

    /// What stands for what the environment said, as pairs, the longest first. What was recorded with the one is replayed
    /// with the other.
    pub(super) fn stand_ins(&self, replayed: &Values) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        differing(&self.whole, &replayed.whole, &mut pairs);
        // Of an address also its origin, by which credentials are named, and host and port, as upstreams name themselves.
        let of_addresses: Vec<_> = pairs
            .iter()
            .filter_map(|(real, stand_in)| Some((address(real)?, address(stand_in)?)))
            .flat_map(|(real, stand_in)| real.into_iter().zip(stand_in))
            .collect();
        pairs.extend(of_addresses);
        pairs.retain(|(real, stand_in)| real != stand_in && is_telling(real));
        pairs.sort_by_key(|(real, _)| std::cmp::Reverse(real.len()));
        pairs.dedup();
        pairs
    }
}

fn differing(real: &Value, stand_in: &Value, pairs: &mut Vec<(String, String)>) {
    match (real, stand_in) {
        (Value::String(real), Value::String(stand_in)) => pairs.push((real.clone(), stand_in.clone())),
        (Value::Array(real), Value::Array(stand_in)) => {
            real.iter().zip(stand_in).for_each(|(real, stand_in)| differing(real, stand_in, pairs));
        }
        (Value::Object(real), Value::Object(stand_in)) => {
            for (name, real) in real {
                if let Some(stand_in) = stand_in.get(name) {
                    differing(real, stand_in, pairs);
                }
            }
        }
        _ => {}
    }
}

/// Whether a text says what it is of, wherever it stands. A short one, a number or `true` may stand anywhere.
fn is_telling(text: &str) -> bool {
    text.len() >= SHORTEST && serde_json::from_str::<Value>(text).is_err()
}

/// As short as what is masked as a secret.
const SHORTEST: usize = 4;

/// Origin, and host and port, of a text that is an address.
fn address(text: &str) -> Option<[String; 2]> {
    let url: Url = text.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    let (_, authority) = origin.split_once("://")?;
    Some([authority.to_owned(), origin.clone()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_for_what() {
        let read = |config: Value| Values::read(&json!({ "config": config })).unwrap();
        let real = read(json!({
            "url": "http://127.0.0.1:4000/api", "tokens": ["abcd", "same"], "count": 3, "only": "here",
            "short": ["eu", "true", "12345"],
        }));
        let stand_in = read(json!({
            "url": "https://api.example.com/v1", "tokens": ["TOKEN", "same"], "count": 3,
            "short": ["REGION", "false", "PORT"],
        }));
        let pairs = real.stand_ins(&stand_in);
        let pairs: Vec<_> = pairs.iter().map(|(real, stand_in)| (real.as_str(), stand_in.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("http://127.0.0.1:4000/api", "https://api.example.com/v1"),
                ("http://127.0.0.1:4000", "https://api.example.com"),
                ("127.0.0.1:4000", "api.example.com"),
                ("abcd", "TOKEN"),
            ]
        );
    }
}
