//! The server as it is shipped, as a process of its own: how soon it is ready, what it holds, and what it answers.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::ingest::mebibytes;
use super::load::{Bounds, Load, Request, load};
use super::place::{Place, settings};
use super::report::{Figure, Unit};
use super::timing::Times;
use super::{Section, battery, floor, leader, machine};
use crate::client::Client;
use crate::environment;
use crate::generator::{Generator, Kind};
use crate::portal::{BASE, merge, share_compiled_plugins};
use crate::process::Server;

/// How often it is started.
const STARTS: usize = 5;

/// How long it is left alone before it counts as idle, as the leader was.
const IDLE: Duration = Duration::from_secs(15);

/// Entities that are asked for in turn, so that no single one is what a cache is good at.
const NAMES: u64 = 500;

/// What is asked, in the order of the leader's figures.
const ASKED: [&str; 4] =
    ["by name", "first page of components by name", "facets of kind, type and tags", "100 by their refs"];

/// The battery through HTTP, for somebody who may see everything and for somebody with twenty groups.
pub async fn battery(place: &Place, generator: &Generator, folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for who in [None, Some(", of my groups")] {
        let rule = match who {
            None => json!({ "allow": ["*"], "to": ["signed-in"] }),
            Some(_) => {
                json!({ "allow": ["catalog.entity.read"], "to": ["signed-in"], "where": generator.my_access().to_value() })
            }
        };
        prepare(place, folder, json!({ "permission": { "policy": [rule] } }))?;
        let server = Server::start(folder).await?;
        figures.extend(battery::http(place.engine, generator, server.client(), who).await?);
        server.kill().await?;
    }
    Ok(figures)
}

/// Start, memory, and requests at 16 connections.
pub async fn measure(place: &Place, generator: &Generator, folder: &Path) -> Result<Vec<Figure>> {
    let figure =
        |name: String, value, unit| Figure::new(Section::Serving, name, value, unit).on(place.engine, generator.size());
    let mut figures = Vec::new();
    prepare(place, folder, json!({}))?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let server = Server::start(folder).await?;
        starts.push(begun.elapsed());
        server.kill().await?;
    }
    let starts = Times::new(starts);
    let [start, ready, idle] = leader::start(place.engine);
    figures.push(
        figure("start to ready".to_owned(), starts.p50() / 1000.0, Unit::Seconds)
            .p99(starts.p99() / 1000.0)
            .at_most(0.5)
            .leader(start),
    );

    let server = Server::start(folder).await?;
    let memory = |server: &Server| server.memory().map(|(now, _)| mebibytes(now));
    figures.push(figure("memory when ready".to_owned(), memory(&server)?, Unit::Mebibytes).at_most(60.0).leader(ready));
    tokio::time::sleep(IDLE).await;
    let held = figure("memory when idle".to_owned(), memory(&server)?, Unit::Mebibytes).leader(idle);
    figures.push(if generator.size() == leader::SIZE { held.at_most(150.0) } else { held });

    let leaders = leader::requests(place.engine);
    for ((asked, name), leader) in requests(generator).into_iter().zip(ASKED).zip(leaders) {
        let answers = answers(server.client(), &asked).await.context(name)?;
        load(server.client(), &asked, server.id()?, Bounds::WARMING).await.context(name)?;
        let ours = load(server.client(), &asked, server.id()?, Bounds::COUNTED).await.context(name)?;
        let floor = Floor::start(folder, &answers).await?;
        load(&floor.client, &asked, floor.id, Bounds::WARMING).await?;
        let floors = load(&floor.client, &asked, floor.id, Bounds::COUNTED).await?;
        drop(floor);
        figures.extend(compared(name, &ours, &floors, leader, figure));
    }
    figures.push(figure("memory after that".to_owned(), memory(&server)?, Unit::Mebibytes));
    server.kill().await?;
    Ok(figures)
}

