//! `cargo xtask bench`: what the portal costs, beside what the same work costs without us. It writes docs/benchmarks.md.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::postgres::Server;
use crate::progress::Progress;
use crate::{build, guests, plugin, postgres, prerequisites, project, tool, web};

/// What is measured where nothing is said.
const SIZES: &str = "1000,10000,100000";

/// As an operator of a machine like this one would set it. What keeps data safe stays on.
const POSTGRES: &[&str] = &["shared_buffers=2GB", "max_connections=100", "dynamic_shared_memory_type=mmap"];

/// What to measure
#[derive(Args)]
pub(crate) struct Options {
    /// Entities, separated by commas; the published figures are of 739000
    #[arg(long, default_value = SIZES)]
    size: String,
    /// Databases
    #[arg(long, default_value = "both", value_parser = ["sqlite", "postgres", "both"])]
    engine: String,
    /// Sections, separated by commas: battery, ingest, serving, plugins; all where none is named
    #[arg(long)]
    only: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut progress = Progress::new();
    // Plugins ask for no database.
    let only_plugins = options.only.as_deref() == Some("plugins");
    let engines: &[&str] = match options.engine.as_str() {
        _ if only_plugins => &["sqlite"],
        "both" => &["sqlite", "postgres"],
        "postgres" => &["postgres"],
        _ => &["sqlite"],
    };
    progress.step("Web UI", "the server has it inside", web::build)?;
    progress.step("Plugins", "the server loads them", || plugin::build(None))?;
    let guests = progress.step("Guests", "calls are measured with them", || {
        guests::build_as_shipped(&["generations", "good_processor"])
    })?;
    let (server, bench) =
        progress.step("Programs", "optimised, as they are shipped; ten minutes the first time", || {
            build::measured("bench")
        })?;
    let database = match engines.contains(&"postgres") {
        false => None,
        true => Some(progress.step("PostgreSQL", "a private one, in a folder that goes again", || {
            prerequisites::postgres()?;
            Server::start(POSTGRES)
        })?),
    };
    let page = project::root().join("docs/benchmarks.md");
    progress.step(
        "Measuring",
        "leave the machine alone meanwhile: minutes for 10,000 entities, hours for 739,000",
        || {
            let mut command = std::process::Command::new(&bench);
            command
                .current_dir(project::root())
                .args(["run", "--size", &options.size, "--engine", &engines.join(",")])
                .args(options.only.iter().flat_map(|only| ["--only", only]))
                .args([PathBuf::from("--folder"), project::target("bench")])
                .args([PathBuf::from("--page"), page.clone()])
                .env("CALLBOARD_SERVER", &server)
                .env("CALLBOARD_PLUGINS", project::plugins())
                .env("CALLBOARD_GUESTS", &guests)
                .env("CALLBOARD_CACHE", project::target("test-cache"));
            if let Some(database) = &database {
                command.env(postgres::VARIABLE, database.url());
            }
            tool::run(&mut command)
        },
    )?;
    println!("\n{}\n{} is written", progress.table(), project::shown(&page));
    Ok(())
}
