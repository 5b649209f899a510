//! Every hostile guest attacks again and again, while somebody else asks for other pages.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use callboard_guests::made;
use callboard_host::Inspection;
use callboard_model::api::{PluginInfo, PluginState};
use callboard_tests::client::Client;
use callboard_tests::hostile::Hostile;
use callboard_tests::portal::{merge, with_plugin};
use callboard_tests::process::Server;
use callboard_tests::webhook::{SECRET, send, signature};
use callboard_tests::{environment, s3};
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::probe::{Probe, p99};
use crate::{MIB, count, folder, until};

/// Those that attack nobody: they show what a good plugin may, or what a test tells them.
const PEACEFUL: [&str; 12] = [
    "by_hand",
    "by_sdk",
    "catalog_reader",
    "generations",
    "good_actions",
    "good_processor",
    "good_routes",
    "good_subscriber",
    "latin1",
    "raw_tree",
    "ui_kit",
    "utf16",
];

/// Whose page is looked at meanwhile.
const BYSTANDER: &str = "read_env";
/// Who is asked as often as the guest that attacks, to tell an attack from the work that any plugin makes.
const GOOD: &str = "utf16";

/// The entity that processors attack.
const MARKED: &str = "marked";

/// For how long others are asked: while nothing happens, beside a good plugin, and during attacks.
const PROBED: Duration = Duration::from_secs(6);
/// They take turns, so that what else the machine does is in all of them.
const TURN: Duration = Duration::from_secs(1);
/// Between two attacks, at least: whoever may send more than that needs no plugin to be a burden.
const BETWEEN: Duration = Duration::from_millis(10);
/// As often as it takes to see a leak, if that does not take [`LONGEST`].
const ROUNDS: u32 = 200;
const LONGEST: Duration = Duration::from_secs(12);
const MOST_GROWTH: u64 = 128 * MIB;

/// Of the threads of plugins, as `nice` has it.
const NICENESS: &str = "10";

/// How much longer others may wait. It is told and not asserted, since it says nothing on a machine that does other things
/// too.
const BOUND: f64 = 1.1;

/// Attacked by each guest in turn, or by some, the server neither grows nor stops serving. How long others wait meanwhile is
/// told, and judged by whoever reads it.
pub(crate) async fn run(only: &[OsString]) -> Result<()> {
    let floor = beside_processes().await?;
    println!(
        "beside as many other processes of the priority of plugins as there are processors, which count and do nothing else: a page of \
         the catalog: p99 {:.2} ms, {:.2} while they do not; the tab of another plugin: p99 {:.2} ms, {:.2}",
        p99(&floor[0].during),
        p99(&floor[0].quiet),
        p99(&floor[1].during),
        p99(&floor[1].quiet)
    );
    let mut guests = 0;
    let mut within = [0; 2];
    let mut beside_good = Vec::new();
    for name in names()?.into_iter().filter(|name| only.is_empty() || only.iter().any(|only| **only == **name)) {
        let told = attacked_by(&name).await.context(name.clone())?;
        println!("{name}: {told}");
        guests += 1;
        for (count, of) in within.iter_mut().zip([Other::over_quiet, Other::over_good]) {
            *count += u32::from(told.others.iter().all(|other| of(other) <= BOUND));
        }
        beside_good.extend(told.others.iter().map(Other::over_good));
    }
    ensure!(guests > 0, "there is no guest of these names");
    beside_good.sort_by(f64::total_cmp);
    println!(
        "{guests} hostile guests. During {} of them the p99 of others was within 10 % of that while nothing happens, during {} within \
         10 % of that beside a good plugin that is asked as often; to the latter the median is {:.2} times",
        within[0],
        within[1],
        beside_good.get(beside_good.len() / 2).copied().unwrap_or_default()
    );
    Ok(())
}

/// What others wait where no plugin does anything, but other processes do: that much is the system's.
async fn beside_processes() -> Result<[Other; 2]> {
    const TURNS: u32 = 20;
    let folder = folder(with_plugin("read-env", &environment::guest(BYSTANDER)?, &json!({})))?;
    let server = Server::start_quietly(folder.path()).await?;
    let probes = Probes::start(server.client())?;
    let mut others = OTHERS.map(Other::new);
    for _ in 0..TURNS {
        probes.are_in(QUIET);
        tokio::time::sleep(TURN).await;
        let processors = std::thread::available_parallelism()?.get();
        let mut counting = Vec::new();
        for _ in 0..processors {
            let mut command = Command::new("nice");
            command.args(["-n", NICENESS, "sh", "-c", "while :; do :; done"]);
            counting.push(command.kill_on_drop(true).spawn().context("`nice` did not start")?);
        }
        probes.are_in(ATTACKED);
        tokio::time::sleep(TURN).await;
        for mut process in counting {
            process.kill().await?;
        }
    }
    probes.end(&mut others)?;
    server.kill().await?;
    Ok(others)
}

