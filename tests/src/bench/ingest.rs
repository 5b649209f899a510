//! From a provider to where everybody sees it. Each run is a process of its own, so that its memory is its own.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use callboard_catalog::{Catalog, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::location_ref::{LocationRef, Presence};
use callboard_store::{Db, args, query};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::machine;
use super::place::Place;
use super::report::{Figure, Unit};
use super::source::{How, PROVIDER, Provider, Source};
use super::timing::Times;
use super::{Engine, SEED, Section, leader};
use crate::generator::{Generator, Kind};

/// The longest that anything may take. 739,000 entities at the slowest rate that is worth measuring.
const MOST: Duration = Duration::from_secs(3 * 3600);

/// Changes whose times are taken, of each sort.
const CHANGES: u64 = 100;

/// What the entities of the catalog need beyond their own JSON, at most, in a database that was empty before: PostgreSQL
/// has 7 MiB in each for itself.
pub const BYTES_PER_ENTITY: f64 = 4096.0;

/// Entities whose JSON is weighed.
const WEIGHED: u64 = 2_000;

struct Run {
    place: Place,
    db: Db,
    catalog: Catalog,
    source: Source,
    how: How,
    size: u64,
    /// What the database takes with no entity in it.
    empty: u64,
    figures: Vec<Figure>,
}

/// Reads a generated catalog into a new database in the folder and measures that, and unless it is to be brief what
/// changes afterwards cost. The database stays.
pub async fn measure(
    engine: Engine,
    size: u64,
    how: How,
    folder: &Path,
    sources: &Path,
    briefly: bool,
) -> Result<Vec<Figure>> {
    let source = Source::prepare(Generator::new(SEED, size), sources)?;
    let place = Place::open(engine, folder)?;
    let (db, catalog) = place.catalog(source.clone()).await?;
    catalog.set_providers(vec![Provider::new(&source, how)?]).await?;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog.clone().run(shutdown.clone()));
    let empty = place.bytes(&db).await?;
    let mut run = Run { place, db, catalog, source, how, size, empty, figures: Vec::new() };
    run.load().await.context("the first load")?;
    run.storage().await.context("the storage")?;
    if !briefly {
        run.unchanged().await.context("the unchanged refresh")?;
        run.changes().await.context("the changes")?;
        if how == How::Files {
            run.orphans().await.context("the orphans")?;
        }
    }
    shutdown.cancel();
    running.await?;
    run.db.close().await;
    Ok(run.figures)
}

impl Run {
    /// How many entities there are in the end: a provider that hands entities over has no Locations.
    fn total(&self) -> u64 {
        match self.how {
            How::Files => self.size,
            How::Entities => self.source.generator().entities(),
        }
    }

    fn add(&mut self, name: &str, value: f64, unit: Unit, more: impl FnOnce(Figure) -> Figure) {
        let how = match self.how {
            How::Files => "files",
            How::Entities => "entities handed over",
        };
        let figure = Figure::new(Section::Ingest, format!("{how}: {name}"), value, unit);
        self.figures.push(more(figure.on(self.place.engine, self.size)));
    }

    async fn load(&mut self) -> Result<()> {
        let (begun, cpu) = (Instant::now(), self.place.cpu(&self.db).await?);
        self.catalog.trigger(PROVIDER)?;
        let total = self.total();
        self.until("everything is visible", async |run| Ok(run.count().await? >= total)).await?;
        let (took, cpu) = (begun.elapsed().as_secs_f64(), self.place.cpu(&self.db).await? - cpu);
        let (_, most) = machine::memory(std::process::id())?;
        let leader = (self.size == leader::SIZE).then(|| leader::ingest(self.place.engine));
        self.add("first load until all is visible", took, Unit::Seconds, |figure| match leader {
            Some(leader) => figure.at_most(5.0).leader(leader.seconds),
            None => figure,
        });
        self.add("entities a second", total as f64 / took, Unit::PerSecond, |figure| figure);
        self.add("processor time of the first load", cpu, Unit::Seconds, |figure| match leader {
            Some(leader) => figure.at_most(6.0).leader(leader.cpu),
            None => figure,
        });
        self.add("peak memory of the first load", mebibytes(most), Unit::Mebibytes, |figure| match leader {
            Some(leader) => figure.leader(leader.mebibytes),
            None => figure,
        });
        self.settle().await
    }

