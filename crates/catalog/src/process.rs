//! Processing: what becomes of one entity as its source delivered it. Touches no table.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use callboard_model::api::EntityError;
use callboard_model::entity::Entity;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use callboard_model::processing::Hook;
use callboard_model::relations::{self, Relation};
use callboard_model::stable_json::sha1_hex_of;
use callboard_model::validate;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::engine::now;
use crate::files::Files;
use crate::limits::{MESSAGE_CHARS, READS_AT_ONCE};
use crate::settings::{self, Settings};
use crate::{EntityProcessor, Reader};

mod annotate;
mod batch;
mod chain;
mod fetch;
mod git;
mod location;
mod placeholder;
mod rules;

pub(crate) use chain::stored_key;
use chain::{Chain, Place, Said};
pub(crate) use fetch::{Fetch, SEARCH, stamp_of};
use git::GitHosts;
use rules::Rules;

/// The dependency that says until when a result holds, in milliseconds since 1970.
const FRESH: &str = "fresh:";

/// What makes results out of sources.
#[derive(Clone)]
pub(crate) struct Processor {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Arc<dyn Reader>,
    files: Files,
    rules: Rules,
    hosts: GitHosts,
    steps: Steps,
    chain: RwLock<Arc<Chain>>,
    /// Changes with everything but the source that a result depends on.
    digest: String,
    reads: Semaphore,
}

/// Which of the catalog's own steps are taken that app-config may turn off.
#[derive(Clone, Copy, Debug, Serialize)]
struct Steps {
    placeholders: bool,
    annotate: bool,
    files: bool,
    urls: bool,
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
    /// The processors of plugins that had a say, each with what tells whether it changed.
    pub(crate) used: BTreeMap<String, String>,
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
    /// At the processing interval, or after this where that is earlier.
    Within(Duration),
    /// After this.
    After(Duration),
    /// Soon, because a read failed.
    Retry,
}

/// A success.
#[derive(Debug)]
pub(crate) enum Made {
    /// The same as the last time. `renewed` are the dependencies whose content is the same under another validator.
    Unchanged { renewed: BTreeMap<String, String> },
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
    /// As in [`Last::used`].
    pub(crate) used: BTreeMap<String, String>,
}

/// An entity that a Location brought, or a processor of a plugin.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) entity: Entity,
    pub(crate) location_key: String,
    /// Of a Location of the catalog's own, for a file that a pattern stands for: changes with the file's content.
    pub(crate) version: Option<String>,
}

/// One thing that is wrong with an entity or with what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessingError {
    pub(crate) name: String,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Level::is_error")]
    pub(crate) level: Level,
}

/// What becomes of the result of whom something is wrong with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// There is none: the last good version stays.
    #[default]
    Error,
    /// It is there, and not all that the source says.
    Warning,
}

impl Level {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    pub(crate) fn is_error(&self) -> bool {
        *self == Level::Error
    }
}

impl ProcessingError {
    pub(crate) fn new(name: &str, message: impl std::fmt::Display) -> ProcessingError {
        let message: String = message.to_string().chars().take(MESSAGE_CHARS).collect();
        ProcessingError { name: name.to_owned(), message, level: Level::Error }
    }

    pub(crate) fn warning(name: &str, message: impl std::fmt::Display) -> ProcessingError {
        ProcessingError { level: Level::Warning, ..ProcessingError::new(name, message) }
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
        let steps = Steps {
            placeholders: settings.takes(settings::PLACEHOLDERS),
            annotate: settings.takes(settings::ANNOTATE),
            files: settings.takes(settings::READ_FILES),
            urls: settings.takes(settings::READ_URLS),
        };
        let hosts = &settings.scm_hosts;
        let parts =
            (env!("CARGO_PKG_VERSION"), &settings.rules, &settings.locations, &settings.base_dir, hosts, &steps);
        let digest = serde_json::to_vec(&parts).map_err(|error| crate::Error::Input(error.to_string()))?;
        let inner = Inner {
            reader,
            files,
            rules,
            hosts: GitHosts::new(hosts),
            steps,
            chain: RwLock::default(),
            digest: sha1_hex_of(&digest),
            reads: Semaphore::new(READS_AT_ONCE),
        };
        Ok(Processor { inner: Arc::new(inner) })
    }

