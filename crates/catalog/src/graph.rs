//! The entities that sources delivered, and which came from which.

use std::collections::{BTreeMap, HashMap, HashSet};

use callboard_model::entity::Entity;
use callboard_model::stable_json;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};
use refs::ref_ids;

use crate::index::changes::Changes;
use crate::index::id;
use crate::process::{Child, ProcessingError};
use crate::settings::Strategy;

pub(crate) mod apply;
mod chain;
pub(crate) mod document;
pub(crate) mod refs;
pub(crate) mod relation;
pub(crate) mod remove;

/// What makes two deliveries of an entity the same.
pub(crate) fn source_hash(entity: &Entity, version: Option<&str>, facts: &BTreeMap<String, String>) -> String {
    let mut text = stable_json::to_string(&entity.to_value());
    if version.is_some() || !facts.is_empty() {
        text.push_str(&format!("\n{version:?}\n{facts:?}"));
    }
    stable_json::sha1_hex_of(text.as_bytes())
}

/// Has entities processed at `due`, in milliseconds, or earlier where they are due earlier.
pub(crate) async fn enqueue(tx: &mut Tx, ids: &[i64], due: i64, forced: bool) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new();
    sql.push("INSERT INTO queue(entity_id, due_at, forced) SELECT id, ").bind(due).push(", ").bind(forced);
    sql.push(" FROM entity WHERE id IN ").ids(ids.iter().copied()).push(
        " ON CONFLICT(entity_id) DO UPDATE SET due_at = CASE WHEN excluded.due_at < queue.due_at THEN excluded.due_at ELSE queue.due_at END, \
         ticket = queue.ticket + 1, attempts = 0, \
         forced = CASE WHEN excluded.forced > queue.forced THEN excluded.forced ELSE queue.forced END",
    );
    tx.execute(sql).await?;
    Ok(())
}

/// Makes the result of entities be made anew, whatever did not change.
pub(crate) async fn forget_results(tx: &mut Tx, ids: &[i64]) -> Result<(), Error> {
    let mut sql = Sql::new();
    sql.push("UPDATE entity SET made_with = NULL WHERE id IN ").ids(ids.iter().copied());
    tx.execute(sql).await?;
    Ok(())
}

struct Known {
    location_key: Option<String>,
    source_hash: String,
}

impl Known {
    fn is_of_another(&self, child: &Child) -> bool {
        self.location_key.as_ref().is_some_and(|key| *key != child.location_key)
    }
}

