//! The policies: what holds for every entity, whatever its kind.

use serde_json::Value;

use super::format::Format;
use super::schema::{self, Field, Shape};
use super::{Stage, ValidationError, cut, pointer};
use crate::entity::Entity;

const METADATA: &[Field] = &[
    Field::optional("uid", Shape::Text),
    Field::optional("etag", Shape::Text),
    Field::required("name", Shape::Text),
    Field::optional("namespace", Shape::Text),
    Field::optional("title", Shape::Text),
    Field::optional("description", Shape::AnyText),
    Field::optional("labels", Shape::TextMap),
    Field::optional("annotations", Shape::TextMap),
    Field::optional("tags", Shape::Texts),
    Field::optional("links", Shape::Objects(LINK)),
];

const LINK: &[Field] = &[
    Field::required("url", Shape::Text),
    Field::optional("title", Shape::Text),
    Field::optional("icon", Shape::Text),
    Field::optional("type", Shape::Text),
];

const ENTITY: &[Field] = &[
    Field::required("apiVersion", Shape::Text),
    Field::required("kind", Shape::Text),
    Field::required("metadata", Shape::Object(METADATA)),
    Field::optional("spec", Shape::Object(&[])),
    Field::optional("relations", Shape::Array),
    Field::optional("status", Shape::Object(&[])),
];

/// The types of the fields that every entity may have.
pub(super) fn schema_valid(entity: &Entity) -> Result<(), ValidationError> {
    schema::check_fields(ENTITY, entity.as_map(), "").map_err(|violation| {
        let place = if violation.pointer.is_empty() { "<root>" } else { &violation.pointer };
        let message = format!("Malformed envelope, {place} {}", violation.message);
        ValidationError::new(Stage::Policy, violation.pointer.clone(), message, violation.found)
    })
}

/// The root of an author's file is closed; what the server adds is not the author's to write.
pub(super) fn no_foreign_root_fields(entity: &Entity) -> Result<(), ValidationError> {
    const KNOWN: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
    match entity.as_map().iter().find(|(key, _)| !KNOWN.contains(&key.as_str())) {
        None => Ok(()),
        Some((key, value)) => {
            Err(ValidationError::new(Stage::Policy, pointer("", key), format!("Unknown field {key}"), Some(value)))
        }
    }
}

/// The form of names, keys, tags and links.
pub(super) fn field_format(entity: &Entity) -> Result<(), ValidationError> {
    let root = entity.as_map();
    let metadata = entity.metadata();
    require("apiVersion", "/apiVersion", Format::ApiVersion, root.get("apiVersion"))?;
    require("kind", "/kind", Format::Kind, root.get("kind"))?;
    require("metadata.name", "/metadata/name", Format::Name, metadata.get("name"))?;
    optional("metadata.namespace", "/metadata/namespace", Format::Namespace, metadata.get("namespace"))?;
    for (key, value) in objects(metadata.get("labels")) {
        let (field, place) = (format!("labels.{key}"), pointer("/metadata/labels", key));
        require(&field, &place, Format::Key, Some(&Value::from(key.as_str())))?;
        require(&field, &place, Format::LabelValue, Some(value))?;
    }
    for (key, value) in objects(metadata.get("annotations")) {
        let (field, place) = (format!("annotations.{key}"), pointer("/metadata/annotations", key));
        require(&field, &place, Format::Key, Some(&Value::from(key.as_str())))?;
        if value.is_null() {
            return Err(missing(&field, &place, value));
        }
    }
    for (index, tag) in items(metadata.get("tags")) {
        require(&format!("tags.{index}"), &format!("/metadata/tags/{index}"), Format::Tag, Some(tag))?;
    }
    for (index, link) in items(metadata.get("links")) {
        let (field, place) = (format!("links.{index}"), format!("/metadata/links/{index}"));
        require(&format!("{field}.url"), &format!("{place}/url"), Format::Url, link.get("url"))?;
        for key in ["title", "icon"] {
            optional(&format!("{field}.{key}"), &format!("{place}/{key}"), Format::NonBlank, link.get(key))?;
        }
    }
    Ok(())
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    value.and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn optional(field: &str, place: &str, format: Format, value: Option<&Value>) -> Result<(), ValidationError> {
    if value.is_none() { Ok(()) } else { require(field, place, format, value) }
}

fn require(field: &str, place: &str, format: Format, value: Option<&Value>) -> Result<(), ValidationError> {
    let value = value.unwrap_or(&Value::Null);
    if value.is_null() {
        return Err(missing(field, place, value));
    }
    if value.as_str().is_some_and(|text| format.accepts(text)) {
        return Ok(());
    }
    let expected = format.expected();
    let found = cut(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let message = format!(
        "\"{field}\" is not valid; expected {expected} but found \"{found}\". To learn more about the catalog file \
         format, visit: https://backstage.io/docs/features/software-catalog/descriptor-format"
    );
    let mut error = ValidationError::new(Stage::Policy, place, message, Some(value));
    error.expected = Some(expected.to_owned());
    Err(error)
}

fn missing(field: &str, place: &str, value: &Value) -> ValidationError {
    ValidationError::new(Stage::Policy, place, format!("{field} must have a value"), Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// In [`super::super::check`] the schema refuses a null before the formats are looked at.
    #[test]
    fn null_is_not_absent() {
        fn check(metadata: Value, expected: &str) {
            let mut value = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}});
            value["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
            let error = field_format(&Entity::from_value(value).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        check(json!({"labels": {"a": null}}), "labels.a must have a value");
        check(json!({"annotations": {"a": null}}), "annotations.a must have a value");
        check(json!({"tags": [null]}), "tags.0 must have a value");
        check(json!({"links": [{"url": null}]}), "links.0.url must have a value");
        check(json!({"links": [{"url": "https://example.com", "title": null}]}), "links.0.title must have a value");
    }
}
