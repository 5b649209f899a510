//! What a portal has around a plugin, put up for one case.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use callboard_catalog::{Catalog, ReadFailure, Reader, Reading, Settings};
use callboard_egress::Egress;
use callboard_host::{
    Acting, Compiler, HostSettings, Inspection, LimitOverrides, Limits, Plugin, PluginHost, PluginSpec, TaskLog,
    TaskSecret, inspect,
};
use callboard_model::access::Access;
use callboard_model::api::{LogLevel, PushMode, PushRequest, PushedEntity};
use callboard_model::entity_ref::EntityRef;
use callboard_store::kv::Kept;
use callboard_store::{DatabaseConfig, Db, Kv};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::file::File;
use super::values::Values;
use super::{CaseError, golden};
use crate::adapter::catalog_reader::acting;
use crate::config::{Audience, Permission, PolicyRule};
use crate::identity::Principal;
use crate::identity::principal::User;
use crate::policy::{Permission as Asked, Policy, Scope};

/// Who pushes a case's entities into its catalog.
const SOURCE: &str = "case";

/// How long the catalog may take over a case's entities, which are few.
const PATIENCE: Duration = Duration::from_secs(30);

/// A plugin's component, and where it is kept when it is compiled.
pub(crate) struct Component {
    pub(crate) inspection: Inspection,
    path: PathBuf,
    wasm: Vec<u8>,
    cache: PathBuf,
    _temporary: Option<TempDir>,
}

impl Component {
    /// Compiled code is kept in the folder; in one that is removed in the end where there is none.
    pub(crate) fn read(path: &Path, cache: Option<&Path>) -> Result<Component, CaseError> {
        let fail = |message: String| CaseError::File { path: path.display().to_string(), message };
        let wasm = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        let inspection = inspect(&wasm).map_err(|error| fail(error.to_string()))?;
        let temporary = match cache {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(failed("a folder for the compiled component"))?),
        };
        let own = temporary.as_ref().map(|folder| folder.path().join("cache"));
        let cache = cache.map(Path::to_owned).or(own).unwrap_or_default();
        Ok(Component { inspection, path: path.to_owned(), wasm, cache, _temporary: temporary })
    }
}

/// A plugin that runs, and what is around it.
pub(crate) struct Stage {
    pub(super) plugin: Plugin,
    pub(super) now: DateTime<Utc>,
    /// For the case's user.
    pub(super) user: Acting,
    /// For nobody in particular.
    pub(super) scheduled: Acting,
    pub(super) task_secrets: Vec<TaskSecret>,
    pub(super) task_log: Arc<Lines>,
    pub(super) kv: Kept,
    /// How long it took to load the plugin, with compiling it where it was not compiled yet.
    pub(crate) loaded_in: Duration,
    host: PluginHost,
    catalog: Catalog,
    access: Access,
    workspace: TempDir,
    _running: DropGuard,
}

impl Stage {
    pub(super) async fn set(
        component: &Component,
        file: &File,
        values: &Values,
        egress: Egress,
        now: DateTime<Utc>,
    ) -> Result<Stage, CaseError> {
        let manifest = &component.inspection.manifest;
        let db = Db::open(&DatabaseConfig::Memory).await.map_err(failed("the store"))?;
        let kv = Kv::new(db.clone());
        let host = PluginHost::new(HostSettings {
            cache_dir: component.cache.clone(),
            compiler: Compiler::this_program("compile-plugin"),
            limits: Limits::default(),
            egress,
            kv: kv.clone(),
        });
        let host = host.map_err(failed("the host"))?.standing_at(now.into());
        let begun = Instant::now();
        let plugin = host.load(PluginSpec {
            id: manifest.id.clone(),
            source: component.path.display().to_string(),
            wasm: component.wasm.clone(),
            // An operator who says yes to what is asked for.
            grant: manifest.rights.clone(),
            kv_generation: 0,
            limits: LimitOverrides::default(),
            config: values.config.clone(),
        });
        let plugin = plugin.await?;
        let loaded_in = begun.elapsed();

        let stop = CancellationToken::new();
        let catalog = catalog(db, file, stop.clone()).await?;
        let policy = Policy::new(&everything(&manifest.id));
        let user = principal(&file.user)?;
        let access = policy.decide(&user, &Asked::EntityRead).access;
        let stage = Stage {
            user: acting(&catalog, &policy, &user),
            scheduled: acting(&catalog, &policy, &Principal::Plugin(manifest.id.clone())),
            kv: kv.of(&manifest.id, 0),
            task_secrets: values.task_secrets().map_err(failed("the secrets of the task"))?,
            task_log: Arc::default(),
            workspace: tempfile::tempdir().map_err(failed("a workspace"))?,
            _running: stop.drop_guard(),
            plugin,
            now,
            loaded_in,
            host,
            catalog,
            access,
        };
        stage.reset(file).await?;
        Ok(stage)
    }

    /// Puts what the plugin keeps and the workspace where they were at the beginning.
    pub(crate) async fn reset(&self, file: &File) -> Result<(), CaseError> {
        let fail = failed("what the plugin keeps");
        for key in self.keys().await? {
            self.kv.delete(&key).await.map_err(&fail)?;
        }
        for (key, value) in &file.kv {
            self.kv.set(key, value.as_bytes()).await.map_err(&fail)?;
        }
        fill(self.workspace.path(), file).map_err(failed("the workspace"))
    }

