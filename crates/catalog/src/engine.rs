//! The engine: processes what is due, and sleeps until something is.
//!
//! Work is what the table `queue` has. Whoever puts something there wakes the engine; otherwise it wakes when the next
//! entry is due. Nothing is looked at again and again to see whether it changed, files excepted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callboard_model::entity::Entity;
use callboard_store::{Db, Row, Sql, args, query};
use chrono::Utc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::graph::apply::{self, Finished};
use crate::graph::{enqueue, forget_results};
use crate::limits::{IN_FLIGHT, RESULTS_PER_TRANSACTION, STORE_RETRY, TAKEN_AT_ONCE};
use crate::process::{Last, Processed, Processor, Work};
use crate::settings::{ProcessingInterval, Settings};

pub(crate) mod files;

/// What the parts of the catalog share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) settings: Arc<Settings>,
    pub(crate) processor: Processor,
    /// Something was put into the queue.
    pub(crate) queued: Arc<Notify>,
    /// Entities depend on other files than before.
    pub(crate) files_changed: Arc<AtomicBool>,
    /// Counts what readers may see.
    pub(crate) changes: watch::Sender<u64>,
}

impl Shared {
    /// Says that readers may see something else than before.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says the same, and that there is work.
    pub(crate) fn queued(&self) {
        self.queued.notify_one();
        self.changed();
    }
}

/// An entity that was taken from the queue.
struct Taken {
    id: i64,
    ticket: i64,
    attempts: u32,
    work: Work,
}

/// Milliseconds since 1970, as the tables have them.
pub(crate) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// Processes until `shutdown`.
pub(crate) async fn run(shared: Shared, shutdown: CancellationToken) {
    if shared.settings.processing_interval == ProcessingInterval::Never {
        shutdown.cancelled().await;
        return;
    }
    let mut engine = Engine { shared, tasks: JoinSet::new(), in_flight: HashMap::new() };
    loop {
        let step = tokio::select! {
            () = shutdown.cancelled() => break,
            step = engine.step() => step,
        };
        if let Err(error) = step {
            tracing::error!(%error, "the catalog's engine will try again");
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(STORE_RETRY) => {}
            }
        }
    }
}

/// Has everything processed again where settings or program differ from those that the results were made with.
pub(crate) async fn requeue_if_changed(shared: &Shared) -> Result<(), callboard_store::Error> {
    let mut tx = shared.db.begin().await?;
    let row = tx.fetch_optional(query("SELECT value FROM setting WHERE name = 'digest'", args![])).await?;
    let before: Option<String> = row.map(|row| row.get(0)).transpose()?;
    let digest = shared.processor.digest();
    if before.as_deref() != Some(digest) {
        let rows = tx.fetch_all(query("SELECT id FROM entity", args![])).await?;
        let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
        forget_results(&mut tx, &ids).await?;
        enqueue(&mut tx, &ids, now(), true).await?;
        tx.execute(query(
            "INSERT INTO setting(name, value) VALUES ('digest', $1) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
            args![digest],
        ))
        .await?;
    }
    // What failed may have failed for a setting of somebody else's, such as what may be read.
    let rows = tx.fetch_all(query("SELECT id FROM entity WHERE errors IS NOT NULL", args![])).await?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
    enqueue(&mut tx, &ids, now(), false).await?;
    tx.commit().await
}

struct Engine {
    shared: Shared,
    tasks: JoinSet<(Taken, Processed)>,
    /// By task, so that a task which panics is known.
    in_flight: HashMap<tokio::task::Id, i64>,
}

