//! What the portal costs: `cargo xtask bench` builds this and runs it.
#![allow(clippy::print_stdout, reason = "the parts hand over what they measured on their standard output")]

use std::path::PathBuf;

use anyhow::Result;
use callboard_tests::bench::{self, Engine, Options, Section, boundary, floor, ingest, report};
use clap::{Parser, Subcommand};

/// The portal's own: what it saves is saved on both sides of a ratio.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Everything that is asked for, each part in a process of its own where its memory counts
    Run {
        /// Entities
        #[arg(long = "size", value_delimiter = ',', default_value = "1000,10000")]
        sizes: Vec<u64>,
        /// Databases
        #[arg(long = "engine", value_delimiter = ',', value_enum, default_value = "sqlite")]
        engines: Vec<Engine>,
        /// Sections; all where none is named
        #[arg(long, value_delimiter = ',', value_enum)]
        only: Vec<Section>,
        /// Where files and databases are made
        #[arg(long)]
        folder: PathBuf,
        /// The page that is written
        #[arg(long)]
        page: PathBuf,
    },
    /// Reads a catalog into a new database, and says what that took
    Load {
        engine: Engine,
        size: u64,
        how: String,
        folder: PathBuf,
        sources: PathBuf,
        /// Ends once everything is there: no refresh, no changes
        #[arg(long)]
        briefly: bool,
    },
    /// The same without us
    Floor { engine: Engine, size: u64, done: PathBuf, empty: PathBuf, sources: PathBuf },
    /// Asks what is asked of a catalog of what `load` left
    Battery {
        engine: Engine,
        size: u64,
        folder: PathBuf,
        sources: PathBuf,
        /// Nothing but the questions whose names begin so
        #[arg(long, default_value = "")]
        only: String,
    },
    /// What plugins cost at their boundary
    Boundary { folder: PathBuf },
    /// Hands out bytes by path
    Answer { file: PathBuf },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().part {
        Part::Run { sizes, engines, only, folder, page } => {
            std::fs::create_dir_all(&folder)?;
            bench::run(&Options { sizes, engines, only, folder, page }).await?;
        }
        Part::Load { engine, size, how, folder, sources, briefly } => {
            let how = bench::how(&how)?;
            let figures = ingest::measure(engine, size, how, &folder, &sources, briefly).await?;
            println!("{}", serde_json::to_string(&figures)?);
        }
        Part::Floor { engine, size, done, empty, sources } => {
            let floor = floor::ingest(engine, size, &done, &empty, &sources).await?;
            println!("{}", serde_json::to_string(&floor)?);
        }
        Part::Battery { engine, size, folder, sources, only } => {
            let figures = bench::ask(engine, size, &folder, &sources, &only).await?;
            println!("{}", report::table(&figures));
        }
        Part::Boundary { folder } => {
            let figures = boundary::measure(&folder).await?;
            println!("{}", serde_json::to_string(&figures)?);
        }
        Part::Answer { file } => {
            let answers = serde_json::from_slice(&std::fs::read(file)?)?;
            floor::serve(answers, |url| println!("{url}")).await?;
        }
    }
    Ok(())
}
