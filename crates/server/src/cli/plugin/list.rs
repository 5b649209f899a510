//! `callboard plugin list`.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::desk::Desk;
use super::shown::{plain, table};
use crate::cli::{ConfigFiles, Failure};
use crate::config::PluginConfig;

/// List the plugins of app-config, with what was approved of each
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  callboard plugin list\n  callboard plugin list --json")]
pub(in crate::cli) struct List {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFiles,
}

pub(super) fn run(command: &List, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let rows: Vec<Row> = desk.config.plugins.iter().map(|plugin| Row::of(&desk, plugin)).collect();
    if command.json {
        let list: Vec<Value> = rows.iter().map(Row::json).collect();
        writeln!(out, "{:#}", Value::Array(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        writeln!(out, "app-config has no plugins. `callboard plugin add SOURCE` adds one.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells = rows.iter().map(|row| [row.id.clone(), row.version.clone(), row.source.clone(), row.state()]);
    table(["ID", "VERSION", "SOURCE", "STATE"], cells, out)?;
    Ok(ExitCode::SUCCESS)
}

struct Row {
    id: String,
    version: String,
    source: String,
    digest: Option<String>,
    is_on: Option<bool>,
    /// Why it cannot be loaded.
    problem: Option<String>,
    /// An update that waits for a yes.
    held: Option<String>,
}

impl Row {
    fn of(desk: &Desk, plugin: &PluginConfig) -> Row {
        let mut row = Row {
            id: plugin.id.clone(),
            version: String::new(),
            source: plugin.source.clone(),
            digest: None,
            is_on: plugin.enabled,
            problem: None,
            held: None,
        };
        if plugin.from.is_remote() {
            match desk.origin.locked(plugin) {
                Ok(locked) => {
                    row.version = locked.version.to_string();
                    row.digest = Some(locked.digest.to_string());
                    row.held = locked.held.as_ref().map(|held| held.version.to_string());
                }
                Err(problem) => row.problem = Some(problem),
            }
            return row;
        }
        let inspected = std::fs::read(&plugin.path)
            .map_err(|error| format!("{}: {error}", plugin.path.display()))
            .and_then(|wasm| callboard_host::inspect(&wasm).map_err(|error| error.to_string()));
        match inspected {
            Ok(inspection) => {
                row.version = inspection.manifest.version.to_string();
                row.digest = Some(inspection.digest);
            }
            Err(problem) => row.problem = Some(problem),
        }
        row
    }

    fn state(&self) -> String {
        match (&self.problem, self.is_on, &self.held) {
            (Some(problem), ..) => plain(problem),
            (None, Some(false), _) => "switched off".to_owned(),
            (None, _, Some(held)) => format!("ok; {held} waits for a yes: `callboard plugin update {}`", self.id),
            (None, _, None) => "ok".to_owned(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "version": Some(&self.version).filter(|version| !version.is_empty()),
            "source": self.source,
            "digest": self.digest,
            "enabled": self.is_on,
            "problem": self.problem,
            "held": self.held,
        })
    }
}