fn compared(
    name: &str,
    ours: &Load,
    floor: &Load,
    leader: f64,
    figure: impl Fn(String, f64, Unit) -> Figure,
) -> Vec<Figure> {
    let per_core = figure(format!("{name}: requests for a second of one core"), ours.per_core, Unit::PerSecond);
    vec![
        figure(format!("{name}: requests"), ours.per_second, Unit::PerSecond).leader(leader),
        per_core.floor(floor.per_core).within(3.0),
        figure(format!("{name}: time"), ours.times.p50(), Unit::Milliseconds)
            .p99(ours.times.p99())
            .floor(floor.times.p50()),
    ]
}

fn requests(generator: &Generator) -> [Vec<Request>; 4] {
    let count = generator.count(Kind::Resource);
    let some = NAMES.min(count);
    let numbers = || (0..some).map(move |number| number * count / some);
    let by_name = numbers().map(|number| {
        let entity_ref = generator.entity_ref(Kind::Resource, number);
        let name = entity_ref.rsplit('/').next().unwrap_or_default();
        Request::get(format!("api/catalog/entities/by-name/resource/default/{name}"))
    });
    let refs: Vec<_> = numbers().take(100).map(|number| generator.entity_ref(Kind::Resource, number)).collect();
    [
        by_name.collect(),
        vec![Request::get("api/catalog/entities/by-query?filter=kind=component&orderField=metadata.name&limit=20")],
        vec![Request::get("api/catalog/entity-facets?facet=kind&facet=spec.type&facet=metadata.tags")],
        vec![Request::post("api/catalog/entities/by-refs", json!({ "entityRefs": refs }))],
    ]
}

/// What the server answers, for the floor.
async fn answers(client: &Client, requests: &[Request]) -> Result<floor::Answers> {
    let mut answers = floor::Answers::new();
    for request in requests {
        answers.insert(format!("/{}", request.path), request.send(client).await?.to_vec());
    }
    Ok(answers)
}

/// A server that does nothing but hand out bytes.
struct Floor {
    process: tokio::process::Child,
    id: u32,
    client: Client,
}

impl Floor {
    async fn start(folder: &Path, answers: &floor::Answers) -> Result<Self> {
        let file = folder.join("answers.json");
        std::fs::write(&file, serde_json::to_vec(answers)?)?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("answer")
            .arg(&file)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().context("its output was to be piped")?;
        let url = BufReader::new(stdout).lines().next_line().await?.context("the floor did not start")?;
        let id = process.id().context("the floor has ended")?;
        Ok(Self { process, id, client: Client::new(url.parse()?) })
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It would be killed anyway; an error means that it has ended.
        let _ = self.process.start_kill();
    }
}

/// Every bundled plugin, each with what it asks for, and with nothing to do.
fn plugins() -> Result<Value> {
    let mut plugins = serde_json::Map::new();
    for entry in std::fs::read_dir(environment::plugins()?)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let manifest = callboard_host::inspect(&std::fs::read(&path)?)?.manifest;
            let plugin = json!({ "source": path.display().to_string(), "grant": manifest.rights });
            plugins.insert(manifest.id, plugin);
        }
    }
    Ok(plugins.into())
}

/// Writes the configuration of a server that serves what is there and processes nothing.
fn prepare(place: &Place, folder: &Path, layer: Value) -> Result<()> {
    let mut config: Value = serde_json::to_value(callboard_model::yaml::value(BASE)?)?;
    let mut catalog = settings();
    merge(&mut catalog, json!({ "processingInterval": false }));
    merge(
        &mut config,
        json!({
            "backend": { "database": place.config()? },
            "catalog": catalog,
            "plugins": plugins()?,
        }),
    );
    merge(&mut config, layer);
    std::fs::write(folder.join("app-config.yaml"), config.to_string())?;
    share_compiled_plugins(&folder.join("data"))?;
    // The first start compiles what the others find.
    machine::size(&environment::server()?).context("the server's program")?;
    Ok(())
}
