//! `callboard config`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigFiles, Failure};
use crate::config::{load, reference};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say what is wrong with the configuration, and which keys have no effect
    ///
    /// Starts nothing. The exit code is 1 where the portal would not start.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        #[command(flatten)]
        config: ConfigFiles,
    },
    /// Write docs/config.md and docs/config.schema.json
    #[command(hide = true)]
    Docs {
        /// The folder
        #[arg(long, default_value = "docs")]
        out: PathBuf,
    },
}

const CHECK_EXAMPLES: &str = "\
Examples:
  callboard config check
  callboard config check --strict
  callboard config check --config app-config.yaml --config app-config.production.yaml";

pub(super) fn run(command: ConfigCommand, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Check { config } => {
            let report = load(&config.sources()?).report;
            write!(out, "{report}")?;
            if report.is_accepted(config.strict) {
                writeln!(out, "\nThe portal starts with this configuration.")?;
                return Ok(ExitCode::SUCCESS);
            }
            writeln!(out, "\nThe portal does not start with this configuration.")?;
            Ok(ExitCode::FAILURE)
        }
        ConfigCommand::Docs { out: folder } => {
            write_file(&folder, "config.md", &reference::markdown())?;
            write_file(&folder, "config.schema.json", &reference::json_schema())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn write_file(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(name);
    std::fs::write(&file, text)
        .map_err(|error| Failure::File { file: file.display().to_string(), message: error.to_string() })
}
