//! Processing: what a processor of a plugin is handed of an entity, and what it answers.

mod order;

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::entity::Entity;
use crate::entity_ref::EntityRef;
use crate::location_ref::{LocationRef, LocationRefError, Presence};
use crate::relations::Relation;

pub use order::{Cycle, order};

/// The catalog's own steps, in their order. A processor may name them in `after`, and may not be called as one of them.
///
/// `placeholder` and `annotate` come before what processors do in [`Hook::PreProcess`], all of them before what they do
/// in [`Hook::PostProcess`].
pub const STEPS: [&str; 5] = ["placeholder", "annotate", "validate", "read", "relations"];

/// Those of the [`STEPS`] that come after every [`Hook::PreProcess`].
pub const STEPS_AFTER_PRE_PROCESS: [&str; 3] = ["validate", "read", "relations"];

/// The moments at which a processor may have a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Before the entity is validated. It may be changed, all but its ref.
    PreProcess,
    /// After it is valid. Metadata and spec may be changed, and relations, entities and locations emitted.
    PostProcess,
}

impl Hook {
    /// As in WIT and in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreProcess => "pre-process",
            Self::PostProcess => "post-process",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An entity whose turn has come: an item of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessInput {
    /// As the steps before have left it.
    pub entity: Entity,
    /// Where it was read from.
    pub location: LocationRef,
    /// The location whose registration led to it.
    pub origin_location: LocationRef,
}

/// What a processor makes of an entity. The default is: nothing, it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProcessOutput {
    /// The entity as it shall be; absent where it stays as it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Relations with the entity at one of their ends, beside those that its spec gives rise to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<EmittedRelation>,
    /// Further entities, which live as long as this one emits them. They have its location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Entity>,
    /// Locations to be read by the portal's own readers, as long as this entity emits them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<EmittedLocation>,
    /// What else the result depends on, in words of the plugin's own: whoever refreshes one of these keys has the
    /// entity processed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refresh_keys: Vec<String>,
    /// What is wrong with the entity. With any, nothing of this result is taken: the last good version stays, and the
    /// errors stand beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<EmittedError>,
    /// For how many milliseconds the result holds; absent where it depends on nothing but what was handed over and
    /// the plugin's config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_for_ms: Option<u64>,
}

impl ProcessOutput {
    /// The entity in another form, and nothing beside it.
    pub fn of(entity: Entity) -> Self {
        Self { entity: Some(entity), ..Self::default() }
    }
}

/// A relation: `{"type": "dependsOn", "targetRef": "resource:default/db"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EmittedRelation {
    /// Its *type*, such as `dependsOn`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it starts; absent where that is the entity itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<EntityRef>,
    /// Where it ends.
    pub target_ref: EntityRef,
}

impl EmittedRelation {
    /// From the entity to another one.
    pub fn to(kind: &str, target: EntityRef) -> Self {
        Self { kind: kind.to_owned(), source_ref: None, target_ref: target }
    }

    /// From another one to the entity, which is `this`.
    pub fn from(kind: &str, source: EntityRef, this: EntityRef) -> Self {
        Self { kind: kind.to_owned(), source_ref: Some(source), target_ref: this }
    }

    /// With both ends written out.
    pub fn of(self, this: &EntityRef) -> Relation {
        Relation { source: self.source_ref.unwrap_or_else(|| this.clone()), kind: self.kind, target: self.target_ref }
    }
}

/// A location: `{"type": "url", "target": "https://example.com/more.yaml"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmittedLocation {
    /// Its *type*: `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is read.
    pub target: String,
    /// Whether it is an error that nothing is there.
    #[serde(default)]
    pub presence: Presence,
}

impl EmittedLocation {
    /// Checked as every location is.
    pub fn location_ref(&self) -> Result<LocationRef, LocationRefError> {
        LocationRef::new(&self.kind, &self.target)
    }
}

/// Something that is wrong with an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmittedError {
    /// For machines: `InputError`, `NotFoundError` …
    #[serde(default = "input_error")]
    pub name: String,
    /// For people.
    pub message: String,
}

fn input_error() -> String {
    "InputError".to_owned()
}

/// What came of one item of a batch: a [`ProcessOutput`], or `{"error": {…}}`.
#[derive(Clone, Debug, PartialEq)]
pub enum ProcessOutcome {
    /// It was processed.
    Output(Box<ProcessOutput>),
    /// It could not be.
    Failed(ProcessFailure),
}

/// Why an entity could not be processed, though others can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessFailure {
    /// For machines: a case of `callboard:host/types.error` (`denied`, `invalid`, `not-found`, `unavailable`,
    /// `throttled`, `too-large`), or a code of the upstream's own.
    pub code: String,
    /// For people.
    pub message: String,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a ProcessFailure,
}

impl Serialize for ProcessOutcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Output(output) => output.serialize(serializer),
            Self::Failed(error) => Failed { error }.serialize(serializer),
        }
    }
}

