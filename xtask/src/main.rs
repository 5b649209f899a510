//! Builds, runs and checks Callboard: `cargo xtask help`.
//!
//! One file per subcommand. What several of them need (where things are, how a tool is called, how progress is told)
//! is in `project.rs`, `tool.rs` and `progress.rs`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks on the terminal")]

mod axe;
mod bench;
mod build;
mod fuzz;
mod guests;
mod oidc;
mod plugin;
mod postgres;
mod prerequisites;
mod progress;
mod project;
mod run;
mod screenshots;
mod soak;
mod test;
mod tidy;
mod tool;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, runs and checks Callboard.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, start the example bucket and the portal, and print where it is
    Run {
        /// Handed to `callboard serve`, after `--`
        #[arg(last = true)]
        serve: Vec<String>,
    },
    /// Every check and every test; installs what is missing where it can
    Test {
        /// Only the tests whose name contains one of these; the checks before the tests are left out then
        filters: Vec<String>,
    },
    /// A release folder, dist/: one binary with the web UI inside, and the plugins
    Build {
        /// Where to
        #[arg(long, default_value = "dist")]
        out: PathBuf,
    },
    /// The rules that no compiler checks: who may depend on whom, names that go together, sizes, wording
    Tidy,
    /// The web UI alone, into target/web/
    Web,
    /// What concerns plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// A picture of each page, light and dark, wide and narrow
    Screenshots {
        /// Where to
        #[arg(long, default_value = "target/screenshots")]
        out: PathBuf,
    },
    /// A PostgreSQL that is thrown away, for as long as a command runs: `cargo xtask postgres cargo test -p …`
    Postgres {
        /// The command; without one the server runs until Ctrl-C
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// What is too long for `test`: a bucket of 100,000 objects, many restarts, hostile plugins again and again
    Soak {
        /// For how long each fuzz target runs; 0 leaves them out
        #[arg(long, default_value_t = 10)]
        fuzz_minutes: u32,
        /// One part: bucket, kills, upgrades, guests
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure, and write docs/benchmarks.md
    Bench(bench::Options),
    /// Send the parsers what a stranger might
    Fuzz {
        /// For how long each target runs
        #[arg(long, default_value_t = 10)]
        minutes: u32,
        /// All where none is named
        targets: Vec<String>,
    },
}

#[derive(Subcommand)]
enum PluginCommand {
    /// Build the plugins, or one of them, into target/plugins/
    Build {
        /// A folder of plugins/, for example s3
        id: Option<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Run { serve } => run::run(&serve),
        Command::Test { filters } => test::run(&filters),
        Command::Build { out } => build::run(&out),
        Command::Tidy => tidy::run(),
        Command::Web => web::run(),
        Command::Plugin(PluginCommand::Build { id }) => plugin::run(id.as_deref()),
        Command::Screenshots { out } => screenshots::run(&out),
        Command::Postgres { command } => postgres::run(&command),
        Command::Soak { fuzz_minutes, only } => soak::run(fuzz_minutes, only.as_deref()),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz { minutes, targets } => fuzz::run(minutes, &targets),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
