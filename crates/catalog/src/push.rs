//! Entities that somebody pushes, and who reads them back at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use callboard_model::api::{EntityError, EntityFailure, PushMode, PushRequest, PushResult};
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION, MANAGED_BY_ORIGIN_LOCATION};
use callboard_store::{Sql, Tx, args, query};

use crate::engine::Shared;
use crate::graph::refs;
use crate::limits::{PUSH_LISTED, PUSH_NAME_CHARS};
use crate::process::{Child, ProcessingError};
use crate::provider::apply::Conflict;
use crate::provider::stage::{Incoming, Staged};
use crate::provider::{Mode, run};
use crate::settled::{self, Settled};
use crate::{Error, Settings};

/// The type of the locations that push sources are, and what the names of their providers begin with.
const KIND: &str = "push";

/// The name of a source's provider.
pub(crate) fn provider(source: &str) -> String {
    format!("{KIND}:{source}")
}

/// Whether a provider's name is that of a source.
pub(crate) fn is_provider(name: &str) -> bool {
    name.strip_prefix(KIND).is_some_and(|rest| rest.starts_with(':'))
}

/// The providers of every source that there is.
pub(crate) fn providers(settings: &Settings) -> impl Iterator<Item = String> {
    settings.push.keys().map(|source| provider(source))
}

/// Takes over what a source says, as a whole or not at all, and waits for the engine to deal with it.
pub(crate) async fn push(
    shared: &Shared,
    source: &str,
    request: PushRequest,
    patience: Duration,
) -> Result<PushResult, Error> {
    if !shared.settings.push.contains_key(source) {
        return Err(Error::NotFound(format!("There is no source called {source} in catalog.push")));
    }
    let mode = match request.mode {
        PushMode::Full => Mode::Full,
        PushMode::Delta => Mode::Delta,
    };
    let (staged, refs) = staged(shared, source, request)?;
    let mut tx = shared.db.begin().await?;
    let (staged, mut conflicts) = settle_keys(&mut tx, source, staged, mode).await?;
    let applied = run::push(&mut tx, &provider(source), &staged, mode).await?;
    tx.commit().await?;
    shared.queued();
    conflicts.extend(applied.conflicts);
    let lost: HashSet<&str> = conflicts.iter().map(|conflict| conflict.entity_ref.as_str()).collect();
    let refs: Vec<String> = refs.into_iter().filter(|name| !lost.contains(name.as_str())).collect();
    let settled = settled::wait(shared, &refs, patience).await?;
    let mut result = PushResult { counts: applied.counts, ..PushResult::default() };
    tell(&mut shared.db.read().await?, &mut result, &conflicts, &settled).await?;
    Ok(result)
}

