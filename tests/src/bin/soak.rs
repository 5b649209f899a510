//! What is too long for every change: `cargo xtask soak`. It prints what it measured, for docs/evidence/.
#![allow(clippy::print_stdout, reason = "what it measured is its answer")]
#![allow(clippy::indexing_slicing, reason = "a soak may stop at the first surprise")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use callboard_tests::bucket::Bucket;
use callboard_tests::client::Client;
use callboard_tests::kills::{self, survive};
use callboard_tests::portal::{BASE, merge, with_plugin};
use callboard_tests::process::Server;
use callboard_tests::s3::{self, component};
use callboard_tests::{environment, generations};
use serde_json::{Value, json};

const MIB: u64 = 1024 * 1024;

/// Entities that are brought in while the process is killed, and what tells such a process what it is.
const KILLED_ENTITIES: u64 = 10_000;
const VICTIM: &str = "victim";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [victim, folder, sources] = arguments.as_slice()
        && victim == VICTIM
    {
        return kills::victim(folder.as_ref(), sources.as_ref(), KILLED_ENTITIES).await;
    }
    large_bucket().await.context("the large bucket")?;
    kills().await.context("the kills")?;
    kills_of_the_catalog().await.context("the kills while files are read")?;
    upgrades().await.context("the upgrades")?;
    hostile_guests().await.context("the hostile guests")
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

/// Twenty upgrades and ways back while the plugin and the catalog are looked at, and twenty again: nobody gets anything
/// but an answer, and the second twenty take no more memory than the first.
async fn upgrades() -> Result<()> {
    const CHANGES: u8 = 20;
    const MOST_GROWTH: u64 = 16 * MIB;
    let source = format!("{}.wasm", generations::ID);
    let mut config =
        json!({ "plugins": { generations::ID: { "source": source, "grant": { "log": true, "kv": true } } } });
    config["catalog"]["locations"] = json!([{ "type": "file", "target": "component.yaml" }]);
    let folder = folder(config)?;
    std::fs::write(folder.path().join("component.yaml"), s3::component("bystander"))?;
    let component = folder.path().join(source);
    std::fs::write(&component, generations::version(1, "works")?)?;
    let server = Server::start(folder.path()).await?;
    let client = server.client();
    until(Duration::from_secs(60), async || Ok(count(client).await? == 1)).await?;
    let over = tokio_util::sync::CancellationToken::new();
    let catalog = steadily(&over, async || {
        client.get("api/catalog/entities/by-query?limit=20").await?.ok()?;
        Ok(())
    });
    let tab = steadily(&over, async || {
        client.post(&format!("api/plugins/{}/ui/page/render", generations::ID), &json!({})).await?.ok()?;
        Ok(())
    });
    let changes = async {
        let mut memory = Vec::new();
        for change in 0..2 * CHANGES {
            let action = if change % 4 == 3 { "rollback" } else { "reload" };
            std::fs::write(&component, generations::version(2 + change % 3, "works")?)?;
            client.post(&format!("api/plugins/{}/{action}", generations::ID), &json!({})).await?.ok()?;
            if (change + 1) % CHANGES == 0 {
                memory.push(server.memory()?.0);
            }
        }
        over.cancel();
        anyhow::Ok(memory)
    };
    let (memory, catalog, tab) = tokio::join!(changes, catalog, tab);
    let (memory, catalog, tab) = (memory?, catalog?, tab?);
    println!(
        "{CHANGES} upgrades and ways back: memory {} MiB; {CHANGES} more: {} MiB; {} answers of the catalog (p99 {:.1} ms) and \
         {} of the plugin (p99 {:.1} ms) meanwhile, none lost",
        memory[0] / MIB,
        memory[1] / MIB,
        catalog.len(),
        p99(&catalog),
        tab.len(),
        p99(&tab)
    );
    ensure!(memory[1] < memory[0] + MOST_GROWTH, "from {} to {} MiB", memory[0] / MIB, memory[1] / MIB);
    server.kill().await
}

/// What is attacked with: everything that takes something which others need as well.
const ATTACKS: [&str; 11] = [
    "panic",
    "exit",
    "memory_bomb",
    "recursion",
    "giant_output",
    "huge_tree",
    "deep_tree",
    "log_flood",
    "host_call_flood",
    "kv_flood",
    "loop_forever",
];

