//! Loads plugins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use callboard_egress::Egress;
use callboard_model::rights::{self, Rights};
use callboard_store::Kv;
use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, HasData, HasSelf, InstancePre, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::WasiRandom;

use crate::bindings::{
    self, entity_processor, entity_provider, event_subscriber, lifecycle, routes, scaffolder_actions, ui,
};
use crate::breaker::Breaker;
use crate::cache::Cache;
use crate::call::CallState;
use crate::call::clock::WallClock;
use crate::capability::http::GrantPolicy;
use crate::compile::{Bounds, Compiler, Refused};
use crate::error::{HostError, LoadError, LoadReason};
use crate::extension::event_subscriber::webhook::Webhook;
use crate::extension::scaffolder_actions::{Schemas, check_grant};
use crate::guest_config::{GuestConfig, texts_at};
use crate::inspect::{Inspection, inspect_within};
use crate::interfaces::Interfaces;
use crate::limits::{self, LimitOverrides, Limits};
use crate::plugin::{Inner, Plugin};
use crate::stats::Statistics;
use crate::threads::{Ended, Threads};
use crate::ticker::Ticker;
use crate::{engine, imports, needs};

/// What a host needs of the rest of the server.
#[derive(Clone)]
pub struct HostSettings {
    /// Where compiled plugins are kept: a folder that only the server writes. Made where it is not there.
    pub cache_dir: PathBuf,
    /// What compiles them.
    pub compiler: Compiler,
    /// What holds for every plugin; a plugin's own limits change it.
    pub limits: Limits,
    /// Every outgoing request goes through it.
    pub egress: Egress,
    /// Where plugins keep what they keep.
    pub kv: Kv,
}

/// A plugin as app-config names it.
#[derive(Clone)]
pub struct PluginSpec {
    /// The key in app-config's `plugins`.
    pub id: String,
    /// `plugins.<id>.source` as it stands there, for messages.
    pub source: String,
    /// The component.
    pub wasm: Vec<u8>,
    /// `plugins.<id>.grant`.
    pub grant: Rights,
    /// Which generation of what it keeps it works on; 0 where it was never upgraded.
    pub kv_generation: i64,
    /// `plugins.<id>.limits`.
    pub limits: LimitOverrides,
    /// The whole of app-config as JSON, secrets included. The plugin sees what its schemas describe and its grant
    /// names.
    pub config: Value,
}

/// Loads plugins. Cheap to clone.
#[derive(Clone)]
pub struct PluginHost {
    engine: Engine,
    ticker: Arc<Ticker>,
    threads: Threads,
    cache: Cache,
    settings: Arc<HostSettings>,
    instances: Arc<Semaphore>,
    wall_clock: WallClock,
    /// By the ids of plugins: they outlast each loaded version.
    statistics: Arc<Mutex<BTreeMap<String, Arc<Statistics>>>>,
}

impl PluginHost {
    /// Starts the engine and prepares the folder of compiled plugins.
    ///
    /// # Errors
    /// The engine does not start on this machine, or the folder is not usable.
    pub fn new(settings: HostSettings) -> Result<PluginHost, HostError> {
        let (engine, ticker) = engine::start()?;
        let threads = Threads::start()?;
        let cache = Cache::open(&engine, settings.compiler.clone(), settings.cache_dir.clone())?;
        let instances = Arc::new(Semaphore::new(limits::INSTANCES as usize));
        let (settings, wall_clock) = (Arc::new(settings), WallClock::Running);
        Ok(PluginHost { engine, ticker, threads, cache, settings, instances, wall_clock, statistics: Arc::default() })
    }

    /// The same host, but the time of day that plugins see stands still: a test's expectation then holds tomorrow. Time
    /// that passes is measured as ever.
    #[must_use]
    pub fn standing_at(mut self, time: SystemTime) -> PluginHost {
        self.wall_clock = WallClock::StandsAt(time);
        self
    }

    /// What is known of the plugin with this id, whichever of its versions is loaded; none where none ever was.
    #[must_use]
    pub fn statistics(&self, id: &str) -> Option<Arc<Statistics>> {
        self.known().get(id).cloned()
    }