    pub(super) fn workspace(&self) -> &Path {
        self.workspace.path()
    }

    /// All keys that the plugin keeps.
    pub(super) async fn keys(&self) -> Result<Vec<String>, CaseError> {
        let mut keys = Vec::new();
        loop {
            let page =
                self.kv.keys("", keys.last().map(String::as_str)).await.map_err(failed("what the plugin keeps"))?;
            if page.is_empty() {
                return Ok(keys);
            }
            keys.extend(page);
        }
    }

    /// An entity of the case's catalog, as its user may see it.
    pub(super) async fn entity(&self, entity_ref: &str) -> Result<Value, String> {
        let parsed = EntityRef::parse(entity_ref, None, None).map_err(|error| format!("{entity_ref}: {error}"))?;
        let found = self.catalog.by_ref(&self.access, &parsed).await.map_err(|error| error.to_string())?;
        let found = found.ok_or_else(|| format!("{entity_ref} is not in the case's `catalog`"))?;
        serde_json::from_str(found.get()).map_err(|error| error.to_string())
    }

    /// What the plugin wrote, the newest last.
    pub(super) fn lines(&self) -> Vec<String> {
        let statistics = self.host.statistics(self.plugin.id());
        let own = statistics.map(|statistics| statistics.words().lines).unwrap_or_default();
        let own = own.iter().rev().map(|line| format!("{} {}", level(line.level), line.text));
        own.chain(self.task_log.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned()).collect()
    }

    /// The most memory that a call of it had.
    pub(crate) fn peak_memory(&self) -> u64 {
        let statistics = self.host.statistics(self.plugin.id());
        let calls = statistics.map(|statistics| statistics.numbers().calls).unwrap_or_default();
        calls.iter().map(|calls| calls.peak_memory).max().unwrap_or_default()
    }
}

/// The lines of a scaffolder's task.
#[derive(Default)]
pub(super) struct Lines(Mutex<Vec<String>>);

impl TaskLog for Lines {
    fn line(&self, of: LogLevel, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {text}", level(of)));
    }
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// The portal's catalog with the case's entities, as if somebody had pushed them.
async fn catalog(db: Db, file: &File, stop: CancellationToken) -> Result<Catalog, CaseError> {
    let fail = |message: String| CaseError::Stage { what: "catalog", message };
    let kinds: Vec<&str> = file.catalog.iter().filter_map(|entity| entity.get("kind")?.as_str()).collect();
    let settings: Settings = serde_json::from_value(json!({ "rules": [{ "allow": kinds }], "push": { SOURCE: {} } }))
        .map_err(|error| fail(error.to_string()))?;
    let catalog = Catalog::open(db, NothingToRead, settings).await.map_err(failed("the catalog"))?;
    if file.catalog.is_empty() {
        return Ok(catalog);
    }
    tokio::spawn(catalog.clone().run(stop));
    let entities = file.catalog.iter().map(|entity| PushedEntity { entity: entity.clone(), location_key: None });
    let request = PushRequest { mode: PushMode::Full, entities: entities.collect(), removed: Vec::new() };
    let pushed = catalog.push(SOURCE, request, PATIENCE).await.map_err(failed("catalog"))?;
    if let Some(failure) = pushed.failed.first() {
        let errors = failure.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
        return Err(fail(format!("{}: {errors}", failure.entity_ref)));
    }
    match pushed.complete {
        true => Ok(catalog),
        false => Err(fail(format!("its entities were not there within {} s", PATIENCE.as_secs()))),
    }
}

/// A case says itself which entities there are.
struct NothingToRead;

#[async_trait]
impl Reader for NothingToRead {
    async fn read(&self, url: &Url, _known: Option<&str>) -> Result<Reading, ReadFailure> {
        let message = format!("{url} is not read in a test; write what is there into the case's `catalog`");
        Err(ReadFailure { message, not_found: true, transient: false })
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        base.join(relative).map_err(|error| error.to_string())
    }
}

/// Whoever is signed in may do everything, and so may the plugin.
fn everything(plugin: &str) -> Permission {
    let rule = PolicyRule {
        name: Arc::from("a test"),
        origin: None,
        allow: vec!["*".to_owned()],
        to: vec![Audience::SignedIn, Audience::Plugin(plugin.to_owned())],
        condition: None,
    };
    Permission { policy: Some(vec![rule]), ..Permission::default() }
}

fn principal(user: &str) -> Result<Principal, CaseError> {
    let entity_ref = EntityRef::parse(user, Some("user"), None).map_err(failed("user"))?;
    Ok(Principal::User(User {
        display_name: entity_ref.to_string(),
        ownership: vec![entity_ref.clone()],
        scope: Scope::unlimited(),
        entity_ref,
    }))
}

/// Empties a folder, and puts a case's files there.
fn fill(folder: &Path, file: &File) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        }?;
    }
    for (name, text) in &file.workspace {
        let is_inside = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_inside {
            return Err(std::io::Error::other(format!("{name} is not a path inside of it")));
        }
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// The files of a folder, with what they hold.
pub(super) fn files(folder: &Path) -> std::io::Result<serde_json::Map<String, Value>> {
    let mut files = serde_json::Map::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.symlink_metadata()?.is_dir() {
                left.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            files.insert(name, golden::content(&std::fs::read(&path)?));
        }
    }
    Ok(files)
}

pub(super) fn failed<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> CaseError {
    move |error| CaseError::Stage { what, message: error.to_string() }
}
