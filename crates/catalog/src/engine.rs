//! The engine: processes what is due, and sleeps until something is.
//!
//! Work is what the table `queue` has. Whoever puts something there wakes the engine; otherwise it wakes when the next
//! entry is due. Nothing is looked at again and again to see whether it changed, files excepted.
//!
//! Where replicas share a database, each claims what it takes: in the table, until a time that it keeps putting off. What
//! a replica had claimed that was killed is anybody's then, and a result that comes after its claim was lost is dropped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callboard_model::entity::Entity;
use callboard_store::{Db, Row, Sql, args, query};
use chrono::Utc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::graph::apply::{self, Finished, Prepared};
use crate::graph::source::SourceText;
use crate::graph::{enqueue, forget_results};
use crate::limits::{
    FAREWELL, IN_FLIGHT, RESULTS_PER_TRANSACTION, STORE_BACKOFF, STORE_RETRY, TAKEN_AT_ONCE, TELL_PAUSE,
};
use crate::process::{Last, Processor, Work};
use crate::query::names::Names;
use crate::query::remembered::Remembered;
use crate::settings::{ProcessingInterval, Settings};

pub(crate) mod files;
pub(crate) mod held;
pub(crate) mod replicas;
pub(crate) mod upkeep;

use replicas::Replica;

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
    pub(crate) replica: Arc<Replica>,
    pub(crate) names: Arc<Names>,
    pub(crate) documents: Arc<Remembered>,
}

impl Shared {
    /// Says that readers may see something else than before.
    pub(crate) fn changed(&self) {
        self.changed_here();
        self.replica.tell_changed();
    }