/// Decides between the parts of one source: a full push says itself which part has what, in any other the part keeps an
/// entity that had it first.
async fn settle_keys(
    tx: &mut Tx,
    source: &str,
    staged: Vec<Staged>,
    mode: Mode,
) -> Result<(Vec<Staged>, Vec<Conflict>), Error> {
    let own = provider(source);
    let is_own = |key: &str| key.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    let refs = staged.iter().filter_map(|item| match item {
        Staged::Entity(incoming) => Some(incoming.entity.entity_ref().to_string()),
        Staged::Same(_) | Staged::Gone(_) => None,
    });
    let mut sql = Sql::new();
    sql.push("SELECT r.ref, e.id, e.location_key FROM ref r JOIN entity e ON e.id = r.id WHERE r.ref IN ");
    sql.list(refs);
    let mut known: HashMap<String, (i64, String)> = HashMap::new();
    for row in tx.fetch_all(sql).await? {
        let (name, id, key): (String, i64, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(key) = key.filter(|key| is_own(key)) {
            known.insert(name, (id, key));
        }
    }
    let (mut kept, mut conflicts) = (Vec::with_capacity(staged.len()), Vec::new());
    for item in staged {
        if let Staged::Entity(incoming) = &item {
            let entity_ref = incoming.entity.entity_ref().to_string();
            match known.get(&entity_ref).filter(|(_, key)| *key != incoming.location_key) {
                Some((id, _)) if mode == Mode::Full => {
                    let args = args![*id, &incoming.location_key];
                    tx.execute(query("UPDATE entity SET location_key = $2 WHERE id = $1", args)).await?;
                }
                Some((_, key)) => {
                    let message =
                        format!("{entity_ref} is in the catalog already, from {key}; one of the two must be renamed");
                    conflicts.push(Conflict { entity_ref, message });
                    continue;
                }
                None => {}
            }
        }
        kept.push(item);
    }
    Ok((kept, conflicts))
}

/// The request as a run of a provider, with the refs of the entities that it brings.
fn staged(shared: &Shared, source: &str, request: PushRequest) -> Result<(Vec<Staged>, Vec<String>), Error> {
    if request.mode == PushMode::Full && !request.removed.is_empty() {
        let message = "removed: a full push removes whatever it does not name, so that nothing is to be listed here";
        return Err(Error::Input(message.to_owned()));
    }
    let origin = LocationRef::new(KIND, source).map_err(|error| Error::Input(error.to_string()))?;
    let (mut staged, mut names, mut seen, mut children) = (Vec::new(), Vec::new(), HashSet::new(), Vec::new());
    let mut note = |at: String, name: String| match seen.insert(name.clone()) {
        true => Ok(name),
        false => Err(Error::Input(format!("{at}: {name} is there twice"))),
    };
    for (index, pushed) in request.entities.into_iter().enumerate() {
        let wrong = |reason: &dyn std::fmt::Display| Error::Input(format!("entities/{index}: {reason}"));
        let mut entity = Entity::from_value(pushed.entity).map_err(|error| wrong(&error))?;
        let name = note(format!("entities/{index}"), entity.entity_ref().to_string())?;
        if !refs::is_possible(&name) {
            return Err(wrong(&refs::REFUSED));
        }
        let from = entity.annotation(MANAGED_BY_LOCATION).map(LocationRef::parse);
        // A URL says where people find it. Of any other type it would be a claim on somebody else's files.
        if !matches!(&from, Some(Ok(from)) if from.kind == "url") {
            entity.set_annotation(MANAGED_BY_LOCATION, origin.to_string());
        }
        entity.set_annotation(MANAGED_BY_ORIGIN_LOCATION, origin.to_string());
        // The source's own name is always in front, so that no source can claim to be another.
        let location_key = match pushed.location_key.as_deref() {
            None | Some("") => origin.to_string(),
            Some(key) if key.chars().count() <= PUSH_NAME_CHARS => format!("{origin}:{key}"),
            Some(_) => return Err(wrong(&format!("locationKey has more than {PUSH_NAME_CHARS} characters"))),
        };
        children.push(Child { entity: entity.clone(), location_key: location_key.clone(), version: None });
        names.push(name);
        let incoming = Incoming { entity, location_key, version: None, facts: BTreeMap::new() };
        staged.push(Staged::Entity(Box::new(incoming)));
    }
    for (index, name) in request.removed.iter().enumerate() {
        let name = EntityRef::parse(name, None, None)
            .map_err(|error| Error::Input(format!("removed/{index}: {error}")))?
            .to_string();
        staged.push(Staged::Gone(note(format!("removed/{index}"), name)?));
    }
    shared.processor.allows(&children, &origin).map_err(|error| Error::NotAllowed(error.message))?;
    Ok((staged, names))
}

/// Says what failed, and what is still to be done.
async fn tell(tx: &mut Tx, result: &mut PushResult, conflicts: &[Conflict], settled: &Settled) -> Result<(), Error> {
    let mut sql = Sql::new();
    sql.push("SELECT r.ref, e.errors FROM entity e JOIN ref r ON r.id = e.id WHERE e.errors IS NOT NULL AND e.id IN ");
    sql.ids(settled.all.difference(&settled.pending).copied()).push(" ORDER BY r.ref");
    let rows = tx.fetch_all(sql).await?;
    result.failed_count = count(conflicts.len()).saturating_add(count(rows.len()));
    for conflict in conflicts.iter().take(PUSH_LISTED) {
        let error = EntityError { name: "ConflictError".to_owned(), message: conflict.message.clone() };
        result.failed.push(EntityFailure { entity_ref: conflict.entity_ref.clone(), errors: vec![error] });
    }
    for row in rows.iter().take(PUSH_LISTED.saturating_sub(result.failed.len())) {
        let (entity_ref, errors): (String, String) = (row.get(0)?, row.get(1)?);
        let errors: Vec<ProcessingError> = serde_json::from_str(&errors)
            .map_err(|error| callboard_store::Error::Failed(format!("an entity's errors are damaged: {error}")))?;
        let errors = errors.into_iter().map(EntityError::from).collect();
        result.failed.push(EntityFailure { entity_ref, errors });
    }
    result.pending_count = count(settled.pending.len());
    result.complete = settled.pending.is_empty();
    let mut sql = Sql::new();
    sql.push("SELECT ref FROM ref WHERE id IN ").ids(settled.pending.iter().copied().take(PUSH_LISTED));
    sql.push(" ORDER BY ref");
    for row in tx.fetch_all(sql).await? {
        result.pending.push(row.get(0)?);
    }
    Ok(())
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