    /// Sets the processors of plugins, in the order in which they run.
    pub(crate) fn set_chain(&self, processors: &[Arc<dyn EntityProcessor>]) {
        *self.inner.chain.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Chain::new(processors));
    }

    /// Changes with everything but the source, and the processors of plugins, that a result depends on.
    pub(crate) fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Whether all of these may come from there.
    pub(crate) fn allows(&self, entities: &[Child], origin: &LocationRef) -> Result<(), ProcessingError> {
        self.inner.rules.check(entities, origin)
    }

    pub(crate) fn files(&self) -> &Files {
        &self.inner.files
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
        let chain = Arc::clone(&self.inner.chain.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(last) = last.filter(|last| chain.still_has(&last.used)) {
            let left = left(&last.dependencies);
            // Who asks for a refresh wants to know what those say now who asked somebody.
            let holds = left.is_none_or(|left| !left.is_zero() && !work.forced);
            let same_version = work.version.is_some() && work.version == last.read_version && !work.forced;
            let is_location = work.source.kind() == "Location";
            if holds && ((is_location && same_version) || fetch.all_unchanged(&last.dependencies).await) {
                return Processed {
                    result: Ok(Made::Unchanged { renewed: fetch.renewed }),
                    dependencies: last.dependencies.clone(),
                    again: again(work, &last.dependencies, fetch.read_failed, left),
                };
            }
        }
        let mut said = Said::default();
        let result = self.make(work, &chain, &mut fetch, &mut said).await;
        let mut dependencies = std::mem::take(&mut fetch.dependencies);
        dependencies.extend(said.refresh_keys.drain(..).map(|key| (key, None)));
        let again = again(work, &dependencies, fetch.read_failed || said.retry, said.fresh_for);
        if let Some(fresh_for) = said.fresh_for {
            let until = now().saturating_add(i64::try_from(fresh_for.as_millis()).unwrap_or(i64::MAX));
            dependencies.insert(FRESH.to_owned(), Some(until.to_string()));
        }
        if result.is_err() {
            // The next attempt must see the content again, and not be told that it is the same.
            for (key, validator) in &mut dependencies {
                if !key.starts_with("file:") {
                    *validator = None;
                }
            }
        }
        let result = result.map(|(entity, mut relations, mut children)| {
            relations.append(&mut said.relations);
            children.append(&mut said.children);
            Made::New(Box::new(Output { entity, made_with, relations, children, used: said.used }))
        });
        Processed { result, dependencies, again }
    }

    async fn make(
        &self,
        work: &Work,
        chain: &Chain,
        fetch: &mut Fetch,
        said: &mut Said,
    ) -> Result<(Entity, Vec<Relation>, Vec<Child>), Vec<ProcessingError>> {
        let one = |error: ProcessingError| vec![error];
        let steps = self.inner.steps;
        let location = location_of(&work.source, MANAGED_BY_LOCATION).map_err(one)?;
        let origin = location_of(&work.source, MANAGED_BY_ORIGIN_LOCATION).map_err(one)?;
        let place = Place { location: &location, origin: &origin };
        let mut entity = work.source.clone();
        for (key, value) in &work.facts {
            entity.set_annotation(key, value);
        }
        if steps.placeholders {
            entity = placeholder::resolve(entity, &location, fetch).await.map_err(one)?;
        }
        if steps.annotate {
            annotate::annotate(&mut entity, &location, &self.inner.hosts, |url| fetch.resolve(url, "./").ok());
        }
        let mut entity = chain.process(Hook::PreProcess, entity, &place, said).await?;
        check(&mut entity, work).map_err(one)?;
        let mut children = Vec::new();
        if entity.kind() == "Location" {
            children = location::read(&entity, &location, &origin, &work.facts, fetch).await?;
        }
        let mut entity = chain.process(Hook::PostProcess, entity, &place, said).await?;
        check(&mut entity, work).map_err(one)?;
        said.children.retain(|emitted| {
            let emitted_ref = emitted.entity.entity_ref();
            !children.iter().any(|child: &Child| child.entity.entity_ref() == emitted_ref)
        });
        self.inner.rules.check(&children, &origin).map_err(one)?;
        self.inner.rules.check(&said.children, &origin).map_err(one)?;
        let relations = relations::of(&entity).map_err(|error| {
            one(ProcessingError::input(format!(
                "Processor BuiltinKindsEntityProcessor threw an error while postprocessing; caused by TypeError: {error}"
            )))
        })?;
        Ok((entity, relations, children))
    }
}

/// What holds of an entity whoever had a say: nothing runs in a browser, it is valid, and it is still the same one.
fn check(entity: &mut Entity, work: &Work) -> Result<(), ProcessingError> {
    annotate::reject_scripts(entity);
    validate::check(entity).map_err(|error| ProcessingError::input(error.of(&entity.entity_ref())))?;
    if entity.entity_ref() != work.source.entity_ref() {
        let message = "Fatal: The entity kind, namespace, or name changed during processing";
        return Err(ProcessingError::new("ConflictError", message));
    }
    Ok(())
}

fn location_of(entity: &Entity, annotation: &str) -> Result<LocationRef, ProcessingError> {
    let text = entity.annotation(annotation).ok_or_else(|| {
        ProcessingError::input(format!(
            "Entity envelope failed validation before processing: its source must set the annotation {annotation}"
        ))
    })?;
    LocationRef::parse(text).map_err(|error| ProcessingError::input(format!("annotation {annotation}: {error}")))
}

/// For how long the result holds; none where time changes nothing.
fn left(dependencies: &BTreeMap<String, Option<String>>) -> Option<Duration> {
    let until = dependencies.get(FRESH)?.as_ref().and_then(|until| until.parse::<i64>().ok()).unwrap_or(0);
    Some(Duration::from_millis(u64::try_from(until.saturating_sub(now())).unwrap_or(0)))
}

fn again(
    work: &Work,
    dependencies: &BTreeMap<String, Option<String>>,
    failed: bool,
    fresh_for: Option<Duration>,
) -> Again {
    if failed {
        return Again::Retry;
    }
    let has_urls = dependencies.keys().any(|key| key.starts_with("url:") || key.starts_with(SEARCH));
    // A version tells of changes of what a Location reads, so that there is nothing to look for.
    let versioned = work.version.is_some() && work.source.kind() == "Location";
    match (has_urls && !versioned, fresh_for) {
        (true, Some(fresh_for)) => Again::Within(fresh_for),
        (true, None) => Again::Interval,
        (false, Some(fresh_for)) => Again::After(fresh_for),
        (false, None) => Again::Never,
    }
}
