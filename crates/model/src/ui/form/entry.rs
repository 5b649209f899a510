//! What was typed into a form, and what value that makes.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use url::Url;

use super::field::{Choice, Field, FieldKind};

/// What stands in a field.
///
/// ```
/// use callboard_model::ui::{Entry, Form};
///
/// let schema = serde_json::json!({ "type": "object", "properties": { "n": { "type": "integer", "default": 2 } } });
/// let fields = Form::new("set", schema).fields()?;
/// assert_eq!(fields[0].initial(None), Entry::Text("2".into()));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Words, or a number as it was typed.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// The [keys](Choice::key) of what was chosen.
    Chosen(Vec<String>),
}

/// Why the entry of a field is none. The page puts it into words.
///
/// ```
/// use callboard_model::ui::FieldProblem;
///
/// assert_ne!(FieldProblem::Missing, FieldProblem::TooLong(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldProblem {
    /// It must have a value.
    Missing,
    /// It has fewer characters than this.
    TooShort(u64),
    /// It has more characters than this.
    TooLong(u64),
    /// It is no number.
    NoNumber,
    /// It is no whole number.
    NotWhole,
    /// It is less than this.
    TooSmall(f64),
    /// It is more than this.
    TooLarge(f64),
    /// It is no address of e-mail.
    NoEmail,
    /// It is no absolute URL.
    NoUrl,
}

impl Field {
    /// What stands in the field at first, by the form's value.
    pub fn initial(&self, form: Option<&Value>) -> Entry {
        let value = form.and_then(|form| form.pointer(&self.pointer)).or(self.default.as_ref());
        let key_of = |value: &Value| value.to_string();
        match (&self.kind, value) {
            (FieldKind::Flag, value) => Entry::Flag(value.and_then(Value::as_bool).unwrap_or_default()),
            (FieldKind::One(_), value) => Entry::Chosen(value.map(key_of).into_iter().collect()),
            (FieldKind::Several(_), value) => {
                Entry::Chosen(value.and_then(Value::as_array).into_iter().flatten().map(key_of).collect())
            }
            (_, Some(Value::String(text))) => Entry::Text(text.clone()),
            (_, Some(value @ Value::Number(_))) => Entry::Text(value.to_string()),
            _ => Entry::Text(String::new()),
        }
    }
}

/// Makes the form's value of what stands in its fields, by their pointers.
///
/// # Errors
/// What is wrong, by the field's pointer, in the order of the fields.
///
/// ```
/// use std::collections::BTreeMap;
/// use callboard_model::ui::{Entry, FieldProblem, Form, assemble};
///
/// let schema = serde_json::json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
/// let fields = Form::new("set", schema).fields()?;
/// let typed = BTreeMap::from([("/n".to_owned(), Entry::Text("3".into()))]);
/// assert_eq!(assemble(&fields, &typed), Ok(serde_json::json!({ "n": 3 })));
/// assert_eq!(assemble(&fields, &BTreeMap::new()), Err(vec![("/n".to_owned(), FieldProblem::Missing)]));
/// # Ok::<(), String>(())
/// ```
pub fn assemble(fields: &[Field], entries: &BTreeMap<String, Entry>) -> Result<Value, Vec<(String, FieldProblem)>> {
    let mut problems = Vec::new();
    let value = object(fields, entries, &mut problems);
    if problems.is_empty() { Ok(value) } else { Err(problems) }
}

fn object(fields: &[Field], entries: &BTreeMap<String, Entry>, problems: &mut Vec<(String, FieldProblem)>) -> Value {
    let mut object = Map::new();
    for field in fields {
        let read = match &field.kind {
            FieldKind::Group(inner) => Ok(Some(self::object(inner, entries, problems))),
            _ => read(field, entries.get(&field.pointer)),
        };
        match read {
            Ok(Some(value)) => {
                let name = field.pointer.rsplit('/').next().unwrap_or_default();
                object.insert(name.replace("~1", "/").replace("~0", "~"), value);
            }
            Ok(None) if field.required => problems.push((field.pointer.clone(), FieldProblem::Missing)),
            Ok(None) => {}
            Err(problem) => problems.push((field.pointer.clone(), problem)),
        }
    }
    Value::Object(object)
}

/// The value of one field; none where nothing was typed.
fn read(field: &Field, entry: Option<&Entry>) -> Result<Option<Value>, FieldProblem> {
    match (&field.kind, entry) {
        (FieldKind::Flag, Some(Entry::Flag(on))) => Ok(Some(Value::Bool(*on))),
        (FieldKind::One(choices), Some(Entry::Chosen(keys))) => Ok(chosen(choices, keys).into_iter().next()),
        (FieldKind::Several(choices), Some(Entry::Chosen(keys))) => {
            let values = chosen(choices, keys);
            Ok((!values.is_empty()).then_some(Value::Array(values)))
        }
        (FieldKind::Text { format, shortest, longest, .. }, Some(Entry::Text(text))) if !text.is_empty() => {
            let length = text.chars().count() as u64;
            match (shortest, longest) {
                (Some(shortest), _) if length < *shortest => return Err(FieldProblem::TooShort(*shortest)),
                (_, Some(longest)) if length > *longest => return Err(FieldProblem::TooLong(*longest)),
                _ => {}
            }
            match format.as_deref() {
                Some("email") if !is_email(text) => Err(FieldProblem::NoEmail),
                Some("uri") if Url::parse(text).is_err() => Err(FieldProblem::NoUrl),
                _ => Ok(Some(Value::String(text.clone()))),
            }
        }
        (FieldKind::Number { whole, least, most }, Some(Entry::Text(text))) if !text.trim().is_empty() => {
            let number: f64 = text.trim().parse().map_err(|_| FieldProblem::NoNumber)?;
            match (least, most) {
                _ if *whole && number.fract() != 0.0 => Err(FieldProblem::NotWhole),
                (Some(least), _) if number < *least => Err(FieldProblem::TooSmall(*least)),
                (_, Some(most)) if number > *most => Err(FieldProblem::TooLarge(*most)),
                _ => json_number(text.trim(), number).map(Some),
            }
        }
        _ => Ok(None),
    }
}

