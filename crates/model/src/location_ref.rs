//! Locations: where entities are read from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::entity::Entity;
use crate::safe_url::is_script;
use crate::stable_json::sha1_hex_of;

/// The annotation with the location that an entity was read from.
pub const MANAGED_BY_LOCATION: &str = "backstage.io/managed-by-location";
/// The annotation with the location whose registration led to an entity.
pub const MANAGED_BY_ORIGIN_LOCATION: &str = "backstage.io/managed-by-origin-location";

/// A location: `<type>:<target>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationRef {
    /// The location's *type*: `url`, `file`, …
    pub kind: String,
    /// What is read, in the form that the type asks for.
    pub target: String,
}

/// Whether it is an error that a location cannot be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is.
    #[default]
    Required,
    /// It is not.
    Optional,
}

impl LocationRef {
    /// A location of the given type, checked as [`LocationRef::parse`] does.
    pub fn new(kind: &str, target: &str) -> Result<Self, LocationRefError> {
        Self::parse(&format!("{kind}:{target}"))
    }

    /// Splits at the first colon and trims both sides.
    pub fn parse(text: &str) -> Result<Self, LocationRefError> {
        let (kind, target) = text.split_once(':').map_or(("", ""), |(kind, target)| (kind.trim(), target.trim()));
        if kind.is_empty() || target.is_empty() {
            return Err(LocationRefError::Form(text.to_owned()));
        }
        if matches!(kind, "http" | "https") {
            return Err(LocationRefError::BareUrl(text.to_owned()));
        }
        if is_script(target) {
            return Err(LocationRefError::Script);
        }
        Ok(Self { kind: kind.to_owned(), target: target.to_owned() })
    }

    /// The name of the Location entity that stands for this location: `generated-` and the SHA-1 of the ref.
    pub fn generated_name(&self) -> String {
        format!("generated-{}", sha1_hex_of(self.to_string().as_bytes()))
    }

    /// The Location entity that stands for this location.
    pub fn generated_entity(&self, presence: Presence) -> Entity {
        let value = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Location",
            "metadata": {
                "name": self.generated_name(),
                "annotations": {
                    MANAGED_BY_LOCATION: self.to_string(),
                    MANAGED_BY_ORIGIN_LOCATION: self.to_string(),
                },
            },
            "spec": { "type": self.kind, "target": self.target, "presence": presence },
        });
        entity_of(value)
    }
}

#[expect(clippy::expect_used, reason = "the only caller passes a literal with every field of the envelope")]
fn entity_of(value: Value) -> Entity {
    Entity::from_value(value).expect("a generated Location has an envelope")
}

impl fmt::Display for LocationRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.target)
    }
}

impl FromStr for LocationRef {
    type Err = LocationRefError;

    fn from_str(text: &str) -> Result<Self, LocationRefError> {
        Self::parse(text)
    }
}

impl Serialize for LocationRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocationRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationRefError {
    /// There is no colon, or nothing on one of its sides.
    #[error("Unable to parse location ref '{0}', expected '<type>:<target>', e.g. 'url:https://host/path'")]
    Form(String),
    /// A URL without a type.
    #[error("Invalid location ref '{0}', please prefix it with 'url:', e.g. 'url:{0}'")]
    BareUrl(String),
    /// A `javascript:` target.
    #[error("Invalid location target, javascript: URLs are not allowed")]
    Script,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse() {
        fn check(text: &str, expected: Result<(&str, &str), &str>) {
            let found = LocationRef::parse(text);
            let found = found.as_ref().map(|r| (r.kind.as_str(), r.target.as_str())).map_err(ToString::to_string);
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
        check("url:https://example.com/a:b", Ok(("url", "https://example.com/a:b")));
        check(" file : ./x.yaml ", Ok(("file", "./x.yaml")));
        check("bootstrap:bootstrap", Ok(("bootstrap", "bootstrap")));
        let form = "expected '<type>:<target>', e.g. 'url:https://host/path'";
        for text in ["", "x", ":", "a:", ":b", "a: ", " :b"] {
            check(text, Err(&format!("Unable to parse location ref '{text}', {form}")));
        }
        check(
            "https://example.com/x",
            Err("Invalid location ref 'https://example.com/x', please prefix it with 'url:', \
                 e.g. 'url:https://example.com/x'"),
        );
        check(
            "http://example.com",
            Err(
                "Invalid location ref 'http://example.com', please prefix it with 'url:', e.g. 'url:http://example.com'",
            ),
        );
        for target in ["javascript:alert(1)", "JaVa\tscr\r\nipt:x", "\u{1}javascript:x", "url: \u{1f}javascript\n:x"] {
            check(
                &format!("url:{}", target.trim_start_matches("url:")),
                Err("Invalid location target, javascript: URLs are not allowed"),
            );
        }
        check("url:./javascript:x", Ok(("url", "./javascript:x")));
    }

    #[test]
    fn generated() {
        // The digest is what `printf %s url:https://example.com/catalog-info.yaml | sha1sum` says.
        let location = LocationRef::parse("url:https://example.com/catalog-info.yaml").unwrap();
        let name = "generated-94fde8d1a3274d54a87afa4868abb452412d59c6";
        assert_eq!(location.generated_name(), name);
        let entity = location.generated_entity(Presence::Optional);
        assert_eq!(entity.entity_ref().to_string(), format!("location:default/{name}"));
        assert_eq!(entity.spec_text("presence"), Some("optional"));
        assert_eq!(entity.annotation(MANAGED_BY_LOCATION), Some("url:https://example.com/catalog-info.yaml"));
    }
}
