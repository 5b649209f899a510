//! Entities: what the catalog is made of.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::entity_ref::EntityRef;

/// The namespace of an entity that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// A JSON object that has passed the envelope check: `apiVersion` and `kind` are non-empty strings, `metadata` is an
/// object with a non-empty string `name`, and `metadata.namespace`, where present, is a non-empty string.
///
/// Whether it is *valid* is another question, answered by [`crate::validate::check`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Entity(Map<String, Value>);

impl Entity {
    /// Takes a value that passes the envelope check.
    pub fn from_value(value: Value) -> Result<Self, EnvelopeError> {
        check_envelope(&value)?;
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(EnvelopeError::new("", "must be object")),
        }
    }

    /// The entity as JSON.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The entity as JSON, to be changed and handed to [`Entity::from_value`] again.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// A copy of the entity as JSON.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// For example `backstage.io/v1alpha1`.
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// In the case in which it is written, for example `Component`.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// In the case in which it is written.
    pub fn name(&self) -> &str {
        self.metadata_text("name").unwrap_or_default()
    }

    /// In the case in which it is written; `default` where the entity names none.
    pub fn namespace(&self) -> &str {
        self.metadata_text("namespace").unwrap_or(DEFAULT_NAMESPACE)
    }

    /// The canonical ref.
    pub fn entity_ref(&self) -> EntityRef {
        EntityRef::new(self.kind(), self.namespace(), self.name())
    }

    /// `metadata.title`.
    pub fn title(&self) -> Option<&str> {
        self.metadata_text("title")
    }

    /// `metadata.description`.
    pub fn description(&self) -> Option<&str> {
        self.metadata_text("description")
    }

    /// One of `metadata.annotations`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    /// Adds or replaces one of `metadata.annotations`. An `annotations` that is not an object is replaced by one.
    pub fn set_annotation(&mut self, key: impl Into<String>, value: impl Into<String>) {
        if let Some(annotations) = self.annotations_mut() {
            annotations.insert(key.into(), Value::String(value.into()));
        }
    }

    /// Takes one of `metadata.annotations` away.
    pub fn remove_annotation(&mut self, key: &str) -> Option<Value> {
        self.0.get_mut("metadata")?.get_mut("annotations")?.as_object_mut()?.remove(key)
    }

    /// Writes the default namespace where the entity names none.
    pub fn set_default_namespace(&mut self) {
        if let Some(Value::Object(metadata)) = self.0.get_mut("metadata") {
            metadata.entry("namespace").or_insert_with(|| Value::from(DEFAULT_NAMESPACE));
        }
    }

    /// `metadata`.
    pub fn metadata(&self) -> &Map<String, Value> {
        static EMPTY: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
        match self.0.get("metadata") {
            Some(Value::Object(metadata)) => metadata,
            _ => EMPTY.get_or_init(Map::new),
        }
    }

    /// Something below `spec`, by the dotted path of its keys: `spec("profile.email")`.
    pub fn spec(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self.0.get("spec")?, |value, key| value.get(key))
    }

    /// As [`Entity::spec`], where it is a string.
    pub fn spec_text(&self, path: &str) -> Option<&str> {
        self.spec(path)?.as_str()
    }

    /// `spec`, to be changed: no rule of the envelope is about it.
    pub fn spec_mut(&mut self) -> Option<&mut Value> {
        self.0.get_mut("spec")
    }

    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata_text(&self, key: &str) -> Option<&str> {
        self.0.get("metadata")?.get(key)?.as_str()
    }

    fn annotations_mut(&mut self) -> Option<&mut Map<String, Value>> {
        let metadata = self.0.get_mut("metadata")?.as_object_mut()?;
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if !annotations.is_object() {
            *annotations = Value::Object(Map::new());
        }
        annotations.as_object_mut()
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<Value> for Entity {
    type Error = EnvelopeError;

    fn try_from(value: Value) -> Result<Self, EnvelopeError> {
        Self::from_value(value)
    }
}

/// Why a value is no entity at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeError {
    /// A JSON pointer; empty for the root.
    pub pointer: String,
    /// What is wrong there.
    pub message: Cow<'static, str>,
}

