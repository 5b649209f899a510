//! `callboard:plugin/entity-processor`: has a say in what becomes of an entity.

use std::sync::Arc;

use callboard_model::filter::Predicate;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutput, STEPS};
use callboard_model::stable_json;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::acting::Acting;
use crate::bindings::entity_processor as wit;
use crate::call::Target;
use crate::error::{ErrorKind, PluginError};
use crate::extension::entity_processor::answer::{Answer, Problem};
use crate::extension::entity_processor::batch::{Batch, Item};
use crate::limits::{PROCESSOR_RETRY_DEADLINES, PROCESSOR_RETRY_FAULTS};
use crate::plugin::Plugin;

mod answer;
mod batch;

/// As in WIT.
const POINT: &str = "entity-processor";

/// A processor of a plugin, as its manifest has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Processor {
    /// Unique in the portal: `<plugin>/<id>`.
    pub name: String,
    /// Within the plugin.
    pub id: String,
    /// For people.
    pub description: String,
    /// What it runs after: names of processors, or the catalog's own [`STEPS`].
    pub after: Vec<String>,
    /// When it is called.
    pub hooks: Vec<Hook>,
    /// Which entities it is for; all where there is none.
    pub filter: Option<Predicate>,
    /// Whether it cannot ask anybody: its results then depend on nothing but what it is handed and its
    /// [digest](Plugin::processor_digest). The results of one that can say themselves for how long they hold.
    pub pure: bool,
}

/// Which processor is called, and for what.
#[derive(Clone, Copy)]
struct Call<'a> {
    acting: &'a Acting,
    processor: &'a str,
    hook: Hook,
    inputs: &'a Arc<[ProcessInput]>,
}

impl Plugin {
    /// Its processors, in the order of its manifest. Nothing of the plugin runs.
    pub fn processors(&self) -> Vec<Processor> {
        if self.inner.entity_processor.is_none() {
            return Vec::new();
        }
        let rights = &self.inner.effective;
        let pure = rights.http.is_empty() && !rights.kv && rights.catalog.kinds.is_empty();
        let contributed = self.inner.manifest.contributes.entity_processor.iter();
        contributed
            .map(|processor| Processor {
                name: self.qualified(&processor.id),
                id: processor.id.clone(),
                description: processor.description.clone(),
                after: processor.after.iter().map(|name| self.qualified(name)).collect(),
                hooks: processor.hooks.clone(),
                filter: processor.filter.clone(),
                pure,
            })
            .collect()
    }

    /// As the rest of the portal names it: a plain name that is no step of the catalog's is one of the plugin's own.
    fn qualified(&self, name: &str) -> String {
        if name.contains('/') || STEPS.contains(&name) { name.to_owned() } else { format!("{}/{name}", self.inner.id) }
    }

    /// Changes with all that the results of a processor depend on beside what it is handed: its code, what it sees of
    /// app-config, and what it may do. None where there is no such processor.
    pub fn processor_digest(&self, processor: &str) -> Option<String> {
        let contributed = &self.inner.manifest.contributes.entity_processor;
        contributed.iter().find(|other| other.id == processor)?;
        let rights = serde_json::to_value(&self.inner.effective).unwrap_or(Value::Null);
        let parts = [&self.inner.digest, &self.inner.config.digest(), &stable_json::to_string(&rights), processor];
        Some(hex::encode(Sha256::digest(parts.join("\n"))))
    }

    /// Has a processor process entities: one result for each, in their order. Which of them it is for is the caller's
    /// to know; `processor` is its id within the plugin.
    ///
    /// What is too much for one call goes in several. Where a call ends in a fault (a panic, say, or at its deadline)
    /// its entities are tried one by one, so that only those fail that are to blame; as far as that is worth while.
    ///
    /// # Errors
    /// None of its own: what went wrong stands in the place of each result that there is not. Its text names the
    /// entity.
    pub async fn process(
        &self,
        acting: &Acting,
        processor: &str,
        hook: Hook,
        inputs: Arc<[ProcessInput]>,
    ) -> Vec<Result<ProcessOutput, PluginError>> {
        let call = Call { acting, processor, hook, inputs: &inputs };
        let contributed = &self.inner.manifest.contributes.entity_processor;
        if !contributed.iter().any(|other| other.id == processor && other.hooks.contains(&hook)) {
            let message = format!("it has no processor `{processor}` for {hook}");
            let error = self.error(&self.processor_target(acting), ErrorKind::NotThere, message);
            return inputs.iter().map(|_| Err(error.clone())).collect();
        }
        let mut results = Vec::with_capacity(inputs.len());
        let mut batch = Batch::default();
        for (index, input) in inputs.iter().enumerate() {
            let item = match Item::new(index, input) {
                Ok(item) => item,
                Err(problem) => {
                    results.extend(self.process_batch(call, std::mem::take(&mut batch)).await);
                    results.push(Err(self.item_error(call, index, problem)));
                    continue;
                }
            };
            if !batch.has_room_for(&item) {
                results.extend(self.process_batch(call, std::mem::take(&mut batch)).await);
            }
            batch.push(item);
        }
        results.extend(self.process_batch(call, batch).await);
        results
    }

