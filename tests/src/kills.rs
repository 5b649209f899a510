//! Ends in the middle: a process that brings a generated catalog in is killed again and again, and what it leaves is
//! looked at each time. In the end there must be what a run without kills makes.
//!
//! The process is this program once more, so that neither a build nor a server is needed for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use callboard_catalog::{Catalog, Query};
use callboard_model::access::Access;
use callboard_model::entity::Entity;
use callboard_model::location_ref::{LocationRef, Presence};
use callboard_model::relations;
use callboard_store::{Db, query};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use crate::bench::Engine;
use crate::bench::place::Place;
use crate::bench::source::{How, PROVIDER, Provider, Source};
use crate::generator::{Generator, Kind, below, fingerprint};

/// Of what is generated, and of the moments.
const SEED: u64 = 9;

/// What the process writes before the number of entities that are visible, and before the hash of them all.
const VISIBLE: &str = "visible ";
const DONE: &str = "done ";

/// The file in which the process leaves the entities, to be looked at when they are others.
const ENTITIES: &str = "entities.jsonl";

/// What came of it, for the record.
#[derive(Clone, Debug)]
pub struct Survived {
    /// How many entities were visible when it was killed, each time.
    pub moments: Vec<u64>,
    /// Of all entities in the end.
    pub hash: String,
}

/// Kills the process so many times, at moments that are spread over the work and differ within that by chance. `victim`
/// makes the command of a process that calls [`victim`] with the two folders that it is given.
pub async fn survive(kills: u64, size: u64, victim: impl Fn(&Path, &Path) -> Result<Command>) -> Result<Survived> {
    let folder = tempfile::tempdir()?;
    let (calm, killed, sources) =
        (folder.path().join("calm"), folder.path().join("killed"), folder.path().join("sources"));
    let source = Source::prepare(Generator::new(SEED, size), &sources)?;
    let expected = Process::start(victim(&calm, &sources)?)?.end().await.context("the run without kills")?;
    let mut moments = Vec::new();
    for kill in 0..kills {
        let least = (size * kill + below(SEED, kill, size)) / kills;
        let mut process = Process::start(victim(&killed, &sources)?)?;
        let visible = process.until(least).await.with_context(|| format!("kill {kill}, at {least} entities"))?;
        process.kill().await?;
        moments.push(visible);
        examine(&killed, &source).await.with_context(|| format!("after kill {kill}, at {visible} entities"))?;
    }
    let hash = Process::start(victim(&killed, &sources)?)?.end().await.context("the run after the kills")?;
    if hash != expected {
        let [without, with] = [&calm, &killed].map(|folder| std::fs::read_to_string(folder.join(ENTITIES)));
        let (without, with) = (without?, with?);
        let different = without.lines().zip(with.lines()).find(|(without, with)| without != with);
        bail!("after {kills} kills at {moments:?} there are other entities than without: {different:#?}");
    }
    Ok(Survived { moments, hash })
}

/// What is killed: brings the catalog in, and tells on its standard output how far it is.
#[allow(clippy::print_stdout, reason = "that is how it tells")]
pub async fn victim(folder: &Path, sources: &Path, size: u64) -> Result<()> {
    let source = Source::prepare(Generator::new(SEED, size), sources)?;
    let place = Place::open(Engine::Sqlite, folder)?;
    let (db, catalog) = place.catalog(source.clone()).await?;
    catalog.set_providers(vec![Provider::new(&source, How::Files)?]).await?;
    let mut changes = catalog.changes();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog.clone().run(shutdown.clone()));
    catalog.trigger(PROVIDER)?;
    loop {
        changes.borrow_and_update();
        let visible = count(&catalog).await?;
        println!("\n{VISIBLE}{visible}");
        if visible == size {
            break;
        }
        changes.changed().await?;
    }
    shutdown.cancel();
    running.await?;
    let entities = comparable(documents(&catalog, source.generator()).await?)?;
    std::fs::write(folder.join(ENTITIES), entities.join("\n"))?;
    println!("\n{DONE}{}", fingerprint(entities.iter().map(String::as_str)));
    db.close().await;
    Ok(())
}

/// The process, with what it tells.
struct Process {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(mut command: Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = process.stdout.take().context("its output was to be piped")?;
        Ok(Self { process, lines: BufReader::new(stdout).lines() })
    }

