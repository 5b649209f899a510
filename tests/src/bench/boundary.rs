//! What it costs that plugins are in a sandbox: a call, entities that cross, loading, and memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use callboard_egress::{Egress, Settings};
use callboard_host::{
    Acting, CatalogError, CatalogPage, CatalogQuery, CatalogReader, Compiler, HostSettings, LimitOverrides, Limits,
    Plugin, PluginHost, PluginSpec,
};
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::location_ref::LocationRef;
use callboard_model::processing::{Hook, ProcessInput, ProcessOutcome, ProcessOutput};
use callboard_store::{DatabaseConfig, Db, Kv};
use serde_json::{Value, json};

use super::ingest::mebibytes;
use super::report::{Figure, Unit};
use super::timing::{Rounds, Times, repeat};
use super::{Section, machine};
use crate::environment;

/// How often a plugin is loaded.
const LOADS: usize = 20;
/// How often one is compiled.
const COMPILATIONS: usize = 5;
/// Entities of a batch.
const BATCH: usize = 100;
/// Bytes of an entity, about.
const ENTITY: usize = 2_048;

/// What the processor of the guests writes.
const GREETING: &str = "Hello";
const ANNOTATION: &str = "example.com/greeting";

/// Everything at the boundary, in a process that does nothing else.
pub async fn measure(folder: &Path) -> Result<Vec<Figure>> {
    let figure = |name: &str, value, unit| Figure::new(Section::Plugins, name, value, unit);
    let timed = |name: &str, times: &Times| figure(name, times.p50(), Unit::Milliseconds).p99(times.p99());
    let mut figures = Vec::new();
    let host = host(&folder.join("cache")).await?;
    let acting = Acting { user: None, catalog: Arc::new(Nobody) };

    // The engine and all that is made once is there before anything counts.
    let trivial = load(&host, &environment::guest("generations")?, json!({})).await?;
    let times = repeat(Rounds::QUERY, async || Ok(trivial.instantiate(&acting).await?)).await?;
    figures.push(timed("an instance, made and dropped", &times).at_most(0.05));
    let times = repeat(Rounds::QUERY, async || {
        ensure!(trivial.providers(&acting).await?.is_empty(), "it has no provider");
        Ok(())
    });
    figures.push(timed("a call that does nothing, in an instance of its own", &times.await?));

    let processor = load(&host, &environment::guest("good_processor")?, json!({ "greeting": GREETING })).await?;
    for count in [1, BATCH] {
        let inputs: Arc<[ProcessInput]> = inputs(count)?.into();
        let ours = repeat(Rounds::QUERY, async || {
            let outputs = processor.process(&acting, "greeting", Hook::PreProcess, inputs.clone()).await;
            for output in outputs {
                is_greeted(&output?)?;
            }
            Ok(())
        });
        let ours = ours.await?;
        let text = serde_json::to_string(&*inputs)?;
        let native = repeat(Rounds::QUERY, async || {
            ensure!(!native(&text)?.is_empty(), "it answers");
            Ok(())
        });
        let name = match count {
            1 => "an entity of 2 KB, handed to a processor and back".to_owned(),
            count => format!("{count} entities of 2 KB in one batch, to a processor and back"),
        };
        let compared = timed(&name, &ours).floor(native.await?.p50());
        if count < BATCH {
            figures.push(compared);
            continue;
        }
        figures.push(compared.within(3.0));
        let answer = self::native(&text)?;
        let own = repeat(Rounds::QUERY, async || {
            let outcomes: Vec<ProcessOutcome> = serde_json::from_str(&answer)?;
            ensure!(serde_json::to_string(&*inputs)?.len() == text.len() && outcomes.len() == count, "it is the same");
            Ok(())
        });
        figures.push(timed("of these, what the portal writes and reads itself", &own.await?));
    }

    let s3 = environment::plugin("s3")?;
    let size = std::fs::metadata(&s3)?.len();
    figures.push(figure("S3: its component", size as f64, Unit::Bytes));
    let mut compiled = Vec::new();
    for round in 0..COMPILATIONS {
        let fresh = self::host(&folder.join(format!("cache-{round}"))).await?;
        let begun = Instant::now();
        load(&fresh, &s3, Value::Null).await?;
        compiled.push(begun.elapsed());
    }
    figures.push(timed("S3: loaded and compiled", &Times::new(compiled)));
    // Compiled, but not in this process's memory.
    drop(load(&host, &s3, Value::Null).await?);
    let (before, _) = machine::memory(std::process::id())?;
    let kept = load(&host, &s3, Value::Null).await?;
    let (after, _) = machine::memory(std::process::id())?;
    let held = mebibytes(after.saturating_sub(before));
    figures.push(figure("S3: memory that it holds when loaded", held, Unit::Mebibytes).at_most(5.0));
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        let begun = Instant::now();
        load(&host, &s3, Value::Null).await?;
        loads.push(begun.elapsed());
    }
    figures.push(timed("S3: loaded, compiled before", &Times::new(loads)));
    drop(kept);
    Ok(figures)
}