    /// One result for each item, whatever happens.
    async fn process_batch(&self, call: Call<'_>, batch: Batch) -> Vec<Result<ProcessOutput, PluginError>> {
        let items = batch.items();
        if items.is_empty() {
            return Vec::new();
        }
        match self.process_once(call, items).await {
            Ok(results) => results,
            Err(error) if error.kind.is_fault() && items.len() > 1 => self.process_singly(call, items, error).await,
            Err(error) => items.iter().map(|item| Err(self.of_item(call, item, &error))).collect(),
        }
    }

    /// After a batch has ended in a fault: which of its entities is to blame?
    async fn process_singly(
        &self,
        call: Call<'_>,
        items: &[Item],
        mut last: PluginError,
    ) -> Vec<Result<ProcessOutput, PluginError>> {
        tracing::warn!(
            plugin = self.inner.id,
            processor = call.processor,
            "a batch of {} entities ended in a fault, so they are tried one by one: {}",
            items.len(),
            last.message
        );
        let until = Instant::now() + self.inner.limits.processor_deadline * PROCESSOR_RETRY_DEADLINES;
        let mut faults = 0;
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            if faults == PROCESSOR_RETRY_FAULTS || Instant::now() >= until {
                let message = format!("it was not tried, because others ended in faults; the last: {}", last.message);
                results.push(Err(self.item_error(call, item.index, (ErrorKind::NotTried, message))));
                continue;
            }
            match self.process_once(call, std::slice::from_ref(item)).await {
                Ok(result) => results.extend(result),
                Err(error) => {
                    results.push(Err(self.of_item(call, item, &error)));
                    if error.kind.is_fault() {
                        faults += 1;
                        last = error;
                    }
                }
            }
        }
        results
    }

    /// One call, one instance. The error is about all of the items.
    async fn process_once(
        &self,
        call: Call<'_>,
        items: &[Item],
    ) -> Result<Vec<Result<ProcessOutput, PluginError>>, PluginError> {
        let target = self.processor_target(call.acting);
        let Some(indices) = self.inner.entity_processor.clone() else {
            let message = format!("it does not export `{POINT}`");
            return Err(self.error(&target, ErrorKind::NotThere, message));
        };
        let (processor, json) = (call.processor.to_owned(), batch::json(items));
        let (plugin, inputs, called) = (self.clone(), call.inputs.clone(), call.hook);
        let handed: Vec<usize> = items.iter().map(|item| item.index).collect();
        let hook = match call.hook {
            Hook::PreProcess => wit::Hook::PreProcess,
            Hook::PostProcess => wit::Hook::PostProcess,
        };
        let answered = self
            .call(
                target,
                move |store, instance, context| {
                    Box::pin(async move {
                        let guest = indices.load(&mut *store, &instance)?;
                        let answer = guest.call_process(&mut *store, &context, &processor, hook, &json).await?;
                        Ok(answer.map(|json| (json, store.data().has_asked)))
                    })
                },
                move |(json, has_asked)| {
                    let kinds = &plugin.inner.effective.entity_processor.kinds;
                    let handed: Vec<&ProcessInput> = handed.iter().filter_map(|index| inputs.get(*index)).collect();
                    Answer { hook: called, kinds, has_asked }.read(&json, &handed)
                },
            )
            .await?;
        let named = |(item, result): (&Item, Result<ProcessOutput, Problem>)| {
            result.map_err(|problem| self.item_error(call, item.index, problem))
        };
        Ok(items.iter().zip(answered).map(named).collect())
    }

    fn processor_target<'a>(&self, acting: &'a Acting) -> Target<'a> {
        Target { extension_point: POINT, function: "process", acting, limit: self.inner.limits.processor_deadline }
    }

    fn of_item(&self, call: Call<'_>, item: &Item, error: &PluginError) -> PluginError {
        self.item_error(call, item.index, (error.kind.clone(), error.message.clone()))
    }

    fn item_error(&self, call: Call<'_>, index: usize, problem: Problem) -> PluginError {
        let (kind, message) = problem;
        let entity = call.inputs.get(index).map(|input| input.entity.entity_ref().to_string()).unwrap_or_default();
        let message = format!("processor `{}`, {}, item {index} ({entity}): {message}", call.processor, call.hook);
        self.error(&self.processor_target(call.acting), kind, message)
    }
}
