//! Taking over what an export wrote.
//!
//! The file is read twice: once to see that all of it is in order, which changes nothing, and once to store it. What is
//! then left to go wrong is the database, and a mark in it says so.

mod check;

use std::collections::HashMap;
use std::io::BufRead;

use callboard_model::entity::Entity;
use callboard_model::relations::Relation;
use callboard_store::{Db, Error, Tx, args, migrate, query};

use super::document::{Outcome, Record, State};
use super::export::count;
use super::reader::Reader;
use super::{TransferError, Transferred, UNDER_WAY};
use crate::catalog::MIGRATIONS;
use crate::engine::now;
use crate::graph::refs::ref_ids;
use crate::graph::source::pack;
use crate::graph::{document, relation, source_hash};
use crate::index::changes::Changes;
use crate::index::id;
use crate::provider::run;

/// Entities that are stored in one transaction.
const BATCH: usize = 500;

/// Text of theirs, in bytes: a batch ends with the entity that exceeds it.
const BATCH_BYTES: usize = 8 << 20;

/// Takes over a catalog that [`super::export()`] wrote. `open` is called twice, and must give the same file both times.
/// Everything is processed once the portal starts.
///
/// # Errors
/// A document is not in order, or the catalog has something already and `replace` is not set: nothing was changed. Or
/// the database fails: then the catalog is as it was, or asks for the import to be repeated.
pub async fn import<R: BufRead + Send>(
    db: &Db,
    open: impl Fn() -> std::io::Result<R>,
    replace: bool,
) -> Result<Transferred, TransferError> {
    migrate(db, "catalog", MIGRATIONS).await?;
    if !replace {
        refuse_what_is_there(db).await?;
    }
    let moved = check::check(open()?)?;
    let mut tx = db.begin().await?;
    if replace {
        clear(&mut tx).await?;
    }
    let mark = query("INSERT INTO setting(name, value) VALUES ($1, '')", args![UNDER_WAY]);
    tx.execute(mark).await?;
    let mut reader = Reader::new(open()?);
    let mut sources = HashMap::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(read) = reader.next()? {
        match (read.record, read.entity) {
            (Record::Location(location), _) => {
                let insert = "INSERT INTO location(id, type, target, entity_ref, optional) VALUES ($1, $2, $3, $4, $5)";
                let (kind, target) = (location.kind, location.target);
                let values = args![location.id, kind, target, location.entity_ref, location.optional];
                tx.execute(query(insert, values)).await?;
            }
            (Record::Source(source), _) => {
                let id = run::source_id(&mut tx, &source.name, &source.owner).await?;
                sources.insert(source.name, id);
            }
            (Record::Entity(state), Some(entity)) => {
                bytes += read.bytes;
                batch.push((entity, *state));
            }
            (Record::Entity(_) | Record::Export(_) | Record::Json(_) | Record::End(_), _) => {}
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            store(&mut tx, &sources, std::mem::take(&mut batch)).await?;
            bytes = 0;
            tx.commit().await?;
            tx = db.begin().await?;
        }
    }
    store(&mut tx, &sources, batch).await?;
    tx.execute(query("DELETE FROM setting WHERE name = $1", args![UNDER_WAY])).await?;
    tx.commit().await?;
    Ok(moved)
}

async fn refuse_what_is_there(db: &Db) -> Result<(), TransferError> {
    if super::is_cut_off(db).await? {
        return Err(TransferError::CutOff);
    }
    let mut tx = db.read().await?;
    let entities = count(&mut tx, "SELECT count(*) FROM entity").await?;
    let locations = count(&mut tx, "SELECT count(*) FROM location").await?;
    if entities + locations > 0 { Err(TransferError::NotEmpty { entities, locations }) } else { Ok(()) }
}

/// Removes everything, but for the version of the index.
async fn clear(tx: &mut Tx) -> Result<(), Error> {
    for statement in [
        "DELETE FROM kind",
        "DELETE FROM ref",
        "DELETE FROM entity",
        "DELETE FROM entity_source",
        "DELETE FROM document",
        "DELETE FROM key",
        "DELETE FROM term",
        "DELETE FROM posting",
        "DELETE FROM facet_count",
        "DELETE FROM wide",
        "DELETE FROM long",
        "DELETE FROM relation_type",
        "DELETE FROM relation",
        "DELETE FROM reference",
        "DELETE FROM contender",
        "DELETE FROM provided",
        "DELETE FROM staged",
        "DELETE FROM queue",
        "DELETE FROM dependency",
        "DELETE FROM chained",
        "DELETE FROM chain",
        "DELETE FROM location",
        "DELETE FROM source",
        "DELETE FROM setting WHERE name <> 'index'",
    ] {
        tx.execute(query(statement, args![])).await?;
    }
    Ok(())
}