impl Engine {
    /// Takes what is due, then waits for whatever comes first: a result, more work, or time.
    async fn step(&mut self) -> Result<(), callboard_store::Error> {
        // Registered before the look at the queue, so that what arrives right after it is not missed.
        let queued = Arc::clone(&self.shared.queued);
        let notified = queued.notified();
        let free = IN_FLIGHT.saturating_sub(self.in_flight.len());
        let mut pause = None;
        if free >= TAKEN_AT_ONCE {
            let taken = self.take(free).await?;
            if taken.len() < free {
                pause = Some(self.next_due().await?);
            }
            for taken in taken {
                let processor = self.shared.processor.clone();
                let id = taken.id;
                let handle = self.tasks.spawn(async move {
                    let processed = processor.process(&taken.work).await;
                    (taken, processed)
                });
                self.in_flight.insert(handle.id(), id);
            }
        }
        tokio::select! {
            Some(result) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                let mut results = vec![result];
                while results.len() < RESULTS_PER_TRANSACTION
                    && let Some(result) = self.tasks.try_join_next_with_id()
                {
                    results.push(result);
                }
                self.store(results).await
            }
            () = notified, if pause.is_some() => Ok(()),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => Ok(()),
        }
    }

    async fn take(&self, limit: usize) -> Result<Vec<Taken>, callboard_store::Error> {
        let mut tx = self.shared.db.read().await?;
        let mut sql = Sql::new();
        sql.push(
            "SELECT q.entity_id, q.ticket, q.attempts, q.forced, e.source_hash, e.version, e.read_version, e.made_with, \
             s.source, s.facts, h.used FROM queue q JOIN entity e ON e.id = q.entity_id \
             JOIN entity_source s ON s.entity_id = q.entity_id LEFT JOIN chained c ON c.entity_id = q.entity_id \
             LEFT JOIN chain h ON h.id = c.chain_id WHERE q.due_at <= ",
        );
        sql.bind(now()).push(" AND q.entity_id NOT IN ").ids(self.in_flight.values().copied());
        sql.push(" ORDER BY q.due_at LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = tx.fetch_all(sql).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.get("entity_id")).collect::<Result<_, _>>()?;
        let mut sql = Sql::new();
        sql.push("SELECT entity_id, key, validator FROM dependency WHERE entity_id IN ").ids(ids);
        let mut dependencies: HashMap<i64, BTreeMap<String, Option<String>>> = HashMap::new();
        for row in tx.fetch_all(sql).await? {
            dependencies.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
        }
        rows.iter().map(|row| taken(row, &mut dependencies)).collect()
    }

    /// How long nothing is due, if nothing happens.
    async fn next_due(&self) -> Result<Duration, callboard_store::Error> {
        let mut sql = Sql::new();
        sql.push("SELECT min(due_at) FROM queue WHERE entity_id NOT IN ").ids(self.in_flight.values().copied());
        let row = self.shared.db.fetch_optional(sql).await?;
        let due: Option<i64> = row.map(|row| row.get(0)).transpose()?.flatten();
        // Without anything to wait for, an hour is as good as any time.
        let pause = due.map_or(3_600_000, |due| due.saturating_sub(now()));
        Ok(Duration::from_millis(u64::try_from(pause).unwrap_or(0)))
    }

    async fn store(&mut self, results: Vec<TaskResult>) -> Result<(), callboard_store::Error> {
        let mut finished = Vec::new();
        let mut panicked = HashSet::new();
        for result in results {
            match result {
                Ok((task, (taken, processed))) => {
                    self.in_flight.remove(&task);
                    finished.push(Finished {
                        id: taken.id,
                        ticket: taken.ticket,
                        attempts: taken.attempts,
                        source_hash: taken.work.source_hash,
                        version: taken.work.version,
                        processed,
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "processing an entity panicked");
                    panicked.extend(self.in_flight.remove(&error.id()));
                }
            }
        }
        let settings = &self.shared.settings;
        let mut tx = self.shared.db.begin().await?;
        let files = apply::apply(&mut tx, finished, settings, now()).await?;
        for id in panicked {
            apply::panicked(&mut tx, id).await?;
        }
        tx.commit().await?;
        if files {
            self.shared.files_changed.store(true, Ordering::Release);
        }
        self.shared.changed();
        Ok(())
    }
}

type TaskResult = Result<(tokio::task::Id, (Taken, Processed)), tokio::task::JoinError>;

fn taken(
    row: &Row,
    dependencies: &mut HashMap<i64, BTreeMap<String, Option<String>>>,
) -> Result<Taken, callboard_store::Error> {
    let damaged = |error: &dyn std::fmt::Display| callboard_store::Error::Column {
        column: "entity_source".to_owned(),
        reason: format!("does not hold an entity: {error}"),
    };
    let id: i64 = row.get("entity_id")?;
    let source: String = row.get("source")?;
    let source: Entity = serde_json::from_str(&source).map_err(|error| damaged(&error))?;
    let facts: Option<String> = row.get("facts")?;
    let facts = facts.map(|facts| serde_json::from_str(&facts)).transpose().map_err(|error| damaged(&error))?;
    let used: Option<String> = row.get("used")?;
    let used = used.map(|used| serde_json::from_str(&used)).transpose().map_err(|error| damaged(&error))?;
    let made_with: Option<String> = row.get("made_with")?;
    let read_version = row.get("read_version")?;
    let dependencies = dependencies.remove(&id).unwrap_or_default();
    Ok(Taken {
        id,
        ticket: row.get("ticket")?,
        attempts: u32::try_from(row.get::<i64>("attempts")?).unwrap_or(u32::MAX),
        work: Work {
            source,
            source_hash: row.get("source_hash")?,
            facts: facts.unwrap_or_default(),
            version: row.get("version")?,
            last: made_with.map(|made_with| Last {
                made_with,
                read_version,
                dependencies,
                used: used.unwrap_or_default(),
            }),
            forced: row.get("forced")?,
        },
    })
}
