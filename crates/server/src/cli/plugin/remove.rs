//! `callboard plugin remove`.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::desk::Desk;
use crate::cli::{ConfigFiles, Failure};
use crate::config::edit;

/// Remove a plugin from app-config and callboard.lock
///
/// A portal that runs stops it by itself, and removes from the catalog what it had brought in.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  callboard plugin remove widgets")]
pub(in crate::cli) struct Remove {
    /// Its id
    id: String,
    #[command(flatten)]
    config: ConfigFiles,
}

pub(super) fn run(command: &Remove, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let id = command.id.as_str();
    desk.plugin(id)?;
    // First the wish, then the approval: in between there is one that nobody makes use of.
    let file = desk.edit(id, |text| edit::remove(text, &["plugins", id]))?;
    let mut lock = desk.lock()?;
    lock.plugins.remove(id);
    desk.write_lock(&lock)?;
    writeln!(out, "Removed {id} from {}", file.display())?;
    Ok(ExitCode::SUCCESS)
}
