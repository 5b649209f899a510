//! The JSON form of predicates, as the bodies of requests carry it.

use serde_json::{Map, Value, json};

use super::{Budget, FilterError, MAX_DEPTH, Predicate};
use crate::stable_json;

pub(super) fn parse(value: &Value) -> Result<Predicate, FilterError> {
    predicate(value, MAX_DEPTH, &mut Budget::default())
}

fn predicate(value: &Value, depth: usize, budget: &mut Budget) -> Result<Predicate, FilterError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(invalid(format!("it is nested more than {MAX_DEPTH} deep")));
    };
    let Value::Object(map) = value else {
        return Err(invalid(format!("expected an object with fields or operators, found {}", describe(value))));
    };
    if let Some((operator, operand)) = map.iter().find(|(key, _)| key.starts_with('$')) {
        let known = matches!(operator.as_str(), "$all" | "$any" | "$not");
        return match (operator.as_str(), operand) {
            _ if known && map.len() > 1 => Err(invalid(format!("nothing else may stand beside {operator}"))),
            ("$all", Value::Array(items)) => Ok(Predicate::All(predicates(items, depth, budget)?)),
            ("$any", Value::Array(items)) => Ok(Predicate::Any(predicates(items, depth, budget)?)),
            ("$not", operand) => Ok(Predicate::Not(Box::new(predicate(operand, depth, budget)?))),
            _ if known => Err(invalid(format!("{operator} needs an array, found {}", describe(operand)))),
            _ => Err(invalid(format!(
                "unknown operator {}; at this place there are $all, $any and $not",
                shown(operator)
            ))),
        };
    }
    budget.take_empty(map.is_empty())?;
    let mut fields = map.iter().map(|(key, value)| field(key, value, budget)).collect::<Result<Vec<_>, _>>()?;
    match fields.pop() {
        Some(only) if fields.is_empty() => Ok(only),
        Some(last) => {
            fields.push(last);
            Ok(Predicate::All(fields))
        }
        None => Ok(Predicate::All(fields)),
    }
}

fn predicates(items: &[Value], depth: usize, budget: &mut Budget) -> Result<Vec<Predicate>, FilterError> {
    budget.take_empty(items.is_empty())?;
    items.iter().map(|item| predicate(item, depth, budget)).collect()
}

fn field(key: &str, value: &Value, budget: &mut Budget) -> Result<Predicate, FilterError> {
    budget.take(1)?;
    if key.contains(['\n', '\r']) {
        return Err(invalid(format!("the field {} holds a line end", shown(key))));
    }
    let Value::Object(map) = value else {
        return primitive(value).map(|value| Predicate::equals(key, &value)).ok_or_else(|| {
            invalid(format!("the field {} needs a value or an operator, found {}", shown(key), describe(value)))
        });
    };
    let mut entries = map.iter();
    let (Some((operator, operand)), None) = (entries.next(), entries.next()) else {
        return Err(invalid(format!(
            "the field {} needs exactly one of $exists, $in, $hasPrefix and $contains",
            shown(key)
        )));
    };
    let needs = |what: &str| invalid(format!("{operator} at {} needs {what}, found {}", shown(key), describe(operand)));
    match operator.as_str() {
        "$exists" => match operand {
            Value::Bool(true) => Ok(Predicate::exists(key)),
            Value::Bool(false) => Ok(Predicate::Not(Box::new(Predicate::exists(key)))),
            _ => Err(needs("true or false")),
        },
        "$in" => {
            let items = operand.as_array().ok_or_else(|| needs("an array of values"))?;
            // The first one is counted with the field.
            budget.take(items.len().saturating_sub(1))?;
            let values: Option<Vec<_>> = items.iter().map(primitive).collect();
            Ok(Predicate::one_of(key, values.ok_or_else(|| needs("strings, numbers or booleans"))?))
        }
        "$hasPrefix" => {
            operand.as_str().map(|prefix| Predicate::has_prefix(key, prefix)).ok_or_else(|| needs("a string"))
        }
        "$contains" => match operand {
            Value::Object(relation) if key.eq_ignore_ascii_case("relations") => related(relation, budget),
            Value::Object(_) => Err(needs("a value; an object may only stand at relations")),
            _ => primitive(operand).map(|value| Predicate::equals(key, &value)).ok_or_else(|| needs("a value")),
        },
        _ => Err(invalid(format!(
            "unknown operator {} at {}; there are $exists, $in, $hasPrefix and $contains",
            shown(operator),
            shown(key)
        ))),
    }
}

fn related(relation: &Map<String, Value>, budget: &mut Budget) -> Result<Predicate, FilterError> {
    if let Some(other) = relation.keys().find(|key| !matches!(key.as_str(), "type" | "targetRef")) {
        return Err(invalid(format!("a relation has type and targetRef, not {}", shown(other))));
    }
    let kind = relation.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| invalid("a relation needs a type, which is a string"))?;
    let needs = || invalid("the targetRef of a relation needs a string or {\"$in\": [strings, at least one]}");
    match relation.get("targetRef") {
        None => Ok(Predicate::related(kind)),
        Some(Value::String(target)) => Ok(Predicate::related_to(kind, [target])),
        Some(Value::Object(map)) if map.len() == 1 => {
            let items = map.get("$in").and_then(Value::as_array).filter(|items| !items.is_empty()).ok_or_else(needs)?;
            budget.take(items.len().saturating_sub(1))?;
            let targets: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            Ok(Predicate::related_to(kind, targets.ok_or_else(needs)?))
        }
        Some(_) => Err(needs()),
    }
}