    /// What is known of each plugin that was ever loaded, in the order of their ids.
    #[must_use]
    pub fn all_statistics(&self) -> Vec<Arc<Statistics>> {
        self.known().values().cloned().collect()
    }

    /// Adding to the map is one step, so a panic leaves nothing half done.
    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Statistics>>> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a plugin, or says why not. Nothing of it runs.
    ///
    /// # Errors
    /// The component, its manifest, its rights or its config are not right. The text names the plugin and the way
    /// out.
    pub async fn load(&self, spec: PluginSpec) -> Result<Plugin, LoadError> {
        let (plugin, source_name) = (spec.id.clone(), spec.source.clone());
        self.accept(spec).await.map_err(|reason| LoadError { plugin, source_name, reason })
    }

    async fn accept(&self, mut spec: PluginSpec) -> Result<Plugin, LoadReason> {
        let limits = self.settings.limits.clone().with(&spec.limits)?;
        let most = limits.component_bytes;
        // A component can be large, and made to take long to be read.
        let wasm = std::mem::take(&mut spec.wasm);
        let read = self.threads.run(async move { (inspect_within(&wasm, most), wasm) }).await;
        let (inspection, wasm) =
            read.map_err(|Ended| LoadReason::Compile("it could not be read to its end".to_owned()))?;
        let inspection = inspection?;
        let manifest = &inspection.manifest;
        if manifest.id != spec.id {
            return Err(LoadReason::OtherId { manifest: manifest.id.clone() });
        }
        let own = Interfaces::of_this_portal().map_err(|error| LoadReason::Version(error.to_string()))?;
        needs::check(&manifest.needs, own).map_err(LoadReason::Version)?;
        imports::check_imports(&inspection, &spec.grant).map_err(LoadReason::Import)?;
        imports::check_exports(&inspection).map_err(LoadReason::Export)?;
        check_grant(manifest, &spec.grant).map_err(LoadReason::Right)?;
        // They were compiled once already, when the manifest was read.
        let action_schemas = Schemas::all(manifest).map_err(LoadReason::Export)?;

        let lookup = |path: &str| texts_at(&spec.config, path);
        let declared = manifest.rights.resolve_config(&lookup);
        let granted = spec.grant.resolve_config(&lookup);
        let effective = rights::intersect(&declared, &granted);
        let config = GuestConfig::project(manifest, &effective, &spec.config).map_err(LoadReason::Config)?;
        let webhooks = Webhook::all(manifest, &effective, &spec.config).map_err(LoadReason::Config)?;
        let policy = GrantPolicy {
            plugin: spec.id.clone(),
            declared: declared.http,
            granted: granted.http,
            effective: effective.http.clone(),
        };

        let sha256 = inspection.digest.trim_start_matches("sha256:").to_owned();
        let bounds = Bounds { time: limits.compile_time, memory: limits.compile_memory };
        // A process has the priority of the thread that starts it.
        let cache = self.cache.clone();
        let compiled = self.threads.run(async move { cache.component(wasm, &sha256, bounds).await }).await;
        let compiled =
            compiled.map_err(|Ended| LoadReason::Compile("its compilation was not watched to its end".to_owned()))?;
        let component = compiled.map_err(|refused| match refused {
            Refused::Version(message) => LoadReason::Version(message),
            Refused::Compile(message) => LoadReason::Compile(message),
        })?;
        let pre = self.link(&component, &inspection, &spec.grant).map_err(LoadReason::Compile)?;
        let exports = |point| inspection.extension_points.contains(&point);
        let entity_processor = exports("entity-processor").then(|| entity_processor::GuestIndices::new(&pre));
        let entity_provider = exports("entity-provider").then(|| entity_provider::GuestIndices::new(&pre));
        let lifecycle = exports("lifecycle").then(|| lifecycle::GuestIndices::new(&pre));
        let routes = exports("routes").then(|| routes::GuestIndices::new(&pre));
        let scaffolder_actions = exports("scaffolder-actions").then(|| scaffolder_actions::GuestIndices::new(&pre));
        let event_subscriber = exports("event-subscriber").then(|| event_subscriber::GuestIndices::new(&pre));
        let ui = exports("ui").then(|| ui::GuestIndices::new(&pre));
        let statistics = self.known().entry(spec.id.clone()).or_insert_with(|| Statistics::new(&spec.id)).clone();
        let stats = statistics.recorder(&manifest.version.to_string(), &inspection.digest);
        let unlike = |error: wasmtime::Error| LoadReason::Export(format!("an export is not as in WIT: {error:#}"));

        let kv = self.settings.kv.of(&spec.id, spec.kv_generation);

        Ok(Plugin {
            inner: Arc::new(Inner {
                id: spec.id,
                source: spec.source,
                digest: inspection.digest,
                entity_processor: entity_processor.transpose().map_err(unlike)?,
                entity_provider: entity_provider.transpose().map_err(unlike)?,
                event_subscriber: event_subscriber.transpose().map_err(unlike)?,
                lifecycle: lifecycle.transpose().map_err(unlike)?,
                routes: routes.transpose().map_err(unlike)?,
                scaffolder_actions: scaffolder_actions.transpose().map_err(unlike)?,
                ui: ui.transpose().map_err(unlike)?,
                action_schemas,
                webhooks,
                manifest: inspection.manifest,
                granted: spec.grant,
                effective,
                threads: self.threads.for_another(),
                ticker: self.ticker.clone(),
                pre,
                config,
                policy,
                egress: self.settings.egress.clone(),
                kv,
                calls: Arc::new(Semaphore::new(limits.concurrent_calls)),
                outbound: Semaphore::new(limits.outbound_requests),
                instances: self.instances.clone(),
                breaker: Mutex::new(Breaker::new(&limits)),
                stats,
                wall_clock: self.wall_clock,
                limits,
            }),
        })
    }

