//! Reading what a Location names.

use std::collections::{BTreeMap, HashMap};

use callboard_egress::{FoundFile, UrlPattern};
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION, Presence};
use callboard_model::yaml;
use serde_json::Value;
use url::Url;

use super::fetch::{Fetch, NotRead};
use super::{Child, ProcessingError};
use crate::files::FileError;
use crate::limits::TARGETS;

/// The entities in everything that a Location names. One thing that is wrong fails them all, so that what an earlier
/// round brought stays complete.
pub(super) async fn read(
    entity: &Entity,
    location: &LocationRef,
    origin: &LocationRef,
    facts: &BTreeMap<String, String>,
    fetch: &mut Fetch,
) -> Result<Vec<Child>, Vec<ProcessingError>> {
    let kind = entity.spec_text("type").unwrap_or(&location.kind).to_owned();
    if kind != location.kind && kind != "url" {
        return Err(vec![ProcessingError::input("Registered locations must be of an allowed type [\"url\"]")]);
    }
    let optional = entity.spec_text("presence") == Some("optional");
    let mut errors = Vec::new();
    let mut children =
        Children { own: entity.entity_ref(), facts, location, origin, found: Vec::new(), by_ref: HashMap::new() };
    for target in targets(entity) {
        let read = match kind.as_str() {
            "file" if fetch.steps().files => read_files(target, location, optional, fetch).await.map(Read::Files),
            "url" if fetch.steps().urls => read_url(target, location, optional, fetch).await,
            other => Err(ProcessingError::input(format!(
                "No processor was able to handle reading of {other}:{target}; a location's type is file or url"
            ))),
        };
        match read {
            Ok(Read::Files(files)) => files.iter().for_each(|file| children.add_file(file, &mut errors)),
            Ok(Read::Found(files)) => files.into_iter().for_each(|file| children.add_found(file)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(children.found) } else { Err(errors) }
}

/// What a target comes to.
enum Read {
    Files(Vec<File>),
    /// The files that a pattern stands for. Each becomes a Location, to be read, to fail and to be tried again by itself.
    Found(Vec<FoundFile>),
}

struct File {
    location: LocationRef,
    body: Vec<u8>,
}

/// `target`, then `targets`.
fn targets(entity: &Entity) -> impl Iterator<Item = &str> {
    let many = entity.spec("targets").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    entity.spec_text("target").into_iter().chain(many.iter().filter_map(Value::as_str))
}

async fn read_files(
    target: &str,
    location: &LocationRef,
    optional: bool,
    fetch: &mut Fetch,
) -> Result<Vec<File>, ProcessingError> {
    if target.ends_with(['/', '\\']) {
        return Err(ProcessingError::input(format!(
            "file {target} is a folder; name its files, with a pattern such as {target}*.yaml where there are many"
        )));
    }
    let path = if location.kind == "file" && target.starts_with('.') {
        let own = fetch.files().absolute(&location.target);
        let folder = own.parent().unwrap_or(&own).to_owned();
        crate::files::normalised(&folder.join(target))
    } else {
        fetch.files().absolute(target)
    };
    let missing = || FileError::NotFound(path.display().to_string()).to_string();
    let paths = fetch.expand(&path).await?;
    if paths.is_empty() && !optional {
        return Err(NotRead { message: missing(), not_found: true }.into());
    }
    if paths.len() > TARGETS {
        return Err(ProcessingError::input(format!(
            "{} stands for {} files, and a Location reads at most {TARGETS}; use several Locations",
            path.display(),
            paths.len()
        )));
    }
    let single = paths.len() == 1 && paths.first() == Some(&path);
    let mut files = Vec::new();
    for found in &paths {
        let body = match fetch.file(found).await {
            Ok(body) => body.to_vec(),
            Err(failure) if failure.not_found && optional => continue,
            Err(failure) => return Err(failure.into()),
        };
        if !single {
            // The pattern's stamp covers it.
            fetch.dependencies.remove(&format!("file:{}", found.display()));
        }
        let location = LocationRef { kind: "file".to_owned(), target: found.display().to_string() };
        files.push(File { location, body });
    }
    Ok(files)
}

async fn read_url(
    target: &str,
    location: &LocationRef,
    optional: bool,
    fetch: &mut Fetch,
) -> Result<Read, ProcessingError> {
    let unable = |reason: String| ProcessingError::new("Error", format!("Unable to read url, {reason}"));
    // An absolute target stays as it is written, letter for letter: its text names the entities' location.
    let (url, text) = match Url::parse(target) {
        Ok(url) => (url, target.to_owned()),
        Err(_) => {
            let base = Url::parse(&location.target).map_err(|error| unable(format!("{target}: {error}")))?;
            let url = fetch.resolve(&base, target).map_err(unable)?;
            let text = url.to_string();
            (url, text)
        }
    };
    let missing = |why: &str| {
        ProcessingError::new("NotFoundError", format!("Unable to read url, no matching files found for {text}{why}"))
    };
    let read = if UrlPattern::is_one(&url) {
        fetch.search(&url).await.map(|found| Read::Found(found.files))
    } else {
        let location = LocationRef { kind: "url".to_owned(), target: text.clone() };
        fetch.url(&url).await.map(|body| Read::Files(vec![File { location, body: body.to_vec() }]))
    };
    match read {
        Ok(Read::Found(files)) if files.is_empty() && !optional => Err(missing("")),
        Ok(Read::Found(files)) if files.len() > TARGETS => Err(ProcessingError::input(format!(
            "{text} stands for {} files, and a Location reads at most {TARGETS}; use several Locations",
            files.len()
        ))),
        Ok(read) => Ok(read),
        Err(failure) if failure.not_found && optional => Ok(Read::Files(Vec::new())),
        Err(failure) if failure.not_found => Err(missing(&format!("; {}", failure.message))),
        Err(failure) => Err(unable(failure.message)),
    }
}

struct Children<'a> {
    own: EntityRef,
    facts: &'a BTreeMap<String, String>,
    location: &'a LocationRef,
    origin: &'a LocationRef,
    found: Vec<Child>,
    by_ref: HashMap<EntityRef, usize>,
}

impl Children<'_> {
    fn add_file(&mut self, file: &File, errors: &mut Vec<ProcessingError>) {
        let location = &file.location;
        let Ok(text) = std::str::from_utf8(&file.body) else {
            errors.push(ProcessingError::input(format!("Failed to parse YAML at {location}, it is not UTF-8 text")));
            return;
        };
        let documents = match yaml::documents(text, &yaml::Limits::default()) {
            Ok(documents) => documents,
            Err(error) => {
                errors.push(ProcessingError::input(format!("Failed to parse YAML at {location}, {error}")));
                return;
            }
        };
        for document in documents {
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    errors.push(ProcessingError::input(format!("YAML error at {location}, {error}")));
                    continue;
                }
            };
            if document.value.is_null() {
                continue;
            }
            let line = document.line;
            if !document.value.is_object() {
                let found = type_name(&document.value);
                errors.push(ProcessingError::input(format!(
                    "Expected object at root, got {found}, at {location}, line {line}"
                )));
                continue;
            }
            match Entity::from_value(document.value) {
                Ok(entity) => self.add(entity, location),
                Err(error) => {
                    errors.push(ProcessingError::input(format!("{error}, in the document at {location}, line {line}")));
                }
            }
        }
    }

    fn add_found(&mut self, file: FoundFile) {
        let found = LocationRef { kind: "url".to_owned(), target: file.url.into() };
        // A file that is gone brings nothing. Were that an error, what it brought would stay for good where orphans do.
        let entity = found.generated_entity(Presence::Optional);
        self.add_version(entity, self.location, Some(file.version));
    }

    fn add(&mut self, entity: Entity, location: &LocationRef) {
        self.add_version(entity, location, None);
    }

    fn add_version(&mut self, mut entity: Entity, location: &LocationRef, version: Option<String>) {
        let entity_ref = entity.entity_ref();
        if entity_ref == self.own {
            tracing::warn!(entity = %entity_ref, %location, "a Location names itself; that entry is left out");
            return;
        }
        entity.set_annotation(MANAGED_BY_LOCATION, location.to_string());
        entity.set_annotation(MANAGED_BY_ORIGIN_LOCATION, self.origin.to_string());
        for (key, value) in self.facts {
            entity.set_annotation(key, value);
        }
        let child = Child { entity, location_key: location.to_string(), version };
        match self.by_ref.get(&entity_ref).and_then(|index| self.found.get_mut(*index)) {
            // Within one file the last one counts, between files the first.
            Some(earlier) if earlier.location_key == child.location_key => *earlier = child,
            Some(earlier) => {
                tracing::warn!(entity = %entity_ref, %location, first = earlier.location_key, "the entity is there twice");
            }
            None => {
                self.by_ref.insert(entity_ref, self.found.len());
                self.found.push(child);
            }
        }
    }
}

/// As the specification names them.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        _ => "object",
    }
}
