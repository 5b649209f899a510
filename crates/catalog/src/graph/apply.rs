//! Storing what processing came to.

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_model::relations::Relation;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};
use foldhash::HashMap;
use rand::Rng as _;

use super::children::{self, Brought};
use super::document::{self, Stored};
use super::{chain, forget_results, relation};
use crate::index::changes::Changes;
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
    pub(crate) prepared: Prepared,
}

/// What processing came to, with what is stored of it: made beside the transaction, as far as that can be.
#[derive(Debug)]
pub(crate) struct Prepared {
    uid: String,
    result: Result<Ready, Vec<ProcessingError>>,
    dependencies: BTreeMap<String, Option<String>>,
    again: Again,
}

#[derive(Debug)]
enum Ready {
    Unchanged(BTreeMap<String, String>),
    New { output: Box<Output>, document: Result<Stored, ProcessingError>, brought: Vec<Brought> },
}

impl Prepared {
    /// Of an entity with this uid. `is_first` where it has no result so far.
    pub(crate) fn new(processed: Processed, uid: String, is_first: bool) -> Prepared {
        let result = processed.result.map(|made| match made {
            Made::Unchanged { renewed } => Ready::Unchanged(renewed),
            Made::New(mut output) => {
                let children = std::mem::take(&mut output.children).into_iter();
                let brought = children.map(|child| Brought::new(child, is_first)).collect();
                Ready::New { document: document::make(&output.entity, &uid, false), output, brought }
            }
        });
        Prepared { uid, result, dependencies: processed.dependencies, again: processed.again }
    }
}

struct Current {
    uid: String,
    hash: Option<String>,
    made_with: Option<String>,
    read_version: Option<String>,
    errors: Option<String>,
    /// Whether nothing names it any more, and it stays nevertheless.
    orphan: bool,
    /// Whether it brought others, or would have.
    parent: bool,
}

/// Stores results, in a few statements for all of them. Where nothing changed it writes nothing but the queue. Says
/// whether files are among what the entities depend on.
pub(crate) async fn apply(tx: &mut Tx, finished: Vec<Finished>, settings: &Settings, now: i64) -> Result<bool, Error> {
    let mut current = current(tx, &finished).await?;
    let mut changes = Changes::default();
    let mut results = Vec::with_capacity(finished.len());
    let mut brought = Vec::new();
    let keep = settings.orphan_strategy == Strategy::Keep;
    for finished in finished {
        // Gone, or its source delivered another one meanwhile, which is then in the queue.
        let Some(current) = current.remove(&finished.id) else { continue };
        let Prepared { uid, result, dependencies, again } = finished.prepared;
        let outcome = match result {
            Ok(Ready::Unchanged(renewed)) => Outcome::Unchanged(renewed),
            Ok(Ready::New { output, document, brought: children }) => {
                let as_made = !(current.orphan && keep) && current.uid == uid;
                let document = if as_made {
                    document
                } else {
                    document::make(&output.entity, &current.uid, current.orphan && keep)
                };
                match document {
                    Err(error) => Outcome::Failed(vec![error]),
                    Ok(stored) => {
                        let Output { made_with, relations, used, .. } = *output;
                        if current.parent || !children.is_empty() {
                            brought.push((finished.id, children));
                        }
                        Outcome::Made { stored: Box::new(stored), made_with, relations, used, warnings: Vec::new() }
                    }
                }
            }
            Err(errors) => Outcome::Failed(errors),
        };
        results.push(Applied {
            id: finished.id,
            ticket: finished.ticket,
            attempts: finished.attempts,
            version: finished.version,
            again,
            dependencies,
            outcome,
            current,
        });
    }
    // First of all: what parents let go of may be among the results, and go.
    let mut set = children::set(tx, &mut changes, &brought, settings.orphan_strategy, now).await?;
    drop(brought);
    results.retain(|result| !set.gone.contains(&result.id));
    for result in &mut results {
        if let Outcome::Made { warnings, .. } = &mut result.outcome {
            warnings.append(&mut set.lost.remove(&result.id).unwrap_or_default());
        }
    }
    refuse(&mut results, set.refused);
    let refused = set_relations(tx, &results).await?;
    refuse(&mut results, refused);
    store(tx, &mut changes, &results).await?;
    forget_results(tx, &changes.forgotten.iter().copied().collect::<Vec<_>>()).await?;
    set_dependencies(tx, &results).await?;
    let used = results.iter().filter_map(|result| match &result.outcome {
        Outcome::Made { used, .. } => Some((result.id, used)),
        Outcome::Unchanged(_) | Outcome::Failed(_) => None,
    });
    chain::set(tx, &used.collect::<Vec<_>>()).await?;
    finish(tx, &mut results, settings, now).await?;
    changes.flush(tx).await?;
    let files = results.iter().any(|result| result.dependencies.keys().any(|key| key.starts_with("file:")));
    // Thousands of small pieces, which nobody has to wait for.
    tokio::spawn(async move { drop(results) });
    Ok(files)
}

