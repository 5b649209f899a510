//! Applying a staged run: everything at once, by sets, and nothing where nothing changed.

use std::collections::HashSet;

use callboard_model::api::RunCounts;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};

use super::Mode;
use super::stage::GONE;
use crate::graph::refs::{self, ref_ids};
use crate::graph::{enqueue, remove};
use crate::index::id;
use crate::limits::PROBLEMS;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    pub(crate) counts: RunCounts,
    /// Entities that could not be taken, in words, the first of them only.
    pub(crate) conflicts: Vec<Conflict>,
}

/// An entity that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Conflict {
    pub(crate) entity_ref: String,
    pub(crate) message: String,
}

/// Brings the catalog to what the run staged, and forgets the staging.
pub(crate) async fn apply(tx: &mut Tx, source_id: i64, run: &str, mode: Mode, now: i64) -> Result<Applied, Error> {
    let conflicts = conflicts(tx, source_id, run).await?;
    let removed = remove(tx, source_id, run, mode, now).await?;
    let changed = update(tx, run, now).await?;
    let added = insert(tx, run, now).await?;
    tx.execute(query(
        "INSERT INTO provided(source_id, entity_id) SELECT $1, e.id FROM staged s JOIN ref r ON r.ref = s.ref \
         JOIN entity e ON e.id = r.id AND e.location_key = s.location_key WHERE s.run = $2 \
         ON CONFLICT(source_id, entity_id) DO NOTHING",
        args![source_id, run],
    ))
    .await?;
    let count = "SELECT count(*) FROM staged WHERE run = $1 AND (source_hash IS NULL OR source_hash <> $2)";
    let listed: u64 = match tx.fetch_optional(query(count, args![run, GONE])).await? {
        Some(row) => row.get(0)?,
        None => 0,
    };
    discard(tx, run).await?;
    let lost = u64::try_from(conflicts.len()).unwrap_or(u64::MAX);
    let unchanged = listed.saturating_sub(added).saturating_sub(changed).saturating_sub(lost);
    Ok(Applied { counts: RunCounts { listed, added, changed, removed, unchanged }, conflicts })
}

/// What a run comes to that found just these, unchanged; none where the catalog has others of its source. Such a run needs
/// no staging.
pub(crate) async fn unchanged(
    tx: &mut Tx,
    source_id: i64,
    mode: Mode,
    ids: &HashSet<i64>,
) -> Result<Option<Applied>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT entity_id FROM provided WHERE source_id = ").bind(source_id);
    if mode == Mode::Delta {
        sql.push(" AND entity_id IN ").ids(ids.iter().copied());
    }
    let there = tx.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect::<Result<HashSet<i64>, _>>()?;
    if there != *ids {
        return Ok(None);
    }
    let listed = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let counts = RunCounts { listed, unchanged: listed, ..RunCounts::default() };
    Ok(Some(Applied { counts, conflicts: Vec::new() }))
}

/// Forgets a run.
pub(crate) async fn discard(tx: &mut Tx, run: &str) -> Result<(), Error> {
    tx.execute(query("DELETE FROM staged WHERE run = $1", args![run])).await?;
    Ok(())
}

/// Takes what other sources have out of the run: who came first stays.
async fn conflicts(tx: &mut Tx, source_id: i64, run: &str) -> Result<Vec<Conflict>, Error> {
    let rows = tx
        .fetch_all(query(
            "SELECT s.ref, e.location_key FROM staged s JOIN ref r ON r.ref = s.ref JOIN entity e ON e.id = r.id \
             WHERE s.run = $1 AND s.source IS NOT NULL AND e.location_key <> s.location_key \
             UNION ALL SELECT s.ref, NULL FROM staged s WHERE s.run = $1 AND s.source_hash IS NULL AND NOT EXISTS \
             (SELECT 1 FROM ref r JOIN provided p ON p.entity_id = r.id AND p.source_id = $2 WHERE r.ref = s.ref)",
            args![run, source_id],
        ))
        .await?;
    let mut conflicts = Vec::new();
    for row in &rows {
        let (entity_ref, key): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let message = match key {
            Some(key) => format!("{entity_ref} is in the catalog already, from {key}; one of the two must be renamed"),
            None => format!("the provider says that {entity_ref} is unchanged, but the catalog does not have it"),
        };
        conflicts.push(Conflict { entity_ref, message });
    }
    if !conflicts.is_empty() {
        let count = conflicts.len();
        tracing::warn!(count, first = conflicts.first().map(|conflict| &conflict.message), "entities were not taken");
        tx.execute(query(
            "DELETE FROM provided WHERE source_id = $2 AND entity_id IN (SELECT e.id FROM staged s \
             JOIN ref r ON r.ref = s.ref JOIN entity e ON e.id = r.id \
             WHERE s.run = $1 AND s.source IS NOT NULL AND e.location_key <> s.location_key)",
            args![run, source_id],
        ))
        .await?;
    }
    Ok(conflicts)
}