/// A whole number stays one.
fn json_number(text: &str, number: f64) -> Result<Value, FieldProblem> {
    match text.parse::<i64>() {
        Ok(whole) => Ok(whole.into()),
        Err(_) => Number::from_f64(number).map(Value::Number).ok_or(FieldProblem::NoNumber),
    }
}

fn chosen(choices: &[Choice], keys: &[String]) -> Vec<Value> {
    choices.iter().filter(|choice| keys.contains(&choice.key)).map(|choice| choice.value.clone()).collect()
}

/// As much as can be said without sending one.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Form;
    use super::*;

    fn check(property: Value, entry: Entry, expected: Result<Value, FieldProblem>) {
        let schema = json!({ "type": "object", "required": ["a"], "properties": { "a": property } });
        let fields = Form::new("x", schema).fields().unwrap();
        let found = assemble(&fields, &BTreeMap::from([("/a".to_owned(), entry)]));
        let expected = expected.map(|value| json!({ "a": value })).map_err(|problem| vec![("/a".to_owned(), problem)]);
        assert_eq!(found, expected, "{property}");
    }

    #[test]
    fn entries_become_values() {
        let text = |text: &str| Entry::Text(text.to_owned());
        let string = || json!({ "type": "string", "minLength": 2, "maxLength": 3 });
        check(string(), text("äöü"), Ok(json!("äöü")));
        check(string(), text("a"), Err(FieldProblem::TooShort(2)));
        check(string(), text("abcd"), Err(FieldProblem::TooLong(3)));
        check(string(), text(""), Err(FieldProblem::Missing));
        let email = || json!({ "type": "string", "format": "email" });
        check(email(), text("ada@example.com"), Ok(json!("ada@example.com")));
        check(email(), text("ada"), Err(FieldProblem::NoEmail));
        check(json!({ "type": "string", "format": "uri" }), text("/x"), Err(FieldProblem::NoUrl));
        let whole = || json!({ "type": "integer", "minimum": 1, "maximum": 9 });
        check(whole(), text(" 3 "), Ok(json!(3)));
        check(whole(), text("2.5"), Err(FieldProblem::NotWhole));
        check(whole(), text("0"), Err(FieldProblem::TooSmall(1.0)));
        check(whole(), text("10"), Err(FieldProblem::TooLarge(9.0)));
        check(whole(), text("x"), Err(FieldProblem::NoNumber));
        check(json!({ "type": "number" }), text("NaN"), Err(FieldProblem::NoNumber));
        check(json!({ "type": "number" }), text("2.5"), Ok(json!(2.5)));
        check(json!({ "type": "boolean" }), Entry::Flag(false), Ok(json!(false)));
        check(json!({ "enum": [1, "1"] }), Entry::Chosen(vec!["\"1\"".to_owned()]), Ok(json!("1")));
        check(json!({ "enum": [1] }), Entry::Chosen(vec!["2".to_owned()]), Err(FieldProblem::Missing));
        let several = json!({ "type": "array", "items": { "enum": ["a", "b"] } });
        check(several, Entry::Chosen(vec!["\"b\"".to_owned()]), Ok(json!(["b"])));
    }

    #[test]
    fn groups_stand_within() {
        let schema = json!({ "type": "object", "properties": { "a/b": {
            "type": "object", "required": ["c"], "properties": { "c": { "type": "string" } },
        } } });
        let fields = Form::new("x", schema).fields().unwrap();
        let typed = BTreeMap::from([("/a~1b/c".to_owned(), Entry::Text("d".into()))]);
        assert_eq!(assemble(&fields, &typed), Ok(json!({ "a/b": { "c": "d" } })));
        assert_eq!(assemble(&fields, &BTreeMap::new()), Err(vec![("/a~1b/c".to_owned(), FieldProblem::Missing)]));
    }

    #[test]
    fn fields_begin_with_what_the_form_says() {
        let schema = json!({ "type": "object", "properties": {
            "n": { "type": "integer", "default": 2 }, "m": { "type": "array", "items": { "enum": ["a", "b"] } },
        } });
        let fields = Form::new("x", schema).fields().unwrap();
        let value = json!({ "n": 5, "m": ["b"] });
        let initial: Vec<_> = fields.iter().map(|field| field.initial(Some(&value))).collect();
        assert_eq!(initial, [Entry::Chosen(vec!["\"b\"".to_owned()]), Entry::Text("5".into())]);
    }
}
