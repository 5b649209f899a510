//! Looks after the plugins while the portal runs: hears what is wished and what others decided, and acts on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_catalog::Catalog;
use callboard_egress::Egress;
use callboard_host::{ErrorKind, PluginHost};
use callboard_model::rights::{self, Rights};
use callboard_store::plugins::{CHANNEL, Decisions, Report};
use callboard_store::{Db, Engine, Notifications};
use chrono::Utc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::origin::{self, Origin};
use super::settle::Again;
use super::{Change, Order, Plugins, Refusal};
use crate::adapter::catalog_reader::Scheduled;
use crate::config::{Config, PluginConfig};

/// How often it is looked whether a plugin that was just upgraded still works.
const LOOK: Duration = Duration::from_secs(1);

/// For how long a new version is on probation: when it says within this time that it cannot work, or is suspended for
/// failing again and again, the portal goes back to the version before by itself. Afterwards a fault is more likely an
/// upstream's than the upgrade's.
const PROBATION: Duration = Duration::from_secs(10 * 60);

/// How often it is asked whether it can work. Its answer may cost an upstream a request.
const CHECK: Duration = Duration::from_secs(10);

/// How often a replica says what it runs.
const BEAT: Duration = Duration::from_secs(20);

/// A replica that has said nothing for so long is taken for gone.
pub(super) const SILENCE: chrono::TimeDelta = chrono::TimeDelta::seconds(70);

/// Who decided, where nobody did but the portal itself.
const PORTAL: &str = "portal";

/// What plugins are looked after with.
pub(crate) struct Means {
    pub(crate) host: PluginHost,
    pub(crate) egress: Egress,
    pub(crate) db: Db,
    pub(crate) catalog: Catalog,
    pub(crate) scheduled: Scheduled,
}

/// Looks after the plugins. There is one in each process.
pub(crate) struct Keeper {
    pub(super) config: Config,
    pub(super) means: Means,
    /// Where plugins come from, as app-config and the lock say it.
    pub(super) origin: Arc<Origin>,
    pub(super) decisions: Decisions,
    pub(super) plugins: Plugins,
    /// What of each plugin was acted on.
    pub(super) acted: BTreeMap<String, Acted>,
    /// This process, among those that share the database.
    pub(super) replica: String,
    /// Whether there may be others.
    pub(super) several: bool,
    /// Upgrades that must still prove themselves.
    pub(super) probation: BTreeMap<String, OnProbation>,
    /// Whether the plugins were loaded for the first time.
    pub(super) has_begun: bool,
    /// Something is not as it was decided, because the database failed.
    behind: bool,
    orders: mpsc::UnboundedReceiver<Order>,
}

/// A version that runs and must still prove itself.
pub(super) struct OnProbation {
    generation: i64,
    ends: Instant,
    next_check: Instant,
}

impl OnProbation {
    /// From now on.
    pub(super) fn of(generation: i64) -> OnProbation {
        let now = Instant::now();
        OnProbation { generation, ends: now + PROBATION, next_check: now + CHECK }
    }
}

/// A wish that was acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acted {
    pub(super) text: String,
    pub(super) config: String,
    /// Why it did not come true; what was there before goes on.
    pub(super) failure: Option<String>,
}