    /// Links what was declared and granted and nothing else, so that a mistake in the checks before would end here.
    fn link(
        &self,
        component: &Component,
        inspection: &Inspection,
        granted: &Rights,
    ) -> Result<InstancePre<CallState>, String> {
        let mut linker = Linker::new(&self.engine);
        let linked =
            link_wasi(&mut linker).and_then(|()| link_capabilities(&mut linker, &inspection.manifest.rights, granted));
        linked.map_err(|error| format!("the host's interfaces cannot be linked: {error:#}"))?;
        linker.instantiate_pre(component).map_err(|error| {
            format!(
                "it cannot be linked with what it may import: {error:#}. It needs {} of callboard:host",
                inspection.manifest.needs.host
            )
        })
    }
}

fn link_capabilities(linker: &mut Linker<CallState>, declared: &Rights, granted: &Rights) -> wasmtime::Result<()> {
    let may = |capability| imports::allows(declared, capability) && imports::allows(granted, capability);
    fn itself(state: &mut CallState) -> &mut CallState {
        state
    }
    bindings::types::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    if may("log") {
        bindings::log::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    if may("config") {
        bindings::config::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    if may("http") {
        bindings::http::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    if may("kv") {
        bindings::kv::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    if may("catalog") {
        bindings::catalog::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    if may("workspace") {
        bindings::workspace::add_to_linker::<_, HasSelf<_>>(linker, itself)?;
    }
    Ok(())
}

/// `wasi:io`'s state is the table of resources alone.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// The interfaces that std imports; `imports::WASI` lists the same.
fn link_wasi(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    fn table(state: &mut CallState) -> &mut ResourceTable {
        &mut state.table
    }
    wasi::io::error::add_to_linker::<_, HasTable>(linker, table)?;
    wasi::io::poll::add_to_linker::<_, HasTable>(linker, table)?;
    wasi::io::streams::add_to_linker::<_, HasTable>(linker, table)?;
    wasi::clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, CallState::clocks)?;
    wasi::clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, CallState::clocks)?;
    wasi::random::random::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    wasi::random::insecure::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    wasi::random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    wasi::cli::exit::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::environment::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::stdin::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::stdout::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::stderr::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::terminal_input::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::terminal_output::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    wasi::cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, CallState::cli)
}
