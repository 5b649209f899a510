//! Which entities are meant: predicates, the two forms in which they are written, and the rows that they look at.
//!
//! A predicate is only ever evaluated against search rows, in memory ([`Predicate::matches`]) or by the database, so
//! that both give the same answer.

mod json;
mod query;
mod rows;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use query::parse_filters;
pub use rows::{DuplicateKeys, SearchRow, SearchRows, search_rows};

/// How many conditions and values a predicate may have in all.
///
/// A page of the portal needs a dozen; who asks for the entities of a hundred groups needs some hundreds. The bound
/// keeps one request from becoming a statement that the database takes seconds to plan.
pub const MAX_TERMS: usize = 4_000;

/// How deep predicates may be nested. People write two or three levels; generated policies stay below ten.
pub const MAX_DEPTH: usize = 32;

/// A condition on an entity. Keys and values are in lower case: make it with the functions below or by parsing.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Every one holds; true for none.
    All(Vec<Predicate>),
    /// At least one holds; false for none.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// There is a row with the key.
    Exists {
        /// A dotted path, such as `metadata.annotations.example.com/x`.
        key: String,
    },
    /// There is a row with the key and the value.
    Equals {
        /// A dotted path.
        key: String,
        /// In lower case.
        value: String,
    },
    /// There is a row with the key and one of the values.
    In {
        /// A dotted path.
        key: String,
        /// In lower case.
        values: Vec<String>,
    },
    /// There is a row with the key and a value that starts so.
    HasPrefix {
        /// A dotted path.
        key: String,
        /// In lower case; no character of it is a wildcard.
        value: String,
    },
    /// There is a relation.
    Related {
        /// Its *type* in lower case, such as `ownedby`.
        kind: String,
        /// The refs that it may lead to; any where absent.
        targets: Option<Vec<String>>,
    },
}

impl Predicate {
    /// There is a row with the key.
    pub fn exists(key: &str) -> Self {
        Self::Exists { key: key.to_lowercase() }
    }

    /// There is a row with the key and the value.
    pub fn equals(key: &str, value: &str) -> Self {
        Self::Equals { key: key.to_lowercase(), value: value.to_lowercase() }
    }

    /// There is a row with the key and one of the values.
    pub fn one_of<T: AsRef<str>>(key: &str, values: impl IntoIterator<Item = T>) -> Self {
        Self::In { key: key.to_lowercase(), values: lowercase(values) }
    }

    /// There is a row with the key and a value that starts so.
    pub fn has_prefix(key: &str, value: &str) -> Self {
        Self::HasPrefix { key: key.to_lowercase(), value: value.to_lowercase() }
    }

    /// There is a relation of the type, to anything.
    pub fn related(kind: &str) -> Self {
        Self::Related { kind: kind.to_lowercase(), targets: None }
    }

    /// There is a relation of the type to one of the refs.
    pub fn related_to<T: AsRef<str>>(kind: &str, targets: impl IntoIterator<Item = T>) -> Self {
        Self::Related { kind: kind.to_lowercase(), targets: Some(lowercase(targets)) }
    }

    /// Reads the JSON form, within [`MAX_TERMS`] and [`MAX_DEPTH`].
    pub fn from_value(value: &Value) -> Result<Self, FilterError> {
        json::parse(value)
    }

    /// The JSON form.
    pub fn to_value(&self) -> Value {
        json::write(self)
    }