/// Attacked again and again, the server neither grows nor stops serving. How long others wait meanwhile is told, and
/// judged by whoever reads it: a machine that does other things too says nothing by it.
async fn hostile_guests() -> Result<()> {
    const ROUNDS: usize = 200;
    const MOST_GROWTH: u64 = 128 * MIB;
    let bystander = environment::guest("read_env")?;
    for name in ATTACKS {
        let component = environment::guest(name)?;
        let inspection = callboard_host::inspect(&std::fs::read(&component)?).context(name)?;
        let id = inspection.manifest.id.clone();
        let mut config = with_plugin(&id, &component, &serde_json::to_value(&inspection.manifest.rights)?);
        config["plugins"][&id]["limits"] = json!({ "faultsBeforeSuspension": 1000, "uiDeadline": "1 second" });
        merge(&mut config, with_plugin("read-env", &bystander, &json!({})));
        config["catalog"]["locations"] = json!([{ "type": "file", "target": "component.yaml" }]);
        let folder = folder(config)?;
        std::fs::write(folder.path().join("component.yaml"), s3::component("bystander"))?;
        let server = Server::start(folder.path()).await?;
        until(Duration::from_secs(60), async || Ok(count(server.client()).await? == 1)).await?;
        let (_, quiet) = beside(server.client(), tokio::time::sleep(PROBED)).await?;
        let mut after_warming = 0;
        let attacks = async {
            let begun = Instant::now();
            let mut rounds = 0;
            // As often as it takes to see a leak, and as long as it takes to see what others wait.
            while begun.elapsed() < PROBED || rounds < ROUNDS && begun.elapsed() < 4 * PROBED {
                server.client().post(&format!("api/plugins/{id}/ui/attack/render"), &json!({})).await?;
                rounds += 1;
                if rounds <= ROUNDS / 10 {
                    after_warming = server.memory()?.0;
                }
            }
            anyhow::Ok(rounds)
        };
        let (rounds, attacked) = beside(server.client(), attacks).await?;
        let rounds = rounds?;
        server.client().get("api/plugins").await?.ok()?;
        let (now, most) = server.memory()?;
        println!("{name}: {rounds} attacks; memory {} MiB, at most {} MiB", now / MIB, most / MIB);
        for (page, (quiet, attacked)) in PROBES.iter().zip(quiet.iter().zip(&attacked)) {
            println!(
                "  {page}: p99 {:.1} ms of {} without, {:.1} ms of {} during the attacks",
                p99(quiet),
                quiet.len(),
                p99(attacked),
                attacked.len()
            );
        }
        ensure!(now < after_warming + MOST_GROWTH, "{name}: from {} to {} MiB", after_warming / MIB, now / MIB);
        server.kill().await?;
    }
    Ok(())
}

/// For how long others are asked, without attacks and during them.
const PROBED: Duration = Duration::from_secs(15);

/// What others look at meanwhile.
const PROBES: [&str; 2] = ["a page of the catalog", "the tab of another plugin"];

/// Asks for other pages as long as something lasts, fifty times a second each. How long each answer took comes beside
/// what that brought.
async fn beside<T>(client: &Client, work: impl Future<Output = T>) -> Result<(T, [Vec<Duration>; 2])> {
    let over = tokio_util::sync::CancellationToken::new();
    let catalog = steadily(&over, async || {
        client.get("api/catalog/entities/by-query?limit=20").await?.ok()?;
        Ok(())
    });
    let tab = steadily(&over, async || {
        client.post("api/plugins/read-env/ui/attack/render", &json!({})).await?.ok()?;
        Ok(())
    });
    let work = async {
        let done = work.await;
        over.cancel();
        done
    };
    let (done, catalog, tab) = tokio::join!(work, catalog, tab);
    Ok((done, [catalog?, tab?]))
}

async fn steadily(
    over: &tokio_util::sync::CancellationToken,
    mut ask: impl AsyncFnMut() -> Result<()>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut turns = tokio::time::interval(Duration::from_millis(20));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !over.is_cancelled() {
        turns.tick().await;
        let begun = Instant::now();
        ask().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// In milliseconds.
fn p99(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
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