impl EnvelopeError {
    fn new(pointer: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: pointer.to_owned(), message: message.into() }
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "<root>" } else { &self.pointer };
        write!(f, "Malformed envelope, {pointer} {}", self.message)
    }
}

impl std::error::Error for EnvelopeError {}

fn check_envelope(value: &Value) -> Result<(), EnvelopeError> {
    let Value::Object(root) = value else {
        return Err(EnvelopeError::new("", "must be object"));
    };
    for key in ["apiVersion", "kind", "metadata"] {
        if !root.contains_key(key) {
            return Err(EnvelopeError::new("", format!("must have required property '{key}'")));
        }
    }
    check_text(root, "apiVersion", "")?;
    check_text(root, "kind", "")?;
    let Some(Value::Object(metadata)) = root.get("metadata") else {
        return Err(EnvelopeError::new("/metadata", "must be object"));
    };
    if !metadata.contains_key("name") {
        return Err(EnvelopeError::new("/metadata", "must have required property 'name'"));
    }
    check_text(metadata, "name", "/metadata")?;
    check_text(metadata, "namespace", "/metadata")
}

fn check_text(map: &Map<String, Value>, key: &str, parent: &str) -> Result<(), EnvelopeError> {
    let message = match map.get(key) {
        Some(Value::String(text)) if text.is_empty() => "must NOT have fewer than 1 characters",
        None | Some(Value::String(_)) => return Ok(()),
        Some(_) => "must be string",
    };
    Err(EnvelopeError::new(&format!("{parent}/{key}"), message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn envelope() {
        fn check(value: Value, expected: &str) {
            let found = Entity::from_value(value).map_or_else(|error| error.to_string(), |_| "ok".to_owned());
            assert_eq!(found, expected);
        }
        check(json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "anything": 1}), "ok");
        check(json!([]), "Malformed envelope, <root> must be object");
        check(
            json!({"kind": "X", "metadata": {}}),
            "Malformed envelope, <root> must have required property 'apiVersion'",
        );
        check(json!({"apiVersion": 1, "kind": "X", "metadata": {}}), "Malformed envelope, /apiVersion must be string");
        check(
            json!({"apiVersion": "v1", "kind": "", "metadata": {}}),
            "Malformed envelope, /kind must NOT have fewer than 1 characters",
        );
        check(json!({"apiVersion": "v1", "kind": "X", "metadata": 3}), "Malformed envelope, /metadata must be object");
        check(
            json!({"apiVersion": "v1", "kind": "X", "metadata": {}}),
            "Malformed envelope, /metadata must have required property 'name'",
        );
        check(
            json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": 1}}),
            "Malformed envelope, /metadata/name must be string",
        );
        check(
            json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "namespace": ""}}),
            "Malformed envelope, /metadata/namespace must NOT have fewer than 1 characters",
        );
        check(
            json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "namespace": null}}),
            "Malformed envelope, /metadata/namespace must be string",
        );
    }

    #[test]
    fn accessors() {
        let mut entity = Entity::from_value(json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "User",
            "metadata": {"name": "Ada", "title": "Ada L.", "annotations": 7},
            "spec": {"profile": {"email": "ada@example.com"}},
        }))
        .unwrap();
        assert_eq!(entity.entity_ref().to_string(), "user:default/ada");
        assert_eq!(entity.title(), Some("Ada L."));
        assert_eq!(entity.spec_text("profile.email"), Some("ada@example.com"));
        assert_eq!(entity.spec("profile.phone"), None);
        assert_eq!(entity.annotation("a"), None);
        entity.set_annotation("a", "b");
        assert_eq!(entity.annotation("a"), Some("b"));
        entity.remove_annotation("a");
        assert_eq!(entity.annotation("a"), None);
        entity.set_default_namespace();
        assert_eq!(entity.metadata().get("namespace"), Some(&json!("default")));
    }
}
