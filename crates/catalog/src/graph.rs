//! The entities that sources delivered, and which came from which.

use std::collections::BTreeMap;

use callboard_model::entity::Entity;
use callboard_model::stable_json;
use callboard_store::{Error, Sql, Tx};

pub(crate) mod apply;
mod chain;
mod children;
pub(crate) mod document;
pub(crate) mod refs;
pub(crate) mod relation;
pub(crate) mod remove;
pub(crate) mod source;
mod told;

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
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new();
    sql.push("UPDATE entity SET made_with = NULL WHERE id IN ").ids(ids.iter().copied());
    tx.execute(sql).await?;
    Ok(())
}
