//! What a refresh of ten thousand entities writes, counted by the database.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use callboard_catalog::Catalog;
use callboard_model::access::Access;
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, args, query};
use callboard_tests::bench::Engine;
use callboard_tests::bench::place::Place;
use callboard_tests::bench::source::{How, PROVIDER, Provider, Source};
use callboard_tests::generator::{Generator, Kind};
use callboard_tests::written::{Counts, Written};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

const ENTITIES: u64 = 10_000;

/// Of what is generated.
const SEED: u64 = 10;

/// Much longer than it takes, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_brings_the_same_again_on_sqlite() -> Result<()> {
    a_provider_brings_the_same_again(Engine::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_brings_the_same_again_on_postgres() -> Result<()> {
    a_provider_brings_the_same_again(Engine::Postgres).await
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_that_bring_the_same_again_on_sqlite() -> Result<()> {
    locations_bring_the_same_again(Engine::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_that_bring_the_same_again_on_postgres() -> Result<()> {
    locations_bring_the_same_again(Engine::Postgres).await
}

/// A catalog into which everything was brought once, and in which nothing is left to be done.
struct Loaded {
    db: Db,
    catalog: Catalog,
    source: Source,
    written: Written,
    _running: DropGuard,
    _folder: tempfile::TempDir,
}

impl Loaded {
    async fn new(engine: Engine, how: How) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let source = Source::prepare(Generator::new(SEED, ENTITIES), folder.path())?;
        let place = Place::open(engine, &folder.path().join("catalog"))?;
        let (db, catalog) = place.catalog(source.clone()).await?;
        catalog.set_providers(vec![Provider::new(&source, how)?]).await?;
        let shutdown = CancellationToken::new();
        tokio::spawn(catalog.clone().run(shutdown.clone()));
        let total = match how {
            How::Entities => source.generator().entities(),
            How::Files => source.generator().size(),
        };
        let _running = shutdown.drop_guard();
        catalog.trigger(PROVIDER)?;
        until(&catalog, "everything is visible", async || {
            let visible = query("SELECT count(*) FROM entity WHERE hash IS NOT NULL", args![]);
            Ok(db.fetch_optional(visible).await?.context("a count")?.get::<u64>(0)? == total)
        })
        .await?;
        settle(&db, &catalog).await?;
        let written = Written::watch(&db).await?;
        Ok(Self { db, catalog, source, written, _running, _folder: folder })
    }

    /// Has the provider run, and answers with what that wrote.
    async fn run_provider(&self) -> Result<Counts> {
        let before = self.source.runs();
        self.catalog.trigger(PROVIDER)?;
        until(&self.catalog, "the provider ran", async || Ok(self.source.runs() > before)).await?;
        self.take().await
    }

    /// Has all Locations read again, and answers with what that wrote.
    async fn refresh_locations(&self) -> Result<Counts> {
        for file in 0..self.source.generator().files() {
            self.refresh(&self.source.generator().location(file)).await?;
        }
        self.take().await
    }

    async fn refresh(&self, entity: &Value) -> Result<()> {
        let entity_ref = Entity::from_value(entity.clone())?.entity_ref();
        self.catalog.refresh(&Access::All, &EntityRef::parse(&entity_ref.to_string(), None, None)?).await?;
        Ok(())
    }

    async fn take(&self) -> Result<Counts> {
        settle(&self.db, &self.catalog).await?;
        Ok(self.written.take().await?)
    }
}

async fn a_provider_brings_the_same_again(engine: Engine) -> Result<()> {
    let loaded = Loaded::new(engine, How::Entities).await?;
    let mut counts = loaded.run_provider().await?;
    // Which replica runs it; on SQLite there is but one.
    let lease = counts.remove("lease").unwrap_or_default();
    assert!(lease.rows <= u64::from(engine == Engine::Postgres), "{lease:?}");
    // That it began, and that it has ended.
    let source = counts.remove("source").unwrap_or_default();
    assert_eq!((source.rows, source.updates), (1, 2));
    assert_eq!(counts, Counts::new());
    Ok(())
}

async fn locations_bring_the_same_again(engine: Engine) -> Result<()> {
    let loaded = Loaded::new(engine, How::Files).await?;
    let sources = loaded.source.generator().files() + loaded.source.generator().roots();
    // Their servers say that nothing has changed: all that is noted is when they did.
    let mut counts = loaded.refresh_locations().await?;
    let queue = counts.remove("queue").unwrap_or_default();
    assert_eq!((queue.rows, queue.inserts, queue.deletes), (sources, 0, 0));
    assert_eq!(counts, Counts::new());
    // The files look new, as with a server that was moved, and hold the same: that they look so is noted as well.
    loaded.source.touch();
    let mut counts = loaded.refresh_locations().await?;
    assert_eq!(counts.remove("queue").unwrap_or_default().rows, sources);
    let dependency = counts.remove("dependency").unwrap_or_default();
    assert_eq!((dependency.rows, dependency.updates), (sources, sources));
    assert_eq!(counts, Counts::new());
    // One of them has another title: nothing is written of the ninety-nine others in its file.
    let number = loaded.source.generator().number_of(Kind::Component, 0);
    loaded.source.retitle(number, "Something else");
    loaded.refresh(&loaded.source.generator().entity(number)).await?;
    let counts = loaded.take().await?;
    let rows = |table: &str| counts.get(table).map_or(0, |count| count.rows);
    assert_eq!(["entity", "entity_source", "document", "dependency"].map(rows), [1; 4], "{counts:?}");
    // The old title goes and the new one comes.
    assert_eq!(rows("wide") + rows("long"), 2, "{counts:?}");
    // Itself, its Location, and that one's.
    assert_eq!(rows("queue"), 3, "{counts:?}");
    assert_eq!(counts.len(), 6, "{counts:?}");
    Ok(())
}

/// Waits until nothing is due, and no provider runs.
async fn settle(db: &Db, catalog: &Catalog) -> Result<()> {
    until(catalog, "nothing is due", async || {
        let now = chrono::Utc::now().timestamp_millis();
        let due = db.fetch_optional(query("SELECT 1 FROM queue WHERE due_at <= $1 LIMIT 1", args![now])).await?;
        Ok(due.is_none() && !catalog.provider_status().await?.iter().any(|provider| provider.running))
    })
    .await
}

/// Looks again whenever the catalog says that something changed.
async fn until(catalog: &Catalog, what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let mut changes = catalog.changes();
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            changes.borrow_and_update();
            if holds().await? {
                return Ok(());
            }
            changes.changed().await?;
        }
    });
    match waited.await {
        Ok(result) => result,
        Err(_) => bail!("waited in vain until {what}"),
    }
}
