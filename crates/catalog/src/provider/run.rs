//! One run of a provider.

use std::collections::HashSet;
use std::time::Duration;

use callboard_model::api::RunCounts;
use callboard_store::{Error, Tx, args, query};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::apply::{self, Applied};
use super::stage::{self, Staged};
use super::{Again, EntityProvider, Mode};
use crate::engine::held::Held;
use crate::engine::{Shared, now};
use crate::limits::{PAGES_PER_RUN, RUN_PROGRESS};

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Its last page was applied.
    Applied,
    /// The same, and the next run begins at once.
    AppliedAgain,
    /// It failed; the reason is in the provider's state.
    Failed,
    /// It was told to stop between two pages.
    Stopped,
    /// Another replica may have taken it over, because this one was not heard of for too long.
    Lost,
}

/// A run that is under way, as the database has it.
struct Run {
    source_id: i64,
    id: String,
    cursor: Option<String>,
    mode: Option<Mode>,
    started_at: i64,
    /// What it found unchanged, as long as it has found nothing else: until then nothing of it is in the database, so
    /// that a source in which nothing happens costs no row. One that is cut off before then begins anew.
    unchanged: Option<HashSet<i64>>,
}

/// Carries out a run, or what is left of one that a restart cut off.
///
/// Told to `stop`, it ends after the page that is being read; whoever comes next goes on from there.
pub(crate) async fn run(
    shared: &Shared,
    provider: &dyn EntityProvider,
    held: &Held,
    stop: &CancellationToken,
) -> Result<Ended, Error> {
    let mut run = begin(shared, provider).await?;
    let timeout = provider.schedule().timeout;
    let elapsed = Duration::from_millis(u64::try_from(now().saturating_sub(run.started_at)).unwrap_or(0));
    // A timeout that no clock can hold is none.
    let deadline = Instant::now().checked_add(timeout.saturating_sub(elapsed));
    let begun = Instant::now();
    for page in 1..=PAGES_PER_RUN {
        if stop.is_cancelled() {
            return Ok(Ended::Stopped);
        }
        let read = provider.read(run.cursor.clone());
        let read = async {
            match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, read).await,
                None => Ok(read.await),
            }
        };
        let result = tokio::select! {
            result = read => result,
            () = held.lost() => return Ok(Ended::Lost),
        };
        let page = match result {
            Err(_) => {
                let message = format!(
                    "the run took longer than its timeout of {} and was ended at page {page}; give its schedule a longer \
                     timeout, or find out why the source is slow",
                    words(timeout)
                );
                return fail(shared, &run, &message).await;
            }
            Ok(Err(error)) => return fail(shared, &run, &error.message).await,
            Ok(Ok(page)) => page,
        };
        if run.mode.is_some_and(|mode| mode != page.mode) {
            let message =
                "the provider changed between full and delta within one run; it must answer the same for every page";
            return fail(shared, &run, message).await;
        }
        let items: Vec<Staged> = page.items.into_iter().map(|item| Staged::of(item, provider.name())).collect();
        run.mode = Some(page.mode);
        let last = page.next.is_none() || page.again == Again::Now;
        run.cursor = page.next;
        let is_new = run.finds_new(shared, &items).await?;
        if !is_new && !last && begun.elapsed() < RUN_PROGRESS {
            continue;
        }
        let mut tx = shared.db.begin().await?;
        if !is_ours(&mut tx, shared, &run).await? {
            return Ok(Ended::Lost);
        }
        if let Some(applied) = keep(&mut tx, &mut run, &items, is_new, last.then_some(page.mode)).await? {
            let cursor = run.cursor.clone().filter(|_| page.again == Again::Now);
            succeed(&mut tx, run.source_id, cursor, &applied).await?;
            tx.commit().await?;
            shared.queued();
            report(provider.name(), &applied.counts);
            return Ok(if page.again == Again::Now { Ended::AppliedAgain } else { Ended::Applied });
        }
        let mode = if page.mode == Mode::Full { "full" } else { "delta" };
        tx.execute(query(
            "UPDATE source SET cursor = $2, mode = $3 WHERE id = $1",
            args![run.source_id, run.cursor.clone(), mode],
        ))
        .await?;
        tx.commit().await?;
    }
    fail(shared, &run, "the provider's pages do not end: its cursor seems to go round in circles").await
}

