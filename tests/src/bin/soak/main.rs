//! What is too long for every change: `cargo xtask soak`. It prints what it measured, for docs/evidence/.
#![allow(clippy::print_stdout, reason = "what it measured is its answer")]
#![allow(clippy::indexing_slicing, reason = "a soak may stop at the first surprise")]

mod hostile;
mod probe;
mod upgrades;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use callboard_tests::bucket::Bucket;
use callboard_tests::client::Client;
use callboard_tests::kills::{self, survive};
use callboard_tests::portal::{BASE, merge};
use callboard_tests::process::Server;
use callboard_tests::s3::{self, component};
use serde_json::{Value, json};

const MIB: u64 = 1024 * 1024;

/// Entities that are brought in while the process is killed, and what tells such a process what it is.
const KILLED_ENTITIES: u64 = 10_000;
const VICTIM: &str = "victim";

/// What there is to do: the one that the first argument names, or all. Behind `guests`, some of them may be named.
const PARTS: [&str; 4] = ["bucket", "kills", "upgrades", "guests"];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [victim, folder, sources] = arguments.as_slice()
        && victim == VICTIM
    {
        return kills::victim(folder.as_ref(), sources.as_ref(), KILLED_ENTITIES).await;
    }
    let wants = |part: &str| arguments.first().is_none_or(|only| only == part);
    ensure!(PARTS.into_iter().any(wants), "the parts are {}", PARTS.join(", "));
    if wants("bucket") {
        large_bucket().await.context("the large bucket")?;
    }
    if wants("kills") {
        kills().await.context("the kills")?;
        kills_of_the_catalog().await.context("the kills while files are read")?;
    }
    if wants("upgrades") {
        upgrades::run().await.context("the upgrades")?;
    }
    if wants("guests") {
        hostile::run(arguments.get(1..).unwrap_or_default()).await.context("the hostile guests")?;
    }
    Ok(())
}

/// 100,000 objects are read, page by page, in bounded memory, and the second run reads none of them.
async fn large_bucket() -> Result<()> {
    const OBJECTS: u64 = 100_000;
    const MOST_MEMORY: u64 = 512 * MIB;
    let bucket = Bucket::start().await?;
    for number in 0..OBJECTS {
        bucket.put(&format!("{:03}/{number:06}.yaml", number / 1000), component(&format!("soak-{number:06}")))?;
    }
    let folder = folder(s3::config_with(&bucket, every(Duration::from_secs(60)))?)?;
    let server = Server::start(folder.path()).await?;
    let begun = Instant::now();
    until(Duration::from_secs(3600), async || Ok(count(server.client()).await? == OBJECTS)).await?;
    let took = begun.elapsed();
    let (now, most) = server.memory()?;
    println!(
        "{OBJECTS} objects became entities in {} s; memory {} MiB, at most {} MiB",
        took.as_secs(),
        now / MIB,
        most / MIB
    );
    ensure!(most < MOST_MEMORY, "it took {} MiB of memory, more than {}", most / MIB, MOST_MEMORY / MIB);

    // Runs began while the objects were read; what is counted is one that begins now.
    until(Duration::from_secs(1200), async || Ok(provider(server.client()).await?["running"] == false)).await?;
    let before = provider(server.client()).await?["lastRun"].clone();
    bucket.faults().forget_requests();
    let begun = Instant::now();
    until(Duration::from_secs(1200), async || {
        let run = provider(server.client()).await?;
        Ok(run["counts"]["unchanged"] == OBJECTS && run["running"] == false && run["lastRun"] != before)
    })
    .await?;
    let requests = bucket.faults().requests();
    println!(
        "a second run: within {} s, {} listings, {} objects read",
        begun.elapsed().as_secs(),
        requests.lists(),
        requests.reads()
    );
    ensure!(requests.lists() > 0, "no run was counted");
    ensure!(requests.reads() == 0, "unchanged objects were read again");
    server.kill().await
}

/// Killed at any moment, the server goes on where it was: nothing is lost, doubled or left over.
async fn kills() -> Result<()> {
    const KILLS: u64 = 25;
    const OBJECTS: u64 = 3000;
    let bucket = Bucket::start().await?;
    for number in 0..OBJECTS {
        bucket.put(&format!("{number:04}.yaml"), component(&format!("soak-{number:04}")))?;
    }
    let folder = folder(s3::config_with(&bucket, every(Duration::from_secs(2)))?)?;
    for kill in 0..KILLS {
        let server = Server::start(folder.path()).await?;
        // Another moment of the work each time.
        let at = OBJECTS * kill / KILLS;
        until(Duration::from_secs(300), async || Ok(count(server.client()).await? >= at)).await?;
        server.kill().await?;
    }
    for number in 0..100 {
        bucket.delete(&format!("{number:04}.yaml"))?;
    }
    let server = Server::start(folder.path()).await?;
    until(Duration::from_secs(600), async || Ok(count(server.client()).await? == OBJECTS - 100)).await?;
    println!("{KILLS} kills; then {} entities, as many as objects", OBJECTS - 100);
    server.kill().await
}

/// The same without a plugin, at fifty moments: what is left is looked at each time, and the end is compared.
async fn kills_of_the_catalog() -> Result<()> {
    let begun = Instant::now();
    let survived = survive(50, KILLED_ENTITIES, |folder, sources| {
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command.arg(VICTIM).args([folder, sources]);
        Ok(command)
    })
    .await?;
    println!(
        "50 kills while {KILLED_ENTITIES} entities were brought in, within {} s, at {:?}; the same end as without, {}",
        begun.elapsed().as_secs(),
        survived.moments,
        survived.hash
    );
    Ok(())
}

fn every(interval: Duration) -> Value {
    json!({ "schedule": { "frequency": { "seconds": interval.as_secs() }, "timeout": { "minutes": 30 } } })
}

fn folder(config: Value) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let mut all: Value = serde_json::to_value(callboard_model::yaml::value(BASE)?)?;
    merge(&mut all, config);
    std::fs::write(folder.path().join("app-config.yaml"), all.to_string())?;
    share_cache(folder.path())?;
    Ok(folder)
}

fn share_cache(folder: &Path) -> Result<()> {
    callboard_tests::portal::share_compiled_plugins(&folder.join("data"))
}

async fn count(client: &Client) -> Result<u64> {
    let path = "api/catalog/entities/by-query?limit=0&filter=kind=component";
    let answer: Value = client.json(path).await?;
    answer["totalItems"].as_u64().context("a total")
}

async fn provider(client: &Client) -> Result<Value> {
    let plugins: Value = client.json("api/plugins").await?;
    Ok(plugins["items"][0]["providers"][0].clone())
}

async fn until(most: Duration, mut ask: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !ask().await? {
        ensure!(begun.elapsed() < most, "not within {} s", most.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
