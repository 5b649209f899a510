//! Storing what processing came to.

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};
use rand::Rng as _;

use super::{document, relation, set_children};
use crate::limits::FIRST_RETRY;
use crate::process::{Again, Made, Output, Processed, ProcessingError};
use crate::settings::{ProcessingInterval, Settings, Strategy};

/// A processed entity, with what tells whether something happened to it meanwhile.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: i64,
    pub(crate) ticket: i64,
    pub(crate) attempts: u32,
    pub(crate) source_hash: String,
    pub(crate) version: Option<String>,
    pub(crate) processed: Processed,
}

struct Current {
    uid: String,
    hash: Option<String>,
    made_with: Option<String>,
    read_version: Option<String>,
    errors: Option<String>,
}

/// Stores a result. Where nothing changed it writes nothing but the queue. Says whether files are among what the entity
/// depends on.
pub(crate) async fn apply(tx: &mut Tx, finished: Finished, settings: &Settings, now: i64) -> Result<bool, Error> {
    let row = tx
        .fetch_optional(query(
            "SELECT uid, hash, made_with, read_version, errors FROM entity WHERE id = $1 AND source_hash = $2",
            args![finished.id, &finished.source_hash],
        ))
        .await?;
    // Gone, or its source delivered another one meanwhile, which is then in the queue.
    let Some(row) = row else { return Ok(false) };
    let current = Current {
        uid: row.get(0)?,
        hash: row.get(1)?,
        made_with: row.get(2)?,
        read_version: row.get(3)?,
        errors: row.get(4)?,
    };
    let id = finished.id;
    let mut again = finished.processed.again;
    let result = match finished.processed.result {
        Ok(Made::Unchanged) => {
            if current.read_version != finished.version {
                let args = args![id, finished.version.clone()];
                tx.execute(query("UPDATE entity SET read_version = $2 WHERE id = $1", args)).await?;
            }
            Ok(())
        }
        Ok(Made::New(output)) => match succeed(tx, id, &current, &finished.version, *output, settings, now).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(vec![error]),
        },
        Err(errors) => Err(errors),
    };
    if let Err(errors) = result {
        fail(tx, id, &current, &errors).await?;
        if again == Again::Interval && finished.version.is_some() {
            again = Again::Never;
        }
    }
    set_dependencies(tx, id, &finished.processed.dependencies).await?;
    finish(tx, id, finished.ticket, finished.attempts, again, settings, now).await?;
    Ok(finished.processed.dependencies.keys().any(|key| key.starts_with("file:")))
}

/// Notes that the program failed on an entity, and leaves it out of the queue: the next change brings it back.
pub(crate) async fn panicked(tx: &mut Tx, id: i64) -> Result<(), Error> {
    let error =
        ProcessingError::new("Error", "the program failed while it processed this entity; its log has the details");
    let errors = serde_json::to_string(&[error]).map_err(|error| Error::Failed(error.to_string()))?;
    tx.execute(query("UPDATE entity SET errors = $2, made_with = NULL WHERE id = $1", args![id, errors])).await?;
    tx.execute(query("DELETE FROM queue WHERE entity_id = $1", args![id])).await?;
    Ok(())
}

async fn succeed(
    tx: &mut Tx,
    id: i64,
    current: &Current,
    version: &Option<String>,
    output: Output,
    settings: &Settings,
    now: i64,
) -> Result<Result<(), ProcessingError>, Error> {
    let orphan = settings.orphan_strategy == Strategy::Keep && is_orphan(tx, id).await?;
    let stored = match document::make(&output.entity, &current.uid, orphan) {
        Ok(stored) => stored,
        Err(error) => return Ok(Err(error)),
    };
    relation::set(tx, id, &output.relations).await?;
    if output.entity.kind() == "Location" {
        set_children(tx, id, &output.children, settings.orphan_strategy, now).await?;
    }
    if current.hash.as_ref() != Some(&stored.hash) {
        document::store(tx, id, &stored).await?;
    }
    let same = current.hash.as_ref() == Some(&stored.hash)
        && current.made_with.as_ref() == Some(&output.made_with)
        && current.read_version == *version
        && current.errors.is_none();
    if !same {
        tx.execute(query(
            "UPDATE entity SET hash = $2, made_with = $3, read_version = $4, errors = NULL WHERE id = $1",
            args![id, &stored.hash, output.made_with, version.clone()],
        ))
        .await?;
    }
    Ok(Ok(()))
}

/// Keeps the errors beside the last good version.
async fn fail(tx: &mut Tx, id: i64, current: &Current, errors: &[ProcessingError]) -> Result<(), Error> {
    let errors = serde_json::to_string(errors).map_err(|error| Error::Failed(error.to_string()))?;
    if current.errors.as_ref() == Some(&errors) && current.made_with.is_none() {
        return Ok(());
    }
    tracing::warn!(entity = current.uid, errors, "an entity could not be processed");
    tx.execute(query("UPDATE entity SET errors = $2, made_with = NULL WHERE id = $1", args![id, errors])).await?;
    Ok(())
}

async fn is_orphan(tx: &mut Tx, id: i64) -> Result<bool, Error> {
    let row = tx
        .fetch_optional(query(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM reference WHERE child_id = $1) \
             OR EXISTS (SELECT 1 FROM provided WHERE entity_id = $1)",
            args![id],
        ))
        .await?;
    Ok(row.is_none())
}

async fn set_dependencies(tx: &mut Tx, id: i64, dependencies: &BTreeMap<String, Option<String>>) -> Result<(), Error> {
    let rows = tx.fetch_all(query("SELECT key, validator FROM dependency WHERE entity_id = $1", args![id])).await?;
    let before: BTreeMap<String, Option<String>> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
    if before == *dependencies {
        return Ok(());
    }
    tx.execute(query("DELETE FROM dependency WHERE entity_id = $1", args![id])).await?;
    let rows: Vec<_> = dependencies.iter().map(|(key, validator)| args![id, key, validator.clone()]).collect();
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO dependency(entity_id, key, validator) VALUES ").rows(chunk.iter().cloned());
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Takes an entity out of the queue, or sets when it is due again. A request that came meanwhile has raised the ticket.
async fn finish(
    tx: &mut Tx,
    id: i64,
    ticket: i64,
    attempts: u32,
    again: Again,
    settings: &Settings,
    now: i64,
) -> Result<(), Error> {
    let (due, attempts) = match again {
        Again::Never => {
            let args = args![id, ticket];
            tx.execute(query("DELETE FROM queue WHERE entity_id = $1 AND ticket = $2", args)).await?;
            return Ok(());
        }
        Again::Interval => (interval(settings), 0),
        Again::Retry => (retry(settings, attempts), attempts.saturating_add(1)),
    };
    let due = now.saturating_add(i64::try_from(due.as_millis()).unwrap_or(i64::MAX));
    tx.execute(query(
        "UPDATE queue SET due_at = $3, attempts = $4, forced = 0 WHERE entity_id = $1 AND ticket = $2",
        args![id, ticket, due, attempts],
    ))
    .await?;
    Ok(())
}

fn interval(settings: &Settings) -> Duration {
    match settings.processing_interval {
        ProcessingInterval::Between(from, to) if from < to => rand::rng().random_range(from..to),
        ProcessingInterval::Between(from, _) => from,
        ProcessingInterval::Never => Duration::MAX,
    }
}

fn retry(settings: &Settings, attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(attempts)).min(interval(settings))
}