    /// Whether it asks for relations, which are only known of an entity that is in the catalog.
    pub fn is_about_relations(&self) -> bool {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().any(Self::is_about_relations),
            Self::Not(predicate) => predicate.is_about_relations(),
            Self::Exists { key } | Self::Equals { key, .. } | Self::In { key, .. } | Self::HasPrefix { key, .. } => {
                key.starts_with("relations.")
            }
            Self::Related { .. } => true,
        }
    }

    /// The same where a value stands for others, such as the refs of whoever asks. Without others it holds for none.
    #[must_use]
    pub fn with(&self, placeholder: &str, values: &[String]) -> Self {
        let replaced = |given: &[String]| {
            let replace = |value: &String| match value == placeholder {
                true => values.iter().map(|value| value.to_lowercase()).collect(),
                false => vec![value.clone()],
            };
            given.iter().flat_map(replace).collect()
        };
        let many =
            |predicates: &[Self]| predicates.iter().map(|predicate| predicate.with(placeholder, values)).collect();
        match self {
            Self::All(all) => Self::All(many(all)),
            Self::Any(any) => Self::Any(many(any)),
            Self::Not(predicate) => Self::Not(Box::new(predicate.with(placeholder, values))),
            Self::Equals { key, value } if value == placeholder => {
                Self::In { key: key.clone(), values: replaced(std::slice::from_ref(value)) }
            }
            Self::In { key, values: given } => Self::In { key: key.clone(), values: replaced(given) },
            Self::Related { kind, targets } => {
                Self::Related { kind: kind.clone(), targets: targets.as_deref().map(replaced) }
            }
            Self::Exists { .. } | Self::Equals { .. } | Self::HasPrefix { .. } => self.clone(),
        }
    }

    /// Whether a value stands anywhere in it.
    #[must_use]
    pub fn names(&self, value: &str) -> bool {
        self.values().contains(&value)
    }

    /// Every value in it.
    #[must_use]
    pub fn values(&self) -> Vec<&str> {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::values).collect(),
            Self::Not(predicate) => predicate.values(),
            Self::Exists { .. } | Self::Related { targets: None, .. } => Vec::new(),
            Self::Equals { value, .. } | Self::HasPrefix { value, .. } => vec![value],
            Self::In { values, .. } | Self::Related { targets: Some(values), .. } => {
                values.iter().map(String::as_str).collect()
            }
        }
    }

    /// Whether it holds for the entity with these rows.
    pub fn matches(&self, rows: &SearchRows) -> bool {
        match self {
            Self::All(all) => all.iter().all(|predicate| predicate.matches(rows)),
            Self::Any(any) => any.iter().any(|predicate| predicate.matches(rows)),
            Self::Not(predicate) => !predicate.matches(rows),
            Self::Exists { key } => rows.exists(key),
            Self::Equals { key, value } => rows.any(key, |found| found == value),
            Self::In { key, values } => rows.any(key, |found| values.iter().any(|value| value == found)),
            Self::HasPrefix { key, value } => rows.any(key, |found| found.starts_with(value.as_str())),
            Self::Related { kind, targets } => {
                let key = format!("relations.{kind}");
                match targets {
                    None => rows.exists(&key),
                    Some(targets) => rows.any(&key, |found| targets.iter().any(|target| target == found)),
                }
            }
        }
    }
}

fn lowercase<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.as_ref().to_lowercase()).collect()
}

impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Predicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a filter is not understood; the request's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError(String);

impl FilterError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FilterError {}

/// Counts terms while a predicate is read: the conditions, with each value of those that have several. It counts the same
/// in both forms, because a cursor carries in JSON what a query string asked for.
#[derive(Default)]
struct Budget {
    terms: usize,
}

impl Budget {
    /// What joins nothing is counted too, or there could be any number of it.
    fn take_empty(&mut self, is_empty: bool) -> Result<(), FilterError> {
        self.take(usize::from(is_empty))
    }

