//! The plugins of the portal while it runs: which there are, and how they come, change and go.
//!
//! app-config is the wish. What is decided is in the store, as generations: see [`callboard_store::plugins`]. The
//! [`Keeper`] compares the two whenever one of them changes, tries what is wished, and puts the outcome into a new
//! [`PluginSet`], which everybody who asks from then on gets. Whoever asked before goes on with what they have, so that
//! calls that are under way end on the version that they began on.

mod keeper;
mod load;
pub(crate) mod origin;
mod set;
mod settle;
mod wish;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use callboard_store::plugins::{Decisions, Report};
use chrono::Utc;
use tokio::sync::{mpsc, oneshot};

use crate::adapter::catalog_reader::Scheduled;
use crate::config::Config;

pub(crate) use keeper::{Keeper, Means};
pub(crate) use load::overrides;
pub(crate) use set::{Listed, PluginSet};

/// The plugins. Cheap to clone; all clones are of the same.
#[derive(Clone)]
pub(crate) struct Plugins {
    current: Arc<RwLock<Arc<PluginSet>>>,
    orders: mpsc::UnboundedSender<Order>,
    decisions: Decisions,
    scheduled: Scheduled,
}

/// What the keeper is asked to do.
enum Order {
    /// app-config was read again.
    Follow(Box<Config>),
    Change {
        id: String,
        change: Change,
        by: String,
        answer: oneshot::Sender<Result<String, Refusal>>,
    },
}

/// What may be done to a plugin while the portal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Reads it from its source again, and tries what is there.
    Reload,
    /// Goes back to the version before.
    RollBack,
    /// Lets it run.
    Enable,
    /// Stops it.
    Disable,
}

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no such plugin.
    #[error("{0}")]
    NotThere(String),
    /// It cannot be done as things are; what is there goes on.
    #[error("{0}")]
    Impossible(String),
    /// The database does not answer.
    #[error("{0}")]
    Unavailable(String),
}

impl From<callboard_store::Error> for Refusal {
    fn from(error: callboard_store::Error) -> Refusal {
        Refusal::Unavailable(error.to_string())
    }
}

impl Plugins {
    /// Loads them all, and hands back who looks after them from then on.
    pub(crate) async fn start(config: &Config, means: Means) -> Result<(Plugins, Keeper), callboard_catalog::Error> {
        let (orders, asked) = mpsc::unbounded_channel();
        let current = Arc::new(RwLock::new(Arc::new(PluginSet::default())));
        let plugins = Plugins {
            current,
            orders,
            decisions: Decisions::new(means.db.clone()),
            scheduled: means.scheduled.clone(),
        };
        let mut keeper = Keeper::new(config, means, plugins.clone(), asked);
        // On the heap: what it waits for is many futures deep, and whoever starts a portal waits for it, too.
        Box::pin(keeper.begin()).await?;
        Ok((plugins, keeper))
    }

    /// Those that there are now. A request asks once, so that all of it is answered by one version.
    pub(crate) fn current(&self) -> Arc<PluginSet> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What they act by where they work for nobody in particular.
    pub(crate) fn scheduled(&self) -> &Scheduled {
        &self.scheduled
    }

    /// Takes over what app-config says now, soon.
    pub(crate) fn follow(&self, config: &Config) {
        // The keeper ends with the portal.
        self.orders.send(Order::Follow(Box::new(config.clone()))).ok();
    }

    /// Changes a plugin, for somebody, and says what came of it.
    pub(crate) async fn change(&self, id: &str, change: Change, by: String) -> Result<String, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order::Change { id: id.to_owned(), change, by, answer }).ok();
        answered.await.unwrap_or_else(|_| Err(Refusal::Unavailable("the portal is ending".to_owned())))
    }

    /// What each replica runs, by replica; nothing where there is one process.
    pub(crate) async fn replicas(&self) -> Result<BTreeMap<String, Vec<Report>>, callboard_store::Error> {
        self.decisions.reports(Utc::now() - keeper::SILENCE).await
    }

    fn replace(&self, set: PluginSet) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }
}
