//! Processing: what becomes of one entity as its source delivered it. Touches no table.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_model::api::EntityError;
use callboard_model::entity::Entity;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use callboard_model::relations::{self, Relation};
use callboard_model::stable_json::sha1_hex_of;
use callboard_model::validate;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::files::Files;
use crate::limits::{MESSAGE_CHARS, READS_AT_ONCE};
use crate::{Reader, Settings};

mod annotate;
mod fetch;
mod git;
mod location;
mod placeholder;
mod rules;

pub(crate) use fetch::{Fetch, stamp_of};
use rules::Rules;

/// What makes results out of sources.
#[derive(Clone)]
pub(crate) struct Processor {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Arc<dyn Reader>,
    files: Files,
    rules: Rules,
    /// Changes with everything but the source that a result depends on.
    digest: String,
    reads: Semaphore,
}

/// An entity to process, with what is known from the last time.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) source: Entity,
    pub(crate) source_hash: String,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) version: Option<String>,
    pub(crate) last: Option<Last>,
    /// Reads again what has a version that did not change.
    pub(crate) forced: bool,
}

/// What the last processing left, where it succeeded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Last {
    pub(crate) made_with: String,
    pub(crate) read_version: Option<String>,
    /// What it read, with what tells whether that changed.
    pub(crate) dependencies: BTreeMap<String, Option<String>>,
}

/// What processing came to.
#[derive(Debug)]
pub(crate) struct Processed {
    pub(crate) result: Result<Made, Vec<ProcessingError>>,
    /// What was read; not filled where nothing was made anew.
    pub(crate) dependencies: BTreeMap<String, Option<String>>,
    /// Whether time alone may change the result.
    pub(crate) again: Again,
}

/// When an entity is due again, when nothing happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Never: it depends on nothing but what tells of its changes.
    Never,
    /// At the processing interval.
    Interval,
    /// Soon, because a read failed.
    Retry,
}

/// A success.
#[derive(Debug)]
pub(crate) enum Made {
    /// The same as the last time.
    Unchanged,
    /// Something else, or for the first time.
    New(Box<Output>),
}

/// What an entity was made into.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) entity: Entity,
    pub(crate) made_with: String,
    pub(crate) relations: Vec<Relation>,
    pub(crate) children: Vec<Child>,
}

/// An entity that a Location brought.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) entity: Entity,
    pub(crate) location_key: String,
}

/// One thing that is wrong with an entity or with what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessingError {
    pub(crate) name: String,
    pub(crate) message: String,
}

impl ProcessingError {
    pub(crate) fn new(name: &str, message: impl std::fmt::Display) -> ProcessingError {
        let message: String = message.to_string().chars().take(MESSAGE_CHARS).collect();
        ProcessingError { name: name.to_owned(), message }
    }

    pub(crate) fn input(message: impl std::fmt::Display) -> ProcessingError {
        ProcessingError::new("InputError", message)
    }
}

impl From<ProcessingError> for EntityError {
    fn from(error: ProcessingError) -> EntityError {
        EntityError { name: error.name, message: error.message }
    }
}

impl Processor {
    pub(crate) fn new(reader: Arc<dyn Reader>, files: Files, settings: &Settings) -> Result<Processor, crate::Error> {
        let rules = Rules::new(settings, &files)?;
        let parts = (env!("CARGO_PKG_VERSION"), &settings.rules, &settings.locations, &settings.base_dir);
        let digest = serde_json::to_vec(&parts).map_err(|error| crate::Error::Input(error.to_string()))?;
        let inner = Inner { reader, files, rules, digest: sha1_hex_of(&digest), reads: Semaphore::new(READS_AT_ONCE) };
        Ok(Processor { inner: Arc::new(inner) })
    }

    /// Changes with everything but the source that a result depends on.
    pub(crate) fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Whether all of these may come from there.
    pub(crate) fn allows(&self, entities: &[Child], origin: &LocationRef) -> Result<(), ProcessingError> {
        self.inner.rules.check(entities, origin)
    }

