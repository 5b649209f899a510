//! Search rows: what of an entity can be filtered, ordered and counted by.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::entity::DEFAULT_NAMESPACE;
use crate::stable_json;

/// The longest key and the longest value that are kept, in UTF-16 code units.
const MAX_LENGTH: usize = 200;

/// One row. Where the value is null or too long both texts are none: the key exists and equals nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchRow {
    /// The dotted path in lower case.
    pub key: String,
    /// In lower case.
    pub value: Option<String>,
    /// As it is written.
    pub original: Option<String>,
}

/// Keys of one entity differ in letter case alone, so that they cannot be told apart in a search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Entity has duplicate keys that vary only in casing, {}", .0.join(", "))]
pub struct DuplicateKeys(pub Vec<String>);

/// The rows of a stitched entity, each key and value once, in the order of the entity.
pub fn search_rows(entity: &Value) -> Result<Vec<SearchRow>, DuplicateKeys> {
    let raw = walk(entity);
    refuse_duplicates(&raw)?;
    let mut seen = HashSet::new();
    let rows = raw.into_iter().filter_map(|(key, value)| row(&key, value));
    Ok(rows.filter(|row| seen.insert((row.key.clone(), row.value.clone()))).collect())
}

/// The rows of one entity, to be asked by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchRows(BTreeMap<String, Vec<Option<String>>>);

impl SearchRows {
    /// The rows of a stitched entity.
    pub fn of(entity: &Value) -> Result<Self, DuplicateKeys> {
        Ok(Self::new(search_rows(entity)?))
    }

    /// Rows that were made before.
    pub fn new(rows: impl IntoIterator<Item = SearchRow>) -> Self {
        let mut map = BTreeMap::<_, Vec<_>>::new();
        for row in rows {
            map.entry(row.key).or_default().push(row.value);
        }
        Self(map)
    }

    /// Whether there is a row with the key.
    pub fn exists(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether one of the key's values is accepted.
    pub fn any(&self, key: &str, accepts: impl Fn(&str) -> bool) -> bool {
        self.0.get(key).is_some_and(|values| values.iter().flatten().any(|value| accepts(value)))
    }
}

/// What a row's value is made from, until it is known whether it is needed.
enum Raw<'a> {
    Value(&'a Value),
    Text(&'a str),
}

fn walk(entity: &Value) -> Vec<(String, Raw<'_>)> {
    let mut rows = Rows::default();
    let mut open = vec![(String::new(), entity, false)];
    while let Some((path, value, in_array)) = open.pop() {
        if in_array && let Value::String(text) = value {
            let member = format!("{path}.{text}");
            rows.push(path, Raw::Value(value));
            if !rows.keys.contains(&member.to_lowercase()) {
                rows.push(member, Raw::Value(&Value::Bool(true)));
            }
            continue;
        }
        if is_skipped(&path) {
            continue;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().rev().map(|item| (path.clone(), item, true))),
            Value::Object(map) => {
                let start = open.len();
                open.extend(map.iter().map(|(key, value)| {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    (path, value, false)
                }));
                if let Some(added) = open.get_mut(start..) {
                    added.reverse();
                }
            }
            scalar => rows.push(path, Raw::Value(scalar)),
        }
    }
    let metadata = |key: &str| entity.pointer(&format!("/metadata/{key}")).unwrap_or(&Value::Null);
    let namespace = match metadata("namespace") {
        Value::Null => Raw::Text(DEFAULT_NAMESPACE),
        Value::String(text) if text.is_empty() => Raw::Text(DEFAULT_NAMESPACE),
        namespace => Raw::Value(namespace),
    };
    rows.push("metadata.name".to_owned(), Raw::Value(metadata("name")));
    rows.push("metadata.namespace".to_owned(), namespace);
    rows.push("metadata.uid".to_owned(), Raw::Value(metadata("uid")));
    let relations = entity.get("relations").and_then(Value::as_array).into_iter().flatten();
    for relation in relations {
        if let (Some(kind), Some(target)) = (relation.get("type").and_then(Value::as_str), relation.get("targetRef")) {
            rows.push(format!("relations.{kind}"), Raw::Value(target));
        }
    }
    rows.rows
}

#[derive(Default)]
struct Rows<'a> {
    rows: Vec<(String, Raw<'a>)>,
    /// In lower case.
    keys: HashSet<String>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, key: String, value: Raw<'a>) {
        self.keys.insert(key.to_lowercase());
        self.rows.push((key, value));
    }
}

fn is_skipped(path: &str) -> bool {
    matches!(
        path,
        "attachments"
            | "relations"
            | "status"
            | "metadata.name"
            | "metadata.namespace"
            | "metadata.uid"
            | "metadata.etag"
    )
}