async fn host(cache: &Path) -> Result<PluginHost> {
    let db = Db::open(&DatabaseConfig::Memory).await?;
    Ok(PluginHost::new(HostSettings {
        cache_dir: cache.to_owned(),
        compiler: Compiler { program: environment::server()?, arguments: vec!["compile-plugin".into()] },
        limits: Limits::default(),
        egress: Egress::new(Settings::from_values(&Value::Null, &Value::Null, &Value::Null)?)?,
        kv: Kv::new(db),
    })?)
}

/// A component with all that it asks for.
async fn load(host: &PluginHost, component: &Path, config: Value) -> Result<Plugin> {
    let wasm = std::fs::read(component)?;
    let manifest = callboard_host::inspect(&wasm)?.manifest;
    let spec = PluginSpec {
        id: manifest.id,
        source: component.display().to_string(),
        wasm,
        grant: manifest.rights,
        kv_generation: 0,
        limits: LimitOverrides::default(),
        config,
    };
    Ok(host.load(spec).await?)
}

/// Entities as the catalog hands them over.
fn inputs(count: usize) -> Result<Vec<ProcessInput>> {
    let location = LocationRef::parse("url:https://example.com/catalog-info.yaml")?;
    let entity = |number: usize| {
        let entity = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {
                "name": format!("service-{number}"),
                "namespace": "default",
                "description": "What it does, in a sentence that says it. ".repeat(ENTITY / 64),
                "annotations": { "example.com/one": "1", "example.com/two": "2" },
                "tags": ["rust", "payments", "critical"],
                "links": [{ "url": "https://example.com/dashboard", "title": "Dashboard" }],
            },
            "spec": { "type": "service", "lifecycle": "production", "owner": "group:default/payments" },
        });
        Ok(ProcessInput {
            entity: Entity::from_value(entity)?,
            location: location.clone(),
            origin_location: location.clone(),
        })
    };
    (0..count).map(entity).collect()
}

/// What the guest does, from the text that it is handed to the text that it answers.
fn native(inputs: &str) -> Result<String> {
    let inputs: Vec<ProcessInput> = serde_json::from_str(inputs)?;
    let outputs = inputs.into_iter().map(|input| {
        let mut entity = input.entity;
        let greeting = format!("{GREETING}, {}", entity.name());
        entity.set_annotation(ANNOTATION, greeting);
        ProcessOutput::of(entity)
    });
    Ok(serde_json::to_string(&outputs.collect::<Vec<_>>())?)
}

fn is_greeted(output: &ProcessOutput) -> Result<()> {
    let entity = output.entity.as_ref().context("the processor changes each entity")?;
    ensure!(entity.annotation(ANNOTATION).is_some(), "the processor greets");
    Ok(())
}

/// No guest here reads the catalog.
struct Nobody;

#[async_trait]
impl CatalogReader for Nobody {
    async fn get(&self, _: &Predicate, _: &[EntityRef]) -> Result<Vec<Option<String>>, CatalogError> {
        Err(CatalogError::Denied("nobody reads here".to_owned()))
    }

    async fn query(&self, _: &Predicate, _: CatalogQuery) -> Result<CatalogPage, CatalogError> {
        Err(CatalogError::Denied("nobody reads here".to_owned()))
    }
}
