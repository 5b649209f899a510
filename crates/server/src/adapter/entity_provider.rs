//! A plugin's provider as the catalog's [`EntityProvider`].

use async_trait::async_trait;
use callboard_catalog::{Again, EntityProvider, Mode, ProviderError, ProviderPage};
use callboard_host::{self as host, Plugin, PluginError};
use callboard_model::schedule::Schedule;

use super::catalog_reader::Scheduled;

/// One provider of a plugin.
pub(crate) struct PluginProvider {
    plugin: Plugin,
    scheduled: Scheduled,
    name: String,
    schedule: Schedule,
    fingerprint: String,
}

impl PluginProvider {
    /// The providers that a plugin says it has.
    ///
    /// # Errors
    /// The plugin fails to say so.
    pub(crate) async fn all(plugin: &Plugin, scheduled: &Scheduled) -> Result<Vec<PluginProvider>, PluginError> {
        if !plugin.extension_points().contains(&"entity-provider") {
            return Ok(Vec::new());
        }
        let providers = plugin.providers(&scheduled.acting(plugin.id())).await?;
        let own = |provider: host::Provider| PluginProvider {
            plugin: plugin.clone(),
            scheduled: scheduled.clone(),
            name: provider.name,
            schedule: provider.schedule,
            fingerprint: plugin.fingerprint(),
        };
        Ok(providers.into_iter().map(own).collect())
    }
}

#[async_trait]
impl EntityProvider for PluginProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn owner(&self) -> &str {
        self.plugin.id()
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    async fn read(&self, cursor: Option<String>) -> Result<ProviderPage, ProviderError> {
        let acting = self.scheduled.acting(self.plugin.id());
        let page = self.plugin.read(&acting, &self.name, cursor).await;
        let page = page.map_err(|error| ProviderError::new(error.to_string()))?;
        Ok(ProviderPage {
            items: page.items,
            next: page.next,
            mode: match page.mode {
                host::Mode::Full => Mode::Full,
                host::Mode::Delta => Mode::Delta,
            },
            again: match page.again {
                host::Again::Scheduled => Again::Scheduled,
                host::Again::Now => Again::Now,
            },
        })
    }
}
