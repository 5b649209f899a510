//! The fields of a form, from its schema.

use serde_json::Value;

/// How many fields a form may have.
pub const MAX_FIELDS: usize = 100;
/// How deep objects may stand in objects.
pub const MAX_FIELD_DEPTH: usize = 4;
/// How many values an `enum` may have.
pub const MAX_CHOICES: usize = 500;

/// A field.
///
/// ```
/// use callboard_model::ui::{FieldKind, Form};
///
/// let schema = serde_json::json!({ "type": "object", "properties": { "on": { "type": "boolean" } } });
/// let fields = Form::new("set", schema).fields()?;
/// assert_eq!((fields[0].pointer.as_str(), &fields[0].kind), ("/on", &FieldKind::Flag));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where its value stands in the form's: a JSON Pointer.
    pub pointer: String,
    /// Its title, or the property's name.
    pub label: String,
    /// Below the field.
    pub help: Option<String>,
    /// Whether it must have a value.
    pub required: bool,
    /// What it begins with, unless the form says otherwise.
    pub default: Option<Value>,
    /// What it takes.
    pub kind: FieldKind,
}

/// What a [`Field`] takes.
///
/// ```
/// use callboard_model::ui::{FieldKind, Form};
///
/// let schema = serde_json::json!({ "type": "object", "properties": { "n": { "type": "integer", "minimum": 1 } } });
/// let kind = Form::new("set", schema).fields()?.remove(0).kind;
/// assert_eq!(kind, FieldKind::Number { whole: true, least: Some(1.0), most: None });
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are the schema's keywords")]
pub enum FieldKind {
    /// Words.
    Text { lines: bool, format: Option<String>, shortest: Option<u64>, longest: Option<u64> },
    /// A number.
    Number { whole: bool, least: Option<f64>, most: Option<f64> },
    /// Yes or no.
    Flag,
    /// One of a few.
    One(Vec<Choice>),
    /// Some of a few.
    Several(Vec<Choice>),
    /// Fields of its own.
    Group(Vec<Field>),
}

/// A value to choose.
///
/// ```
/// use callboard_model::ui::Choice;
///
/// let choice = Choice { value: serde_json::json!(3), key: "3".into(), label: "three".into() };
/// assert_eq!(choice.key, choice.value.to_string());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The value.
    pub value: Value,
    /// The value as JSON text, which tells it from the others.
    pub key: String,
    /// What people call it: `enumNames` of the schema, or the value.
    pub label: String,
}

pub(super) fn of(schema: &Value) -> Result<Vec<Field>, String> {
    let mut count = 0;
    properties(schema, "", 1, &mut count)
}

/// What would make the fields depend on the value; a form's are fixed.
const REFUSED: [&str; 9] =
    ["$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependencies", "dependentSchemas", "patternProperties"];

fn properties(schema: &Value, at: &str, depth: usize, count: &mut usize) -> Result<Vec<Field>, String> {
    let here = || if at.is_empty() { "the schema".to_owned() } else { format!("`{at}`") };
    if depth > MAX_FIELD_DEPTH {
        return Err(format!("{} is nested more than {MAX_FIELD_DEPTH} deep", here()));
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(format!("{} must have the type `object`", here()));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.ok_or_else(|| format!("{} has no `properties`", here()))?;
    let required: Vec<&str> = strings(schema.get("required"));
    let order = strings(schema.get("ui:order"));
    let place = |name: &str| order.iter().position(|each| *each == name).unwrap_or(order.len());
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort_by_key(|name| place(name));
    names
        .into_iter()
        .filter_map(|name| Some((name, properties.get(name)?)))
        .map(|(name, schema)| {
            *count += 1;
            if *count > MAX_FIELDS {
                return Err(format!("the schema has more than {MAX_FIELDS} fields"));
            }
            let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str).map(str::to_owned);
            Ok(Field {
                label: text("title").unwrap_or_else(|| name.clone()),
                help: text("description"),
                required: required.contains(&name.as_str()),
                default: schema.get("default").cloned(),
                kind: kind(schema, &pointer, depth, count)?,
                pointer,
            })
        })
        .collect()
}

