//! What a registration would bring in: the same processing, and nothing is stored.

use std::collections::{BTreeMap, HashSet, VecDeque};

use callboard_model::entity::Entity;
use callboard_model::location_ref::LocationRef;
use serde_json::value::to_raw_value;

use super::registry::{checked, find};
use super::{DryRun, NewLocation, RegisteredLocation};
use crate::Error;
use crate::engine::Shared;
use crate::graph::source_hash;
use crate::limits::DRY_RUN_ENTITIES;
use crate::process::{Made, Work};

/// Reads a location and everything below it.
pub(crate) async fn dry_run(shared: &Shared, location: &NewLocation) -> Result<DryRun, Error> {
    let location_ref: LocationRef = checked(location)?;
    let exists = find(&mut shared.db.read().await?, &location_ref).await?.is_some();
    let root = location_ref.generated_entity(location.presence);
    let registered = RegisteredLocation {
        id: location_ref.to_string(),
        kind: location_ref.kind,
        target: location_ref.target,
        entity_ref: root.entity_ref().to_string(),
    };
    let (mut seen, mut entities) = (HashSet::from([root.entity_ref()]), Vec::new());
    let mut todo = VecDeque::from([root]);
    while let Some(entity) = todo.pop_front() {
        if entities.len() >= DRY_RUN_ENTITIES {
            return Err(Error::Input(format!("The location has more than {DRY_RUN_ENTITIES} entities")));
        }
        let (entity, children) = process(shared, entity).await?;
        for child in children {
            if !seen.insert(child.entity_ref()) {
                return Err(Error::Input(format!("Duplicate nested entity: {}", child.entity_ref())));
            }
            todo.push_back(child);
        }
        entities.push(to_raw_value(&entity).map_err(|error| Error::Input(error.to_string()))?);
    }
    Ok(DryRun { exists, location: registered, entities })
}

async fn process(shared: &Shared, source: Entity) -> Result<(Entity, Vec<Entity>), Error> {
    let facts = BTreeMap::new();
    let source_hash = source_hash(&source, None, &facts);
    let work = Work { source, source_hash, facts, version: None, last: None, forced: true };
    match shared.processor.process(&work).await.result {
        Ok(Made::New(output)) => Ok((output.entity, output.children.into_iter().map(|child| child.entity).collect())),
        // Without an earlier result there is nothing that could be unchanged.
        Ok(Made::Unchanged) => Ok((work.source, Vec::new())),
        Err(errors) => {
            let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            Err(Error::Input(messages.join(", ")))
        }
    }
}
