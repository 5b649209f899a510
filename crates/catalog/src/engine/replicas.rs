//! The other replicas that share the database: telling them what happened here, and hearing it from them.
//!
//! A word is told after what it is about was kept, not with it, so that a hundred transactions of an ingestion are one
//! word. One that is lost with its process costs no more than a pause: whoever waits for work looks for it within
//! [`Replica::timeout`], because it must find what a dead replica had claimed anyway.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use callboard_store::{Db, Engine, Error, Notification};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Shared;
use crate::limits::{STORE_BACKOFF, TELL_PAUSE};

/// What replicas tell each other, followed by who says it.
const CHANNEL: &str = "catalog";
const WORK: &str = "work";
const CHANGED: &str = "changed";
const FILES: &str = "files";

/// This process, among those that share the database.
pub(crate) struct Replica {
    /// Another one at each start: what a process leaves that was killed is not its successor's.
    pub(crate) id: String,
    /// Whether there may be others. SQLite belongs to one process, which then has nothing to claim.
    pub(crate) several: bool,
    /// For how long one that says nothing is believed to be at work.
    pub(crate) timeout: Duration,
    words: Mutex<BTreeSet<&'static str>>,
    to_tell: Notify,
}

impl Replica {
    pub(crate) fn new(db: &Db, timeout: Duration) -> Replica {
        Replica {
            id: Uuid::new_v4().to_string(),
            several: db.engine() == Engine::Postgres,
            timeout,
            words: Mutex::default(),
            to_tell: Notify::new(),
        }
    }

    /// How often it says that it is at work.
    pub(crate) fn beat(&self) -> Duration {
        self.timeout / 3
    }

    /// When a claim or a lease that is taken now ends, in milliseconds.
    pub(crate) fn until(&self, now: i64) -> i64 {
        now.saturating_add(i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX))
    }

    /// Has the others told that there is work.
    pub(super) fn tell_work(&self) {
        self.tell([WORK]);
    }

    /// Has the others told that readers may see something else.
    pub(super) fn tell_changed(&self) {
        self.tell([CHANGED]);
    }

    /// Has the others told that entities depend on other files than before, which each replica watches.
    pub(super) fn tell_files(&self) {
        self.tell([FILES]);
    }

    fn tell(&self, words: impl IntoIterator<Item = &'static str>) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).extend(words);
        self.to_tell.notify_one();
    }

    /// What is to be told, which is then taken for told.
    fn take_words(&self) -> BTreeSet<&'static str> {
        std::mem::take(&mut self.words.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells and hears until `shutdown`.
pub(crate) async fn run(shared: Shared, shutdown: CancellationToken) {
    if !shared.replica.several {
        return;
    }
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = async { tokio::join!(tell(&shared), hear(&shared)); } => {}
    }
}

async fn tell(shared: &Shared) {
    let replica = &shared.replica;
    loop {
        replica.to_tell.notified().await;
        let words = replica.take_words();
        if let Err(error) = say(shared, &words).await {
            tracing::debug!(%error, "the other replicas are told later");
            replica.tell(words);
            tokio::time::sleep(STORE_BACKOFF).await;
        }
        tokio::time::sleep(TELL_PAUSE).await;
    }
}

async fn say(shared: &Shared, words: &BTreeSet<&'static str>) -> Result<(), Error> {
    let mut tx = shared.db.beside().await?;
    for word in words {
        tx.notify(CHANNEL, &format!("{word} {}", shared.replica.id)).await?;
    }
    tx.commit().await
}

async fn hear(shared: &Shared) {
    let mut notifications = shared.db.notifications(CHANNEL);
    while let Some(heard) = notifications.next().await {
        match heard {
            Notification::Missed => {
                shared.files_changed.store(true, Ordering::Release);
                shared.queued.notify_one();
                shared.changed_here();
            }
            Notification::Payload(text) => match text.split_once(' ') {
                Some((_, who)) if who == shared.replica.id => {}
                Some((WORK, _)) => shared.queued.notify_one(),
                Some((CHANGED, _)) => shared.changed_here(),
                Some((FILES, _)) => shared.files_changed.store(true, Ordering::Release),
                _ => tracing::debug!(text, "another replica said something that this version does not know"),
            },
        }
    }
}
