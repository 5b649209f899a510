//! A plugin's processor as the catalog's [`EntityProcessor`].

use std::sync::Arc;

use async_trait::async_trait;
use callboard_catalog::{EntityProcessor, ProcessorError};
use callboard_host::{ErrorKind, Plugin, Processor};
use callboard_model::filter::Predicate;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutput};

use super::catalog_reader::Scheduled;

/// One processor of a plugin.
pub(crate) struct PluginProcessor {
    plugin: Plugin,
    scheduled: Scheduled,
    processor: Processor,
    digest: String,
}

impl PluginProcessor {
    /// Those that a plugin has, in the order of its manifest.
    pub(crate) fn all(plugin: &Plugin, scheduled: &Scheduled) -> Vec<PluginProcessor> {
        let own = |processor: Processor| {
            let digest = plugin.processor_digest(&processor.id).unwrap_or_default();
            PluginProcessor { plugin: plugin.clone(), scheduled: scheduled.clone(), processor, digest }
        };
        plugin.processors().into_iter().map(own).collect()
    }
}

#[async_trait]
impl EntityProcessor for PluginProcessor {
    fn name(&self) -> &str {
        &self.processor.name
    }

    fn after(&self) -> &[String] {
        &self.processor.after
    }

    fn hooks(&self) -> &[Hook] {
        &self.processor.hooks
    }

    fn filter(&self) -> Option<&Predicate> {
        self.processor.filter.as_ref()
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    async fn process(&self, hook: Hook, inputs: Arc<[ProcessInput]>) -> Vec<Result<ProcessOutput, ProcessorError>> {
        let acting = self.scheduled.acting(self.plugin.id());
        let results = self.plugin.process(&acting, &self.processor.id, hook, inputs).await;
        let failed = |error: callboard_host::PluginError| ProcessorError {
            // What an entity is too large for, it is the next time as well.
            retry: error.kind != ErrorKind::Input,
            message: error.to_string(),
        };
        results.into_iter().map(|result| result.map_err(failed)).collect()
    }
}