struct Applied {
    id: i64,
    ticket: i64,
    attempts: u32,
    version: Option<String>,
    again: Again,
    dependencies: BTreeMap<String, Option<String>>,
    outcome: Outcome,
    current: Current,
}

enum Outcome {
    /// With the dependencies whose content is the same under another validator.
    Unchanged(BTreeMap<String, String>),
    Made {
        stored: Box<Stored>,
        made_with: String,
        relations: Vec<Relation>,
        used: BTreeMap<String, String>,
        warnings: Vec<ProcessingError>,
    },
    Failed(Vec<ProcessingError>),
}

/// The entities as they are, those whose source is the one that was processed.
async fn current(tx: &mut Tx, finished: &[Finished]) -> Result<HashMap<i64, Current>, Error> {
    let hashes: HashMap<i64, &str> = finished.iter().map(|one| (one.id, one.source_hash.as_str())).collect();
    let mut sql = Sql::new();
    sql.push(
        "SELECT e.id, e.source_hash, e.uid, e.hash, e.made_with, e.read_version, e.errors, \
         CASE WHEN EXISTS (SELECT 1 FROM reference r WHERE r.child_id = e.id) \
         OR EXISTS (SELECT 1 FROM provided p WHERE p.entity_id = e.id) THEN 0 ELSE 1 END, \
         CASE WHEN EXISTS (SELECT 1 FROM reference r WHERE r.parent_id = e.id) \
         OR EXISTS (SELECT 1 FROM contender c WHERE c.parent_id = e.id) THEN 1 ELSE 0 END FROM entity e WHERE e.id IN ",
    );
    sql.ids(hashes.keys().copied());
    let mut current = HashMap::default();
    for row in tx.fetch_all(sql).await? {
        let id: i64 = row.get(0)?;
        if hashes.get(&id).copied() == Some(row.get::<String>(1)?.as_str()) {
            current.insert(
                id,
                Current {
                    uid: row.get(2)?,
                    hash: row.get(3)?,
                    made_with: row.get(4)?,
                    read_version: row.get(5)?,
                    errors: row.get(6)?,
                    orphan: row.get(7)?,
                    parent: row.get(8)?,
                },
            );
        }
    }
    Ok(current)
}

async fn set_relations(tx: &mut Tx, results: &[Applied]) -> Result<HashMap<i64, ProcessingError>, Error> {
    let made = results.iter().filter_map(|result| match &result.outcome {
        Outcome::Made { relations, .. } => Some((result.id, relations.as_slice())),
        _ => None,
    });
    let made: Vec<(i64, &[Relation])> = made.collect();
    if made.is_empty() { Ok(HashMap::default()) } else { relation::set(tx, &made).await }
}

fn refuse(results: &mut [Applied], mut refused: HashMap<i64, ProcessingError>) {
    for result in results {
        if let Some(error) = refused.remove(&result.id) {
            result.outcome = Outcome::Failed(vec![error]);
        }
    }
}

/// Writes documents and what the table `entity` has, of those that differ.
async fn store(tx: &mut Tx, changes: &mut Changes, results: &[Applied]) -> Result<(), Error> {
    let (mut documents, mut made, mut read, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for result in results {
        let (id, current) = (result.id, &result.current);
        match &result.outcome {
            Outcome::Unchanged(_) if current.read_version == result.version => {}
            Outcome::Unchanged(_) => read.push(args![id, result.version.clone()]),
            Outcome::Made { stored, made_with, warnings, .. } => {
                let warnings = if warnings.is_empty() { None } else { Some(text(warnings)?) };
                let same_hash = current.hash.as_ref() == Some(&stored.hash);
                if !same_hash {
                    documents.push((id, &**stored, current.hash.is_some()));
                }
                let same = same_hash
                    && current.made_with.as_ref() == Some(made_with)
                    && current.read_version == result.version
                    && current.errors == warnings;
                if !same {
                    made.push(args![id, &stored.hash, made_with, result.version.clone(), warnings]);
                }
            }
            Outcome::Failed(errors) => {
                let errors = text(errors)?;
                // The errors are kept beside the last good version.
                if current.errors.as_ref() != Some(&errors) || current.made_with.is_some() {
                    tracing::warn!(entity = current.uid, errors, "an entity could not be processed");
                    failed.push(args![id, errors]);
                }
            }
        }
    }
    if !documents.is_empty() {
        document::store(tx, changes, &documents).await?;
    }
    for (head, rows, tail) in [
        (
            "WITH v(id, hash, made_with, version, errors) AS (VALUES ",
            made,
            ") UPDATE entity SET hash = v.hash, made_with = v.made_with, read_version = v.version, errors = v.errors \
             FROM v WHERE entity.id = v.id",
        ),
        (
            "WITH v(id, version) AS (VALUES ",
            read,
            ") UPDATE entity SET read_version = v.version FROM v WHERE entity.id = v.id",
        ),
        (
            "WITH v(id, errors) AS (VALUES ",
            failed,
            ") UPDATE entity SET errors = v.errors, made_with = NULL FROM v WHERE entity.id = v.id",
        ),
    ] {
        for chunk in rows.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new();
            sql.push(head).rows(chunk.iter().cloned()).push(tail);
            tx.execute(sql).await?;
        }
    }
    Ok(())
}

