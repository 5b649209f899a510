//! The plugins at one moment.

use std::sync::Arc;

use callboard_artifact::{Held, SignedBy};
use callboard_catalog::{EntityProcessor, EntityProvider};
use callboard_host::{Inspection, Plugin};
use callboard_model::api::PluginState;
use callboard_model::manifest::Manifest;
use callboard_model::rights::Rights;
use callboard_store::plugins::{Decided, Generation, Report};

use super::load::Live;
use super::wish::Wish;

/// The plugins of app-config, in its order.
#[derive(Default)]
pub(crate) struct PluginSet {
    listed: Vec<Arc<Listed>>,
}

/// One of them.
pub(crate) struct Listed {
    pub(crate) id: String,
    /// As app-config has it.
    pub(crate) source: String,
    pub(crate) granted: Rights,
    pub(crate) outcome: Outcome,
    /// What runs differs from what app-config wishes, and why.
    pub(crate) notice: Option<String>,
    /// Whether app-config itself says if it is on, so that nobody else can.
    pub(crate) is_fixed: bool,
    /// What is decided about it.
    pub(crate) decided: Decided,
    /// The generation that runs here; 0 for none.
    pub(crate) generation: i64,
    /// Changes with what it could read of app-config when it was loaded.
    pub(super) config: String,
    /// Changes with whom was trusted then.
    pub(super) trust: String,
    /// Whose signature on what runs was good enough; none where none is asked for.
    pub(crate) signed_by: Option<SignedBy>,
    /// A newer version that waits for somebody to agree.
    pub(crate) held: Option<Held>,
    /// What it reads into the catalog.
    pub(super) providers: Vec<Arc<dyn EntityProvider>>,
    /// What of it has a say in what becomes of entities.
    pub(super) processors: Vec<Arc<dyn EntityProcessor>>,
}

/// What became of it.
#[derive(Clone)]
pub(crate) enum Outcome {
    Loaded(Plugin),
    /// Nobody wants it to run now.
    Off {
        /// Who says so, and how to change it.
        reason: String,
    },
    Refused {
        reason: String,
        /// What could be read of it without running it.
        inspection: Option<Arc<Inspection>>,
    },
}

impl Outcome {
    pub(crate) fn plugin(&self) -> Option<&Plugin> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin),
            Outcome::Off { .. } | Outcome::Refused { .. } => None,
        }
    }

    /// Why it cannot be called.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Loaded(_) => None,
            Outcome::Off { reason } | Outcome::Refused { reason, .. } => Some(reason),
        }
    }

    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin.manifest()),
            _ => self.inspection().map(|inspection| &inspection.manifest),
        }
    }

    pub(crate) fn digest(&self) -> Option<&str> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin.digest()),
            _ => self.inspection().map(|inspection| inspection.digest.as_str()),
        }
    }

    pub(crate) fn extension_points(&self) -> Vec<String> {
        let points = match self {
            Outcome::Loaded(plugin) => plugin.extension_points(),
            _ => self.inspection().map(|inspection| inspection.extension_points.clone()).unwrap_or_default(),
        };
        points.into_iter().map(ToString::to_string).collect()
    }

    fn inspection(&self) -> Option<&Inspection> {
        match self {
            Outcome::Refused { inspection, .. } => inspection.as_deref(),
            Outcome::Loaded(_) | Outcome::Off { .. } => None,
        }
    }
}

impl Listed {
    /// What is wished, before it is known what becomes of it.
    pub(super) fn blank(wish: &Wish<'_>) -> Listed {
        let plugin = wish.plugin;
        Listed {
            id: plugin.id.clone(),
            source: plugin.source.clone(),
            granted: plugin.grant.clone(),
            outcome: Outcome::Refused { reason: String::new(), inspection: None },
            notice: None,
            is_fixed: plugin.enabled.is_some(),
            decided: Decided::default(),
            generation: 0,
            config: wish.config.clone(),
            trust: wish.trust.clone(),
            signed_by: None,
            held: wish.held.clone(),
            providers: Vec::new(),
            processors: Vec::new(),
        }
    }

    /// Whether it is what it would be if it were loaded again.
    pub(super) fn is_as(&self, accepted: &Generation, wish: &Wish<'_>) -> bool {
        let is_same = self.generation == accepted.number && self.config == wish.config && self.trust == wish.trust;
        is_same && self.outcome.plugin().is_some()
    }

    /// What was loaded runs.
    pub(super) fn running(self, live: Live, generation: i64) -> Listed {
        let Live { plugin, signed_by, providers, processors } = live;
        let granted = plugin.granted().clone();
        Listed { granted, outcome: Outcome::Loaded(plugin), generation, signed_by, providers, processors, ..self }
    }

    /// What runs goes on, under a wish that may be another.
    pub(super) fn going_on(self, before: &Listed) -> Listed {
        Listed {
            granted: before.granted.clone(),
            outcome: before.outcome.clone(),
            generation: before.generation,
            config: before.config.clone(),
            trust: before.trust.clone(),
            signed_by: before.signed_by.clone(),
            providers: before.providers.clone(),
            processors: before.processors.clone(),
            ..self
        }
    }

    /// Whether it runs, as the API says it.
    pub(crate) fn state(&self) -> PluginState {
        match &self.outcome {
            Outcome::Loaded(plugin) => plugin.state(),
            Outcome::Off { .. } => PluginState::Disabled,
            Outcome::Refused { .. } => PluginState::Refused,
        }
    }

    /// What this replica does with it.
    pub(super) fn report(&self) -> Report {
        let reason = self.outcome.reason().or(self.notice.as_deref()).unwrap_or_default();
        Report {
            plugin: self.id.clone(),
            generation: self.generation,
            state: self.state().name().to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// The names of its providers.
    pub(crate) fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(|provider| provider.name())
    }
}

impl PluginSet {
    pub(super) fn new(listed: Vec<Listed>) -> PluginSet {
        PluginSet { listed: listed.into_iter().map(Arc::new).collect() }
    }

    /// Whether the catalog gets from both the very same.
    pub(super) fn contributes_the_same(&self, other: &PluginSet) -> bool {
        fn are_same<T: ?Sized>(left: &[Arc<T>], right: &[Arc<T>]) -> bool {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| Arc::ptr_eq(left, right))
        }
        are_same(&self.providers(), &other.providers())
            && are_same(&self.processors(), &other.processors())
            && self.idle() == other.idle()
    }

    pub(crate) fn all(&self) -> &[Arc<Listed>] {
        &self.listed
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Listed>> {
        self.listed.iter().find(|listed| listed.id == id)
    }

    /// Those that can be called.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Plugin> {
        self.listed.iter().filter_map(|listed| listed.outcome.plugin())
    }

    /// The ids of those that cannot be called today: what they brought into the catalog stays there.
    pub(super) fn idle(&self) -> Vec<String> {
        let idle = self.listed.iter().filter(|listed| listed.outcome.plugin().is_none());
        idle.map(|listed| listed.id.clone()).collect()
    }

    pub(super) fn providers(&self) -> Vec<Arc<dyn EntityProvider>> {
        self.listed.iter().flat_map(|listed| listed.providers.iter().cloned()).collect()
    }

    /// In the order of app-config.
    pub(super) fn processors(&self) -> Vec<Arc<dyn EntityProcessor>> {
        self.listed.iter().flat_map(|listed| listed.processors.iter().cloned()).collect()
    }
}
