//! `cargo xtask bench`: what the portal costs, beside what the same work costs without us, and what the leader needs.
//!
//! Nothing here decides whether a build is good: figures of a busy machine are noise. What must hold is counted by tests.
#![allow(clippy::print_stderr, reason = "whoever waits for it wants to see how far it is")]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::generator::Generator;

pub mod author;
pub mod battery;
pub mod boundary;
pub mod floor;
pub mod ingest;
mod leader;
pub mod load;
pub mod machine;
pub mod place;
pub mod report;
pub mod serving;
pub mod source;
pub mod timing;

use machine::Machine;
use place::Place;
use report::{Figure, Report};
use source::{How, Source};

/// Of everything that is generated for a benchmark.
pub const SEED: u64 = 20_261_120;

/// The largest size at which the ways to bring entities in are compared: beyond it only one is taken, for its time.
const COMPARED: u64 = 100_000;

/// Which database is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
pub enum Section {
    Battery,
    Ingest,
    Serving,
    Plugins,
}

impl Section {
    /// In the order of the page.
    pub const ALL: [Section; 4] = [Section::Battery, Section::Ingest, Section::Serving, Section::Plugins];

    fn word(self) -> &'static str {
        match self {
            Section::Battery => "battery",
            Section::Ingest => "ingest",
            Section::Serving => "serving",
            Section::Plugins => "plugins",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Section::Battery => "Queries",
            Section::Ingest => "Bringing entities in",
            Section::Serving => "Serving",
            Section::Plugins => "Plugins",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Section::Battery => {
                "The twelve scenarios that the leader publishes, at the catalog's own functions and through HTTP on one \
                 connection.\nThe server remembers answers to those who may see everything until something is written, \
                 which is what HTTP shows there.\n\"Of my groups\" is for somebody who may see what their twenty \
                 groups own and nothing else."
            }
            Section::Ingest => {
                "From a provider to where everybody sees it.\nThe floor parses the same files and inserts the same rows, \
                 with nothing in between."
            }
            Section::Serving => {
                "The server as a process of its own, at 16 connections.\nThe floor hands out the same bytes from memory."
            }
            Section::Plugins => {
                "The boundary between the portal and a plugin, at the host's own functions, in a process of their own.\nEach \
                 call is one in a fresh instance. The floor is the guest's own work, built natively: from the text that \
                 crosses to the text that comes back.\nWhat the portal does for a batch itself is beyond that: it writes the text that goes \
                 in, reads the one that comes out, and holds it against what the plugin may.\nMemory is what the process holds more after one plugin more was \
                 loaded.\nThen how long an author waits: `callboard plugin new` and `callboard plugin dev`, until the \
                 portal answers with the tab."
            }
        }
    }
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    pub sizes: Vec<u64>,
    pub engines: Vec<Engine>,
    pub only: Vec<Section>,
    /// Where databases and files are made. What is generated stays there for the next run.
    pub folder: PathBuf,
    /// The page.
    pub page: PathBuf,
}

impl Options {
    fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }
}

/// Measures, and adds what it measured to the page after each part, so that nothing is lost when a later one fails.
pub async fn run(options: &Options) -> Result<Vec<Figure>> {
    let machine = Machine::here();
    let kept = options.page.with_extension("jsonl");
    let mut all = Vec::new();
    let mut keep = |figures: Vec<Figure>| {
        eprint!("{}", report::table(&figures));
        let mut report = Report::load(&kept)?;
        report.add(&machine, figures.clone());
        report.save(&kept)?;
        all.extend(figures);
        std::fs::write(&options.page, report.markdown()).context("the page")
    };
    if options.wants(Section::Plugins) {
        eprintln!("plugins");
        let work = tempfile::tempdir_in(&options.folder)?;
        keep(child("boundary", &[work.path().display().to_string()]).await?)?;
        keep(author::measure(&options.folder).await?)?;
    }
    // What is left is about entities.
    if options.only == [Section::Plugins] {
        return Ok(all);
    }
    for size in &options.sizes {
        for engine in &options.engines {
            eprintln!("{size} entities on {}", engine.name());
            one(options, *engine, *size, &mut keep).await.with_context(|| format!("{size} on {}", engine.name()))?;
        }
    }
    Ok(all)
}

