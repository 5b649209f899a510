//! Loads the plugins of app-config. One that cannot be loaded is listed with the reason, and the portal starts
//! without it.

use std::sync::Arc;

use callboard_catalog::{EntityProcessor, EntityProvider};
use callboard_host::{Inspection, LimitOverrides, Plugin, PluginHost, PluginSpec, inspect};
use callboard_model::manifest::Manifest;
use callboard_model::rights::Rights;
use futures::future::join_all;
use serde_json::Value;

use crate::adapter::catalog_reader::Scheduled;
use crate::adapter::entity_processor::PluginProcessor;
use crate::adapter::entity_provider::PluginProvider;
use crate::config::{Config, PluginConfig};

/// The plugins of app-config, in its order.
pub(crate) struct Plugins {
    listed: Vec<Listed>,
    scheduled: Scheduled,
}

/// One of them.
pub(crate) struct Listed {
    pub(crate) id: String,
    /// As app-config has it.
    pub(crate) source: String,
    pub(crate) granted: Rights,
    pub(crate) outcome: Outcome,
    /// The names of its providers.
    pub(crate) providers: Vec<String>,
}

/// What became of it.
pub(crate) enum Outcome {
    Loaded(Plugin),
    Refused {
        reason: String,
        /// What could be read of it without running it.
        inspection: Option<Box<Inspection>>,
    },
}

impl Outcome {
    pub(crate) fn plugin(&self) -> Option<&Plugin> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin),
            Outcome::Refused { .. } => None,
        }
    }

    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin.manifest()),
            Outcome::Refused { inspection, .. } => inspection.as_ref().map(|inspection| &inspection.manifest),
        }
    }

    pub(crate) fn digest(&self) -> Option<&str> {
        match self {
            Outcome::Loaded(plugin) => Some(plugin.digest()),
            Outcome::Refused { inspection, .. } => inspection.as_ref().map(|inspection| inspection.digest.as_str()),
        }
    }

    pub(crate) fn extension_points(&self) -> Vec<String> {
        let points = match self {
            Outcome::Loaded(plugin) => plugin.extension_points(),
            Outcome::Refused { inspection, .. } => {
                inspection.as_ref().map(|inspection| inspection.extension_points.clone()).unwrap_or_default()
            }
        };
        points.into_iter().map(ToString::to_string).collect()
    }
}

impl Plugins {
    /// Loads them all at once: to compile one takes a while.
    pub(crate) async fn load(
        config: &Config,
        host: &PluginHost,
        scheduled: Scheduled,
    ) -> (Plugins, Vec<Arc<dyn EntityProvider>>) {
        let loaded = join_all(config.plugins.iter().map(|plugin| load(config, plugin, host, &scheduled))).await;
        let mut listed = Vec::new();
        let mut providers: Vec<Arc<dyn EntityProvider>> = Vec::new();
        for (mut plugin, own) in loaded {
            // Two plugins with a provider of the same name would overwrite what the other brought in.
            let taken = own.iter().find(|provider| providers.iter().any(|other| other.name() == provider.name()));
            if let Some(provider) = taken {
                let reason = format!("another plugin has a provider of the name `{}` already", provider.name());
                plugin.refuse(reason);
            } else {
                plugin.providers = own.iter().map(|provider| provider.name().to_owned()).collect();
                providers.extend(own.into_iter().map(|provider| Arc::new(provider) as Arc<dyn EntityProvider>));
            }
            match &plugin.outcome {
                Outcome::Loaded(loaded) => tracing::info!(
                    plugin = plugin.id,
                    version = %loaded.manifest().version,
                    digest = loaded.digest(),
                    "loaded"
                ),
                Outcome::Refused { reason, .. } => tracing::error!(plugin = plugin.id, "not loaded: {reason}"),
            }
            listed.push(plugin);
        }
        (Plugins { listed, scheduled }, providers)
    }

    pub(crate) fn all(&self) -> &[Listed] {
        &self.listed
    }

    /// The ids of those that cannot be called today: what they brought into the catalog stays there.
    pub(crate) fn refused(&self) -> Vec<String> {
        let refused = self.listed.iter().filter(|listed| listed.outcome.plugin().is_none());
        refused.map(|listed| listed.id.clone()).collect()
    }

    /// What those that can be called contribute to the processing of entities, in the order of app-config.
    pub(crate) fn processors(&self) -> Vec<Arc<dyn EntityProcessor>> {
        let own = self.running().flat_map(|plugin| PluginProcessor::all(plugin, &self.scheduled));
        own.map(|processor| Arc::new(processor) as Arc<dyn EntityProcessor>).collect()
    }

    /// Those that can be called.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Plugin> {
        self.listed.iter().filter_map(|listed| listed.outcome.plugin())
    }
}

impl Listed {
    fn refuse(&mut self, reason: String) {
        self.outcome = Outcome::Refused { reason, inspection: None };
    }
}

async fn load(
    config: &Config,
    plugin: &PluginConfig,
    host: &PluginHost,
    scheduled: &Scheduled,
) -> (Listed, Vec<PluginProvider>) {
    let mut listed = Listed {
        id: plugin.id.clone(),
        source: plugin.source.clone(),
        granted: plugin.grant.clone(),
        outcome: Outcome::Refused { reason: String::new(), inspection: None },
        providers: Vec::new(),
    };
    if !plugin.enabled {
        listed.refuse(format!("it is switched off; remove plugins.{}.enabled: false from app-config", plugin.id));
        return (listed, Vec::new());
    }
    let wasm = match tokio::fs::read(&plugin.path).await {
        Ok(wasm) => wasm,
        Err(error) => {
            listed.refuse(format!(
                "{} could not be read: {error}. Correct plugins.{}.source in app-config, or build the plugin with \
                 `cargo xtask plugin build`",
                plugin.path.display(),
                plugin.id
            ));
            return (listed, Vec::new());
        }
    };
    let inspection = inspect(&wasm).ok().map(Box::new);
    let limits = match overrides(&plugin.limits) {
        Ok(limits) => limits,
        Err(error) => {
            let reason = format!("plugins.{}.limits in app-config: {error}", plugin.id);
            listed.outcome = Outcome::Refused { reason, inspection };
            return (listed, Vec::new());
        }
    };
    let spec = PluginSpec {
        id: plugin.id.clone(),
        source: plugin.source.clone(),
        wasm,
        grant: plugin.grant.clone(),
        config: config.raw.clone(),
        limits,
    };
    let loaded = match host.load(spec).await {
        Ok(loaded) => loaded,
        Err(error) => {
            listed.outcome = Outcome::Refused { reason: error.to_string(), inspection };
            return (listed, Vec::new());
        }
    };
    match PluginProvider::all(&loaded, scheduled).await {
        Ok(providers) => {
            listed.outcome = Outcome::Loaded(loaded);
            (listed, providers)
        }
        Err(error) => {
            let reason = format!("it does not say what it provides: {}", error.message);
            listed.outcome = Outcome::Refused { reason, inspection };
            (listed, Vec::new())
        }
    }
}

/// Limits as app-config has them.
pub(crate) fn overrides(limits: &Value) -> Result<LimitOverrides, serde_json::Error> {
    match limits {
        Value::Null => Ok(LimitOverrides::default()),
        limits => serde_json::from_value(limits.clone()),
    }
}
