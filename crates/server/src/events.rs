//! Delivers what happened to the plugins that are told of it.
//!
//! Every replica does, for all plugins: which one delivers an event is decided by who claims it in the outbox. Each plugin
//! is handed one batch after the other; those of different plugins go side by side.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use callboard_host::Plugin;
use callboard_host::limits::EVENT_BATCH_BYTES;
use callboard_store::outbox::Tried;
use callboard_store::{Error, Notification};
use chrono::Utc;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::adapter::event_subscriber;
use crate::http::state::App;

/// How long nobody looks at a plugin's events of whom nothing is heard: so long at most after its claims have ended, what a
/// replica had that was killed is delivered by another one.
const LOOK: Duration = Duration::from_secs(30);

/// How long a claim lasts beyond the call that it is for: what came of it is stored in that time, however busy the
/// database is.
const CLAIM_MARGIN: Duration = Duration::from_secs(30);

/// The shortest pause between two looks that find nothing.
const LOOK_LEAST: Duration = Duration::from_millis(100);

/// The pause after the database failed.
const STORE_BACKOFF: Duration = Duration::from_secs(5);

/// How often what is too old is put aside.
const UPKEEP: Duration = Duration::from_secs(60 * 60);

/// How long claims may take to be given up at the end. They end by themselves otherwise.
const FAREWELL: Duration = Duration::from_secs(2);

/// Delivers until `stop`. A call that is under way then is abandoned, and its events come again.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    if let Err(error) = app.outbox.take_over().await {
        tracing::warn!(%error, "events that an earlier process had begun to deliver are delivered a little later");
    }
    tokio::select! {
        () = stop.cancelled() => {}
        () = async { tokio::join!(deliver(&app), keep_up(&app)); } => {}
    }
    match tokio::time::timeout(FAREWELL, app.outbox.let_go()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "another replica delivers a little later"),
        Err(_) => tracing::debug!("another replica delivers a little later"),
    }
}

/// The plugins that are at work and those that are not.
#[derive(Default)]
struct Rota {
    /// When to look at a plugin again; at once where there is no time.
    due: HashMap<String, Instant>,
    /// Whose batch is under way.
    busy: HashMap<Id, String>,
    /// Those among them for whom more came meanwhile.
    more: HashSet<String>,
}

async fn deliver(app: &App) {
    let mut notifications = app.outbox.notifications();
    let mut tasks = JoinSet::new();
    let mut rota = Rota::default();
    loop {
        let now = Instant::now();
        // Asked for each time, so that one which came or went meanwhile is known.
        for plugin in app.plugins.current().running() {
            if plugin.extension_points().contains(&"event-subscriber") && rota.is_due(plugin.id(), now) {
                let handle = tasks.spawn(work(app.clone(), plugin.clone()));
                rota.busy.insert(handle.id(), plugin.id().to_owned());
            }
        }
        tokio::select! {
            heard = notifications.next() => match heard {
                Some(Notification::Payload(plugin)) => rota.wake(&plugin),
                Some(Notification::Missed) => rota.wake_all(),
                // The database is closed, and the portal about to end.
                None => return,
            },
            Some(ended) = tasks.join_next_with_id() => match ended {
                Ok((id, pause)) => rota.ended(id, pause),
                Err(error) => {
                    tracing::error!(%error, "delivering events panicked");
                    rota.ended(error.id(), LOOK);
                }
            },
            () = tokio::time::sleep_until(rota.next(now)) => {}
        }
    }
}

impl Rota {
    fn is_due(&self, plugin: &str, now: Instant) -> bool {
        !self.busy.values().any(|busy| busy == plugin) && self.due.get(plugin).is_none_or(|due| *due <= now)
    }

    /// When to look, if nothing happens. A plugin that has come since has no time yet.
    fn next(&self, now: Instant) -> Instant {
        self.due.values().copied().filter(|due| *due > now).min().unwrap_or(now + LOOK).min(now + LOOK)
    }

    fn wake(&mut self, plugin: &str) {
        self.due.remove(plugin);
        if self.busy.values().any(|busy| busy == plugin) {
            self.more.insert(plugin.to_owned());
        }
    }

    fn wake_all(&mut self) {
        self.due.clear();
        self.more.extend(self.busy.values().cloned());
    }

    fn ended(&mut self, id: Id, pause: Duration) {
        let Some(plugin) = self.busy.remove(&id) else { return };
        let pause = if self.more.remove(&plugin) { Duration::ZERO } else { pause };
        self.due.insert(plugin, Instant::now() + pause);
    }
}

/// Has a plugin take what is due, as far as one batch goes, and says when to look again.
async fn work(app: App, plugin: Plugin) -> Duration {
    match batches(&app, &plugin).await {
        Ok(pause) => pause,
        Err(error) => {
            tracing::warn!(plugin = plugin.id(), %error, "events are delivered later");
            STORE_BACKOFF
        }
    }
}

async fn batches(app: &App, plugin: &Plugin) -> Result<Duration, Error> {
    // What waits is not touched: it is neither the events' fault nor an attempt.
    if let Some(suspension) = plugin.suspension() {
        return Ok(suspension.remaining.clamp(LOOK_LEAST, LOOK));
    }
    let claim = plugin.limits().event_deadline + CLAIM_MARGIN;
    let mut any = false;
    // One of those that were tried before each batch of those that were not, so that neither keeps the other waiting.
    for tried in [Tried::Before, Tried::Not] {
        let claimed = app.outbox.claim(plugin.id(), tried, EVENT_BATCH_BYTES, claim, Utc::now()).await?;
        if claimed.is_empty() {
            continue;
        }
        any = true;
        let acting = app.plugins.scheduled().acting(plugin.id());
        let outcomes = event_subscriber::deliver(plugin, &acting, &claimed).await;
        app.outbox.settle(&outcomes, Utc::now()).await?;
    }
    if any {
        return Ok(Duration::ZERO);
    }
    let now = Utc::now();
    let due = app.outbox.next_due(plugin.id(), now).await?;
    let pause = due.map_or(LOOK, |due| (due - now).to_std().unwrap_or_default());
    Ok(pause.clamp(LOOK_LEAST, LOOK))
}

/// Puts aside what is too old.
async fn keep_up(app: &App) {
    loop {
        if let Err(error) = app.outbox.upkeep(Utc::now()).await {
            tracing::debug!(%error, "old events are put aside later");
        }
        tokio::time::sleep(UPKEEP).await;
    }
}
