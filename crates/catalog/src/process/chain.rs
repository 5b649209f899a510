//! What processors of plugins make of an entity, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::entity::Entity;
use callboard_model::filter::{Predicate, SearchRows};
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use callboard_model::processing::{EmittedLocation, Hook, ProcessInput, ProcessOutput};
use callboard_model::relations::Relation;
use sha2::{Digest, Sha256};

use super::batch::Batcher;
use super::{Child, ProcessingError};
use crate::EntityProcessor;
use crate::limits::{REFRESH_KEY_CHARS, REFRESH_KEY_KEPT};
use crate::processor::digest;

/// The processors, in the order in which they run.
#[derive(Default)]
pub(super) struct Chain(Vec<Link>);

struct Link {
    processor: Arc<dyn EntityProcessor>,
    digest: String,
    hooks: BTreeMap<Hook, Arc<Batcher>>,
}

/// What they said of one entity, beside what they made of it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Which had a say, by name, each with what tells whether it changed.
    pub(super) used: BTreeMap<String, String>,
    pub(super) relations: Vec<Relation>,
    pub(super) children: Vec<Child>,
    /// As they are stored.
    pub(super) refresh_keys: Vec<String>,
    /// For how long all of it holds; none where time changes nothing.
    pub(super) fresh_for: Option<Duration>,
    /// Whether one of them could not work, and may be able to the next time.
    pub(super) retry: bool,
}

/// Where an entity is from.
pub(super) struct Place<'a> {
    pub(super) location: &'a LocationRef,
    pub(super) origin: &'a LocationRef,
}

impl Chain {
    pub(super) fn new(processors: &[Arc<dyn EntityProcessor>]) -> Chain {
        let link = |processor: &Arc<dyn EntityProcessor>| Link {
            digest: digest(&**processor),
            hooks: processor.hooks().iter().map(|hook| (*hook, Batcher::new(Arc::clone(processor), *hook))).collect(),
            processor: Arc::clone(processor),
        };
        Chain(processors.iter().map(link).collect())
    }

    /// Whether these are still what they were.
    pub(super) fn still_has(&self, used: &BTreeMap<String, String>) -> bool {
        used.iter().all(|(name, digest)| {
            self.0.iter().any(|link| link.processor.name() == name.as_str() && link.digest == *digest)
        })
    }

    /// Has those process an entity that it is for as it then stands. The first that finds something wrong ends it.
    pub(super) async fn process(
        &self,
        hook: Hook,
        mut entity: Entity,
        place: &Place<'_>,
        said: &mut Said,
    ) -> Result<Entity, Vec<ProcessingError>> {
        let mut rows = None;
        for link in &self.0 {
            let Some(batcher) = link.hooks.get(&hook) else { continue };
            if let Some(filter) = link.processor.filter()
                && !matches(filter, &entity, &mut rows).map_err(|error| vec![error])?
            {
                continue;
            }
            said.used.insert(link.processor.name().to_owned(), link.digest.clone());
            let input = ProcessInput {
                entity: entity.clone(),
                location: place.location.clone(),
                origin_location: place.origin.clone(),
            };
            let output = batcher.process(input).await.map_err(|error| {
                said.retry |= error.retry;
                vec![ProcessingError::new("Error", error.message)]
            })?;
            if let Some(changed) = said.take(output, &entity, place, link.processor.name())? {
                entity = changed;
                rows = None;
            }
        }
        Ok(entity)
    }
}

fn matches(filter: &Predicate, entity: &Entity, rows: &mut Option<SearchRows>) -> Result<bool, ProcessingError> {
    let rows = match rows {
        Some(rows) => rows,
        None => rows.insert(SearchRows::of(&entity.to_value()).map_err(ProcessingError::input)?),
    };
    Ok(filter.matches(rows))
}

impl Said {
    /// Takes over what one processor said. Answers with the entity where it was changed.
    fn take(
        &mut self,
        output: ProcessOutput,
        entity: &Entity,
        place: &Place<'_>,
        name: &str,
    ) -> Result<Option<Entity>, Vec<ProcessingError>> {
        let this = entity.entity_ref();
        let fresh_for = output.fresh_for_ms.map(Duration::from_millis);
        self.fresh_for = [self.fresh_for, fresh_for].into_iter().flatten().min();
        self.refresh_keys.extend(output.refresh_keys.iter().map(|key| stored_key(key)));
        if !output.errors.is_empty() {
            let error = |error: callboard_model::processing::EmittedError| {
                ProcessingError::new(&error.name, format!("processor `{name}`: {}", error.message))
            };
            return Err(output.errors.into_iter().map(error).collect());
        }
        self.relations.extend(output.relations.into_iter().map(|relation| relation.of(&this)));
        for emitted in output.entities {
            self.emit(emitted, entity, place);
        }
        for location in output.locations {
            let location = generated(&location).map_err(|error| vec![error])?;
            self.emit(location, entity, place);
        }
        Ok(output.entity)
    }

    /// What an entity leads to is from where it is itself.
    fn emit(&mut self, mut emitted: Entity, parent: &Entity, place: &Place<'_>) {
        let emitted_ref = emitted.entity_ref();
        if emitted_ref == parent.entity_ref()
            || self.children.iter().any(|child| child.entity.entity_ref() == emitted_ref)
        {
            tracing::warn!(entity = %emitted_ref, parent = %parent.entity_ref(), "processors emit the entity twice");
            return;
        }
        let location = place.location.to_string();
        emitted.set_annotation(MANAGED_BY_LOCATION, location.clone());
        emitted.set_annotation(MANAGED_BY_ORIGIN_LOCATION, place.origin.to_string());
        self.children.push(Child { entity: emitted, location_key: location, version: None });
    }
}

/// The Location for what a plugin wants to be read. Files of the server's own it cannot name, whatever let it through.
fn generated(location: &EmittedLocation) -> Result<Entity, ProcessingError> {
    if location.kind != "url" {
        let message = format!("a processor may emit locations of type url only, not {}", location.kind);
        return Err(ProcessingError::new("NotAllowedError", message));
    }
    let location_ref = location.location_ref().map_err(ProcessingError::input)?;
    Ok(location_ref.generated_entity(location.presence))
}

/// A refresh key as the table `dependency` has it: a long one by its beginning and its digest.
pub(crate) fn stored_key(key: &str) -> String {
    if key.chars().count() <= REFRESH_KEY_CHARS {
        return format!("key:{key}");
    }
    let kept: String = key.chars().take(REFRESH_KEY_KEPT).collect();
    format!("key:{kept}#sha256:{}", hex::encode(Sha256::digest(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert_eq!(stored_key("team:a"), "key:team:a");
        let edge = "é".repeat(255);
        assert_eq!(stored_key(&edge), format!("key:{edge}"));
        let long = "x".repeat(256);
        let stored = stored_key(&long);
        assert!(stored.starts_with(&format!("key:{}#sha256:", "x".repeat(180))), "{stored}");
        assert_eq!(stored.len(), 4 + 180 + 8 + 64);
    }
}
