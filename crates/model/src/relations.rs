//! Relations: what an entity's `spec` says about other entities, seen from both ends.

use serde_json::Value;

use crate::entity::Entity;
use crate::entity_ref::{EntityRef, RefError};

/// A directed, named edge between two entities. The target need not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relation {
    /// Where it starts.
    pub source: EntityRef,
    /// Its *type*, such as `ownedBy`.
    pub kind: String,
    /// Where it ends.
    pub target: EntityRef,
}

/// The types that name the same relation from its two ends.
pub const PAIRS: [(&str, &str); 7] = [
    ("ownedBy", "ownerOf"),
    ("partOf", "hasPart"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("dependsOn", "dependencyOf"),
    ("memberOf", "hasMember"),
    ("childOf", "parentOf"),
];

/// Whether a relation may be of this type: letters, digits and underscores of ASCII, at least one. A dot would make two
/// keys out of `relations.<type>` in a filter.
pub fn is_type(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// All relations that an entity gives rise to: for each ref in its `spec` the one from it and the one back to it.
/// Sorted, each once.
///
/// A ref that cannot be read, or that lacks the kind where none is implied, is an error for the whole entity.
pub fn of(entity: &Entity) -> Result<Vec<Relation>, RefError> {
    let this = entity.entity_ref();
    let mut relations = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.kinds.contains(&entity.kind())) {
        for text in texts(entity.spec(rule.field)) {
            let target = EntityRef::parse(text, rule.default_kind, Some(entity.namespace()))?;
            relations.push(Relation { source: this.clone(), kind: rule.forward.to_owned(), target: target.clone() });
            relations.push(Relation { source: target, kind: rule.reverse.to_owned(), target: this.clone() });
        }
    }
    relations.sort();
    relations.dedup();
    Ok(relations)
}

/// A string, or the strings of an array; empty ones name nothing.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let single = value.into_iter().filter(|value| value.is_string());
    let many = value.and_then(Value::as_array).into_iter().flatten();
    single.chain(many).filter_map(Value::as_str).filter(|text| !text.is_empty())
}

/// One field of `spec` and what it means.
struct Rule {
    kinds: &'static [&'static str],
    field: &'static str,
    forward: &'static str,
    reverse: &'static str,
    /// None: the ref must name the kind.
    default_kind: Option<&'static str>,
}

const fn rule(
    kinds: &'static [&'static str],
    field: &'static str,
    forward: &'static str,
    reverse: &'static str,
    default_kind: Option<&'static str>,
) -> Rule {
    Rule { kinds, field, forward, reverse, default_kind }
}

const OWNED: &[&str] = &["Component", "API", "Resource", "System", "Domain", "Template"];

const RULES: &[Rule] = &[
    rule(OWNED, "owner", "ownedBy", "ownerOf", Some("Group")),
    rule(&["Component", "API", "Resource"], "system", "partOf", "hasPart", Some("System")),
    rule(&["Component"], "subcomponentOf", "partOf", "hasPart", Some("Component")),
    rule(&["Component"], "providesApis", "providesApi", "apiProvidedBy", Some("API")),
    rule(&["Component"], "consumesApis", "consumesApi", "apiConsumedBy", Some("API")),
    rule(&["Component", "Resource"], "dependsOn", "dependsOn", "dependencyOf", None),
    rule(&["Component", "Resource"], "dependencyOf", "dependencyOf", "dependsOn", None),
    rule(&["System"], "domain", "partOf", "hasPart", Some("Domain")),
    rule(&["Domain"], "subdomainOf", "partOf", "hasPart", Some("Domain")),
    rule(&["User"], "memberOf", "memberOf", "hasMember", Some("Group")),
    rule(&["Group"], "parent", "childOf", "parentOf", Some("Group")),
    rule(&["Group"], "children", "parentOf", "childOf", Some("Group")),
    rule(&["Group"], "members", "hasMember", "memberOf", Some("User")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        for (text, expected) in [
            ("ownedBy", true),
            ("x_1", true),
            ("", false),
            ("a b", false),
            ("a-b", false),
            ("a.b", false),
            ("a/b", false),
            ("ö", false),
        ] {
            assert_eq!(is_type(text), expected, "{text}");
        }
    }

    #[test]
    fn every_rule_is_of_a_pair() {
        for rule in RULES {
            let (one, other) = (rule.forward, rule.reverse);
            assert!(is_type(one) && is_type(other), "{one}, {other}");
            assert!(PAIRS.contains(&(one, other)) || PAIRS.contains(&(other, one)), "{one}, {other}");
        }
    }
}