    /// What the files among the given dependencies look like now. Blocks.
    pub(crate) fn stamp(&self, key: &str) -> Option<String> {
        stamp_of(&self.inner.files, key)
    }

    /// What becomes of an entity.
    pub(crate) async fn process(&self, work: &Work) -> Processed {
        let made_with = sha1_hex_of(format!("{}\n{}", work.source_hash, self.inner.digest).as_bytes());
        let last = work.last.as_ref().filter(|last| last.made_with == made_with);
        let mut fetch = Fetch::new(Arc::clone(&self.inner));
        if let Some(last) = last {
            let same_version = work.version.is_some() && work.version == last.read_version && !work.forced;
            let is_location = work.source.kind() == "Location";
            if (is_location && same_version) || fetch.all_unchanged(&last.dependencies).await {
                return Processed {
                    result: Ok(Made::Unchanged),
                    dependencies: last.dependencies.clone(),
                    again: again(work, &last.dependencies, &fetch),
                };
            }
        }
        let result = self.make(work, &mut fetch).await;
        let failed = result.is_err();
        let result = result.map(|(entity, relations, children)| {
            Made::New(Box::new(Output { entity, made_with, relations, children }))
        });
        let mut dependencies = std::mem::take(&mut fetch.dependencies);
        if failed {
            // The next attempt must see the content again, and not be told that it is the same.
            for (key, validator) in &mut dependencies {
                if !key.starts_with("file:") {
                    *validator = None;
                }
            }
        }
        let again = again(work, &dependencies, &fetch);
        Processed { result, dependencies, again }
    }

    async fn make(
        &self,
        work: &Work,
        fetch: &mut Fetch,
    ) -> Result<(Entity, Vec<Relation>, Vec<Child>), Vec<ProcessingError>> {
        let one = |error: ProcessingError| vec![error];
        let location = location_of(&work.source, MANAGED_BY_LOCATION).map_err(one)?;
        let origin = location_of(&work.source, MANAGED_BY_ORIGIN_LOCATION).map_err(one)?;
        let mut entity = work.source.clone();
        for (key, value) in &work.facts {
            entity.set_annotation(key, value);
        }
        let mut entity = placeholder::resolve(entity, &location, fetch).await.map_err(one)?;
        annotate::annotate(&mut entity, &location);
        let before = work.source.entity_ref();
        validate::check(&mut entity).map_err(|error| one(ProcessingError::input(error)))?;
        if entity.entity_ref() != before {
            let message = "Fatal: The entity kind, namespace, or name changed during processing";
            return Err(one(ProcessingError::new("ConflictError", message)));
        }
        let relations = relations::of(&entity).map_err(|error| one(ProcessingError::input(error)))?;
        let children = if entity.kind() == "Location" {
            let children = location::read(&entity, &location, &origin, &work.facts, fetch).await?;
            self.inner.rules.check(&children, &origin).map_err(one)?;
            children
        } else {
            Vec::new()
        };
        Ok((entity, relations, children))
    }
}

fn location_of(entity: &Entity, annotation: &str) -> Result<LocationRef, ProcessingError> {
    let text = entity.annotation(annotation).ok_or_else(|| {
        ProcessingError::input(format!(
            "Entity envelope failed validation before processing: its source must set the annotation {annotation}"
        ))
    })?;
    LocationRef::parse(text).map_err(|error| ProcessingError::input(format!("annotation {annotation}: {error}")))
}

fn again(work: &Work, dependencies: &BTreeMap<String, Option<String>>, fetch: &Fetch) -> Again {
    if fetch.read_failed {
        return Again::Retry;
    }
    let has_urls = dependencies.keys().any(|key| key.starts_with("url:"));
    // A version tells of changes of what a Location reads, so that there is nothing to look for.
    let versioned = work.version.is_some() && work.source.kind() == "Location";
    if has_urls && !versioned { Again::Interval } else { Again::Never }
}