/// Sets what an entity brought: inserts and changes children, and removes those that it no longer brings, which are
/// answered. Where one of the children cannot be kept, nothing is changed.
pub(crate) async fn set_children(
    tx: &mut Tx,
    changes: &mut Changes,
    parent: i64,
    children: &[Child],
    orphans: Strategy,
    now: i64,
) -> Result<Result<Vec<i64>, ProcessingError>, Error> {
    let refs: Vec<String> = children.iter().map(|child| child.entity.entity_ref().to_string()).collect();
    let ids = ref_ids(tx, &refs).await?;
    if let Some(name) = refs.iter().find(|name| !ids.contains_key(*name)) {
        let name: String = name.chars().take(100).collect();
        return Ok(Err(ProcessingError::input(format!("{name:?}: {}", refs::REFUSED))));
    }
    let known = known(tx, ids.values().copied()).await?;
    let before = children_of(tx, parent).await?;
    let (mut new, mut due, mut kept) = (Vec::new(), Vec::new(), HashSet::new());
    tx.execute(query("DELETE FROM contender WHERE parent_id = $1", args![parent])).await?;
    for (child, name) in children.iter().zip(&refs) {
        let Some(id) = ids.get(name).copied() else { continue };
        let hash = source_hash(&child.entity, None, &BTreeMap::new());
        match known.get(&id) {
            None => new.push((id, child, hash)),
            Some(known) if known.is_of_another(child) && !(before.contains(&id) && is_only(tx, id, parent).await?) => {
                let first = known.location_key.as_deref().unwrap_or_default();
                tracing::warn!(
                    entity = name,
                    first,
                    second = child.location_key,
                    "the entity is in the catalog already"
                );
                let row = args![id, parent];
                tx.execute(query("INSERT INTO contender(ref_id, parent_id) VALUES ($1, $2)", row)).await?;
                continue;
            }
            Some(known) if known.source_hash != hash => {
                update(tx, id, child, &hash).await?;
                due.push(id);
            }
            Some(_) => {}
        }
        kept.insert(id);
    }
    insert(tx, &new).await?;
    due.extend(new.iter().map(|(id, ..)| *id));
    let adopted: Vec<i64> = kept.iter().copied().filter(|id| !before.contains(id)).collect();
    for chunk in adopted.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO reference(child_id, parent_id) VALUES ").rows(chunk.iter().map(|id| args![*id, parent]));
        tx.execute(sql).await?;
    }
    if orphans == Strategy::Keep {
        // They may say that they are orphans.
        let known: Vec<i64> = adopted.into_iter().filter(|id| known.contains_key(id)).collect();
        forget_results(tx, &known).await?;
        due.extend(known);
    }
    enqueue(tx, &due, now, false).await?;
    let dropped: Vec<i64> = before.into_iter().filter(|id| !kept.contains(id)).collect();
    if !dropped.is_empty() {
        let mut sql = Sql::new();
        sql.push("DELETE FROM reference WHERE parent_id = ").bind(parent);
        sql.push(" AND child_id IN ").ids(dropped.iter().copied());
        tx.execute(sql).await?;
        return Ok(Ok(remove::orphaned(tx, changes, &dropped, orphans, now).await?));
    }
    Ok(Ok(Vec::new()))
}

/// Whether nothing but this parent brings an entity, which then may come from another file than before.
async fn is_only(tx: &mut Tx, id: i64, parent: i64) -> Result<bool, Error> {
    let others = "SELECT 1 FROM reference WHERE child_id = $1 AND parent_id <> $2 \
                  UNION ALL SELECT 1 FROM provided WHERE entity_id = $1 LIMIT 1";
    Ok(tx.fetch_optional(query(others, args![id, parent])).await?.is_none())
}

pub(crate) async fn children_of(tx: &mut Tx, parent: i64) -> Result<HashSet<i64>, Error> {
    let rows = tx.fetch_all(query("SELECT child_id FROM reference WHERE parent_id = $1", args![parent])).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn known(tx: &mut Tx, ids: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, Known>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT id, location_key, source_hash FROM entity WHERE id IN ").ids(ids);
    let rows = tx.fetch_all(sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, Known { location_key: row.get(1)?, source_hash: row.get(2)? }))).collect()
}

async fn insert(tx: &mut Tx, new: &[(i64, &Child, String)]) -> Result<(), Error> {
    for chunk in new.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO entity(id, uid, location_key, source_hash) VALUES ");
        sql.rows(chunk.iter().map(|(id, child, hash)| args![*id, id::new_uid(*id), &child.location_key, hash]));
        tx.execute(sql).await?;
        let mut sql = Sql::new();
        sql.push("INSERT INTO entity_source(entity_id, source) VALUES ");
        sql.rows(chunk.iter().map(|(id, child, _)| args![*id, child.entity.to_value().to_string()]));
        tx.execute(sql).await?;
    }
    Ok(())
}

async fn update(tx: &mut Tx, id: i64, child: &Child, hash: &str) -> Result<(), Error> {
    tx.execute(query(
        "UPDATE entity SET source_hash = $2, location_key = $3 WHERE id = $1",
        args![id, hash, &child.location_key],
    ))
    .await?;
    let source = child.entity.to_value().to_string();
    tx.execute(query("UPDATE entity_source SET source = $2 WHERE entity_id = $1", args![id, source])).await?;
    Ok(())
}
