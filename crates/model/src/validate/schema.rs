//! As much of JSON Schema as the catalog's own schemas need, as data, with the words of the validator `ajv`.

use serde_json::{Map, Value};

use super::pointer;

/// A property of an object. Objects are open: what is not listed is allowed.
pub(super) struct Field {
    name: &'static str,
    shape: Shape,
    required: bool,
}

impl Field {
    pub(super) const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: true }
    }

    pub(super) const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: false }
    }
}

/// What a value may be.
pub(super) enum Shape {
    /// A string of at least one character.
    Text,
    /// A string.
    AnyText,
    /// An array of [`Shape::Text`].
    Texts,
    /// An object whose values are strings.
    TextMap,
    /// An object with these properties.
    Object(&'static [Field]),
    /// An array of such objects.
    Objects(&'static [Field]),
    /// An object, or an array of objects.
    ObjectOrObjects,
    /// An array of anything.
    Array,
    /// One of these strings.
    OneOf(&'static [&'static str]),
}

/// The first thing that is wrong.
#[derive(Debug)]
pub(super) struct Violation<'a> {
    pub(super) pointer: String,
    pub(super) message: String,
    /// The parameters of the rule, as `name: value`.
    pub(super) params: String,
    pub(super) found: Option<&'a Value>,
}

impl<'a> Violation<'a> {
    fn new(pointer: &str, message: impl Into<String>, params: String, found: Option<&'a Value>) -> Self {
        Self { pointer: pointer.to_owned(), message: message.into(), params, found }
    }

    fn of_type(pointer: &str, name: &str, found: &'a Value) -> Self {
        Self::new(pointer, format!("must be {name}"), format!("type: {name}"), Some(found))
    }
}

/// Checks the properties of an object: first that the required ones are there, then each in the order of the schema.
pub(super) fn check_fields<'a>(
    fields: &[Field],
    map: &'a Map<String, Value>,
    place: &str,
) -> Result<(), Violation<'a>> {
    if let Some(field) = fields.iter().find(|field| field.required && !map.contains_key(field.name)) {
        let message = format!("must have required property '{}'", field.name);
        return Err(Violation::new(place, message, format!("missingProperty: {}", field.name), None));
    }
    for field in fields {
        if let Some(value) = map.get(field.name) {
            check(&field.shape, value, &pointer(place, field.name))?;
        }
    }
    Ok(())
}

fn check<'a>(shape: &Shape, value: &'a Value, place: &str) -> Result<(), Violation<'a>> {
    match shape {
        Shape::Text if value.as_str() == Some("") => {
            let message = "must NOT have fewer than 1 characters";
            Err(Violation::new(place, message, "limit: 1".to_owned(), Some(value)))
        }
        Shape::Text | Shape::AnyText if value.is_string() => Ok(()),
        Shape::Text | Shape::AnyText => Err(Violation::of_type(place, "string", value)),
        Shape::Texts => check_items(value, place, |item, place| check(&Shape::Text, item, place)),
        Shape::TextMap => {
            let map = value.as_object().ok_or_else(|| Violation::of_type(place, "object", value))?;
            map.iter().try_for_each(|(key, value)| check(&Shape::AnyText, value, &pointer(place, key)))
        }
        Shape::Object(fields) => {
            let map = value.as_object().ok_or_else(|| Violation::of_type(place, "object", value))?;
            check_fields(fields, map, place)
        }
        Shape::Objects(fields) => check_items(value, place, |item, place| check(&Shape::Object(fields), item, place)),
        // As with `oneOf`, the first alternative's complaint is the first one.
        Shape::ObjectOrObjects => match value.as_array() {
            Some(items) if items.iter().all(Value::is_object) => Ok(()),
            _ => check(&Shape::Object(&[]), value, place),
        },
        Shape::Array => check_items(value, place, |_, _| Ok(())),
        Shape::OneOf(allowed) => match value.as_str() {
            None => Err(Violation::of_type(place, "string", value)),
            Some(text) if allowed.contains(&text) => Ok(()),
            Some(_) => {
                let message = "must be equal to one of the allowed values";
                Err(Violation::new(place, message, format!("allowedValues: {}", allowed.join(",")), Some(value)))
            }
        },
    }
}

fn check_items<'a>(
    value: &'a Value,
    place: &str,
    check: impl Fn(&'a Value, &str) -> Result<(), Violation<'a>>,
) -> Result<(), Violation<'a>> {
    let items = value.as_array().ok_or_else(|| Violation::of_type(place, "array", value))?;
    items.iter().enumerate().try_for_each(|(index, item)| check(item, &format!("{place}/{index}")))
}