    /// The same, where the other replicas know.
    fn changed_here(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says the same, and that there is work.
    pub(crate) fn queued(&self) {
        self.queued.notify_one();
        self.replica.tell_work();
        self.changed();
    }
}

/// An entity that was taken from the queue.
struct Taken {
    id: i64,
    ticket: i64,
    attempts: u32,
    uid: String,
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
    let claims = Claims::default();
    let beats = heartbeat(&shared, &claims);
    let mut engine =
        Engine { shared: shared.clone(), tasks: JoinSet::new(), in_flight: HashMap::new(), claims: claims.clone() };
    let work = async {
        let mut pause = STORE_RETRY;
        loop {
            match engine.step().await {
                Ok(()) => pause = STORE_RETRY,
                Err(error) => {
                    tracing::warn!(%error, "the catalog's engine will try again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(STORE_BACKOFF);
                }
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
        () = beats => {}
    }
    if shared.replica.several
        && let Err(error) = tokio::time::timeout(FAREWELL, let_go(&shared, &claims)).await
    {
        tracing::debug!(%error, "the other replicas take over a little later");
    }
}

/// What this replica has claimed and not stored.
#[derive(Clone, Default)]
struct Claims(Arc<Mutex<HashSet<i64>>>);

impl Claims {
    fn add(&self, ids: impl IntoIterator<Item = i64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    fn remove(&self, ids: &[i64]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| !ids.contains(id));
    }

    fn all(&self) -> Vec<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Keeps putting off the end of the claims. What the writer has locked is left out, to wait for nobody; there are three
/// beats to a claim.
async fn heartbeat(shared: &Shared, claims: &Claims) {
    if !shared.replica.several {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(shared.replica.beat()).await;
        let until = Some(shared.replica.until(now()));
        if let Err(error) = set_claims(shared, claims.all(), until).await {
            tracing::debug!(%error, "claims could not be extended");
        }
    }
}

async fn let_go(shared: &Shared, claims: &Claims) {
    if let Err(error) = set_claims(shared, claims.all(), None).await {
        tracing::debug!(%error, "claims were not given up");
    }
    shared.replica.tell_work();
}

async fn set_claims(shared: &Shared, ids: Vec<i64>, until: Option<i64>) -> Result<(), callboard_store::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut tx = shared.db.beside().await?;
    let mut sql = Sql::new();
    sql.push("WITH mine AS (SELECT entity_id FROM queue WHERE claimed_by = ").bind(shared.replica.id.as_str());
    sql.push(" AND entity_id IN ").ids(ids).push(" FOR UPDATE SKIP LOCKED) UPDATE queue SET claimed_until = ");
    sql.bind(until).push(" FROM mine WHERE queue.entity_id = mine.entity_id");
    tx.execute(sql).await?;
    tx.commit().await
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
    tasks: JoinSet<(Taken, Prepared)>,
    /// By task, so that a task which panics is known.
    in_flight: HashMap<tokio::task::Id, i64>,
    claims: Claims,
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
            self.process(taken);
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

    fn process(&mut self, taken: Vec<Taken>) {
        for taken in taken {
            let processor = self.shared.processor.clone();
            let id = taken.id;
            let handle = self.tasks.spawn(async move {
                let processed = processor.process(&taken.work).await;
                let prepared = Prepared::new(processed, taken.uid.clone(), taken.work.last.is_none());
                (taken, prepared)
            });
            self.in_flight.insert(handle.id(), id);
        }
    }

    async fn take(&self, limit: usize) -> Result<Vec<Taken>, callboard_store::Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut sql = Sql::new();
        sql.push(
            "SELECT q.entity_id, q.ticket, q.attempts, q.forced, e.uid, e.source_hash, e.version, e.read_version, \
             e.made_with, s.source, s.facts, h.used FROM queue q JOIN entity e ON e.id = q.entity_id \
             JOIN entity_source s ON s.entity_id = q.entity_id LEFT JOIN chained c ON c.entity_id = q.entity_id \
             LEFT JOIN chain h ON h.id = c.chain_id WHERE ",
        );
        if self.shared.replica.several {
            let claimed = self.claim(limit).await?;
            if claimed.is_empty() {
                return Ok(Vec::new());
            }
            self.claims.add(claimed.iter().copied());
            sql.push("q.entity_id IN ").ids(claimed);
        } else {
            sql.push("q.due_at <= ").bind(now());
            sql.push(" AND q.entity_id NOT IN ").ids(self.in_flight.values().copied());
            sql.push(" ORDER BY q.due_at LIMIT ").bind(limit);
        }
        let mut tx = self.shared.db.read().await?;
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

    /// Makes what is due this replica's, beside the writer and waiting for nobody. What it claimed earlier and does not
    /// work on, because the database went away in between, is its own.
    async fn claim(&self, limit: i64) -> Result<Vec<i64>, callboard_store::Error> {
        let (replica, now) = (&self.shared.replica, now());
        let mut sql = Sql::new();
        sql.push("WITH due AS (SELECT entity_id FROM queue WHERE due_at <= ").bind(now);
        self.free(&mut sql, now);
        sql.push(" ORDER BY due_at LIMIT ").bind(limit).push(" FOR UPDATE SKIP LOCKED) UPDATE queue SET claimed_by = ");
        sql.bind(replica.id.as_str()).push(", claimed_until = ").bind(replica.until(now));
        sql.push(" FROM due WHERE queue.entity_id = due.entity_id RETURNING queue.entity_id");
        let mut tx = self.shared.db.beside().await?;
        let rows = tx.fetch_all(sql).await?;
        tx.commit().await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// What nobody works on.
    fn free(&self, sql: &mut Sql, now: i64) {
        sql.push(" AND entity_id NOT IN ").ids(self.in_flight.values().copied());
        if self.shared.replica.several {
            sql.push(" AND (claimed_until IS NULL OR claimed_until <= ").bind(now);
            sql.push(" OR claimed_by = ").bind(self.shared.replica.id.as_str()).push(")");
        }
    }

    /// How long nothing is due, if nothing happens. With other replicas no longer than one of them is believed.
    async fn next_due(&self) -> Result<Duration, callboard_store::Error> {
        let now = now();
        let mut sql = Sql::new();
        sql.push("SELECT due_at FROM queue WHERE 1 = 1");
        self.free(&mut sql, now);
        sql.push(" ORDER BY due_at LIMIT 1");
        let row = self.shared.db.fetch_optional(sql).await?;
        let due: Option<i64> = row.map(|row| row.get(0)).transpose()?;
        // Without anything to wait for, an hour is as good as any time.
        let pause = due.map_or(3_600_000, |due| due.saturating_sub(now));
        let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
        let replica = &self.shared.replica;
        // What is due and was not claimed is locked by the writer.
        Ok(if replica.several { pause.clamp(TELL_PAUSE, replica.timeout.max(TELL_PAUSE)) } else { pause })
    }

    /// Stores results, and takes what is processed meanwhile in their place.
    async fn store(&mut self, results: Vec<TaskResult>) -> Result<(), callboard_store::Error> {
        let mut finished = Vec::new();
        let mut panicked = HashSet::new();
        let mut tasks = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok((task, (taken, prepared))) => {
                    tasks.push(task);
                    finished.push(Finished {
                        id: taken.id,
                        ticket: taken.ticket,
                        attempts: taken.attempts,
                        source_hash: taken.work.source_hash,
                        version: taken.work.version,
                        prepared,
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "processing an entity panicked");
                    tasks.push(error.id());
                    panicked.extend(self.in_flight.get(&error.id()));
                }
            }
        }
        let ids: Vec<i64> = finished.iter().map(|one| one.id).chain(panicked.iter().copied()).collect();
        let free = IN_FLIGHT.saturating_sub(self.in_flight.len().saturating_sub(tasks.len()));
        let more = async {
            // A look at the queue costs as much as the work on a few.
            if tasks.len() < TAKEN_AT_ONCE { Ok(Vec::new()) } else { self.take(free).await }
        };
        let (stored, taken) = tokio::join!(self.keep(finished, panicked, &ids), more);
        // They are in flight until now, so that they were not among what was taken. Where they could not be stored, they
        // are next time.
        for task in tasks {
            self.in_flight.remove(&task);
        }
        self.claims.remove(&ids);
        // Where nothing could be taken, the next look at the queue says why.
        self.process(taken.unwrap_or_default());
        if stored? {
            self.shared.files_changed.store(true, Ordering::Release);
            self.shared.replica.tell_files();
        }
        self.shared.changed();
        Ok(())
    }

    /// Stores results of claims that were not lost, and gives the claims up.
    async fn keep(
        &self,
        mut finished: Vec<Finished>,
        mut panicked: HashSet<i64>,
        ids: &[i64],
    ) -> Result<bool, callboard_store::Error> {
        let replica = &self.shared.replica;
        let mut tx = self.shared.db.begin().await?;
        if replica.several {
            let mut sql = Sql::new();
            sql.push("SELECT entity_id FROM queue WHERE claimed_by = ").bind(replica.id.as_str());
            // Locked, so that nobody claims them before this is kept.
            sql.push(" AND entity_id IN ").ids(ids.iter().copied()).push(" FOR UPDATE");
            let rows = tx.fetch_all(sql).await?;
            let ours = rows.iter().map(|row| row.get(0)).collect::<Result<HashSet<i64>, _>>()?;
            finished.retain(|one| ours.contains(&one.id));
            panicked.retain(|id| ours.contains(id));
        }
        let files = apply::apply(&mut tx, finished, &self.shared.settings, now()).await?;
        for id in panicked {
            apply::panicked(&mut tx, id).await?;
        }
        if replica.several {
            // Those that were asked for anew meanwhile, or are of another source.
            let mut sql = Sql::new();
            sql.push("UPDATE queue SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = ");
            sql.bind(replica.id.as_str()).push(" AND entity_id IN ").ids(ids.iter().copied());
            tx.execute(sql).await?;
        }
        tx.commit().await?;
        Ok(files)
    }
}

type TaskResult = Result<(tokio::task::Id, (Taken, Prepared)), tokio::task::JoinError>;

fn taken(
    row: &Row,
    dependencies: &mut HashMap<i64, BTreeMap<String, Option<String>>>,
) -> Result<Taken, callboard_store::Error> {
    let damaged = |error: &dyn std::fmt::Display| callboard_store::Error::Column {
        column: "entity_source".to_owned(),
        reason: format!("does not hold an entity: {error}"),
    };
    let id: i64 = row.get("entity_id")?;
    let source: SourceText = row.get("source")?;
    let source: Entity = serde_json::from_str(&source.0).map_err(|error| damaged(&error))?;
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
        uid: row.get("uid")?,
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