/// Errors as the table has them.
fn text(errors: &[ProcessingError]) -> Result<String, Error> {
    serde_json::to_string(errors).map_err(|error| Error::Failed(error.to_string()))
}

/// Notes that the program failed on an entity, and leaves it out of the queue: the next change brings it back.
pub(crate) async fn panicked(tx: &mut Tx, id: i64) -> Result<(), Error> {
    let error =
        ProcessingError::new("Error", "the program failed while it processed this entity; its log has the details");
    tx.execute(query("UPDATE entity SET errors = $2, made_with = NULL WHERE id = $1", args![id, text(&[error])?]))
        .await?;
    tx.execute(query("DELETE FROM queue WHERE entity_id = $1", args![id])).await?;
    Ok(())
}

/// Notes what results depend on. Only what differs is written: a Location may depend on thousands of files.
async fn set_dependencies(tx: &mut Tx, results: &[Applied]) -> Result<(), Error> {
    // What is unchanged depends on what it did.
    let made = || results.iter().filter(|result| !matches!(result.outcome, Outcome::Unchanged(_)));
    let mut before: HashMap<i64, BTreeMap<String, Option<String>>> = HashMap::default();
    if made().next().is_some() {
        let mut sql = Sql::new();
        sql.push("SELECT entity_id, key, validator FROM dependency WHERE entity_id IN ")
            .ids(made().map(|result| result.id));
        for row in tx.fetch_all(sql).await? {
            before.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
        }
    }
    let (mut gone, mut rows) = (Vec::new(), Vec::new());
    for result in results {
        if let Outcome::Unchanged(renewed) = &result.outcome {
            rows.extend(renewed.iter().map(|(key, validator)| args![result.id, key, validator]));
        }
    }
    for result in made() {
        let before = before.remove(&result.id).unwrap_or_default();
        let lost = before.keys().filter(|key| !result.dependencies.contains_key(*key));
        gone.extend(lost.map(|key| args![result.id, key]));
        let differs = result.dependencies.iter().filter(|(key, validator)| before.get(*key) != Some(*validator));
        rows.extend(differs.map(|(key, validator)| args![result.id, key, validator.clone()]));
    }
    for chunk in gone.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("DELETE FROM dependency WHERE (entity_id, key) IN (VALUES ").rows(chunk.iter().cloned()).push(")");
        tx.execute(sql).await?;
    }
    tx.insert(
        "INSERT INTO dependency(entity_id, key, validator) VALUES ",
        rows,
        " ON CONFLICT(entity_id, key) DO UPDATE SET validator = excluded.validator",
    )
    .await?;
    Ok(())
}

/// Takes entities out of the queue, or sets when they are due again. A request that came meanwhile has raised the ticket.
async fn finish(tx: &mut Tx, results: &mut [Applied], settings: &Settings, now: i64) -> Result<(), Error> {
    let (mut done, mut later) = (Vec::new(), Vec::new());
    for result in results {
        let failed = matches!(result.outcome, Outcome::Failed(_));
        if failed && result.version.is_some() {
            result.again = match result.again {
                Again::Interval => Again::Never,
                Again::Within(time) => Again::After(time),
                other => other,
            };
        }
        let (due, attempts) = match result.again {
            Again::Never => {
                done.push(args![result.id, result.ticket]);
                continue;
            }
            Again::Interval => (interval(settings), 0),
            Again::Within(time) => (interval(settings).min(time), 0),
            Again::After(time) => (time, 0),
            Again::Retry => (retry(settings, result.attempts), result.attempts.saturating_add(1)),
        };
        let due = now.saturating_add(i64::try_from(due.as_millis()).unwrap_or(i64::MAX));
        let checked = if failed { None } else { Some(now) };
        later.push(args![result.id, result.ticket, due, attempts, checked]);
    }
    for chunk in done.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("DELETE FROM queue WHERE (entity_id, ticket) IN (VALUES ").rows(chunk.iter().cloned()).push(")");
        tx.execute(sql).await?;
    }
    for chunk in later.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("WITH v(id, ticket, due_at, attempts, checked_at) AS (VALUES ").rows(chunk.iter().cloned());
        sql.push(
            ") UPDATE queue SET due_at = v.due_at, attempts = v.attempts, forced = 0, \
             claimed_by = NULL, claimed_until = NULL, \
             checked_at = coalesce(CAST(v.checked_at AS BIGINT), queue.checked_at) FROM v \
             WHERE queue.entity_id = v.id AND queue.ticket = v.ticket",
        );
        tx.execute(sql).await?;
    }
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
