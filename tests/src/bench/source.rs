//! The generated catalog as something that is read: by URL, or from a provider that hands entities over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use async_trait::async_trait;
use callboard_catalog::{Again, EntityProvider, Mode, ProviderError, ProviderPage, ReadFailure, Reader, Reading};
use callboard_model::entity::Entity;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION, Presence};
use callboard_model::provided::{ProvidedEntity, ProvidedItem};
use callboard_model::schedule::Schedule;
use serde_json::{Value, json};
use url::Url;

use crate::generator::Generator;

/// The name of either provider.
pub const PROVIDER: &str = "bench";

/// Entities that one page of the provider has.
const PER_PAGE: u64 = 500;

/// A source whose files are in a folder, so that neither their making nor their keeping counts.
#[derive(Clone)]
pub struct Source {
    generator: Generator,
    folder: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts up whenever everything looks new although nothing is.
    epoch: u64,
    /// Titles that were changed since: by the entity's number.
    titles: BTreeMap<u64, String>,
    /// Files whose Locations are gone.
    removed: BTreeSet<u64>,
    /// What the next run of the provider brings, where it is not everything.
    delta: Vec<u64>,
    /// Runs of the provider that were read to their end.
    runs: u64,
}

impl Source {
    /// Writes the files that are not there yet.
    pub fn prepare(generator: Generator, folder: &Path) -> Result<Self> {
        let folder = folder.join(format!("source-{}", generator.size()));
        let done = folder.join("done");
        if !done.is_file() {
            for part in ["files", "roots"] {
                std::fs::create_dir_all(folder.join(part))?;
            }
            for file in 0..generator.files() {
                std::fs::write(folder.join(format!("files/{file:06}.yaml")), generator.file(file))?;
            }
            for root in 0..generator.roots() {
                std::fs::write(folder.join(format!("roots/{root:06}.yaml")), generator.root(root))?;
            }
            std::fs::write(done, "")?;
        }
        Ok(Self { generator, folder, state: Arc::default() })
    }

    #[must_use]
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// Every file, for the floor.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for part in ["roots", "files"] {
            for entry in std::fs::read_dir(self.folder.join(part))? {
                files.push(entry?.path());
            }
        }
        files.sort();
        Ok(files)
    }

    /// How often the provider was read to its end.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.state().runs
    }

    /// Has every file look new although none is.
    pub fn touch(&self) {
        self.state().epoch += 1;
    }

    /// Gives an entity another title.
    pub fn retitle(&self, number: u64, title: &str) {
        let mut state = self.state();
        state.titles.insert(number, title.to_owned());
        state.delta = vec![number];
    }

    /// Takes a file out of its root.
    pub fn remove(&self, file: u64) {
        let mut state = self.state();
        state.removed.insert(file);
        state.epoch += 1;
    }

    /// Puts it back.
    pub fn restore(&self, file: u64) {
        let mut state = self.state();
        state.removed.remove(&file);
        state.epoch += 1;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entity(&self, number: u64) -> Value {
        let mut entity = self.generator.entity(number);
        if let (Some(title), Some(metadata)) = (self.state().titles.get(&number), entity.pointer_mut("/metadata/title"))
        {
            *metadata = json!(title);
        }
        entity
    }

    /// The text at a URL, and what changes with it.
    fn text(&self, url: &Url, known: Option<&str>) -> Result<Option<(String, String)>> {
        let mut segments = url.path_segments().context("a path")?.rev();
        let (name, part) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let number: u64 = name.trim_end_matches(".yaml").parse()?;
        let (validator, changed) = {
            let state = self.state();
            let titles: Vec<_> =
                state.titles.iter().filter(|(entity, _)| self.generator.file_of(**entity) == number).collect();
            let changed = match part {
                "files" => !titles.is_empty(),
                _ => !state.removed.is_empty(),
            };
            let titles = if part == "files" { format!("{titles:?}") } else { String::new() };
            (format!("{} {titles}", state.epoch), changed)
        };
        if known == Some(validator.as_str()) {
            return Ok(None);
        }
        let mut text = std::fs::read_to_string(self.folder.join(part).join(name))?;
        if changed {
            text = match part {
                "files" => self.generator.in_file(number).fold(String::new(), |mut text, entity| {
                    text.push_str("---\n");
                    crate::generator::write(&mut text, &self.entity(entity));
                    text
                }),
                _ => self.without_removed(number),
            };
        }
        Ok(Some((text, validator)))
    }

    fn without_removed(&self, root: u64) -> String {
        let removed = self.state().removed.clone();
        self.generator.in_root(root).filter(|file| !removed.contains(file)).fold(String::new(), |mut text, file| {
            text.push_str("---\n");
            crate::generator::write(&mut text, &self.generator.location(file));
            text
        })
    }
}

