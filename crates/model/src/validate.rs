//! Whether an entity is valid: the policies that hold for every entity, then the schema of its kind.
//!
//! The rules, their order and the texts of their errors are those of Backstage's catalog model, so that a file that is
//! accepted there is accepted here.

mod format;
mod kind;
mod policy;
mod schema;

use std::fmt;

use serde_json::Value;

use crate::entity::Entity;
use crate::entity_ref::EntityRef;
use crate::stable_json::compare_utf16;

/// Checks an entity in full. On the way its default namespace is written out, and the arrays of refs in its `spec` are
/// sorted.
///
/// The first failure is returned.
pub fn check(entity: &mut Entity) -> Result<(), ValidationError> {
    policy::schema_valid(entity)?;
    entity.set_default_namespace();
    policy::no_foreign_root_fields(entity)?;
    policy::field_format(entity)?;
    sort_refs(entity);
    kind::check(entity)
}

/// Why an entity is not valid. `Display` is one line that names the field and the expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// Which part of the check failed.
    pub stage: Stage,
    /// The JSON pointer of the field; empty for the root.
    pub field: String,
    /// What is wrong with it, in a sentence that names it.
    pub message: String,
    /// What was expected there, where the message is about a value's form.
    pub expected: Option<String>,
    /// What was found there, as JSON and cut where it is long; empty where nothing is.
    pub found: String,
}

/// The parts of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What holds for every entity.
    Policy,
    /// The schema of the entity's kind.
    Kind,
    /// No kind of that name and `apiVersion` is known.
    Unknown,
}

impl ValidationError {
    /// The error with the entity that it is about, as it stands in the entity's status.
    pub fn of(&self, entity: &EntityRef) -> String {
        match self.stage {
            Stage::Policy => format!("Policy check failed for {entity}; caused by Error: {self}"),
            Stage::Kind => format!(
                "Processor BuiltinKindsEntityProcessor threw an error while validating the entity {entity}; \
                 caused by TypeError: {self}"
            ),
            Stage::Unknown => self.message.clone(),
        }
    }

    fn new(stage: Stage, field: impl Into<String>, message: impl Into<String>, found: Option<&Value>) -> Self {
        Self {
            stage,
            field: field.into(),
            message: message.into(),
            expected: None,
            found: found.map(excerpt).unwrap_or_default(),
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValidationError {}

/// The arrays of strings whose order says nothing, so that the stored entity has them in one order only.
const SORTED: [&str; 7] =
    ["providesApis", "consumesApis", "dependsOn", "dependencyOf", "memberOf", "children", "members"];

fn sort_refs(entity: &mut Entity) {
    let Some(spec) = entity.spec_mut() else { return };
    for key in SORTED {
        if let Some(Value::Array(items)) = spec.get_mut(key)
            && items.iter().all(Value::is_string)
        {
            items.sort_by(|left, right| {
                compare_utf16(left.as_str().unwrap_or_default(), right.as_str().unwrap_or_default())
            });
        }
    }
}

/// How much of a found value an error repeats.
const EXCERPT: usize = 200;

fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(map) => format!("an object of {}", map.len()),
        scalar => scalar.to_string(),
    };
    cut(&text)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A JSON pointer one step further down.
fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}
