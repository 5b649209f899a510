//! Writes what waits: denied attempts, and how changes ended that failed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use callboard_model::api::AuditDecision;
use callboard_store::Db;
use chrono::Utc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attempts::Attempts;
use super::chain::{self, Record};
use super::{AuditError, AuditLog, Entry};

/// Ends of changes that wait. Each is of a change whose beginning could be written, so they gather only while the
/// database goes away.
const ENDS: usize = 1_000;

/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the last writing may take when the portal ends. Whoever ends it waits a little longer than this in all.
const LAST: Duration = Duration::from_secs(5);

/// What waits to be written. It is for the log of one process.
#[derive(Default)]
pub(super) struct Waiting {
    lists: Mutex<Lists>,
    /// Told when there is something that should not wait.
    wake: Notify,
}

#[derive(Default)]
struct Lists {
    attempts: Attempts,
    ends: Vec<Record>,
}

impl Waiting {
    pub(super) fn deny(&self, entry: Entry) {
        if self.with(|lists| lists.attempts.add(entry, Utc::now())) {
            self.wake.notify_one();
        }
    }

    /// How the change with the row `follows` ended.
    pub(super) fn end(&self, entry: Entry, follows: u64, status: u16, decision: AuditDecision) {
        let at = Utc::now();
        let record = Record { entry, at, decision, count: 1, follows: Some(follows), status: Some(status) };
        self.with(|lists| lists.keep_end(record));
        self.wake.notify_one();
    }

    fn with<T>(&self, work: impl FnOnce(&mut Lists) -> T) -> T {
        // Nothing in here is left half done by a panic.
        work(&mut self.lists.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what is due, or all that there is.
    async fn write(&self, db: &Db, all: bool) -> Result<(), AuditError> {
        let mut taken = Taken { waiting: self, records: self.with(|lists| lists.take(all)) };
        if !taken.records.is_empty() {
            chain::append(db, &taken.records).await?;
            taken.records.clear();
        }
        Ok(())
    }

    /// How long there is nothing to write, as far as is known; none where that is until somebody wakes us.
    fn pause(&self) -> Option<Duration> {
        let next = self.with(|lists| lists.attempts.next());
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }
}

/// Records that are being written. Where that fails, or nobody waits for it any more, they wait again.
struct Taken<'a> {
    waiting: &'a Waiting,
    records: Vec<Record>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let records = std::mem::take(&mut self.records);
        self.waiting.with(|lists| records.into_iter().for_each(|record| lists.put_back(record)));
    }
}

impl Lists {
    fn take(&mut self, all: bool) -> Vec<Record> {
        let now = Instant::now();
        let mut records = std::mem::take(&mut self.ends);
        records.extend(if all { self.attempts.take_all(now) } else { self.attempts.take(now) });
        records
    }

    fn put_back(&mut self, record: Record) {
        match record.follows {
            Some(_) => self.keep_end(record),
            None => self.attempts.put_back(record),
        }
    }

    fn keep_end(&mut self, record: Record) {
        if self.ends.len() < ENDS {
            self.ends.push(record);
        } else {
            tell(&record);
        }
    }
}

/// What the audit log cannot take is at least in the log.
fn tell(record: &Record) {
    let Record { entry: Entry { actor, permission, method, path, request_id, .. }, count, follows, status, .. } =
        record;
    tracing::error!(%actor, permission, method, path, request_id, count, follows, status, "not in the audit log");
}

/// Writes in the background until it is told to finish.
pub struct Recorder {
    log: AuditLog,
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl Recorder {
    pub(super) fn start(log: AuditLog) -> Recorder {
        let end = CancellationToken::new();
        Recorder { task: tokio::spawn(run(log.clone(), end.clone())), log, end }
    }

    /// Writes all that waits, and the head to the log. Call it when no request is answered any more, and before the
    /// database is closed.
    pub async fn finish(self) {
        let Recorder { log, mut task, end } = self;
        end.cancel();
        if tokio::time::timeout(LAST, &mut task).await.is_err() {
            task.abort();
            // Its end is that it was aborted.
            task.await.ok();
        }
        // Nothing, unless the database is away.
        log.waiting.with(|lists| lists.take(true).iter().for_each(tell));
    }
}

async fn run(log: AuditLog, end: CancellationToken) {
    let (waiting, db) = (&log.waiting, &log.db);
    tell_head(&log).await;
    while !end.is_cancelled() {
        let written = waiting.write(db, false).await;
        let pause = match &written {
            Ok(()) => waiting.pause(),
            Err(_) => Some(PAUSE),
        };
        if let Err(error) = &written {
            tracing::error!(%error, "the audit log cannot be written; what was denied waits");
        }
        let pause = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // While the database is away, whoever is denied does not bring it back.
            () = waiting.wake.notified(), if written.is_ok() => {}
            () = pause => {}
            () = end.cancelled() => {}
        }
    }
    if let Err(error) = waiting.write(db, true).await {
        tracing::error!(%error, "the audit log cannot be written");
    }
    tell_head(&log).await;
}

/// What was cut off or written anew while no portal ran contradicts what the log said before.
async fn tell_head(log: &AuditLog) {
    match log.head().await {
        Ok(head) => chain::announce(&head),
        Err(error) => tracing::error!(%error, "the audit log cannot be read"),
    }
}