#[async_trait]
impl Reader for Source {
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure> {
        match self.text(url, known) {
            Ok(None) => Ok(Reading::Unchanged),
            Ok(Some((text, validator))) => Ok(Reading::Content { body: text.into_bytes(), validator: Some(validator) }),
            Err(error) => Err(ReadFailure { message: format!("{error:#}"), not_found: true, transient: false }),
        }
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        base.join(relative).map_err(|error| error.to_string())
    }
}

/// How a provider brings the source in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It names the roots, and the catalog reads them and the files that they name.
    Files,
    /// It hands every entity over.
    Entities,
}

/// The source as a provider that runs when it is told to.
pub struct Provider {
    source: Source,
    how: How,
    schedule: Schedule,
}

impl Provider {
    pub fn new(source: &Source, how: How) -> Result<Arc<Self>> {
        let schedule = json!({ "frequency": { "trigger": "manual" }, "timeout": { "hours": 10 } });
        Ok(Arc::new(Self { source: source.clone(), how, schedule: serde_json::from_value(schedule)? }))
    }

    fn page(&self, cursor: Option<&str>) -> Result<ProviderPage> {
        let delta = std::mem::take(&mut self.source.state().delta);
        if self.how == How::Entities && !delta.is_empty() {
            let items = delta.into_iter().map(|number| self.item(number)).collect::<Result<_>>()?;
            return Ok(ProviderPage { items, next: None, mode: Mode::Delta, again: Again::Scheduled });
        }
        let start: u64 = cursor.unwrap_or("0").parse()?;
        let generator = &self.source.generator;
        let (total, items) = match self.how {
            How::Files => {
                let items = (start..(start + PER_PAGE).min(generator.roots())).map(|root| {
                    let location = LocationRef::new("url", &Generator::root_url(root))?;
                    Ok(provided(location.generated_entity(Presence::Required), BTreeMap::new()))
                });
                (generator.roots(), items.collect::<Result<_>>()?)
            }
            How::Entities => {
                let end = (start + PER_PAGE).min(generator.entities());
                (generator.entities(), (start..end).map(|number| self.item(number)).collect::<Result<_>>()?)
            }
        };
        let next = (start + PER_PAGE < total).then(|| (start + PER_PAGE).to_string());
        if next.is_none() {
            self.source.state().runs += 1;
        }
        Ok(ProviderPage { items, next, mode: Mode::Full, again: Again::Scheduled })
    }

    fn item(&self, number: u64) -> Result<ProvidedItem> {
        let entity = Entity::from_value(self.source.entity(number))?;
        let location = format!("url:{}", Generator::file_url(self.source.generator.file_of(number)));
        let facts = [MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION].map(|key| (key.to_owned(), location.clone()));
        Ok(provided(entity, facts.into()))
    }
}

fn provided(mut entity: Entity, facts: BTreeMap<String, String>) -> ProvidedItem {
    for (key, value) in facts {
        entity.set_annotation(&key, value);
    }
    ProvidedItem::Entity(Box::new(ProvidedEntity { entity, version: None, facts: BTreeMap::new() }))
}

#[async_trait]
impl EntityProvider for Provider {
    fn name(&self) -> &str {
        PROVIDER
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    async fn read(&self, cursor: Option<String>) -> Result<ProviderPage, ProviderError> {
        self.page(cursor.as_deref()).map_err(|error| ProviderError::new(format!("{error:#}")))
    }
}