/// The text that a search row would have for the value.
fn primitive(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(stable_json::number(number)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn invalid(message: impl std::fmt::Display) -> FilterError {
    FilterError::new(format!("Invalid query: {message}"))
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn shown(text: &str) -> String {
    format!("\"{}\"", text.chars().take(100).flat_map(char::escape_debug).collect::<String>())
}

/// Writes what [`parse`] reads.
pub(super) fn write(predicate: &Predicate) -> Value {
    let many = |predicates: &[Predicate]| -> Value { predicates.iter().map(write).collect() };
    match predicate {
        Predicate::All(all) => json!({ "$all": many(all) }),
        Predicate::Any(any) => json!({ "$any": many(any) }),
        Predicate::Not(not) => match not.as_ref() {
            Predicate::Exists { key } => json!({ key: { "$exists": false } }),
            other => json!({ "$not": write(other) }),
        },
        Predicate::Exists { key } => json!({ key: { "$exists": true } }),
        Predicate::Equals { key, value } => json!({ key: value }),
        Predicate::In { key, values } => json!({ key: { "$in": values } }),
        Predicate::HasPrefix { key, value } => json!({ key: { "$hasPrefix": value } }),
        Predicate::Related { kind, targets } => {
            let mut relation = json!({ "type": kind });
            if let (Some(targets), Some(map)) = (targets, relation.as_object_mut()) {
                map.insert("targetRef".to_owned(), json!({ "$in": targets }));
            }
            json!({ "relations": { "$contains": relation } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused() {
        fn check(value: Value, expected: &str) {
            let error = parse(&value).unwrap_err().to_string();
            assert_eq!(error, format!("Invalid query: {expected}"), "{value}");
        }
        check(json!("x"), "expected an object with fields or operators, found a string");
        check(json!([]), "expected an object with fields or operators, found an array");
        check(json!(null), "expected an object with fields or operators, found null");
        check(json!({"$all": [], "kind": "x"}), "nothing else may stand beside $all");
        check(json!({"$all": {}}), "$all needs an array, found an object");
        check(json!({"$not": []}), "expected an object with fields or operators, found an array");
        check(json!({"$nor": []}), "unknown operator \"$nor\"; at this place there are $all, $any and $not");
        check(json!({"a": null}), "the field \"a\" needs a value or an operator, found null");
        check(json!({"a": ["x"]}), "the field \"a\" needs a value or an operator, found an array");
        let one = "the field \"a\" needs exactly one of $exists, $in, $hasPrefix and $contains";
        check(json!({"a": {}}), one);
        check(json!({"a": {"$exists": true, "$in": []}}), one);
        let unknown = "at \"a\"; there are $exists, $in, $hasPrefix and $contains";
        check(json!({"a": {"$not": {}}}), &format!("unknown operator \"$not\" {unknown}"));
        check(json!({"a": {"b": "c"}}), &format!("unknown operator \"b\" {unknown}"));
        check(json!({"a": {"$exists": "true"}}), "$exists at \"a\" needs true or false, found a string");
        check(json!({"a": {"$in": "x"}}), "$in at \"a\" needs an array of values, found a string");
        check(json!({"a": {"$in": [null]}}), "$in at \"a\" needs strings, numbers or booleans, found an array");
        check(json!({"a": {"$hasPrefix": 1}}), "$hasPrefix at \"a\" needs a string, found a number");
        check(
            json!({"a": {"$contains": {"type": "x"}}}),
            "$contains at \"a\" needs a value; an object may only stand at relations, found an object",
        );
        check(json!({"a\nb": "x"}), "the field \"a\\nb\" holds a line end");
        check(json!({"relations": {"$contains": {}}}), "a relation needs a type, which is a string");
        check(
            json!({"relations": {"$contains": {"type": "x", "target": "y"}}}),
            "a relation has type and targetRef, not \"target\"",
        );
        let target = "the targetRef of a relation needs a string or {\"$in\": [strings, at least one]}";
        check(json!({"relations": {"$contains": {"type": "x", "targetRef": {"$in": []}}}}), target);
        check(json!({"relations": {"$contains": {"type": "x", "targetRef": {"$in": [1]}}}}), target);
        check(json!({"relations": {"$contains": {"type": "x", "targetRef": 1}}}), target);
    }

    #[test]
    fn bounds() {
        let many: Vec<_> = (0..100_000).map(|i| json!({ "kind": i })).collect();
        let too_many = "Invalid filter, it has more than 4000 conditions and values; ask for less at once";
        assert_eq!(parse(&json!({ "$any": many })).unwrap_err().to_string(), too_many);
        let many: Vec<_> = (0..100_000).collect();
        assert_eq!(parse(&json!({ "kind": { "$in": many } })).unwrap_err().to_string(), too_many);

        let nested = |depth: usize, operator: &str| {
            (1..depth).fold(json!({"kind": "api"}), |inner, _| {
                // Not by `json!`, which goes through the whole value again.
                let operand = if operator == "$not" { inner } else { Value::Array(vec![inner]) };
                Value::Object([(operator.to_owned(), operand)].into_iter().collect())
            })
        };
        for operator in ["$not", "$all", "$any"] {
            assert!(parse(&nested(32, operator)).is_ok());
            for depth in [33, 10_000] {
                // serde_json drops a value by recursion, which this test is not about.
                let value = std::mem::ManuallyDrop::new(nested(depth, operator));
                let error = parse(&value).unwrap_err().to_string();
                assert_eq!(error, "Invalid query: it is nested more than 32 deep");
            }
        }
        let text = format!("{}1{}", "{\"$not\":".repeat(10_000), "}".repeat(10_000));
        assert!(serde_json::from_str::<Predicate>(&text).is_err());
    }
}
