//! From where a plugin comes to one that can be called.

use std::sync::Arc;

use callboard_artifact::SignedBy;
use callboard_catalog::{EntityProcessor, EntityProvider};
use callboard_host::{Inspection, LimitOverrides, Plugin, PluginHost, PluginSpec, inspect};
use callboard_model::rights::Rights;
use serde_json::Value;

use crate::adapter::catalog_reader::Scheduled;
use crate::adapter::entity_processor::PluginProcessor;
use crate::adapter::entity_provider::PluginProvider;
use crate::config::Config;

/// A plugin that was loaded and said what it provides.
pub(super) struct Live {
    pub(super) plugin: Plugin,
    pub(super) signed_by: Option<SignedBy>,
    pub(super) providers: Vec<Arc<dyn EntityProvider>>,
    pub(super) processors: Vec<Arc<dyn EntityProcessor>>,
}

/// Why it was not.
pub(super) struct Failed {
    pub(super) reason: String,
    /// What could be read of it without running it.
    pub(super) inspection: Option<Arc<Inspection>>,
}

impl From<String> for Failed {
    fn from(reason: String) -> Failed {
        Failed { reason, inspection: None }
    }
}

/// What a component is to be loaded with.
pub(super) struct Recipe {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) wasm: Vec<u8>,
    pub(super) grant: Rights,
    pub(super) limits: Value,
    pub(super) kv_generation: i64,
    /// Whose signature was good enough.
    pub(super) signed_by: Option<SignedBy>,
    /// Present where it is not decided yet whether it is to run.
    pub(super) trial: Option<Trial>,
}

/// What a component must pass besides being loaded.
pub(super) struct Trial {
    /// The version whose keepings it got a copy of.
    pub(super) keeps_of: Option<String>,
}

/// Loads a component and asks it what it provides.
pub(super) async fn load(
    recipe: Recipe,
    config: &Config,
    host: &PluginHost,
    scheduled: &Scheduled,
) -> Result<Live, Failed> {
    let Recipe { id, source, wasm, grant, limits, kv_generation, signed_by, trial } = recipe;
    let inspection = inspect(&wasm).ok().map(Arc::new);
    let failed = |reason: String| Failed { reason, inspection: inspection.clone() };
    let limits = overrides(&limits).map_err(|error| failed(format!("plugins.{id}.limits in app-config: {error}")))?;
    let spec = PluginSpec { id, source, wasm, grant, kv_generation, limits, config: config.raw.clone() };
    let plugin = host.load(spec).await.map_err(|error| failed(error.to_string()))?;
    if let Some(Trial { keeps_of }) = trial {
        let acting = scheduled.acting(plugin.id());
        if let Some(version) = &keeps_of {
            let migrated = plugin.migrate(&acting, version).await;
            migrated.map_err(|error| failed(format!("it cannot take over from {version}: {}", error.message)))?;
        }
        plugin.check(&acting).await.map_err(|error| failed(format!("it says it cannot work: {}", error.message)))?;
    }
    let providers = PluginProvider::all(&plugin, scheduled)
        .await
        .map_err(|error| failed(format!("it does not say what it provides: {}", error.message)))?;
    let processors = PluginProcessor::all(&plugin, scheduled);
    Ok(Live {
        plugin,
        signed_by,
        providers: providers.into_iter().map(|provider| Arc::new(provider) as Arc<dyn EntityProvider>).collect(),
        processors: processors.into_iter().map(|processor| Arc::new(processor) as Arc<dyn EntityProcessor>).collect(),
    })
}

/// Limits as app-config has them.
pub(crate) fn overrides(limits: &Value) -> Result<LimitOverrides, serde_json::Error> {
    match limits {
        Value::Null => Ok(LimitOverrides::default()),
        limits => serde_json::from_value(limits.clone()),
    }
}