fn kind(schema: &Value, at: &str, depth: usize, count: &mut usize) -> Result<FieldKind, String> {
    if let Some(keyword) = REFUSED.iter().find(|keyword| schema.get(**keyword).is_some()) {
        return Err(format!("`{at}` has `{keyword}`, which a form cannot show"));
    }
    if let Some(values) = schema.get("enum") {
        return Ok(FieldKind::One(choices(values, schema, at)?));
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Ok(FieldKind::Text {
            lines: schema.get("ui:widget").and_then(Value::as_str) == Some("textarea"),
            format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
            shortest: schema.get("minLength").and_then(Value::as_u64),
            longest: schema.get("maxLength").and_then(Value::as_u64),
        }),
        Some(number @ ("number" | "integer")) => Ok(FieldKind::Number {
            whole: number == "integer",
            least: schema.get("minimum").and_then(Value::as_f64),
            most: schema.get("maximum").and_then(Value::as_f64),
        }),
        Some("boolean") => Ok(FieldKind::Flag),
        Some("array") => match schema.get("items").and_then(|items| Some((items, items.get("enum")?))) {
            Some((items, values)) => Ok(FieldKind::Several(choices(values, items, at)?)),
            None => Err(format!("`{at}` is an array, whose `items` must have an `enum`")),
        },
        Some("object") => Ok(FieldKind::Group(properties(schema, at, depth + 1, count)?)),
        Some(other) => Err(format!("`{at}` has the type `{other}`, which a form cannot show")),
        None => Err(format!("`{at}` has no `type`")),
    }
}

fn choices(values: &Value, schema: &Value, at: &str) -> Result<Vec<Choice>, String> {
    let values = values.as_array().ok_or_else(|| format!("the `enum` of `{at}` is no list"))?;
    if values.len() > MAX_CHOICES {
        return Err(format!("the `enum` of `{at}` has {} values; {MAX_CHOICES} are allowed", values.len()));
    }
    let names = strings(schema.get("enumNames"));
    let choice = |(index, value): (usize, &Value)| Choice {
        label: match (names.get(index), value) {
            (Some(name), _) => (*name).to_owned(),
            (None, Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        },
        key: value.to_string(),
        value: value.clone(),
    };
    Ok(values.iter().enumerate().map(choice).collect())
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_that_no_form_is_made_of_are_refused() {
        fn check(property: Value, expected: Result<(), &str>) {
            let schema = json!({ "type": "object", "properties": { "a": property } });
            match (of(&schema), expected) {
                (Ok(_), Ok(())) => {}
                (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
                (found, _) => panic!("{schema}: {found:?}"),
            }
        }
        check(json!({ "type": "string", "format": "email", "pattern": "x" }), Ok(()));
        check(json!({ "type": "array", "items": { "enum": [1, 2] } }), Ok(()));
        check(json!({ "enum": ["x", null, 5] }), Ok(()));
        check(json!({ "type": "array", "items": { "type": "string" } }), Err("`items` must have an `enum`"));
        check(json!({ "type": "null" }), Err("`/a` has the type `null`"));
        check(json!({ "oneOf": [] }), Err("`/a` has `oneOf`"));
        check(json!({}), Err("`/a` has no `type`"));
        check(json!({ "type": "object" }), Err("`/a` has no `properties`"));
        check(json!({ "enum": vec![0; 501] }), Err("501 values"));
        let deep = (0..4)
            .fold(json!({ "type": "string" }), |inner, _| json!({ "type": "object", "properties": { "b": inner } }));
        check(deep, Err("more than 4 deep"));
        let many: serde_json::Map<_, _> = (0..101).map(|n| (n.to_string(), json!({ "type": "boolean" }))).collect();
        assert_eq!(
            of(&json!({ "type": "object", "properties": many })),
            Err("the schema has more than 100 fields".into())
        );
        assert_eq!(of(&json!({})), Err("the schema must have the type `object`".into()));
    }

    #[test]
    fn fields_stand_in_the_order_that_is_asked_for() {
        let schema = json!({ "type": "object", "ui:order": ["c", "a"], "properties": {
            "a": { "type": "boolean" }, "b/~": { "type": "boolean" }, "c": { "type": "boolean" },
        } });
        let pointers: Vec<_> = of(&schema).unwrap().into_iter().map(|field| field.pointer).collect();
        assert_eq!(pointers, ["/c", "/a", "/b~1~0"]);
    }
}
