//! `callboard upgrade`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callboard_host::Interfaces;
use clap::Subcommand;

use super::plugin::Desk;
use super::{ConfigFiles, Failure};
use crate::config::PluginConfig;
use crate::plugins::origin::Origin;

#[derive(Debug, Subcommand)]
pub(super) enum UpgradeCommand {
    /// Say which plugins a portal of another version would still load
    ///
    /// Compares the components that app-config names with the interfaces of that version; what comes from elsewhere is
    /// fetched as callboard.lock has it. Runs nothing of them. The exit code is 1 where one would not load.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        #[command(flatten)]
        config: ConfigFiles,
        /// That version's wit/interfaces.json, or its folder wit/
        #[arg(long, value_name = "FILE")]
        wit: PathBuf,
    },
    /// Print the interfaces of this version, for `upgrade check` of another one
    #[command(after_help = "Example:\n  callboard upgrade interfaces > interfaces.json")]
    Interfaces,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  callboard upgrade check --wit interfaces.json
  callboard upgrade check --wit ../callboard-0.2/wit --config app-config.production.yaml

Each release has its wit/interfaces.json; `callboard upgrade interfaces` of that release prints the same.";

pub(super) async fn run(command: UpgradeCommand, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    match command {
        UpgradeCommand::Check { config, wit } => {
            let file = if wit.is_dir() { wit.join("interfaces.json") } else { wit };
            let there = read(&file)?;
            check(&Desk::open(&config)?, &there, out).await
        }
        UpgradeCommand::Interfaces => {
            let own = Interfaces::of_this_portal().map_err(|error| Failure::Start(error.to_string()))?;
            let json = serde_json::to_string_pretty(own).map_err(|error| Failure::Start(error.to_string()))?;
            writeln!(out, "{json}")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn read(file: &Path) -> Result<Interfaces, Failure> {
    let fail = |message: String| Failure::File { file: file.display().to_string(), message };
    let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
    Interfaces::read(&text).map_err(|error| fail(error.to_string()))
}

async fn check(desk: &Desk, there: &Interfaces, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    writeln!(
        out,
        "A portal with {} of callboard:host, {} of callboard:plugin and {} of the UI tree:\n",
        there.host, there.plugin, there.ui
    )?;
    let mut refused = 0;
    for plugin in &desk.config.plugins {
        let result = would_load(&desk.origin, plugin, there).await;
        refused += usize::from(result.is_err());
        match result {
            Ok(version) => writeln!(out, "{} {version} would load", plugin.id)?,
            Err(reason) => writeln!(out, "{} would not load: {reason}", plugin.id)?,
        }
    }
    match refused {
        0 => {
            writeln!(out, "\nEvery plugin would load.")?;
            Ok(ExitCode::SUCCESS)
        }
        count => {
            writeln!(out, "\n{count} of {} plugins would not load.", desk.config.plugins.len())?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The plugin's version, where it would load.
async fn would_load(origin: &Origin, plugin: &PluginConfig, there: &Interfaces) -> Result<String, String> {
    let wasm = origin.find(plugin).await?.wasm;
    let inspection = callboard_host::inspect(&wasm).map_err(|error| error.to_string())?;
    there.would_load(&inspection, &wasm)?;
    Ok(inspection.manifest.version.to_string())
}
