//! A loaded plugin.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use callboard_egress::Egress;
use callboard_model::api::PluginState;
use callboard_model::manifest::Manifest;
use callboard_model::rights::Rights;
use callboard_store::kv::Kept;
use tokio::sync::Semaphore;
use wasmtime::component::InstancePre;

use crate::bindings::{entity_processor, entity_provider, event_subscriber, lifecycle, routes, scaffolder_actions, ui};
use crate::breaker::Breaker;
use crate::call::CallState;
use crate::call::clock::WallClock;
use crate::capability::http::GrantPolicy;
use crate::extension::event_subscriber::webhook::Webhook;
use crate::extension::scaffolder_actions::Schemas;
use crate::guest_config::GuestConfig;
use crate::limits::Limits;
use crate::stats::Recorder;
use crate::threads::Threads;
use crate::ticker::Ticker;

/// A plugin that was accepted. Cheap to clone. Nothing of it runs between calls.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) inner: Arc<Inner>,
}

/// A plugin that is not called for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// How long still.
    pub remaining: Duration,
    /// The last fault.
    pub reason: String,
}

pub(crate) struct Inner {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) digest: String,
    pub(crate) manifest: Manifest,
    pub(crate) granted: Rights,
    pub(crate) effective: Rights,
    pub(crate) limits: Limits,
    pub(crate) threads: Threads,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) entity_processor: Option<entity_processor::GuestIndices>,
    pub(crate) entity_provider: Option<entity_provider::GuestIndices>,
    pub(crate) event_subscriber: Option<event_subscriber::GuestIndices>,
    pub(crate) lifecycle: Option<lifecycle::GuestIndices>,
    pub(crate) routes: Option<routes::GuestIndices>,
    pub(crate) scaffolder_actions: Option<scaffolder_actions::GuestIndices>,
    pub(crate) ui: Option<ui::GuestIndices>,
    /// By the ids of all actions of the manifest.
    pub(crate) action_schemas: BTreeMap<String, Arc<Schemas>>,
    /// Those that it may be told of.
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) config: GuestConfig,
    pub(crate) policy: GrantPolicy,
    pub(crate) egress: Egress,
    pub(crate) kv: Kept,
    /// Calls of this plugin at a time.
    pub(crate) calls: Arc<Semaphore>,
    /// Outgoing requests of this plugin at a time.
    pub(crate) outbound: Semaphore,
    /// Instances of all plugins at a time.
    pub(crate) instances: Arc<Semaphore>,
    pub(crate) breaker: Mutex<Breaker>,
    pub(crate) stats: Recorder,
    pub(crate) wall_clock: WallClock,
}

impl Plugin {
    /// The key in app-config, and the id in the manifest.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Where it was read from, as app-config has it.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// What the manifest asks for.
    pub fn declared(&self) -> &Rights {
        &self.inner.manifest.rights
    }

    /// What app-config grants.
    pub fn granted(&self) -> &Rights {
        &self.inner.granted
    }

    /// What it may do: the part that both name.
    pub fn effective(&self) -> &Rights {
        &self.inner.effective
    }

    /// `sha256:` and the component's digest in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Changes with the component and with what it is told of app-config: what it began under one fingerprint means
    /// nothing under another.
    pub fn fingerprint(&self) -> String {
        format!("{} {}", self.inner.digest, self.inner.config.digest())
    }

    /// What it exports, named as in WIT.
    pub fn extension_points(&self) -> Vec<&'static str> {
        let entity_processor = self.inner.entity_processor.is_some().then_some("entity-processor");
        let entity_provider = self.inner.entity_provider.is_some().then_some("entity-provider");
        let event_subscriber = self.inner.event_subscriber.is_some().then_some("event-subscriber");
        let lifecycle = self.inner.lifecycle.is_some().then_some("lifecycle");
        let routes = self.inner.routes.is_some().then_some("routes");
        let scaffolder_actions = self.inner.scaffolder_actions.is_some().then_some("scaffolder-actions");
        let ui = self.inner.ui.is_some().then_some("ui");
        let all = [entity_processor, entity_provider, event_subscriber, lifecycle, routes, scaffolder_actions, ui];
        all.into_iter().flatten().collect()
    }

    /// The limits that hold for it.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Running, or suspended after repeated faults. A plugin that was refused has no value of this type.
    pub fn state(&self) -> PluginState {
        match self.suspension() {
            Some(_) => PluginState::Suspended,
            None => PluginState::Running,
        }
    }

    /// Whether it is not called for a while, and why.
    pub fn suspension(&self) -> Option<Suspension> {
        self.inner.breaker().suspension(Instant::now())
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plugin").field("id", &self.inner.id).field("digest", &self.inner.digest).finish()
    }
}

impl Inner {
    /// A panic while the lock is held leaves counters that are at worst one off.
    pub(crate) fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