impl Run {
    /// Whether the database has to know of a page, or of what the run found before.
    async fn finds_new(&mut self, shared: &Shared, items: &[Staged]) -> Result<bool, Error> {
        let Some(unchanged) = &mut self.unchanged else { return Ok(true) };
        let found = stage::unchanged(&mut shared.db.read().await?, self.source_id, items).await?;
        Ok(found.map(|ids| unchanged.extend(ids)).is_none())
    }
}

/// Stages a page with what was found before. With the last one, whose mode is given, the run is applied.
async fn keep(
    tx: &mut Tx,
    run: &mut Run,
    items: &[Staged],
    is_new: bool,
    mode: Option<Mode>,
) -> Result<Option<Applied>, Error> {
    if let Some(unchanged) = run.unchanged.take() {
        if let Some(mode) = mode.filter(|_| !is_new)
            && let Some(applied) = apply::unchanged(tx, run.source_id, mode, &unchanged).await?
        {
            return Ok(Some(applied));
        }
        stage::add_unchanged(tx, &run.id, &unchanged).await?;
    }
    stage::add(tx, run.source_id, &run.id, items).await?;
    match mode {
        Some(mode) => apply::apply(tx, run.source_id, &run.id, mode, now()).await.map(Some),
        None => Ok(None),
    }
}

/// A run that found nothing new is no news: with a schedule of seconds it would be all there is to read.
fn report(provider: &str, counts: &RunCounts) {
    if counts.added + counts.changed + counts.removed > 0 {
        tracing::info!(provider, ?counts, "a provider's run was applied");
    } else {
        tracing::debug!(provider, ?counts, "a provider's run found nothing new");
    }
}

/// Applies a set that is known in full, for the catalog's own providers.
pub(crate) async fn replace(tx: &mut Tx, name: &str, items: &[Staged]) -> Result<Applied, Error> {
    let source_id = source_id(tx, name, "").await?;
    at_once(tx, source_id, items, Mode::Full).await
}

/// Adds to such a set.
pub(crate) async fn extend(tx: &mut Tx, name: &str, items: &[Staged]) -> Result<Applied, Error> {
    let source_id = source_id(tx, name, "").await?;
    at_once(tx, source_id, items, Mode::Delta).await
}

/// Applies what a source says of itself, which is not asked.
pub(crate) async fn push(tx: &mut Tx, name: &str, items: &[Staged], mode: Mode) -> Result<Applied, Error> {
    let source_id = source_id(tx, name, "").await?;
    let applied = at_once(tx, source_id, items, mode).await?;
    succeed(tx, source_id, None, &applied).await?;
    tx.execute(query("UPDATE source SET started_at = $2 WHERE id = $1", args![source_id, now()])).await?;
    Ok(applied)
}

/// A run of one page.
async fn at_once(tx: &mut Tx, source_id: i64, items: &[Staged], mode: Mode) -> Result<Applied, Error> {
    if let Some(ids) = stage::unchanged(tx, source_id, items).await?
        && let Some(applied) = apply::unchanged(tx, source_id, mode, &ids.into_iter().collect()).await?
    {
        return Ok(applied);
    }
    let run = Uuid::new_v4().to_string();
    stage::add(tx, source_id, &run, items).await?;
    apply::apply(tx, source_id, &run, mode, now()).await
}

/// The id of a provider's row.
pub(crate) async fn source_id(tx: &mut Tx, name: &str, owner: &str) -> Result<i64, Error> {
    tx.execute(query(
        "INSERT INTO source(name, owner) VALUES ($1, $2) ON CONFLICT(name) DO UPDATE SET owner = excluded.owner \
         WHERE source.owner <> excluded.owner",
        args![name, owner],
    ))
    .await?;
    let row = tx.fetch_optional(query("SELECT id FROM source WHERE name = $1", args![name])).await?;
    row.ok_or_else(|| Error::Failed(format!("the row of {name} is gone")))?.get(0)
}