type Row = Vec<callboard_store::Value>;

/// Rows that entities become.
#[derive(Default)]
struct Rows {
    entity: Vec<Row>,
    source: Vec<Row>,
    provided: Vec<Row>,
    reference: Vec<Row>,
    contender: Vec<Row>,
    queue: Vec<Row>,
}

async fn store(tx: &mut Tx, sources: &HashMap<String, i64>, batch: Vec<(Entity, State)>) -> Result<(), TransferError> {
    if batch.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = batch.iter().map(|(entity, _)| entity.entity_ref().to_string()).collect();
    let others = batch.iter().flat_map(|(_, state)| state.parents.iter().chain(&state.contenders));
    let ids = ref_ids(tx, names.iter().chain(others).map(String::as_str)).await?;
    let id_of = |name: &String| {
        let refused =
            || TransferError::Entity { entity_ref: name.clone(), message: crate::graph::refs::REFUSED.to_owned() };
        ids.get(name).copied().ok_or_else(refused)
    };
    let now = now();
    let mut rows = Rows::default();
    let mut results = Vec::new();
    for ((entity, state), name) in batch.into_iter().zip(&names) {
        let this = id_of(name)?;
        let version = state.version.as_deref();
        let hash = source_hash(&entity, version, &state.facts);
        let foreign = id::of_uid(&state.uid) != Some(this);
        rows.entity.push(args![
            this,
            &state.uid,
            foreign,
            state.location_key.as_deref(),
            hash,
            version,
            errors(&state)?
        ]);
        let facts = if state.facts.is_empty() { None } else { Some(json(&state.facts)?) };
        rows.source.push(args![this, pack(&entity), facts]);
        for name in &state.provided_by {
            // That there is one is checked.
            rows.provided.extend(sources.get(name).map(|source| args![*source, this]));
        }
        for parent in &state.parents {
            rows.reference.push(args![this, id_of(parent)?]);
        }
        for parent in &state.contenders {
            rows.contender.push(args![this, id_of(parent)?]);
        }
        rows.queue.push(args![this, now]);
        results.extend(state.result.map(|result| (this, state.uid, result)));
    }
    insert(tx, rows).await?;
    set_results(tx, results).await
}

fn errors(state: &State) -> Result<Option<String>, Error> {
    if state.errors.is_empty() { Ok(None) } else { json(&state.errors).map(Some) }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Failed(error.to_string()))
}

async fn insert(tx: &mut Tx, rows: Rows) -> Result<(), Error> {
    for (into, rows) in [
        ("INSERT INTO entity(id, uid, foreign_uid, location_key, source_hash, version, errors) VALUES ", rows.entity),
        ("INSERT INTO entity_source(entity_id, source, facts) VALUES ", rows.source),
        ("INSERT INTO provided(source_id, entity_id) VALUES ", rows.provided),
        ("INSERT INTO reference(child_id, parent_id) VALUES ", rows.reference),
        ("INSERT INTO contender(ref_id, parent_id) VALUES ", rows.contender),
        ("INSERT INTO queue(entity_id, due_at) VALUES ", rows.queue),
    ] {
        tx.insert(into, rows, "").await?;
    }
    Ok(())
}

/// Stores results as processing would.
async fn set_results(tx: &mut Tx, results: Vec<(i64, String, Outcome)>) -> Result<(), TransferError> {
    let (mut made, mut named): (Vec<_>, Vec<(i64, Vec<Relation>)>) = (Vec::new(), Vec::new());
    for (id, uid, result) in results {
        // Both were checked: the document, and that its relations are refs.
        let Ok(stored) = check::result(result.document, &uid) else { continue };
        made.push((id, stored));
        named.push((id, result.relations.iter().filter_map(super::document::Named::relation).collect()));
    }
    if made.is_empty() {
        return Ok(());
    }
    let mut changes = Changes::default();
    let documents: Vec<_> = made.iter().map(|(id, stored)| (*id, stored, false)).collect();
    document::store(tx, &mut changes, &documents).await?;
    let wanted: Vec<(i64, &[Relation])> = named.iter().map(|(id, relations)| (*id, relations.as_slice())).collect();
    relation::set(tx, &wanted).await?;
    for (id, stored) in &made {
        tx.execute(query("UPDATE entity SET hash = $2 WHERE id = $1", args![*id, &stored.hash])).await?;
    }
    Ok(changes.flush(tx).await?)
}
