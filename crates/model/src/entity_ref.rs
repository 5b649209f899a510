//! Refs: the names by which entities know each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::entity::DEFAULT_NAMESPACE;

/// The canonical ref of an entity: kind, namespace and name, all in lower case.
///
/// Two refs are equal exactly if they name the same entity. The text form is `kind:namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityRef {
    kind: String,
    namespace: String,
    name: String,
}

impl EntityRef {
    /// Puts the parts into lower case; an empty namespace becomes `default`.
    pub fn new(kind: impl AsRef<str>, namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        let namespace = Some(namespace.as_ref()).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_NAMESPACE);
        Self {
            kind: kind.as_ref().to_lowercase(),
            namespace: namespace.to_lowercase(),
            name: name.as_ref().to_lowercase(),
        }
    }

    /// Reads `[<kind>:][<namespace>/]<name>`. No characters are refused: a name may hold further `:` and `/`.
    pub fn parse(text: &str, default_kind: Option<&str>, default_namespace: Option<&str>) -> Result<Self, RefError> {
        let parts = RefParts::split(text)?;
        let kind = parts.kind.or(default_kind).filter(|kind| !kind.is_empty());
        let kind = kind.ok_or_else(|| RefError::NoKind(text.to_owned()))?;
        let namespace = parts.namespace.or(default_namespace).unwrap_or(DEFAULT_NAMESPACE);
        Ok(Self::new(kind, namespace, parts.name))
    }

    /// Reads the text form or the compound form `{kind, namespace, name}`.
    pub fn from_value(
        value: &Value,
        default_kind: Option<&str>,
        default_namespace: Option<&str>,
    ) -> Result<Self, RefError> {
        if let Some(text) = value.as_str() {
            return Self::parse(text, default_kind, default_namespace);
        }
        let part = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let shown = || crate::stable_json::to_string(value);
        let name = part("name").ok_or_else(|| RefError::Form(shown()))?;
        let kind = part("kind").or(default_kind).ok_or_else(|| RefError::NoKind(shown()))?;
        let namespace = part("namespace").or(default_namespace).unwrap_or(DEFAULT_NAMESPACE);
        Ok(Self::new(kind, namespace, name))
    }

    /// In lower case.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// In lower case.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// In lower case.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

impl FromStr for EntityRef {
    type Err = RefError;

    /// As [`EntityRef::parse`] without defaults: the kind is required.
    fn from_str(text: &str) -> Result<Self, RefError> {
        Self::parse(text, None, None)
    }
}

impl Serialize for EntityRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntityRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The parts of a ref's text as they are written: nothing is put into lower case and nothing is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefParts<'a> {
    /// Before the first `:`, unless a `/` comes before that.
    pub kind: Option<&'a str>,
    /// Between kind and the first `/`.
    pub namespace: Option<&'a str>,
    /// The rest.
    pub name: &'a str,
}

impl<'a> RefParts<'a> {
    /// Splits the text; a part that is there but empty is an error.
    pub fn split(text: &'a str) -> Result<Self, RefError> {
        let colon_comes_first = match (text.find(':'), text.find('/')) {
            (Some(colon), Some(slash)) => colon < slash,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) if colon_comes_first => (Some(kind), rest),
            _ => (None, text),
        };
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, rest),
        };
        if kind == Some("") || namespace == Some("") || name.is_empty() {
            return Err(RefError::Form(text.to_owned()));
        }
        Ok(Self { kind, namespace, name })
    }
}

/// Why a text is no ref.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// A part is there, but empty.
    #[error("Entity reference \"{0}\" was not on the form [<kind>:][<namespace>/]<name>")]
    Form(String),
    /// There is no kind, and none that it could default to.
    #[error("Entity reference \"{0}\" had missing or empty kind (e.g. did not start with \"component:\" or similar)")]
    NoKind(String),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parse() {
        fn check(text: &str, kind: Option<&str>, namespace: Option<&str>, expected: &str) {
            let found = EntityRef::parse(text, kind, namespace);
            assert_eq!(found.map_or_else(|error| error.to_string(), |found| found.to_string()), expected, "{text}");
        }
        check("Component:Default/Artist-Web", None, None, "component:default/artist-web");
        check("component:artist-web", None, None, "component:default/artist-web");
        check("artist-web", Some("Component"), None, "component:default/artist-web");
        check("artist-web", Some("Component"), Some("Music"), "component:music/artist-web");
        check("other/artist-web", Some("Component"), Some("music"), "component:other/artist-web");
        check("component:default/a/b", None, None, "component:default/a/b");
        check("a/b:c", Some("group"), None, "group:a/b:c");
        check("k:a:b", None, None, "k:default/a:b");
        check("k:n/a:b/c", None, None, "k:n/a:b/c");
        check("group:ÄRGER/Σ", None, None, "group:ärger/σ");
        let form =
            |text: &str| format!("Entity reference \"{text}\" was not on the form [<kind>:][<namespace>/]<name>");
        for text in ["", ":", "/", ":a", "a:", "/a", "a/", "k:/a", "k:n/", ":n/a"] {
            check(text, Some("group"), None, &form(text));
        }
        let no_kind = "had missing or empty kind (e.g. did not start with \"component:\" or similar)";
        check("a", None, None, &format!("Entity reference \"a\" {no_kind}"));
        check("n/a:b", None, None, &format!("Entity reference \"n/a:b\" {no_kind}"));
        check("a", Some(""), None, &format!("Entity reference \"a\" {no_kind}"));
    }

    #[test]
    fn compound() {
        let parse = |value| EntityRef::from_value(&value, Some("Group"), Some("n")).map(|found| found.to_string());
        assert_eq!(parse(json!("A")), Ok("group:n/a".to_owned()));
        assert_eq!(parse(json!({"name": "A"})), Ok("group:n/a".to_owned()));
        assert_eq!(parse(json!({"kind": "User", "namespace": "X", "name": "A"})), Ok("user:x/a".to_owned()));
        assert!(parse(json!({"kind": "User"})).is_err());
    }

    #[test]
    fn serde() {
        let parsed: EntityRef = serde_json::from_value(json!("API:Default/X")).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), json!("api:default/x"));
        assert!(serde_json::from_value::<EntityRef>(json!("x")).is_err());
    }
}