/// All that attack, sorted.
fn names() -> Result<Vec<String>> {
    let mut names = made::names();
    for file in std::fs::read_dir(environment::guests()?)? {
        let file = file?.file_name();
        names.extend(file.to_string_lossy().strip_suffix(".wasm").map(str::to_owned));
    }
    names.retain(|name| !PEACEFUL.contains(&name.as_str()));
    names.sort_unstable();
    Ok(names)
}

async fn attacked_by(name: &str) -> Result<Told> {
    let wasm = match made::component(name) {
        Some(made) => made,
        None => std::fs::read(environment::guest(name)?)?,
    };
    // What cannot even be read is still in somebody's app-config.
    let inspection = callboard_host::inspect(&wasm).ok();
    let id = name.replace('_', "-");
    let upstream = Hostile::start().await?;
    let folder = folder(config(name, &id, inspection.as_ref(), &upstream)?)?;
    std::fs::write(folder.path().join(format!("{name}.wasm")), wasm)?;
    std::fs::write(folder.path().join(format!("{GOOD}.wasm")), made::component(GOOD).context(GOOD)?)?;
    std::fs::write(folder.path().join("component.yaml"), s3::component("bystander"))?;
    let server = Server::start_quietly(folder.path()).await?;
    let client = server.client();
    until(Duration::from_secs(90), async || Ok(count(client).await? == 1)).await?;
    let plugin: PluginInfo = client.json(&format!("api/plugins/{id}")).await?;
    let way = Way::of(&plugin, inspection.as_ref())?;

    let mut told = Told { way, attacks: 0, now: 0, most: 0, others: OTHERS.map(Other::new) };
    let probes = Probes::start(client)?;
    let (mut after_warming, mut attacked) = (0, Duration::ZERO);
    while attacked < PROBED || told.attacks < ROUNDS && attacked < LONGEST {
        probes.are_in(QUIET);
        tokio::time::sleep(TURN).await;
        probes.are_in(GOOD_ONE);
        for_a_turn(async || Way::Page.attack(client, folder.path(), GOOD, 0).await).await?;
        let begun = Instant::now();
        probes.are_in(ATTACKED);
        let attacks = for_a_turn(async || {
            way.attack(client, folder.path(), &id, told.attacks).await?;
            told.attacks += 1;
            if told.attacks <= ROUNDS / 10 {
                after_warming = server.memory()?.0;
            }
            Ok(())
        });
        attacks.await?;
        attacked += begun.elapsed();
    }
    probes.end(&mut told.others)?;
    client.get("api/plugins").await?.ok()?;
    (told.now, told.most) = server.memory()?;
    ensure!(told.now < after_warming + MOST_GROWTH, "from {} to {} MiB", after_warming / MIB, told.now / MIB);
    server.kill().await?;
    Ok(told)
}

/// A portal with the guest, which has every right that it declares, and the bystander.
fn config(name: &str, id: &str, inspection: Option<&Inspection>, upstream: &Hostile) -> Result<Value> {
    let rights = inspection.map(|inspection| serde_json::to_value(&inspection.manifest.rights)).transpose()?;
    let mut config = with_plugin(id, format!("{name}.wasm").as_ref(), &rights.unwrap_or_else(|| json!({})));
    let bystander = with_plugin("read-env", &environment::guest(BYSTANDER)?, &json!({}));
    let place = if name == "slow_upstream" { "silent" } else { "echo" };
    merge(
        &mut config,
        json!({
            "hostile": { "url": format!("{}/{place}", upstream.origin()), "token": "a token" },
            "hook": { "secret": SECRET },
            "catalog": { "locations": [{ "type": "file", "target": "component.yaml" }] },
            "plugins": { id: { "limits": {
                "faultsBeforeSuspension": 1_000,
                "uiDeadline": "1 second",
                "processorDeadline": "1 second",
                "eventDeadline": "1 second",
                "eventAttempts": 1,
                "compileTime": "2 seconds",
            } } },
        }),
    );
    // Of the processors, those are left that let the bystander alone: it has to be there.
    let contributed = inspection.map(|inspection| inspection.manifest.contributes.entity_processor.as_slice());
    for processor in contributed.unwrap_or_default().iter().filter(|processor| !processor.id.ends_with("-on-one")) {
        config["catalog"]["processorOptions"][format!("{id}/{}", processor.id)] = json!({ "disabled": true });
    }
    merge(&mut config, bystander);
    merge(&mut config, with_plugin(GOOD, format!("{GOOD}.wasm").as_ref(), &json!({})));
    Ok(config)
}

/// How a guest attacks.
#[derive(Clone, Copy)]
enum Way {
    /// By being loaded again: it is refused, or it is hard to compile and does nothing else.
    Load,
    /// By a page of its own.
    Page,
    /// By a processor, at another entity of the bystander's file.
    Entity,
    /// By what its routes answer.
    Route,
    /// By what it makes of events.
    Event,
}

