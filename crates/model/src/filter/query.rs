//! The `filter` parameters of a query string.

use super::{Budget, FilterError, Predicate};

/// Reads all `filter` parameters of a request: within one, conditions on different keys are all to hold, and of
/// several values for one key any; of several parameters one is enough. None where nothing is asked for.
pub fn parse_filters<T: AsRef<str>>(filters: &[T]) -> Result<Option<Predicate>, FilterError> {
    let mut budget = Budget::default();
    let mut sets = Vec::new();
    for filter in filters {
        sets.extend(set(filter.as_ref(), &mut budget)?);
    }
    Ok(single_or(sets, Predicate::Any))
}

/// A key with the values that were asked for; without any, the key only has to be there.
struct Condition {
    key: String,
    values: Vec<String>,
}

fn set(filter: &str, budget: &mut Budget) -> Result<Option<Predicate>, FilterError> {
    let mut conditions: Vec<Condition> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for statement in filter.split(',').map(str::trim).filter(|statement| !statement.is_empty()) {
        budget.take(1)?;
        let (key, value) = match statement.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (statement, None),
        };
        if key.is_empty() {
            return Err(FilterError::new(format!(
                "Invalid filter, '{statement}' is not a valid statement (expected a string on the form a=b or a= or a)"
            )));
        }
        // A cursor carries the filter as JSON, whose rule this is. No entity has such a key.
        if key.starts_with('$') || key.contains(['\n', '\r']) {
            return Err(FilterError::new(format!(
                "Invalid filter, the key {key:?} begins with $ or holds a line end, which no field's does"
            )));
        }
        let key = key.to_lowercase();
        let place = *places.entry(key.clone()).or_insert(conditions.len());
        if place == conditions.len() {
            conditions.push(Condition { key, values: Vec::new() });
        }
        if let (Some(condition), Some(value)) = (conditions.get_mut(place), value) {
            condition.values.push(value.to_lowercase());
        }
    }
    Ok(single_or(conditions.into_iter().map(predicate).collect(), Predicate::All))
}

fn predicate(mut condition: Condition) -> Predicate {
    match condition.values.pop() {
        None => Predicate::Exists { key: condition.key },
        Some(value) if condition.values.is_empty() => Predicate::Equals { key: condition.key, value },
        Some(value) => {
            condition.values.push(value);
            Predicate::In { key: condition.key, values: condition.values }
        }
    }
}

fn single_or(mut predicates: Vec<Predicate>, join: impl Fn(Vec<Predicate>) -> Predicate) -> Option<Predicate> {
    if predicates.len() > 1 { Some(join(predicates)) } else { predicates.pop() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn parse() {
        fn check(filters: &[&str], expected: Value) {
            let found = parse_filters(filters).unwrap();
            assert_eq!(found.map_or(Value::Null, |predicate| predicate.to_value()), expected, "{filters:?}");
        }
        check(&[], json!(null));
        check(&["", " , "], json!(null));
        check(&["kind=API"], json!({"kind": "api"}));
        check(&[" kind = API "], json!({"kind": "api"}));
        check(&["kind=api,kind=Component"], json!({"kind": {"$in": ["api", "component"]}}));
        check(&["kind,kind=api"], json!({"kind": "api"}));
        check(&["kind=api,kind"], json!({"kind": "api"}));
        check(&["metadata.annotations.a/b"], json!({"metadata.annotations.a/b": {"$exists": true}}));
        check(&["a=b=c"], json!({"a": "b=c"}));
        check(&["a="], json!({"a": ""}));
        check(&["kind=api,spec.type=x"], json!({"$all": [{"kind": "api"}, {"spec.type": "x"}]}));
        check(
            &["kind=api,spec.type=x", "kind=user"],
            json!({"$any": [{"$all": [{"kind": "api"}, {"spec.type": "x"}]}, {"kind": "user"}]}),
        );
        check(&["relations.ownedBy=group:Default/X"], json!({"relations.ownedby": "group:default/x"}));
        check(&["__proto__=x,constructor"], json!({"$all": [{"__proto__": "x"}, {"constructor": {"$exists": true}}]}));
    }

    #[test]
    fn refused() {
        let error = parse_filters(&["kind=api,=x"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "Invalid filter, '=x' is not a valid statement (expected a string on the form a=b or a= or a)"
        );
        for key in ["$x", "a\nb"] {
            let error = parse_filters(&[format!("kind=api,{key}=x")]).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("Invalid filter, the key {key:?} begins with $ or holds a line end, which no field's does")
            );
        }
        let too_many = "Invalid filter, it has more than 4000 conditions and values; ask for less at once";
        let many = vec!["kind=api"; 100_000];
        assert_eq!(parse_filters(&many).unwrap_err().to_string(), too_many);
        let long: String = (0..100_000).map(|i| format!("k{i}=v,")).collect();
        assert_eq!(parse_filters(&[long]).unwrap_err().to_string(), too_many);
    }
}
