//! Watching files.
//!
//! By looking at their times and sizes, and not with the system's notifications: those do not arrive from network
//! drives, container mounts and some editors, need a watch per folder, and still leave the patterns to be walked. A look
//! at a few hundred files takes a millisecond; for very many, the pauses grow with the time that a look takes.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use callboard_store::{args, query};
use tokio_util::sync::CancellationToken;

use super::{Shared, now};
use crate::graph::enqueue;
use crate::limits::{STORE_RETRY, WATCH_PAUSE, WATCH_SHARE};
use crate::process::Processor;

/// A file or pattern that an entity depends on.
#[derive(Clone, Debug)]
struct Watched {
    entity: i64,
    key: String,
    stamp: Option<String>,
}

/// Puts entities into the queue whose files changed, until `shutdown`.
pub(crate) async fn run(shared: Shared, shutdown: CancellationToken) {
    let mut watched = Vec::new();
    shared.files_changed.store(true, Ordering::Release);
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = match look(&shared, &mut watched).await {
            Ok(took) => WATCH_PAUSE.max(took.saturating_mul(WATCH_SHARE)),
            Err(error) => {
                tracing::warn!(%error, "looking for changed files failed");
                watched.clear();
                shared.files_changed.store(true, Ordering::Release);
                STORE_RETRY
            }
        };
    }
}

async fn look(shared: &Shared, watched: &mut Vec<Watched>) -> Result<Duration, callboard_store::Error> {
    let start = Instant::now();
    if shared.files_changed.swap(false, Ordering::AcqRel) {
        let known: HashMap<(i64, String), Option<String>> =
            watched.drain(..).map(|one| ((one.entity, one.key), one.stamp)).collect();
        let mut now_watched = load(shared).await?;
        // Another replica may see the same file with another time: what was looked at here is compared with that. What
        // was not is processed once more then, and noted as it is here.
        for one in &mut now_watched {
            if let Some(stamp) = known.get(&(one.entity, one.key.clone())).filter(|_| shared.replica.several) {
                one.stamp.clone_from(stamp);
            }
        }
        *watched = now_watched;
    }
    if watched.is_empty() {
        return Ok(start.elapsed());
    }
    let (processor, before) = (shared.processor.clone(), std::mem::take(watched));
    let (now_watched, changed) = match tokio::task::spawn_blocking(move || stamps(&processor, before)).await {
        Ok(result) => result,
        Err(error) => return Err(callboard_store::Error::Failed(error.to_string())),
    };
    *watched = now_watched;
    if !changed.is_empty() {
        let mut tx = shared.db.begin().await?;
        enqueue(&mut tx, &changed, now(), false).await?;
        tx.commit().await?;
        shared.queued();
    }
    Ok(start.elapsed())
}

async fn load(shared: &Shared) -> Result<Vec<Watched>, callboard_store::Error> {
    // The range of every key that begins with `file:`; the next character after `:` is `;`.
    let select =
        query("SELECT entity_id, key, validator FROM dependency WHERE key >= 'file:' AND key < 'file;'", args![]);
    let rows = shared.db.fetch_all(select).await?;
    rows.iter().map(|row| Ok(Watched { entity: row.get(0)?, key: row.get(1)?, stamp: row.get(2)? })).collect()
}

fn stamps(processor: &Processor, mut watched: Vec<Watched>) -> (Vec<Watched>, Vec<i64>) {
    let mut changed = Vec::new();
    for one in &mut watched {
        let stamp = processor.stamp(&one.key);
        if stamp != one.stamp {
            changed.push(one.entity);
            one.stamp = stamp;
        }
    }
    (watched, changed)
}
