//! What the documents of the file are.

use std::collections::BTreeMap;

use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::yaml;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::process::ProcessingError;

/// The one key of a document that is ours. Everything beside it is an entity as its source delivered it.
pub(super) const KEY: &str = "x-callboard";

/// The format that this program writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Record {
    /// The first document.
    Export(Header),
    Location(Location),
    Source(Source),
    Entity(Box<State>),
    /// A document, as JSON, with a number that YAML has no equal for, such as 1.0.
    Json(String),
    /// The last document: without it, the file was cut off.
    End(End),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: u32,
    /// The version of the program that wrote it.
    pub(super) program: String,
    pub(super) created: String,
    pub(super) locations: u64,
    pub(super) sources: u64,
    pub(super) entities: u64,
}

/// A registered location.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Location {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) target: String,
    pub(super) entity_ref: String,
    pub(super) optional: bool,
}

/// A provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Source {
    pub(super) name: String,
    /// The plugin that it is of; empty for those of the catalog's own.
    pub(super) owner: String,
}

/// What the catalog knows of an entity beside its source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct State {
    pub(super) uid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) facts: BTreeMap<String, String>,
    /// Names of providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) provided_by: Vec<String>,
    /// Refs of the entities that emit it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parents: Vec<String>,
    /// Refs of the entities that would emit another one of this ref.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contenders: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ProcessingError>,
    /// What processing last came to, where the source alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Outcome>,
    /// What the source itself has under [`KEY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Outcome {
    pub(super) document: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) relations: Vec<Named>,
}

/// A relation that the entity's processing named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) target: String,
}

impl Named {
    pub(super) fn relation(&self) -> Option<callboard_model::relations::Relation> {
        let parse = |text: &str| EntityRef::parse(text, None, None).ok();
        let (source, target) = (parse(&self.source)?, parse(&self.target)?);
        Some(callboard_model::relations::Relation { source, kind: self.kind.clone(), target })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    pub(super) entities: u64,
}

/// A document's text, with the line that separates it from the one before.
pub(super) fn write(source: Option<Map<String, Value>>, mut record: Record) -> Result<String, String> {
    let mut source = source.unwrap_or_default();
    if let Record::Entity(state) = &mut record {
        state.own = source.remove(KEY);
    }
    let record = serde_json::to_value(record).map_err(|error| error.to_string())?;
    let ours = Map::from_iter([(KEY.to_owned(), record)]);
    if let Some(text) = yaml::write(&[&source, &ours]) {
        return Ok(format!("---\n{text}"));
    }
    source.extend(ours);
    let json =
        serde_json::to_value(Record::Json(Value::Object(source).to_string())).map_err(|error| error.to_string())?;
    let text = yaml::write(&[&Map::from_iter([(KEY.to_owned(), json)])]);
    text.map(|text| format!("---\n{text}")).ok_or_else(|| "its source cannot be written down".to_owned())
}

/// A document as [`write()`] wrote it, or a person has changed it since.
pub(super) fn read(value: Value) -> Result<(Option<Entity>, Record), String> {
    let json = value.get(KEY).and_then(|ours| ours.get("json")?.as_str());
    match json.map(serde_json::from_str) {
        None => read_plain(value),
        Some(Ok(value)) => read_plain(value),
        Some(Err(error)) => Err(format!("{KEY}.json: {error}")),
    }
}

fn read_plain(value: Value) -> Result<(Option<Entity>, Record), String> {
    let Value::Object(mut source) = value else { return Err("is not an object".to_owned()) };
    let ours = source.remove(KEY).ok_or_else(|| {
        format!(
            "has no `{KEY}`, so it is not of an export. Entities are registered with the portal, or checked with \
                 `callboard entity validate`"
        )
    })?;
    let mut record: Record = serde_json::from_value(ours).map_err(|error| format!("{KEY}: {error}"))?;
    let Record::Entity(state) = &mut record else {
        return match source.keys().next() {
            None => Ok((None, record)),
            Some(key) => Err(format!("`{key}` has no business beside this `{KEY}`")),
        };
    };
    if let Some(own) = state.own.take() {
        source.insert(KEY.to_owned(), own);
    }
    let entity = Entity::from_value(Value::Object(source)).map_err(|error| error.to_string())?;
    Ok((Some(entity), record))
}