    async fn storage(&mut self) -> Result<()> {
        let json = json_bytes(&self.catalog, self.source.generator()).await?;
        // As the portal has it done a moment later.
        self.db.tidy().await?;
        let grown = self.place.bytes(&self.db).await?.saturating_sub(self.empty);
        let each = grown as f64 / self.total() as f64;
        self.add("JSON of an entity", json, Unit::Bytes, |figure| figure);
        self.add("database beyond an entity's JSON", each - json, Unit::Bytes, |figure| {
            figure.at_most(BYTES_PER_ENTITY).leader(leader::BYTES_PER_ENTITY)
        });
        Ok(())
    }

    /// Everything is read again although nothing changed.
    async fn unchanged(&mut self) -> Result<()> {
        self.source.touch();
        let runs = self.source.runs();
        let (begun, cpu) = (Instant::now(), self.place.cpu(&self.db).await?);
        match self.how {
            How::Entities => self.catalog.trigger(PROVIDER)?,
            How::Files => {
                for file in 0..self.source.generator().files() {
                    let location = reference(&self.source.generator().location(file))?;
                    self.catalog.refresh(&Access::All, &EntityRef::parse(&location, None, None)?).await?;
                }
            }
        }
        if self.how == How::Entities {
            self.until("the provider ran again", async |run| Ok(run.source.runs() > runs && run.is_idle().await?))
                .await?;
        }
        self.settle().await?;
        let (took, cpu) = (begun.elapsed().as_secs_f64(), self.place.cpu(&self.db).await? - cpu);
        self.add("refresh of everything, nothing changed", took, Unit::Seconds, |figure| figure);
        self.add("processor time of that refresh", cpu, Unit::Seconds, |figure| figure);
        Ok(())
    }

    /// One entity changes, and somebody waits for it.
    async fn changes(&mut self) -> Result<()> {
        let generator = self.source.generator().clone();
        let users = generator.count(Kind::User);
        let sorts = [
            ("a component", Kind::Component, 0),
            ("a member of the largest group", Kind::User, 0),
            ("a user who is no member of it", Kind::User, users - 1),
            ("the largest group itself", Kind::Group, 0),
            ("a small group", Kind::Group, generator.count(Kind::Group) - 1),
        ];
        for (what, kind, number) in sorts {
            let number = generator.number_of(kind, number);
            let entity_ref = EntityRef::parse(&reference(&generator.entity(number))?, None, None)?;
            let mut times = Vec::new();
            for round in 0..CHANGES {
                let title = format!("{what}, changed {round} times");
                self.source.retitle(number, &title);
                let begun = Instant::now();
                match self.how {
                    How::Entities => self.catalog.trigger(PROVIDER)?,
                    How::Files => self.catalog.refresh(&Access::All, &entity_ref).await?,
                }
                // By its title: the document of the largest group is megabytes of relations, and looking would be the work.
                let filter = Some(Predicate::equals("metadata.title", &title));
                let seen = Query { filter, limit: 0, ..Query::default() };
                self.until(what, async |run| Ok(run.catalog.query(&Access::All, &seen).await?.total_items == 1))
                    .await?;
                times.push(begun.elapsed());
                self.settle().await?;
            }
            let times = Times::new(times);
            let leader = self.how == How::Files && kind == Kind::Component;
            self.add(&format!("{what} changes, until it is seen"), times.p50(), Unit::Milliseconds, |figure| {
                let figure = figure.p99(times.p99()).at_most(1000.0);
                if leader { figure.leader(leader::REFRESH) } else { figure }
            });
        }
        Ok(())
    }

