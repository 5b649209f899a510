//! What a registration would bring in: the same processing, and nothing is stored.

use std::collections::{HashSet, VecDeque};

use callboard_model::api::RegisteredLocation;
use callboard_model::location_ref::LocationRef;
use serde_json::value::to_raw_value;

use super::registry::{checked, find};
use super::{DryRun, NewLocation};
use crate::Error;
use crate::engine::Shared;
use crate::limits::DRY_RUN_ENTITIES;
use crate::validate;

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
        let (entity, children) = validate::once(&shared.processor, entity).await.map_err(|errors| {
            let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            Error::Input(messages.join(", "))
        })?;
        for child in children.into_iter().map(|child| child.entity) {
            if !seen.insert(child.entity_ref()) {
                return Err(Error::Input(format!("Duplicate nested entity: {}", child.entity_ref())));
            }
            todo.push_back(child);
        }
        let entity = to_raw_value(&entity).map_err(|error| Error::Input(error.to_string()))?;
        entities.push(entity.into());
    }
    Ok(DryRun { exists, location: registered, entities })
}
