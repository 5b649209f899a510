//! The part of app-config that a plugin sees: what its schemas describe, with handles in the place of secrets.

use std::collections::BTreeMap;

use callboard_model::manifest::Manifest;
use callboard_model::rights::Rights;
use callboard_model::stable_json;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::guest_config::credential::{Binding, Marker, Service};

pub(crate) mod credential;
pub(crate) mod secrets;

/// What `config.get` answers, and the credentials behind the handles in there.
#[derive(Debug, Default)]
pub(crate) struct GuestConfig {
    values: BTreeMap<String, Option<Value>>,
    bindings: Vec<Binding>,
}

impl GuestConfig {
    /// The value at a path that was granted; the outer none where it was not.
    pub(crate) fn get(&self, path: &str) -> Option<Option<&Value>> {
        self.values.get(path).map(Option::as_ref)
    }

    /// The credential behind a handle.
    pub(crate) fn binding(&self, handle: &str) -> Option<&Binding> {
        let number: usize = handle.strip_prefix(PREFIX)?.parse().ok()?;
        self.bindings.get(number.checked_sub(1)?)
    }

    /// Changes with what the guest sees of app-config, and with nothing else.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, value) in &self.values {
            hash.update(format!("{path}={}\n", value.as_ref().map(stable_json::to_string).unwrap_or_default()));
        }
        hex::encode(hash.finalize())
    }

    /// Validates what is granted of app-config and keeps what the schemas describe.
    ///
    /// # Errors
    /// app-config's value does not fit. The message names the place and never repeats the value.
    pub(crate) fn project(manifest: &Manifest, effective: &Rights, config: &Value) -> Result<GuestConfig, String> {
        let mut projection = Projection { config, bindings: Vec::new() };
        let mut values = BTreeMap::new();
        for path in &effective.config {
            // The manifest was checked: each path that it asks for has a schema.
            let Some(schema) = manifest.config_schema.get(path) else { continue };
            let value = match at(config, path) {
                None => None,
                Some(value) => {
                    validate(path, schema, value)?;
                    projection.value(path, schema, value)?
                }
            };
            values.insert(path.clone(), value);
        }
        Ok(GuestConfig { values, bindings: projection.bindings })
    }
}

const PREFIX: &str = "credential:";

/// The value at a dotted path.
pub(crate) fn at<'a>(config: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(config, |value, key| value.get(key)).filter(|value| !value.is_null())
}

/// Every text at a dotted path; a list on the way stands for each of its elements.
pub(crate) fn texts_at(config: &Value, path: &str) -> Vec<String> {
    let mut found = vec![config];
    for key in path.split('.') {
        found = found.into_iter().flat_map(elements).filter_map(|value| value.get(key)).collect();
    }
    found.into_iter().flat_map(elements).filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        other => std::slice::from_ref(other),
    }
}

/// Whether a key is named like a secret. Such a value is never delivered as it is, whatever a schema says.
pub(crate) fn is_secret_name(name: &str) -> bool {
    const ENDINGS: [&str; 12] = [
        "secret",
        "secretaccesskey",
        "secretkey",
        "accesskey",
        "token",
        "password",
        "passwd",
        "passphrase",
        "privatekey",
        "apikey",
        "credentials",
        "connectionstring",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// What keeps a schema from being used: it is not a JSON Schema, or it says something that the projection would have
/// to guess at.
pub(crate) fn schema_problem(schema: &Value) -> Option<String> {
    if let Err(error) = validator(schema) {
        return Some(format!("it is not a JSON Schema: {error}"));
    }
    unsupported(schema)
}

fn unsupported(schema: &Value) -> Option<String> {
    const KEYWORDS: [&str; 9] = [
        "$ref",
        "$dynamicRef",
        "allOf",
        "if",
        "patternProperties",
        "prefixItems",
        "dependentSchemas",
        "contains",
        "not",
    ];
    let object = schema.as_object()?;
    if let Some(keyword) = KEYWORDS.iter().find(|keyword| object.contains_key(**keyword)) {
        return Some(format!(
            "`{keyword}` is not supported there, since it leaves open what is delivered; write the properties out \
             (YAML's anchors help)"
        ));
    }
    if let Some(marker) = object.get("x-credential")
        && let Err(problem) = Marker::read(marker)
    {
        return Some(problem);
    }
    let properties = object.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|key| object.get(key)?.as_array()).flatten();
    let nested = ["items", "additionalProperties"].into_iter().filter_map(|key| object.get(key));
    properties.chain(alternatives).chain(nested).find_map(unsupported)
}

/// Patterns are matched in linear time: a plugin's author writes them, and a user's input may meet them.
fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| error.masked().to_string())
}

fn validate(path: &str, schema: &Value, value: &Value) -> Result<(), String> {
    let validator = validator(schema)?;
    let problems: Vec<String> = validator
        .iter_errors(value)
        .take(5)
        .map(|error| {
            let place = error.instance_path().to_string().replace('/', ".");
            format!("{path}{place}: {}", error.masked_with("what is there"))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(format!("app-config does not fit: {}", problems.join("; "))) }
}

struct Projection<'a> {
    config: &'a Value,
    bindings: Vec<Binding>,
}

impl Projection<'_> {
    fn value(&mut self, path: &str, schema: &Value, value: &Value) -> Result<Option<Value>, String> {
        if let Some(marker) = schema.get("x-credential") {
            let binding = Marker::read(marker)?.bind(path, value, self.config)?;
            return Ok(binding.map(|binding| self.handle(binding)));
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(alternatives) = schema.get(key).and_then(Value::as_array) {
                let fitting = alternatives
                    .iter()
                    .find(|alternative| validator(alternative).is_ok_and(|validator| validator.is_valid(value)));
                return fitting.map_or(Ok(None), |schema| self.value(path, schema, value));
            }
        }
        match value {
            Value::Object(object) => self.object(path, schema, object).map(Some),
            Value::Array(items) => {
                let Some(schema) = schema.get("items") else { return Ok(Some(Value::Array(Vec::new()))) };
                let mut delivered = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    delivered.extend(self.value(&format!("{path}[{index}]"), schema, item)?);
                }
                Ok(Some(Value::Array(delivered)))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn object(&mut self, path: &str, schema: &Value, object: &Map<String, Value>) -> Result<Value, String> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|schema| schema.is_object());
        let mut delivered = Map::new();
        for (name, value) in object {
            let place = format!("{path}.{name}");
            let described = properties.and_then(|properties| properties.get(name)).or(others);
            let Some(schema) = described.filter(|_| !value.is_null()) else { continue };
            if is_secret_name(name) && schema.get("x-credential").is_none() {
                continue;
            }
            if let Some(value) = self.value(&place, schema, value)? {
                delivered.insert(name.clone(), value);
            }
        }
        // A signature needs no leaf in the file: where its key comes from is the credential chain's affair.
        for (name, schema) in properties.into_iter().flatten() {
            if let Some(marker) = schema.get("x-credential")
                && let Marker::Sigv4 { service: Service::S3 } = Marker::read(marker)?
                && let Some(binding) = Binding::of_bucket(object, self.config)?
            {
                delivered.insert(name.clone(), self.handle(binding));
            }
        }
        Ok(Value::Object(delivered))
    }

    fn handle(&mut self, binding: Binding) -> Value {
        self.bindings.push(binding);
        Value::String(format!("{PREFIX}{}", self.bindings.len()))
    }
}

#[cfg(test)]
mod tests;