    /// A file goes, and with it what came from it.
    async fn orphans(&mut self) -> Result<()> {
        let generator = self.source.generator().clone();
        let file = generator.files() - 1;
        let children = generator.in_file(file).count() as f64;
        let location = EntityRef::parse(&reference(&generator.location(file))?, None, None)?;
        let parent = LocationRef::new("url", &Generator::root_url(generator.root_of(file)))?;
        let parent = parent.generated_entity(Presence::Required).entity_ref();
        let gone = generator.in_file(file).last().context("a file has entities")?;
        let gone = EntityRef::parse(&reference(&generator.entity(gone))?, None, None)?;
        self.source.remove(file);
        let begun = Instant::now();
        self.catalog.refresh(&Access::All, &location).await?;
        self.until("the orphans are gone", async |run| Ok(run.catalog.by_ref(&Access::All, &gone).await?.is_none()))
            .await?;
        self.settle().await?;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        self.add("11 a file's entities go with it, each", took / children, Unit::Milliseconds, |figure| figure);
        // What is measured next finds everything.
        self.source.restore(file);
        self.catalog.refresh(&Access::All, &parent).await?;
        let total = self.total();
        self.until("they are back", async |run| Ok(run.count().await? == total)).await?;
        self.settle().await
    }

    async fn count(&self) -> Result<u64> {
        let page = self.catalog.query(&Access::All, &Query { limit: 0, ..Query::default() }).await?;
        Ok(page.total_items)
    }

    /// Whether the provider is between two runs.
    async fn is_idle(&self) -> Result<bool> {
        let status = self.catalog.provider_status().await?;
        let status = status.into_iter().next().context("there is one provider")?;
        ensure!(status.last_error.is_none(), "the provider failed: {:?}", status.last_error);
        Ok(!status.running)
    }

    /// Waits until nothing is due.
    async fn settle(&self) -> Result<()> {
        self.until("nothing is due", async |run| {
            let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
            let due = query("SELECT 1 FROM queue WHERE due_at <= $1 LIMIT 1", args![now]);
            Ok(run.db.fetch_optional(due).await?.is_none())
        })
        .await
    }

    /// Looks again whenever the catalog says that something changed, but not so often that looking is the work.
    async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Run) -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        let mut changes = self.catalog.changes();
        loop {
            changes.borrow_and_update();
            let looked = Instant::now();
            if holds(self).await? {
                return Ok(());
            }
            ensure!(begun.elapsed() < MOST, "waited in vain until {what}");
            // A look that is quick may be repeated at once; a slow one takes at most a twentieth of the time.
            let pause = looked.elapsed() * 20;
            if pause > Duration::from_millis(5) {
                tokio::time::sleep(pause).await;
            }
            // What settles without a sign is seen a little later.
            let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
        }
    }
}

/// What the JSON of an entity takes, on average. Relations are joined when it is read, and are not its own.
pub async fn json_bytes(catalog: &Catalog, generator: &Generator) -> Result<f64> {
    let step = (generator.entities() / WEIGHED).max(1);
    let (mut weighed, mut json) = (0u64, 0u64);
    let mut numbers = (0..generator.entities()).step_by(usize::try_from(step)?).peekable();
    while numbers.peek().is_some() {
        let refs = numbers.by_ref().take(500).map(|number| reference(&generator.entity(number)));
        let refs = refs.collect::<Result<Vec<_>>>()?;
        for document in catalog.by_refs(&Access::All, &refs, None, &[]).await?.into_iter().flatten() {
            let mut entity: Value = serde_json::from_str(document.get())?;
            entity.as_object_mut().context("an object")?.remove("relations");
            weighed += 1;
            json += entity.to_string().len() as u64;
        }
    }
    ensure!(weighed > 0, "there is nothing to weigh");
    Ok(json as f64 / weighed as f64)
}

pub(super) fn reference(entity: &Value) -> Result<String> {
    Ok(callboard_model::entity::Entity::from_value(entity.clone())?.entity_ref().to_string())
}

#[must_use]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