fn refuse_duplicates(rows: &[(String, Raw<'_>)]) -> Result<(), DuplicateKeys> {
    let keys: BTreeSet<_> = rows.iter().map(|(key, _)| key.as_str()).collect();
    let mut lower = HashSet::new();
    let twice: BTreeSet<_> = keys.into_iter().map(str::to_lowercase).filter(|key| !lower.insert(key.clone())).collect();
    if twice.is_empty() { Ok(()) } else { Err(DuplicateKeys(twice.into_iter().collect())) }
}

fn row(key: &str, value: Raw<'_>) -> Option<SearchRow> {
    let key = key.to_lowercase();
    if is_long(&key) {
        return None;
    }
    let original = match value {
        Raw::Text(text) => Some(text.to_owned()),
        Raw::Value(Value::String(text)) => (!is_certainly_long(text)).then(|| text.clone()),
        Raw::Value(Value::Bool(value)) => Some(value.to_string()),
        Raw::Value(Value::Number(number)) => Some(stable_json::number(number)),
        Raw::Value(_) => None,
    };
    let lower = original.as_deref().map(str::to_lowercase).filter(|value| !is_long(value));
    Some(SearchRow { key, original: original.filter(|_| lower.is_some()), value: lower })
}

fn is_long(text: &str) -> bool {
    text.encode_utf16().nth(MAX_LENGTH).is_some()
}

/// Spares whole API definitions the way through lower case: no text of so many bytes is short enough.
fn is_certainly_long(text: &str) -> bool {
    text.len() > 16 * MAX_LENGTH
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows() {
        fn check(entity: Value, expected: &[(&str, Option<&str>)]) {
            let found = search_rows(&entity).unwrap();
            let found: Vec<_> = found.iter().map(|row| (row.key.as_str(), row.original.as_deref())).collect();
            assert_eq!(found, expected, "{entity}");
        }
        let tail = [("metadata.name", None), ("metadata.namespace", Some("default")), ("metadata.uid", None)];
        let with_tail = |rows: &[(&'static str, Option<&'static str>)]| [rows, &tail].concat();
        check(
            json!({"a": {"B": [{"c": 1}, {"c": true}], "d": null}}),
            &with_tail(&[("a.b.c", Some("1")), ("a.b.c", Some("true")), ("a.d", None)]),
        );
        check(
            json!({"t": ["X", "y", "x", 1]}),
            &with_tail(&[
                ("t", Some("X")),
                ("t.x", Some("true")),
                ("t", Some("y")),
                ("t.y", Some("true")),
                ("t", Some("1")),
            ]),
        );
        check(
            json!({
                "attachments": {"x": 1},
                "status": {"items": [1]},
                "metadata": {"name": "N", "namespace": "S", "uid": "u", "etag": "e", "x": "y"},
                "spec": {"status": "s", "name": "n"},
                "relations": [{"type": "ownedBy", "targetRef": "group:default/a"}, {"type": "ownedBy"}],
            }),
            &[
                ("metadata.x", Some("y")),
                ("spec.name", Some("n")),
                ("spec.status", Some("s")),
                ("metadata.name", Some("N")),
                ("metadata.namespace", Some("S")),
                ("metadata.uid", Some("u")),
                ("relations.ownedby", Some("group:default/a")),
            ],
        );
    }

    #[test]
    fn long_texts() {
        let (long_key, long, short) = ("k".repeat(201), "v".repeat(201), "é".repeat(200));
        let huge = "v".repeat(100_000);
        let entity = json!({"x": {long_key: 1}, "huge": huge, "long": long, "short": short, "grows": "İ".repeat(150)});
        let rows = search_rows(&entity).unwrap();
        let values: Vec<_> = rows.iter().take(4).map(|row| (row.key.as_str(), row.value.as_deref())).collect();
        assert_eq!(values, [("grows", None), ("huge", None), ("long", None), ("short", Some(short.as_str()))]);
        assert!(rows.iter().all(|row| row.original.is_some() == row.value.is_some()));
    }

    #[test]
    fn lower_case() {
        let rows = search_rows(&json!({"kind": "API"})).unwrap();
        let expected = SearchRow { key: "kind".into(), value: Some("api".into()), original: Some("API".into()) };
        assert_eq!(rows.first(), Some(&expected));
    }

    #[test]
    fn duplicates() {
        let error = search_rows(&json!({"spec": {"aB": 1, "Ab": 2, "c": 1, "C": [2]}})).unwrap_err();
        assert_eq!(error.to_string(), "Entity has duplicate keys that vary only in casing, spec.ab, spec.c");
    }

    #[test]
    fn deep() {
        let value =
            (0..2_000).fold(json!("x"), |inner, _| Value::Object([("a".to_owned(), inner)].into_iter().collect()));
        assert_eq!(search_rows(&value).unwrap().len(), 3);
    }
}