    /// Waits until so many entities are visible.
    async fn until(&mut self, least: u64) -> Result<u64> {
        while let Some(line) = self.lines.next_line().await? {
            if let Some(visible) = line.strip_prefix(VISIBLE) {
                let visible = visible.parse()?;
                if visible >= least {
                    return Ok(visible);
                }
            }
        }
        bail!("the process ended by itself")
    }

    /// Waits for its end, and returns the hash.
    async fn end(mut self) -> Result<String> {
        let mut hash = None;
        while let Some(line) = self.lines.next_line().await? {
            hash = line.strip_prefix(DONE).map(str::to_owned).or(hash);
        }
        let status = self.process.wait().await?;
        ensure!(status.success(), "the process failed ({status})");
        hash.context("the process told no hash")
    }

    /// `SIGKILL`: it can do nothing about it.
    async fn kill(mut self) -> Result<()> {
        self.process.kill().await.context("the process was not killed")
    }
}

/// Looks at what was left: the file is sound, every entity that can be seen is whole, and what is counted is there.
async fn examine(folder: &Path, source: &Source) -> Result<()> {
    let place = Place::open(Engine::Sqlite, folder)?;
    let db = Db::open(&place.database()).await.context("the database does not open")?;
    let sound = db.fetch_optional(query("PRAGMA integrity_check", Vec::new())).await?.context("an answer")?;
    ensure!(sound.get::<String>(0)? == "ok", "the file is damaged: {sound:?}");
    db.close().await;
    let (db, catalog) = place.catalog(source.clone()).await?;
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for document in documents(&catalog, source.generator()).await?.into_iter().flatten() {
        let mut entity = document;
        let stored: Vec<Value> = match entity.as_object_mut().context("an object")?.remove("relations") {
            Some(Value::Array(relations)) => relations,
            _ => Vec::new(),
        };
        let entity = Entity::from_value(entity)?;
        *kinds.entry(entity.kind().to_owned()).or_default() += 1;
        for relation in relations::of(&entity)?.iter().filter(|relation| relation.source == entity.entity_ref()) {
            let there = stored.iter().any(|stored| {
                stored.get("type").and_then(Value::as_str) == Some(relation.kind.as_str())
                    && stored.get("targetRef").and_then(Value::as_str) == Some(relation.target.to_string().as_str())
            });
            ensure!(there, "{} lacks {} {}", entity.entity_ref(), relation.kind, relation.target);
        }
    }
    let facets = catalog.facets(&Access::All, &["kind".to_owned()], None).await?;
    let counted: BTreeMap<String, u64> =
        facets.facets.into_values().flatten().map(|facet| (facet.value, facet.count)).collect();
    ensure!(counted == kinds, "counted are {counted:?}, there are {kinds:?}");
    ensure!(count(&catalog).await? == kinds.values().sum::<u64>(), "the total is another");
    db.close().await;
    Ok(())
}

async fn count(catalog: &Catalog) -> Result<u64> {
    Ok(catalog.query(&Access::All, &Query { limit: 0, ..Query::default() }).await?.total_items)
}

/// Every entity that there may be, by its ref.
async fn documents(catalog: &Catalog, generator: &Generator) -> Result<Vec<Option<Value>>> {
    let of_kind = |kind| (0..generator.count(kind)).map(move |number| generator.entity_ref(kind, number));
    let mut refs: Vec<String> = Kind::ALL.into_iter().flat_map(of_kind).collect();
    for file in 0..generator.files() {
        refs.push(Entity::from_value(generator.location(file))?.entity_ref().to_string());
    }
    for root in 0..generator.roots() {
        let location = LocationRef::new("url", &Generator::root_url(root))?;
        refs.push(location.generated_entity(Presence::Required).entity_ref().to_string());
    }
    let mut documents = Vec::new();
    for some in refs.chunks(500) {
        for document in catalog.by_refs(&Access::All, some, None, &[]).await? {
            documents.push(document.map(|document| serde_json::from_str(document.get())).transpose()?);
        }
    }
    Ok(documents)
}

/// What is the same in every run: all but the uid, which is drawn, and the etag, which is made of it.
fn comparable(documents: Vec<Option<Value>>) -> Result<Vec<String>> {
    let texts = documents.into_iter().map(|document| {
        let mut document = document.context("an entity is missing")?;
        let metadata = document.pointer_mut("/metadata").and_then(Value::as_object_mut).context("metadata")?;
        for key in ["uid", "etag"] {
            metadata.remove(key).with_context(|| format!("every entity has a {key}"))?;
        }
        Ok(document.to_string())
    });
    texts.collect()
}
