//! What an entity takes in the database.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use callboard_catalog::{Catalog, Query};
use callboard_model::access::Access;
use callboard_store::{Db, args, query};
use callboard_tests::bench::ingest::{BYTES_PER_ENTITY, json_bytes};
use callboard_tests::bench::place::Place;
use callboard_tests::bench::source::{How, PROVIDER, Provider, Source};
use callboard_tests::bench::{Engine, SEED};
use callboard_tests::generator::Generator;
use tokio_util::sync::CancellationToken;

const ENTITIES: u64 = 10_000;

/// PostgreSQL counts rows that are gone up to ten seconds after they went, and what it has not counted is tidied up the
/// next time.
const SETTLED: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_takes_four_kilobytes_beyond_its_json_at_most_on_sqlite() -> Result<()> {
    check(Engine::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_takes_four_kilobytes_beyond_its_json_at_most_on_postgresql() -> Result<()> {
    check(Engine::Postgres).await
}

async fn check(engine: Engine) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = Source::prepare(Generator::new(SEED, ENTITIES), &folder.path().join("source"))?;
    let place = Place::open(engine, &folder.path().join("database"))?;
    let (db, catalog) = place.catalog(source.clone()).await?;
    let empty = place.bytes(&db).await?;
    catalog.set_providers(vec![Provider::new(&source, How::Files)?]).await?;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog.clone().run(shutdown.clone()));
    catalog.trigger(PROVIDER)?;
    until_all_are_there(&catalog, &db).await?;
    shutdown.cancel();
    running.await?;
    let json = json_bytes(&catalog, source.generator()).await?;
    let begun = Instant::now();
    let beyond = loop {
        db.tidy().await?;
        let beyond = (place.bytes(&db).await? - empty) as f64 / ENTITIES as f64 - json;
        if beyond <= BYTES_PER_ENTITY || begun.elapsed() > SETTLED {
            break beyond;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert!(beyond <= BYTES_PER_ENTITY, "{beyond:.0} bytes beyond the {json:.0} of its JSON");
    // Nothing was forgotten in order to be small.
    assert!(beyond >= BYTES_PER_ENTITY / 4.0, "{beyond:.0} bytes beyond the {json:.0} of its JSON");
    db.close().await;
    Ok(())
}

/// Waits until all entities can be seen and nothing is left to do.
async fn until_all_are_there(catalog: &Catalog, db: &Db) -> Result<()> {
    let begun = Instant::now();
    let mut changes = catalog.changes();
    loop {
        changes.borrow_and_update();
        let page = catalog.query(&Access::All, &Query { limit: 0, ..Query::default() }).await?;
        let now = chrono::Utc::now().timestamp_millis();
        let due = query("SELECT 1 FROM queue WHERE due_at <= $1 LIMIT 1", args![now]);
        if page.total_items == ENTITIES && db.fetch_optional(due).await?.is_none() {
            return Ok(());
        }
        ensure!(begun.elapsed() < Duration::from_secs(180), "{} of {ENTITIES} after three minutes", page.total_items);
        // The last of them may come without a sign.
        tokio::time::timeout(Duration::from_millis(100), changes.changed()).await.ok();
    }
}
