//! What of app-config is a secret.

use callboard_egress::Secret;
use callboard_model::manifest::Manifest;
use serde_json::Value;

use crate::guest_config::{at, is_secret_name};

/// Every text of app-config that must not be seen: what stands where the manifest's schemas have a credential, and what is
/// named like a secret. Rather one too many: where a schema has alternatives, each of them counts.
pub fn secrets(manifest: &Manifest, config: &Value) -> Vec<Secret> {
    let mut found = Vec::new();
    named(config, &mut found);
    for (path, schema) in &manifest.config_schema {
        if let Some(value) = at(config, path) {
            marked(schema, value, &mut found);
        }
    }
    found
}

/// Below a key that is named like a secret, everything is one.
fn named(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if is_secret_name(name) { texts(value, found) } else { named(value, found) }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        _ => {}
    }
}

fn marked(schema: &Value, value: &Value, found: &mut Vec<Secret>) {
    if schema.get("x-credential").is_some() {
        return texts(value, found);
    }
    for key in ["anyOf", "oneOf"] {
        let alternatives = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        alternatives.for_each(|alternative| marked(alternative, value, found));
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let own = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(schema) = own.or_else(|| schema.get("additionalProperties")) {
                    marked(schema, value, found);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = schema.get("items") {
                values.iter().for_each(|value| marked(items, value, found));
            }
        }
        _ => {}
    }
}

/// A username stands beside a password, and is not one.
fn texts(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::String(text) => found.push(Secret::new(text.as_str())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(object) => {
            object.iter().filter(|(name, _)| *name != "username").for_each(|(_, value)| texts(value, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_of_them() {
        let schema = json!({ "anyOf": [
            { "type": "object", "properties": {
                "url": { "type": "string" },
                "sign": { "x-credential": { "kind": "bearer", "origin": "https://example.com" } },
                "login": { "x-credential": { "kind": "basic", "origin": "https://example.com" } },
            } },
            { "type": "array", "items": { "type": "object", "additionalProperties": {
                "x-credential": { "kind": "bearer", "origin": "https://example.com" },
            } } },
        ] });
        fn check(schema: &Value, value: Value, expected: usize) {
            let mut found = Vec::new();
            marked(schema, &value, &mut found);
            assert_eq!(found.len(), expected, "{value}");
        }
        check(
            &schema,
            json!({ "url": "https://example.com", "sign": "s", "login": { "username": "u", "password": "p" } }),
            2,
        );
        check(&schema, json!([{ "a": "s", "b": "t" }, { "c": 1 }]), 2);
        check(&schema, json!({}), 0);
        let mut found = Vec::new();
        named(
            &json!({ "aws": [{ "secretAccessKey": "s", "accessKeyId": "i" }], "tokens": "x", "token": ["a"] }),
            &mut found,
        );
        assert_eq!(found.len(), 2);
    }
}