/// What a full run does not name goes, and what any run says is gone.
async fn remove(tx: &mut Tx, source_id: i64, run: &str, mode: Mode, now: i64) -> Result<u64, Error> {
    let select = match mode {
        Mode::Full => {
            "SELECT p.entity_id FROM provided p JOIN ref r ON r.id = p.entity_id WHERE p.source_id = $1 \
             AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.run = $2 AND s.ref = r.ref \
             AND (s.source_hash IS NULL OR s.source_hash <> $3))"
        }
        Mode::Delta => {
            "SELECT p.entity_id FROM staged s JOIN ref r ON r.ref = s.ref JOIN provided p ON p.entity_id = r.id \
             AND p.source_id = $1 WHERE s.run = $2 AND s.source_hash = $3"
        }
    };
    let rows = tx.fetch_all(query(select, args![source_id, run, GONE])).await?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
    let mut sql = callboard_store::Sql::new();
    sql.push("DELETE FROM provided WHERE source_id = ").bind(source_id);
    sql.push(" AND entity_id IN ").ids(ids.iter().copied());
    if !ids.is_empty() {
        tx.execute(sql).await?;
        remove::prune(tx, &ids, now).await?;
    }
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

/// The queue first and the hash last: the hash is what tells which entities these statements are about.
async fn update(tx: &mut Tx, run: &str, now: i64) -> Result<u64, Error> {
    tx.execute(query(
        "INSERT INTO queue(entity_id, due_at) SELECT e.id, $2 FROM staged s JOIN ref r ON r.ref = s.ref \
         JOIN entity e ON e.id = r.id AND e.location_key = s.location_key AND e.source_hash <> s.source_hash \
         WHERE s.run = $1 ON CONFLICT(entity_id) DO UPDATE SET due_at = excluded.due_at, ticket = queue.ticket + 1, \
         attempts = 0",
        args![run, now],
    ))
    .await?;
    tx.execute(query(
        "UPDATE entity_source SET source = s.source, facts = s.facts FROM staged s, ref r, entity e \
         WHERE s.run = $1 AND r.ref = s.ref AND e.id = r.id AND entity_source.entity_id = e.id \
         AND e.location_key = s.location_key AND e.source_hash <> s.source_hash",
        args![run],
    ))
    .await?;
    tx.execute(query(
        "UPDATE entity SET source_hash = s.source_hash, version = s.version FROM staged s, ref r \
         WHERE s.run = $1 AND r.ref = s.ref AND entity.id = r.id \
         AND entity.location_key = s.location_key AND entity.source_hash <> s.source_hash",
        args![run],
    ))
    .await
}

async fn insert(tx: &mut Tx, run: &str, now: i64) -> Result<u64, Error> {
    let rows = tx
        .fetch_all(query(
            "SELECT s.ref FROM staged s WHERE s.run = $1 AND s.source IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ref r JOIN entity e ON e.id = r.id WHERE r.ref = s.ref)",
            args![run],
        ))
        .await?;
    let refs: Vec<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let mut added = 0;
    for refs in refs.chunks(ROWS_PER_STATEMENT) {
        let ids = ref_ids(tx, refs.iter().map(String::as_str)).await?;
        if ids.is_empty() {
            tracing::warn!(count = refs.len(), reason = refs::REFUSED, "entities were not taken");
            continue;
        }
        // CROSS JOIN keeps SQLite from looking through the whole run for each of them; to PostgreSQL it means nothing.
        let mut sql = Sql::new();
        sql.push("WITH v(id, ref, uid) AS (VALUES ");
        sql.rows(ids.iter().map(|(name, id)| args![*id, name, id::new_uid(*id)]));
        sql.push(
            ") INSERT INTO entity(id, uid, location_key, source_hash, version) SELECT v.id, v.uid, s.location_key, \
             s.source_hash, s.version FROM v CROSS JOIN staged s WHERE s.ref = v.ref AND s.run = ",
        );
        sql.bind(run);
        added += tx.execute(sql).await?;
        let mut sql = Sql::new();
        sql.push(
            "INSERT INTO entity_source(entity_id, source, facts) SELECT r.id, s.source, s.facts FROM ref r \
             CROSS JOIN staged s WHERE s.ref = r.ref AND s.run = ",
        );
        sql.bind(run).push(" AND r.id IN ").ids(ids.values().copied());
        tx.execute(sql).await?;
        enqueue(tx, &ids.values().copied().collect::<Vec<_>>(), now, false).await?;
    }
    Ok(added)
}

/// The conflicts as the table keeps them: the first ones.
pub(crate) fn conflicts_json(conflicts: &[Conflict]) -> Result<Option<String>, Error> {
    if conflicts.is_empty() {
        return Ok(None);
    }
    let first: Vec<&Conflict> = conflicts.iter().take(PROBLEMS).collect();
    serde_json::to_string(&first).map(Some).map_err(|error| Error::Failed(error.to_string()))
}
