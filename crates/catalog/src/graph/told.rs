//! What is told of entities to those who want to know: within the transaction that changes them, so that it is told exactly
//! where it is so. Where nobody wants to know, nothing is asked and nothing written.

use std::collections::BTreeMap;

use callboard_model::events::{CATALOG_ENTITY, Change, EntityChange};
use callboard_store::outbox::NewEvent;
use callboard_store::{Error, Sql, Tx};
use chrono::Utc;

/// Documents were stored: by id, with the hash of each, and whether there was one before.
pub(super) async fn stored(tx: &mut Tx, documents: BTreeMap<i64, (&str, bool)>) -> Result<(), Error> {
    if documents.is_empty() || !tx.is_wanted(CATALOG_ENTITY) {
        return Ok(());
    }
    let mut changes = Vec::with_capacity(documents.len());
    for (id, entity_ref, uid) in names(tx, documents.keys().copied()).await? {
        let Some((hash, known)) = documents.get(&id) else { continue };
        let change = if *known { Change::Changed } else { Change::Added };
        changes.push(EntityChange { change, entity_ref, uid, version: Some((*hash).to_owned()) });
    }
    tell(tx, &changes).await
}

/// Entities that could be seen are about to be removed.
pub(super) async fn removed(tx: &mut Tx, ids: &[i64]) -> Result<(), Error> {
    if ids.is_empty() || !tx.is_wanted(CATALOG_ENTITY) {
        return Ok(());
    }
    let names = names(tx, ids.iter().copied()).await?;
    let gone = |(_, entity_ref, uid)| EntityChange { change: Change::Removed, entity_ref, uid, version: None };
    tell(tx, &names.into_iter().map(gone).collect::<Vec<_>>()).await
}

async fn names(tx: &mut Tx, ids: impl IntoIterator<Item = i64>) -> Result<Vec<(i64, String, String)>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT e.id, r.ref, e.uid FROM entity e JOIN ref r ON r.id = e.id WHERE e.id IN ").ids(ids);
    sql.push(" ORDER BY e.id");
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// One event for each, so that each can be taken or put aside by itself; what becomes of one entity is told in its order.
async fn tell(tx: &mut Tx, changes: &[EntityChange]) -> Result<(), Error> {
    let event = |change: &EntityChange| {
        let payload = serde_json::to_string(change).map_err(|error| Error::Failed(error.to_string()))?;
        let kind = change.entity_ref.split(':').next().unwrap_or_default();
        let lane = Some(format!("{CATALOG_ENTITY} {}", change.entity_ref));
        Ok(NewEvent { group: kind.to_owned(), lane, headers: None, payload })
    };
    let events = changes.iter().map(event).collect::<Result<Vec<_>, Error>>()?;
    tx.publish(CATALOG_ENTITY, &events, Utc::now()).await
}
