//! What has a say in what becomes of entities, beside the catalog itself: the processors of plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::filter::Predicate;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutput, order};
use callboard_model::stable_json::sha1_hex_of;
use callboard_store::{Sql, Tx, args, query};
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::engine::{Shared, now};
use crate::graph::{enqueue, forget_results};
use crate::query::matching;
use crate::settings::DEFAULT_PRIORITY;

/// A processor of a plugin.
#[async_trait]
pub trait EntityProcessor: Send + Sync {
    /// Unique in the portal: `<plugin>/<id>`.
    fn name(&self) -> &str;

    /// What it runs after: names of other processors, or [`callboard_model::processing::STEPS`].
    fn after(&self) -> &[String];

    /// When it is called.
    fn hooks(&self) -> &[Hook];

    /// Which entities it is for; all where there is none.
    fn filter(&self) -> Option<&Predicate>;

    /// Changes with all that its results depend on beside what it is handed.
    fn digest(&self) -> &str;

    /// Exactly one result for each input, in their order.
    async fn process(&self, hook: Hook, inputs: Arc<[ProcessInput]>) -> Vec<Result<ProcessOutput, ProcessorError>>;
}

/// Why there is no result for an entity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProcessorError {
    /// For people.
    pub message: String,
    /// Whether another attempt may succeed though nothing of the entity has changed.
    pub retry: bool,
}

/// What is remembered of the processors that were set, to see which of them changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    name: String,
    digest: String,
}

/// Where `setting` remembers them.
const SETTING: &str = "processors";

/// Changes with all that tells what comes of a processor: its own digest, and when and for what it is called.
pub(crate) fn digest(processor: &dyn EntityProcessor) -> String {
    let filter = processor.filter().map(|filter| filter.to_value().to_string()).unwrap_or_default();
    let hooks: Vec<&str> = processor.hooks().iter().map(|hook| hook.name()).collect();
    sha1_hex_of(format!("{}\n{}\n{filter}", processor.digest(), hooks.join(",")).as_bytes())
}

/// Those that app-config leaves on, in the order in which they run. Those that wait for each other are left out.
pub(crate) fn ordered(
    mut processors: Vec<Arc<dyn EntityProcessor>>,
    settings: &Settings,
) -> Vec<Arc<dyn EntityProcessor>> {
    let option = |name: &str| settings.processor_options.get(name);
    processors.retain(|processor| !option(processor.name()).is_some_and(|option| option.disabled));
    processors
        .sort_by_key(|processor| option(processor.name()).and_then(|one| one.priority).unwrap_or(DEFAULT_PRIORITY));
    loop {
        let named: Vec<(&str, &[String])> =
            processors.iter().map(|processor| (processor.name(), processor.after())).collect();
        match order(&named) {
            Ok(indices) => {
                return indices.into_iter().filter_map(|index| processors.get(index).map(Arc::clone)).collect();
            }
            Err(cycle) => {
                tracing::error!("{cycle}; none of them runs");
                processors.retain(|processor| !cycle.0.iter().any(|name| name == processor.name()));
            }
        }
    }
}

/// Sets what has a say, and has exactly those entities processed again for which that makes a difference.
pub(crate) async fn set(
    shared: &Shared,
    processors: Vec<Arc<dyn EntityProcessor>>,
) -> Result<(), callboard_store::Error> {
    let processors = ordered(processors, &shared.settings);
    let now_known: Vec<Known> = processors
        .iter()
        .map(|processor| Known { name: processor.name().to_owned(), digest: digest(&**processor) })
        .collect();
    let mut tx = shared.db.begin().await?;
    let before = remembered(&mut tx).await?;
    shared.processor.set_chain(&processors);
    if before == now_known {
        return tx.commit().await;
    }
    let changed = changed(&before, &now_known);
    // What versions before the last one had a say in was made anew meanwhile.
    let unused = "DELETE FROM chain WHERE NOT EXISTS (SELECT 1 FROM chained h WHERE h.chain_id = chain.id)";
    tx.execute(query(unused, args![])).await?;
    let mut ids = used(&mut tx, &changed).await?;
    for processor in processors.iter().filter(|processor| changed.iter().any(|name| name == processor.name())) {
        ids.extend(matching::ids(&mut tx, processor.filter()).await?);
    }
    ids.sort_unstable();
    ids.dedup();
    tracing::info!(processors = changed.join(", "), entities = ids.len(), "processors changed");
    forget_results(&mut tx, &ids).await?;
    enqueue(&mut tx, &ids, now(), false).await?;
    let value = serde_json::to_string(&now_known).map_err(|error| damaged(&error))?;
    tx.execute(query(
        "INSERT INTO setting(name, value) VALUES ($1, $2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        args![SETTING, value],
    ))
    .await?;
    tx.commit().await?;
    shared.queued();
    Ok(())
}

/// The names of those that came, went, are another version, or run at another place than before.
fn changed(before: &[Known], after: &[Known]) -> Vec<String> {
    let both = |these: &[Known], those: &[Known]| -> Vec<Known> {
        these.iter().filter(|one| those.contains(one)).cloned().collect()
    };
    let (kept, kept_after) = (both(before, after), both(after, before));
    let moved = kept.iter().zip(&kept_after).filter(|(one, other)| one != other).flat_map(|(one, other)| [one, other]);
    let only = |these: &[Known], those: &[Known]| -> Vec<Known> {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    let mut names: Vec<String> = only(before, after)
        .into_iter()
        .chain(only(after, before))
        .chain(moved.cloned())
        .map(|known| known.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

async fn remembered(tx: &mut Tx) -> Result<Vec<Known>, callboard_store::Error> {
    let row = tx.fetch_optional(query("SELECT value FROM setting WHERE name = $1", args![SETTING])).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    serde_json::from_str(&row.get::<String>(0)?).map_err(|error| damaged(&error))
}

/// The entities whose results one of these processors had a say in.
async fn used(tx: &mut Tx, names: &[String]) -> Result<Vec<i64>, callboard_store::Error> {
    let mut chains: Vec<i64> = Vec::new();
    for row in tx.fetch_all(query("SELECT id, used FROM chain", args![])).await? {
        let used: BTreeMap<String, String> =
            serde_json::from_str(&row.get::<String>(1)?).map_err(|error| damaged(&error))?;
        if names.iter().any(|name| used.contains_key(name)) {
            chains.push(row.get(0)?);
        }
    }
    if chains.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new();
    sql.push("SELECT entity_id FROM chained WHERE chain_id IN ").ids(chains);
    tx.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect()
}

fn damaged(error: &serde_json::Error) -> callboard_store::Error {
    callboard_store::Error::Failed(format!("what is stored of processors is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed() {
        fn check(before: &[&str], after: &[&str], expected: &[&str]) {
            let known = |texts: &[&str]| -> Vec<Known> {
                let split = |text: &&str| {
                    let (name, digest) = text.split_once('@').unwrap_or((text, ""));
                    Known { name: name.to_owned(), digest: digest.to_owned() }
                };
                texts.iter().map(split).collect()
            };
            assert_eq!(changed(&known(before), &known(after)), expected, "{before:?} {after:?}");
        }
        check(&[], &["a"], &["a"]);
        check(&["a", "b"], &["a", "b"], &[]);
        check(&["a"], &[], &["a"]);
        check(&["a@1", "b"], &["a@2", "b"], &["a"]);
        check(&["a", "b"], &["x", "a", "b"], &["x"]);
        check(&["a", "b", "c"], &["b", "a", "c"], &["a", "b"]);
    }
}