    fn take(&mut self, terms: usize) -> Result<(), FilterError> {
        self.terms = self.terms.saturating_add(terms);
        if self.terms > MAX_TERMS {
            return Err(FilterError::new(format!(
                "Invalid filter, it has more than {MAX_TERMS} conditions and values; ask for less at once"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A query that is accepted goes on to its second page: the cursor has it in JSON.
    #[test]
    fn both_forms_have_the_same_bound() {
        let statements = |count: usize, of: fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>();
        for of in [|i| format!("k{i}"), |i| format!("k{i}=v"), |i| format!("k=v{i}"), |i| format!("k{}=v{i}", i / 2)] {
            let one_set = statements(MAX_TERMS, of).join(",");
            for filters in [vec![one_set.clone()], statements(MAX_TERMS, of)] {
                let filter = parse_filters(&filters).unwrap().unwrap();
                assert_eq!(Predicate::from_value(&filter.to_value()).as_ref(), Ok(&filter));
            }
            assert!(parse_filters(&[one_set, "more".to_owned()]).is_err());
        }
        let nothing = |count: usize| json!({ "$any": vec![json!({}); count] });
        assert!(Predicate::from_value(&nothing(MAX_TERMS)).is_ok());
        assert!(Predicate::from_value(&nothing(MAX_TERMS + 1)).is_err());
        let none = json!({ "$any": vec![json!({ "$all": [] }); MAX_TERMS + 1] });
        assert!(Predicate::from_value(&none).is_err());
    }

    #[test]
    fn relations() {
        let check = |predicate: Value, expected: bool| {
            assert_eq!(Predicate::from_value(&predicate).unwrap().is_about_relations(), expected, "{predicate}");
        };
        check(json!({"kind": "API", "spec.relations.x": 1}), false);
        check(json!({"relations.ownedBy": "group:default/a"}), true);
        check(json!({"$any": [{"kind": "API"}, {"$not": {"relations.partOf": {"$exists": true}}}]}), true);
        check(json!({"relations": {"$contains": {"type": "ownedBy"}}}), true);
    }

    #[test]
    fn values_that_stand_for_others() {
        let check = |predicate: Value, expected: Value| {
            let bound = Predicate::from_value(&predicate).unwrap().with("$me", &["user:default/A".into(), "b".into()]);
            assert_eq!(bound, Predicate::from_value(&expected).unwrap(), "{predicate}");
            assert!(!bound.names("$me"), "{predicate}");
        };
        let both = json!({"$in": ["user:default/a", "b"]});
        check(json!({"relations.ownedBy": "$me"}), json!({"relations.ownedBy": both}));
        check(
            json!({"relations.ownedBy": {"$in": ["c", "$me"]}}),
            json!({"relations.ownedBy": {"$in": ["c", "user:default/a", "b"]}}),
        );
        check(
            json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": "$me"}}}),
            json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": both}}}),
        );
        check(
            json!({"$any": [{"$not": {"a": "$me"}}, {"b": "$mee"}]}),
            json!({"$any": [{"$not": {"a": both}}, {"b": "$mee"}]}),
        );
        let nobody = Predicate::from_value(&json!({"a": "$me"})).unwrap().with("$me", &[]);
        assert_eq!(nobody, Predicate::In { key: "a".to_owned(), values: vec![] });
    }

    #[test]
    fn matches() {
        let entity = json!({
            "kind": "API",
            "metadata": {
                "name": "Petstore",
                "uid": "u-1",
                "tags": ["Java", "pets"],
                "annotations": {"github.com/project-slug": "Acme/X", "long": "x".repeat(201)},
            },
            "spec": {"num": 7, "flag": true, "none": null, "version": 1.50},
            "relations": [{"type": "ownedBy", "targetRef": "group:default/pets"}],
        });
        let rows = SearchRows::of(&entity).unwrap();
        let check = |predicate: Value, expected: bool| {
            let parsed = Predicate::from_value(&predicate).unwrap();
            assert_eq!(parsed.matches(&rows), expected, "{predicate}");
            assert_eq!(Predicate::from_value(&parsed.to_value()).unwrap(), parsed, "{predicate}");
            let not = Predicate::Not(Box::new(parsed));
            assert_eq!(not.matches(&rows), !expected, "not {predicate}");
        };
        check(json!({}), true);
        check(json!({"$all": []}), true);
        check(json!({"$any": []}), false);
        check(json!({"Kind": "api"}), true);
        check(json!({"kind": "API", "metadata.name": "petstore"}), true);
        check(json!({"kind": "API", "metadata.name": "other"}), false);
        check(json!({"$any": [{"kind": "group"}, {"kind": "api"}]}), true);
        check(json!({"$not": {"kind": "group"}}), true);
        check(json!({"metadata.tags": "java"}), true);
        check(json!({"metadata.tags.JAVA": true}), true);
        check(json!({"metadata.tags": {"$contains": "PETS"}}), true);
        check(json!({"metadata.annotations.github.com/project-slug": "acme/x"}), true);
        check(json!({"metadata.annotations.long": {"$exists": true}}), true);
        check(json!({"metadata.annotations.long": "x".repeat(201)}), false);
        check(json!({"spec.num": 7}), true);
        check(json!({"spec.num": "7"}), true);
        check(json!({"spec.version": 1.5}), true);
        check(json!({"spec.flag": "TRUE"}), true);
        check(json!({"spec.none": {"$exists": true}}), true);
        check(json!({"spec.none": "null"}), false);
        check(json!({"spec.other": {"$exists": false}}), true);
        check(json!({"kind": {"$in": ["group", "Api"]}}), true);
        check(json!({"kind": {"$in": []}}), false);
        check(json!({"metadata.name": {"$hasPrefix": "PET"}}), true);
        check(json!({"metadata.name": {"$hasPrefix": "P%"}}), false);
        check(json!({"relations.ownedBy": "group:default/PETS"}), true);
        check(json!({"relations": {"$contains": {"type": "ownedBy"}}}), true);
        check(json!({"relations": {"$contains": {"type": "partOf"}}}), false);
        check(json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": "Group:default/pets"}}}), true);
        check(
            json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": {"$in": ["group:default/other"]}}}}),
            false,
        );
    }
}
