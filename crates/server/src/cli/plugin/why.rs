//! `callboard plugin why`.

use std::io::Write;
use std::process::ExitCode;

use callboard_model::rights::{Rights, beyond};
use clap::Args;

use super::desk::Desk;
use super::shown::plain;
use crate::cli::{ConfigFiles, Failure};

/// Say what a plugin may do, and who says so
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  callboard plugin why s3")]
pub(in crate::cli) struct Why {
    /// Its id
    id: String,
    #[command(flatten)]
    config: ConfigFiles,
}

pub(super) fn run(command: &Why, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let plugin = desk.plugin(&command.id)?;
    let (asked, by) = if plugin.from.is_remote() {
        let locked = desk.origin.locked(plugin).map_err(Failure::Plugin)?;
        let signed = locked.signed_by.as_ref().map(|by| format!(", signed by {by}")).unwrap_or_default();
        writeln!(
            out,
            "{} {} is approved in callboard.lock, from {}{signed}",
            plugin.id, locked.version, locked.source
        )?;
        (locked.rights.clone(), "callboard.lock")
    } else {
        let wasm = std::fs::read(&plugin.path);
        let fail = |message: String| Failure::File { file: plugin.path.display().to_string(), message };
        let wasm = wasm.map_err(|error| fail(error.to_string()))?;
        let inspection = callboard_host::inspect(&wasm).map_err(|error| fail(error.to_string()))?;
        writeln!(out, "{} {} is the file {}", plugin.id, inspection.manifest.version, plugin.path.display())?;
        (inspection.manifest.rights, "its manifest")
    };
    let granted = &plugin.grant;
    let both = beyond(&asked, &beyond(&asked, granted));
    section(
        out,
        &format!("It may do this, because it asks for it ({by}) and plugins.{}.grant gives it:", plugin.id),
        &both,
    )?;
    section(out, "It asks for this and does not get it:", &beyond(&asked, granted))?;
    section(out, "This is granted and of no use, because it does not ask for it:", &beyond(granted, &asked))?;
    if asked.each().is_empty() {
        writeln!(out, "\nIt asks for nothing.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn section(out: &mut dyn Write, title: &str, rights: &Rights) -> std::io::Result<()> {
    let lines = rights.each();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {}", plain(line)))
}
