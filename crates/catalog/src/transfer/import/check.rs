//! Reading a file to its end before anything is changed.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use callboard_model::entity::Entity;
use callboard_model::location_ref::LocationRef;
use sha2::{Digest as _, Sha256};

use crate::graph::document::{self, Stored};
use crate::graph::refs;
use crate::limits::{PUSH_NAME_CHARS, REF_BYTES};
use crate::process::ProcessingError;
use crate::transfer::document::{FORMAT, Header, Location, Record, State};
use crate::transfer::reader::{Read, Reader};
use crate::transfer::{TransferError, Transferred};

/// What stands for a text among very many.
type Mark = [u8; 16];

fn mark(text: &str) -> Mark {
    let mut mark = Mark::default();
    mark.iter_mut().zip(Sha256::digest(text.as_bytes())).for_each(|(to, from)| *to = from);
    mark
}

#[derive(Default)]
struct Check {
    sources: HashSet<String>,
    locations: HashSet<(String, String)>,
    location_ids: HashSet<String>,
    refs: HashSet<Mark>,
    uids: HashSet<Mark>,
    /// Those that were named and not seen yet, with where that was.
    parents: HashMap<Mark, (usize, usize)>,
    entities: u64,
    locations_seen: u64,
}

/// Checks the whole file and says what is in it.
pub(super) fn check(file: impl BufRead) -> Result<Transferred, TransferError> {
    let mut reader = Reader::new(file);
    let first = reader.next()?.ok_or_else(|| reader.end("the file is empty"))?;
    let header = match &first.record {
        Record::Export(header) if header.format == FORMAT => header.clone(),
        Record::Export(header) => {
            return Err(first.error(format!(
                "the file is of format {}, written by Callboard {}; this program reads format {FORMAT}",
                header.format, header.program
            )));
        }
        _ => return Err(first.error("the first document must say `export`: the beginning of the file is missing")),
    };
    let mut check = Check::default();
    while let Some(read) = reader.next()? {
        match (&read.record, &read.entity) {
            (Record::Export(_), _) => return Err(read.error("a second file begins here; import one at a time")),
            (Record::Location(location), _) => check.location(location).map_err(|message| read.error(message))?,
            (Record::Source(source), _) => {
                short("name", &source.name)
                    .and_then(|()| if source.owner.is_empty() { Ok(()) } else { short("owner", &source.owner) })
                    .map_err(|message| read.error(message))?;
                if !check.sources.insert(source.name.clone()) {
                    return Err(read.error(format!("the provider {:?} stands twice in the file", source.name)));
                }
            }
            (Record::Entity(state), Some(entity)) => check.entity(&read, entity, state)?,
            (Record::Entity(_) | Record::Json(_), _) => return Err(read.error("has no entity")),
            (Record::End(end), _) => {
                if end.entities != check.entities {
                    return Err(read.error(format!(
                        "the file has {} entities here, of {} that were exported: a part of it is missing",
                        check.entities, end.entities
                    )));
                }
                if let Some(more) = reader.next()? {
                    return Err(more.error("nothing may come after the document that says `end`"));
                }
                return check.end(&header, &read);
            }
        }
    }
    Err(reader.end(format!(
        "the file was cut off: the document that says `end` is missing, and {} of {} entities are there. Export again",
        check.entities, header.entities
    )))
}

impl Check {
    fn location(&mut self, location: &Location) -> Result<(), String> {
        short("id", &location.id)?;
        LocationRef::new(&location.kind, &location.target).map_err(|error| error.to_string())?;
        text("type", &location.kind)?;
        text("target", &location.target)?;
        if !refs::is_possible(&location.entity_ref) {
            return Err(format!("entityRef: {}", refs::REFUSED));
        }
        let is_new = self.locations.insert((location.kind.clone(), location.target.clone()));
        if !is_new || !self.location_ids.insert(location.id.clone()) {
            return Err(format!("the location {}:{} stands twice in the file", location.kind, location.target));
        }
        self.locations_seen += 1;
        Ok(())
    }

    fn entity(&mut self, read: &Read, entity: &Entity, state: &State) -> Result<(), TransferError> {
        let name = entity.entity_ref().to_string();
        let wrong = |message: String| {
            let name: String = name.chars().take(REF_BYTES).collect();
            read.error(format!("{name}: {message}"))
        };
        if !refs::is_possible(&name) {
            return Err(wrong(refs::REFUSED.to_owned()));
        }
        short("uid", &state.uid).map_err(wrong)?;
        for (field, value) in [("locationKey", &state.location_key), ("version", &state.version)] {
            if let Some(value) = value {
                text(field, value).map_err(wrong)?;
            }
        }
        if let Some(unknown) = state.provided_by.iter().find(|name| !self.sources.contains(*name)) {
            return Err(wrong(format!("providedBy: the file has no provider {unknown:?} above")));
        }
        for (field, names) in
            [("providedBy", &state.provided_by), ("parents", &state.parents), ("contenders", &state.contenders)]
        {
            let once: HashSet<&String> = names.iter().collect();
            if once.len() != names.len() {
                return Err(wrong(format!("{field}: the same stands there twice")));
            }
        }
        if let Some(result) = &state.result {
            self::result(result.document.clone(), &state.uid)
                .map_err(|error| wrong(format!("result.document: {}", error.message)))?;
            if let Some(bad) = result.relations.iter().find(|named| named.relation().is_none()) {
                return Err(wrong(format!("result.relations: {:?} or {:?} is no ref", bad.source, bad.target)));
            }
        }
        if !self.refs.insert(mark(&name)) {
            return Err(wrong("stands twice in the file".to_owned()));
        }
        if !self.uids.insert(mark(&state.uid)) {
            return Err(wrong(format!("another entity has the uid {}", state.uid)));
        }
        for parent in state.parents.iter().chain(&state.contenders) {
            self.parents.entry(mark(parent)).or_insert((read.line, read.document));
        }
        self.entities += 1;
        Ok(())
    }

    fn end(self, header: &Header, end: &Read) -> Result<Transferred, TransferError> {
        let (entities, locations) = (self.entities, self.locations_seen);
        let sources = u64::try_from(self.sources.len()).unwrap_or(u64::MAX);
        if (entities, locations, sources) != (header.entities, header.locations, header.sources) {
            return Err(end.error(format!(
                "the file has {entities} entities, {locations} locations and {sources} providers; its first document says \
                 {}, {} and {}: a part of it is missing, or that document was not changed with the others",
                header.entities, header.locations, header.sources
            )));
        }
        let missing = self.parents.iter().filter(|(parent, _)| !self.refs.contains(*parent));
        match missing.map(|(_, at)| *at).min() {
            None => Ok(Transferred { entities, locations }),
            Some((line, document)) => {
                let message = "one of its `parents` or `contenders` is not in the file".to_owned();
                Err(TransferError::Document { line, document, message })
            }
        }
    }
}

/// The result of an entity, as it is stored.
pub(super) fn result(document: serde_json::Value, uid: &str) -> Result<Stored, ProcessingError> {
    let entity = Entity::from_value(document).map_err(ProcessingError::input)?;
    let orphan = entity.annotation(document::ORPHAN).is_some();
    document::make(&entity, uid, orphan)
}

fn short(field: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || value.chars().count() > PUSH_NAME_CHARS {
        return Err(format!("`{field}` must have 1 to {PUSH_NAME_CHARS} characters"));
    }
    text(field, value)
}

fn text(field: &str, value: &str) -> Result<(), String> {
    if value.contains('\0') { Err(format!("`{field}` holds a NUL character")) } else { Ok(()) }
}
