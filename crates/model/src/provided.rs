//! What an entity provider hands over.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::entity::Entity;

/// One thing that a provider's page says: `{"unchanged": "kind:namespace/name"}`, `{"removed": "kind:namespace/name"}`,
/// or `{"entity": {…}}` with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ProvidedItem {
    /// The entity with this ref is as it was in the last run.
    Unchanged {
        /// `kind:namespace/name`.
        unchanged: String,
    },
    /// The entity with this ref is gone. Only a run that is not full needs to say so; of an entity that the provider did
    /// not bring it means nothing.
    Removed {
        /// `kind:namespace/name`.
        removed: String,
    },
    /// An entity, in most cases a Location.
    Entity(Box<ProvidedEntity>),
}

/// An entity with what the provider knows of its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvidedEntity {
    /// The entity itself.
    pub entity: Entity,
    /// What changes whenever the source's content does (an ETag, say). A Location with a version is read again only
    /// when its version changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Annotations for this entity and, where it is a Location, for every entity that is read directly from it. They
    /// win over what a file says of itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// By hand, because the derived one for untagged enums says of a wrong entity only that nothing fits.
impl<'de> Deserialize<'de> for ProvidedItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let name = |key: &str| match value.get(key) {
            None => Ok(None),
            Some(Value::String(name)) => Ok(Some(name.clone())),
            Some(_) => Err(Error::custom(format!("`{key}` must be an entity ref, such as location:default/x"))),
        };
        if let Some(unchanged) = name("unchanged")? {
            return Ok(Self::Unchanged { unchanged });
        }
        if let Some(removed) = name("removed")? {
            return Ok(Self::Removed { removed });
        }
        ProvidedEntity::deserialize(value).map(|entity| Self::Entity(Box::new(entity))).map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items() {
        fn check(value: Value, expected: Result<(), &str>) {
            let found = serde_json::from_value::<ProvidedItem>(value.clone());
            assert_eq!(found.as_ref().map(|_| ()).map_err(ToString::to_string), expected.map_err(str::to_owned));
            if let Ok(found) = found {
                assert_eq!(serde_json::to_value(found).unwrap(), value);
            }
        }
        let entity = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}});
        check(json!({"unchanged": "location:default/x"}), Ok(()));
        check(json!({"entity": entity}), Ok(()));
        check(json!({"entity": entity, "version": "\"1\"", "facts": {"a": "b"}}), Ok(()));
        check(json!({"removed": "location:default/x"}), Ok(()));
        check(json!({"removed": 1}), Err("`removed` must be an entity ref, such as location:default/x"));
        check(json!({"unchanged": 1}), Err("`unchanged` must be an entity ref, such as location:default/x"));
        check(json!({}), Err("missing field `entity`"));
        check(
            json!({"entity": {"apiVersion": "v1", "kind": "X", "metadata": {}}}),
            Err("Malformed envelope, /metadata must have required property 'name'"),
        );
    }
}