impl Keeper {
    pub(super) fn new(
        config: &Config,
        means: Means,
        plugins: Plugins,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Keeper {
        let several = means.db.engine() == Engine::Postgres;
        Keeper {
            config: config.clone(),
            origin: Arc::new(Origin::of(config, &means.egress)),
            decisions: Decisions::new(means.db.clone()),
            means,
            plugins,
            acted: BTreeMap::new(),
            replica: replica_name(),
            several,
            probation: BTreeMap::new(),
            has_begun: false,
            behind: false,
            orders,
        }
    }

    /// Loads them for the first time.
    pub(super) async fn begin(&mut self) -> Result<(), callboard_catalog::Error> {
        self.settle(&Again::None).await?;
        self.report().await;
        Ok(())
    }

    /// Looks after them until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        // What others decided is only heard where there are others; what is decided here is known here.
        let mut heard = self.several.then(|| self.means.db.notifications(CHANNEL));
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                order = self.orders.recv() => match order {
                    Some(order) => self.carry_out(order).await,
                    None => break,
                },
                () = next(&mut heard) => self.catch_up(&Again::None).await,
                _ = look.tick() => self.look().await,
                _ = beat.tick() => self.report().await,
            }
        }
        if self.several
            && let Err(error) = self.decisions.leave(&self.replica).await
        {
            tracing::debug!(%error, "the other replicas notice later that this one is gone");
        }
    }

    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Follow(config) => {
                let is_same = config.plugins == self.config.plugins && config.raw == self.config.raw;
                if !is_same || origin::read_lock(&config) != self.origin.lock {
                    self.origin = Arc::new(Origin::of(&config, &self.means.egress));
                    self.config = *config;
                    self.catch_up(&Again::None).await;
                }
            }
            Order::Change { id, change, by, answer } => self.answer(&id, change, &by, answer).await,
        }
    }

    async fn answer(&mut self, id: &str, change: Change, by: &str, answer: oneshot::Sender<Result<String, Refusal>>) {
        let done = match self.config.plugin(id).cloned() {
            None => Err(Refusal::NotThere(format!("No plugin '{}' in app-config", id.escape_default()))),
            Some(plugin) => self.change(&plugin, change, by).await,
        };
        // Whoever asked may have gone.
        answer.send(done).ok();
    }

    async fn change(&mut self, plugin: &PluginConfig, change: Change, by: &str) -> Result<String, Refusal> {
        let id = plugin.id.as_str();
        match change {
            Change::Enable | Change::Disable => {
                if plugin.enabled.is_some() {
                    return Err(Refusal::Impossible(format!(
                        "app-config says whether {id} runs. Change plugins.{id}.enabled there, or remove it to decide \
                         here"
                    )));
                }
                self.decisions.switch(id, change == Change::Enable, by).await?;
                self.settle_now(&Again::None).await?;
            }
            Change::Reload => {
                self.settle_now(&Again::Reload { id: id.to_owned(), by: by.to_owned() }).await?;
                if let Some(failure) = self.acted.get(id).and_then(|acted| acted.failure.clone()) {
                    return Err(Refusal::Impossible(failure));
                }
            }
            Change::RollBack => {
                self.roll_back(plugin, by, &format!("{by} went back to the version before it")).await?;
                self.settle_now(&Again::None).await?;
            }
        }
        let set = self.plugins.current();
        let Some(listed) = set.find(id) else {
            return Err(Refusal::NotThere(format!("No plugin '{}' in app-config", id.escape_default())));
        };
        match (change, listed.outcome.reason()) {
            (Change::Disable, _) => Ok(format!("{id} does not run any more")),
            (_, Some(reason)) => Err(Refusal::Impossible(reason.to_owned())),
            (_, None) => {
                let version = listed.outcome.manifest().map(|manifest| manifest.version.to_string());
                Ok(format!("{id} {} runs, generation {}", version.unwrap_or_default(), listed.generation))
            }
        }
    }

    async fn settle_now(&mut self, again: &Again) -> Result<(), Refusal> {
        let settled = self.settle(again).await;
        self.report().await;
        settled.map_err(|error| {
            self.behind = true;
            Refusal::Unavailable(error.to_string())
        })
    }

    /// Acts on what is wished and decided; where the database fails, again a little later.
    async fn catch_up(&mut self, again: &Again) {
        self.behind = false;
        if let Err(error) = self.settle_now(again).await {
            tracing::error!(%error, "the plugins are not as app-config says; this is tried again");
        }
    }

    /// Goes back from upgrades that turned out to fail.
    async fn look(&mut self) {
        if self.behind {
            self.catch_up(&Again::None).await;
        }
        for (id, fault) in self.fallen().await {
            self.probation.remove(&id);
            let Some(plugin) = self.config.plugin(&id).cloned() else { continue };
            match self.roll_back(&plugin, PORTAL, &fault).await {
                Ok(()) => {
                    tracing::error!(plugin = id, "the new version is given up, and the one before it is back: {fault}");
                    self.catch_up(&Again::None).await;
                }
                Err(refusal) => {
                    tracing::error!(plugin = id, "there is no way back from the new version, which fails: {refusal}");
                }
            }
        }
    }

    /// Upgrades that failed their probation, and how.
    async fn fallen(&mut self) -> Vec<(String, String)> {
        let set = self.plugins.current();
        let now = Instant::now();
        self.probation.retain(|id, upgrade| {
            now < upgrade.ends && set.find(id).is_some_and(|listed| listed.generation == upgrade.generation)
        });
        let mut fallen = Vec::new();
        for (id, upgrade) in &mut self.probation {
            let Some(plugin) = set.find(id).and_then(|listed| listed.outcome.plugin()) else { continue };
            if let Some(suspension) = plugin.suspension() {
                fallen.push((id.clone(), format!("it failed again and again: {}", suspension.reason)));
            } else if upgrade.next_check <= now {
                upgrade.next_check = now + CHECK;
                // A fault counts towards a suspension; to be busy says nothing.
                if let Err(error) = plugin.check(&self.means.scheduled.acting(id)).await
                    && matches!(error.kind, ErrorKind::Guest(_))
                {
                    fallen.push((id.clone(), format!("it says it cannot work: {}", error.message)));
                }
            }
        }
        fallen
    }

    async fn roll_back(&self, plugin: &PluginConfig, by: &str, reason: &str) -> Result<(), Refusal> {
        let id = plugin.id.as_str();
        let decided = self.decisions.all().await?.remove(id).unwrap_or_default();
        let (Some(accepted), Some(previous)) = (decided.accepted(), decided.previous()) else {
            return Err(Refusal::Impossible(format!("there is no version of {id} to go back to")));
        };
        let rights: Rights = serde_json::from_str(&previous.made_of.rights).map_err(|error| {
            Refusal::Impossible(format!("the rights of the version before are not readable: {error}"))
        })?;
        let revoked = rights::beyond(&rights, &plugin.grant).each();
        if !revoked.is_empty() {
            return Err(Refusal::Impossible(format!(
                "the version of {id} before had rights that app-config does not grant any more. To go back, add below \
                 plugins.{id}.grant: {}",
                revoked.join(", ")
            )));
        }
        match self.decisions.roll_back(id, accepted.number, by, reason).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::Impossible(format!("somebody else has just changed {id}; look at it again"))),
        }
    }

    /// Tells the other replicas what this one runs.
    async fn report(&self) {
        if !self.several {
            return;
        }
        let set = self.plugins.current();
        let reports: Vec<Report> = set.all().iter().map(|listed| listed.report()).collect();
        let now = Utc::now();
        if let Err(error) = self.decisions.report(&self.replica, &reports, now, now - SILENCE).await {
            tracing::debug!(%error, "the other replicas are told later what this one runs");
        }
    }
}

/// Waits until something is heard; for ever where nobody speaks.
async fn next(heard: &mut Option<Notifications>) {
    let word = match heard {
        Some(notifications) => notifications.next().await,
        None => None,
    };
    // Nobody speaks, or the database is closed because the portal ends.
    if word.is_none() {
        std::future::pending::<()>().await;
    }
}

/// For people: what a cluster calls this process, and something that tells two of the same name apart.
fn replica_name() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    format!("{}-{:06x}", host.as_deref().unwrap_or("replica"), rand::random::<u32>() & 0x00ff_ffff)
}