impl Way {
    fn of(plugin: &PluginInfo, inspection: Option<&Inspection>) -> Result<Self> {
        if plugin.state == PluginState::Refused {
            return Ok(Self::Load);
        }
        let contributes = &inspection.context("it runs and cannot be read")?.manifest.contributes;
        Ok(match () {
            () if contributes.ui.iter().any(|extension| extension.id == "attack") => Self::Page,
            () if !contributes.entity_processor.is_empty() => Self::Entity,
            () if !contributes.routes.is_empty() => Self::Route,
            () if plugin.extension_points.iter().any(|point| point == "event-subscriber") => Self::Event,
            () => Self::Load,
        })
    }

    /// Once more. What comes of it is in the tests.
    async fn attack(self, client: &Client, folder: &Path, id: &str, number: u32) -> Result<()> {
        let word = |words: &[&'static str]| words.iter().cycle().nth(number as usize).copied().unwrap_or_default();
        match self {
            Self::Load => client.post(&format!("api/plugins/{id}/reload"), &json!({})).await?,
            Self::Page => client.post(&format!("api/plugins/{id}/ui/attack/render"), &json!({})).await?,
            Self::Entity => {
                // What did not change is not processed.
                let marked = s3::component(MARKED).replace("type: service", &format!("type: service-{number}"));
                // At once, so that nobody reads half of it.
                let new = folder.join("component.new.yaml");
                std::fs::write(&new, s3::component("bystander") + "---\n" + &marked)?;
                std::fs::rename(new, folder.join("component.yaml"))?;
                let bystander = json!({ "entityRef": "component:default/bystander" });
                client.post("api/catalog/refresh", &bystander).await?.ok()?
            }
            Self::Route => {
                const WORDS: [&str; 6] = ["redirect", "split", "large", "giant", "panic", "loop-forever"];
                client.get(&format!("api/{id}/{}", word(&WORDS))).await?
            }
            Self::Event => {
                const WORDS: [&str; 6] = ["panic", "no-json", "deep-answer", "giant-output", "at-once", "loop-forever"];
                // A service repeats nothing that was taken: each is another.
                let body = json!({ "word": word(&WORDS), "id": number }).to_string();
                let signature = signature(body.as_bytes());
                send(client, "hostile", &[("x-hub-signature-256", &signature)], body.as_bytes()).await?
            }
        };
        Ok(())
    }
}

/// What is looked at meanwhile.
const OTHERS: [&str; 2] = ["a page of the catalog", "the tab of another plugin"];

/// What happens while others are asked.
const QUIET: usize = 0;
const GOOD_ONE: usize = 1;
const ATTACKED: usize = 2;

/// Asks for both.
struct Probes([Probe<3>; 2]);

impl Probes {
    fn start(client: &Client) -> Result<Self> {
        let catalog = Probe::start(client, |client| {
            async move { client.get("api/catalog/entities/by-query?limit=20").await?.ok().map(drop) }.boxed()
        })?;
        let tab = Probe::start(client, |client| {
            async move { client.post("api/plugins/read-env/ui/attack/render", &json!({})).await?.ok().map(drop) }
                .boxed()
        })?;
        Ok(Self([catalog, tab]))
    }

    fn are_in(&self, phase: usize) {
        self.0.iter().for_each(|probe| probe.is_in(phase));
    }

    fn end(self, others: &mut [Other; 2]) -> Result<()> {
        for (probe, other) in self.0.into_iter().zip(others) {
            let [quiet, good, during] = probe.end()?;
            *other = Other { quiet, good, during, ..*other };
        }
        Ok(())
    }
}

/// One request after the other, with a pause where they are fast.
async fn for_a_turn(mut ask: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let mut turns = tokio::time::interval(BETWEEN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while begun.elapsed() < TURN {
        turns.tick().await;
        ask().await?;
    }
    Ok(())
}

struct Told {
    way: Way,
    attacks: u32,
    /// Bytes of memory at the end.
    now: u64,
    most: u64,
    others: [Other; 2],
}

struct Other {
    name: &'static str,
    quiet: Vec<Duration>,
    good: Vec<Duration>,
    during: Vec<Duration>,
}

impl Other {
    fn new(name: &'static str) -> Self {
        Self { name, quiet: Vec::new(), good: Vec::new(), during: Vec::new() }
    }

    /// How much longer it takes during the attacks than while nothing happens.
    fn over_quiet(&self) -> f64 {
        p99(&self.during) / p99(&self.quiet)
    }

    /// How much longer it takes during the attacks than beside a good plugin.
    fn over_good(&self) -> f64 {
        p99(&self.during) / p99(&self.good)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Load => "loaded",
            Way::Page => "by its page",
            Way::Entity => "by its processors",
            Way::Route => "by its routes",
            Way::Event => "by what it does to events",
        };
        write!(f, "{} attacks {way}; memory {} MiB, at most {} MiB", self.attacks, self.now / MIB, self.most / MIB)?;
        for other in &self.others {
            let [quiet, good, during] = [&other.quiet, &other.good, &other.during].map(|times| p99(times));
            write!(
                f,
                "; {}: p99 {quiet:.2} ms, {good:.2} beside a good plugin, {during:.2} during attacks",
                other.name
            )?;
        }
        Ok(())
    }
}