/// By hand, because the derived one for untagged enums says of a wrong result only that nothing fits, and reads everything
/// twice.
impl<'de> Deserialize<'de> for ProcessOutcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Either { error, entity, relations, entities, locations, refresh_keys, errors, fresh_for_ms } =
            deserializer.deserialize_map(Whole)?;
        let output = ProcessOutput { entity, relations, entities, locations, refresh_keys, errors, fresh_for_ms };
        match error {
            Some(_) if output != ProcessOutput::default() => Err(Error::custom("nothing may stand beside `error`")),
            Some(error) => Ok(Self::Failed(error)),
            None => Ok(Self::Output(Box::new(output))),
        }
    }
}

/// Nothing but a map: what is derived takes lists as well.
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Either;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Either, A::Error> {
        Either::deserialize(MapAccessDeserializer::new(map))
    }
}

/// An error that is said is one: `null` is none.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProcessFailure>, D::Error> {
    ProcessFailure::deserialize(deserializer).map(Some)
}

/// The fields of both.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Either {
    #[serde(deserialize_with = "said")]
    error: Option<ProcessFailure>,
    entity: Option<Entity>,
    relations: Vec<EmittedRelation>,
    entities: Vec<Entity>,
    locations: Vec<EmittedLocation>,
    refresh_keys: Vec<String>,
    errors: Vec<EmittedError>,
    fresh_for_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entity() -> Value {
        json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}})
    }

    #[test]
    fn inputs() {
        let written = json!({
            "entity": entity(),
            "location": "url:https://example.com/a.yaml",
            "originLocation": "url:https://example.com/all.yaml",
        });
        let input: ProcessInput = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(input.location.target, "https://example.com/a.yaml");
        assert_eq!(serde_json::to_value(&input).unwrap(), written);
        // What a newer portal says beyond that does not stop an older plugin.
        let mut newer = written;
        newer["more"] = json!(1);
        assert_eq!(serde_json::from_value::<ProcessInput>(newer).unwrap(), input);
    }

    #[test]
    fn outcomes() {
        fn check(value: Value, expected: Result<(), &str>) {
            match (serde_json::from_value::<ProcessOutcome>(value.clone()), expected) {
                (Ok(found), Ok(())) => assert_eq!(serde_json::to_value(found).unwrap(), value),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{value}: {error}"),
                (found, _) => panic!("{value}: {found:?}"),
            }
        }
        check(json!({}), Ok(()));
        check(json!({"entity": entity()}), Ok(()));
        check(
            json!({
                "entity": entity(),
                "relations": [
                    {"type": "dependsOn", "targetRef": "resource:default/db"},
                    {"type": "dependencyOf", "sourceRef": "resource:default/db", "targetRef": "x:default/x"},
                ],
                "entities": [entity()],
                "locations": [{"type": "url", "target": "https://example.com/b.yaml", "presence": "optional"}],
                "refreshKeys": ["team:a"],
                "errors": [{"name": "InputError", "message": "no owner"}],
                "freshForMs": 60_000,
            }),
            Ok(()),
        );
        check(json!({"error": {"code": "unavailable", "message": "it is down"}}), Ok(()));
        check(json!({"error": {"code": "invalid", "message": "x"}, "entity": entity()}), Err("beside `error`"));
        check(json!({"error": "text"}), Err("ProcessFailure"));
        check(json!({"error": null}), Err("ProcessFailure"));
        check(json!({"entities": [{"kind": "X"}]}), Err("Malformed envelope"));
        check(json!({"relations": [{"type": "dependsOn", "targetRef": "db"}]}), Err("missing or empty kind"));
        check(json!({"relation": []}), Err("unknown field `relation`"));
        check(json!({"freshForMs": -1}), Err("-1"));
        check(json!(null), Err("null"));
        check(json!([]), Err("expected a map"));
        let output = json!({"errors": [{"message": "m"}], "locations": [{"type": "url", "target": "x"}]});
        let output: ProcessOutput = serde_json::from_value(output).unwrap();
        assert_eq!((output.errors[0].name.as_str(), output.locations[0].presence), ("InputError", Presence::Required));
    }

    #[test]
    fn relations() {
        let [this, other] =
            ["component:default/a", "resource:default/db"].map(|text| text.parse::<EntityRef>().unwrap());
        let to = EmittedRelation::to("dependsOn", other.clone()).of(&this);
        assert_eq!(to, Relation { source: this.clone(), kind: "dependsOn".to_owned(), target: other.clone() });
        let from = EmittedRelation::from("dependencyOf", other.clone(), this.clone()).of(&this);
        assert_eq!(from, Relation { source: other, kind: "dependencyOf".to_owned(), target: this });
    }

    #[test]
    fn locations() {
        let check = |kind: &str, target: &str, expected: bool| {
            let location =
                EmittedLocation { kind: kind.to_owned(), target: target.to_owned(), presence: Presence::Required };
            assert_eq!(location.location_ref().is_ok(), expected, "{kind} {target}");
        };
        check("url", "https://example.com/x.yaml", true);
        check("https", "//example.com/x.yaml", false);
        check("url", "javascript:alert(1)", false);
        check("", "x", false);
    }
}