async fn begin(shared: &Shared, provider: &dyn EntityProvider) -> Result<Run, Error> {
    let mut tx = shared.db.begin().await?;
    let source_id = source_id(&mut tx, provider.name(), provider.owner()).await?;
    let row = tx
        .fetch_optional(query(
            "SELECT run, cursor, mode, started_at, fingerprint FROM source WHERE id = $1",
            args![source_id],
        ))
        .await?
        .ok_or_else(|| Error::Failed(format!("the row of {} is gone", provider.name())))?;
    let (id, cursor): (Option<String>, Option<String>) = (row.get("run")?, row.get("cursor")?);
    let started_at = row.get::<Option<i64>>("started_at")?.unwrap_or_default();
    let timeout = i64::try_from(provider.schedule().timeout.as_millis()).unwrap_or(i64::MAX);
    let same = row.get::<Option<String>>("fingerprint")?.as_deref() == Some(provider.fingerprint());
    let open = id.is_some();
    if let Some(id) = id {
        if same && started_at.saturating_add(timeout) > now() {
            let mode = match row.get::<Option<String>>("mode")?.as_deref() {
                Some("full") => Some(Mode::Full),
                Some("delta") => Some(Mode::Delta),
                _ => None,
            };
            tx.execute(query(
                "UPDATE source SET holder = $2 WHERE id = $1",
                args![source_id, shared.replica.id.as_str()],
            ))
            .await?;
            tx.commit().await?;
            tracing::info!(provider = provider.name(), "going on with a run that was cut off");
            // It was at a page only once something was staged.
            let unchanged = mode.is_none().then(HashSet::new);
            return Ok(Run { source_id, id, cursor, mode, started_at, unchanged });
        }
        apply::discard(&mut tx, &id).await?;
    }
    // Without a run, the cursor is where a provider that asked to be called again at once wants to go on.
    let cursor = cursor.filter(|_| same && !open);
    let run = Run {
        source_id,
        id: Uuid::new_v4().to_string(),
        cursor,
        mode: None,
        started_at: now(),
        unchanged: Some(HashSet::new()),
    };
    tx.execute(query(
        "UPDATE source SET run = $2, cursor = $3, mode = NULL, started_at = $4, fingerprint = $5, holder = $6 \
         WHERE id = $1",
        args![
            source_id,
            &run.id,
            run.cursor.clone(),
            run.started_at,
            provider.fingerprint(),
            shared.replica.id.as_str()
        ],
    ))
    .await?;
    tx.commit().await?;
    Ok(run)
}

/// Whether this replica is still the one that carries the run out. As one transaction writes at a time, it stays so until
/// this one ends.
async fn is_ours(tx: &mut Tx, shared: &Shared, run: &Run) -> Result<bool, Error> {
    let select = "SELECT 1 FROM source WHERE id = $1 AND run = $2 AND holder = $3";
    let row = args![run.source_id, &run.id, shared.replica.id.as_str()];
    Ok(tx.fetch_optional(query(select, row)).await?.is_some())
}

async fn succeed(tx: &mut Tx, source_id: i64, cursor: Option<String>, applied: &Applied) -> Result<(), Error> {
    let counts = serde_json::to_string(&applied.counts).map_err(|error| Error::Failed(error.to_string()))?;
    let conflicts = apply::conflicts_json(&applied.conflicts)?;
    tx.execute(query(
        "UPDATE source SET run = NULL, cursor = $2, mode = NULL, last_success = $3, last_error = NULL, counts = $4, \
         conflicts = $5 WHERE id = $1",
        args![source_id, cursor, now(), counts, conflicts],
    ))
    .await?;
    Ok(())
}

/// Ends a run. What earlier runs brought stays as it is.
async fn fail(shared: &Shared, run: &Run, message: &str) -> Result<Ended, Error> {
    tracing::warn!(source = run.source_id, message, "a provider's run failed");
    let mut tx = shared.db.begin().await?;
    if !is_ours(&mut tx, shared, run).await? {
        return Ok(Ended::Lost);
    }
    apply::discard(&mut tx, &run.id).await?;
    tx.execute(query(
        "UPDATE source SET run = NULL, cursor = NULL, mode = NULL, last_error = $2 WHERE id = $1",
        args![run.source_id, message],
    ))
    .await?;
    tx.commit().await?;
    shared.changed();
    Ok(Ended::Failed)
}

fn words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