async fn one(
    options: &Options,
    engine: Engine,
    size: u64,
    keep: &mut impl FnMut(Vec<Figure>) -> Result<()>,
) -> Result<()> {
    let wants = |section| options.wants(section);
    let work = tempfile::tempdir_in(&options.folder)?;
    let sources = options.folder.join("sources");
    let source = Source::prepare(Generator::new(SEED, size), &sources)?;
    let (files, entities, empty) = (work.path().join("files"), work.path().join("entities"), work.path().join("empty"));

    let common = [engine.word().to_owned(), size.to_string()];
    let folders = |folders: &[&Path]| folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
    // The others read what this leaves.
    let mut load = [&common[..], &["files".into()], &folders(&[&files, &sources])].concat();
    if !wants(Section::Ingest) {
        load.push("--briefly".into());
    }
    let loaded: Vec<Figure> = child("load", &load).await?;
    if wants(Section::Ingest) {
        let floor: floor::Floor =
            child("floor", &[&common[..], &folders(&[&files, &empty, &sources])].concat()).await?;
        keep(with_floor(loaded, floor))?;
        if size <= COMPARED {
            let handed = [&common[..], &["entities".into()], &folders(&[&entities, &sources])].concat();
            keep(child("load", &handed).await?)?;
        }
    } else {
        keep(loaded)?;
    }
    let place = Place::open(engine, &files)?;
    if wants(Section::Battery) {
        keep(functions(&place, &source, "").await?)?;
        keep(serving::battery(&place, source.generator(), work.path()).await?)?;
    }
    if wants(Section::Serving) {
        keep(serving::measure(&place, source.generator(), work.path()).await?)?;
    }
    Ok(())
}

/// The battery at the catalog's functions, as far as names begin so.
async fn functions(place: &Place, source: &Source, only: &str) -> Result<Vec<Figure>> {
    let (db, catalog) = place.catalog(source.clone()).await?;
    let figures = battery::functions(place.engine, source.generator(), &catalog, only).await?;
    drop(catalog);
    db.close().await;
    Ok(figures)
}

/// The same on what a load left in a folder.
pub async fn ask(engine: Engine, size: u64, folder: &Path, sources: &Path, only: &str) -> Result<Vec<Figure>> {
    let source = Source::prepare(Generator::new(SEED, size), sources)?;
    functions(&Place::open(engine, folder)?, &source, only).await
}

/// The first load is compared with its floor where there is no leader's figure, and both are told in any case.
fn with_floor(mut figures: Vec<Figure>, floor: floor::Floor) -> Vec<Figure> {
    let seconds = floor.parse_seconds + floor.insert_seconds;
    let mut added = Vec::new();
    for figure in &figures {
        let floor = match figure.name.as_str() {
            "files: first load until all is visible" => seconds,
            "files: processor time of the first load" => floor.cpu_seconds,
            "files: refresh of everything, nothing changed" => floor.parse_seconds,
            _ => continue,
        };
        let mut compared = figure.clone().floor(floor).within(3.0);
        compared.name.push_str(", beside the floor");
        added.push(compared);
    }
    figures.extend(added);
    if let Some(first) = figures.first() {
        let (engine, size) = (first.engine, first.size);
        let rows = Figure::new(Section::Ingest, "rows of the floor", floor.rows as f64, report::Unit::Rows);
        figures.push(Figure { engine, size, ..rows });
    }
    figures
}

/// Has this program do a part in a process of its own, and reads what it found.
async fn child<T: DeserializeOwned>(command: &str, arguments: &[String]) -> Result<T> {
    let output = Command::new(std::env::current_exe()?)
        .arg(command)
        .args(arguments)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "`bench {command}` failed ({})", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("`bench {command}` said something else"))
}

/// `files` or `entities`.
pub fn how(word: &str) -> Result<How> {
    match word {
        "files" => Ok(How::Files),
        "entities" => Ok(How::Entities),
        other => anyhow::bail!("{other} is no way to bring entities in"),
    }
}
