//! What the engine would say of an entity, without storing anything.

use std::collections::BTreeMap;

use callboard_model::entity::Entity;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use serde_json::Value;

use crate::graph::source_hash;
use crate::process::{Child, Made, ProcessingError, Processor, Work};

/// Processes an entity as if it had been read from `location`: placeholders are fetched, and what a Location names is
/// read.
pub(crate) async fn validate(processor: &Processor, entity: Value, location: &str) -> Result<(), Vec<ProcessingError>> {
    let wrong = |error: &dyn std::fmt::Display| vec![ProcessingError::new("TypeError", error)];
    let mut entity = Entity::from_value(entity).map_err(|error| wrong(&error))?;
    let location = LocationRef::parse(location).map_err(|error| wrong(&error))?;
    if location.kind != "url" {
        let message =
            format!("Invalid location ref {location}, only 'url:<target>' is supported, e.g. url:https://host/path");
        return Err(wrong(&message));
    }
    for annotation in [MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION] {
        // Of any other type than `url` it would let whoever asks look at the server's own files.
        let own = entity.annotation(annotation).map(LocationRef::parse);
        if !own.is_some_and(|own| own.as_ref().map_or(true, |own| own.kind == "url")) {
            entity.set_annotation(annotation, location.to_string());
        }
    }
    once(processor, entity).await.map(|_| ())
}

/// Processes an entity as if it had just arrived. Answers with what it became, and with what it brings.
pub(crate) async fn once(processor: &Processor, source: Entity) -> Result<(Entity, Vec<Child>), Vec<ProcessingError>> {
    let facts = BTreeMap::new();
    let source_hash = source_hash(&source, None, &facts);
    let work = Work { source, source_hash, facts, version: None, last: None, forced: true };
    match processor.process(&work).await.result? {
        Made::New(output) => Ok((output.entity, output.children)),
        // Without an earlier result there is nothing that could be unchanged.
        Made::Unchanged { .. } => Ok((work.source, Vec::new())),
    }
}
