//! `callboard plugin outdated`.

use std::io::Write;
use std::process::ExitCode;

use callboard_artifact::{Source, Wanted};
use clap::Args;

use super::desk::Desk;
use super::shown::table;
use crate::cli::{ConfigFiles, Failure};
use crate::config::PluginConfig;

/// Show which plugins have newer versions, allowed by app-config or not
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  callboard plugin outdated\n\nEnds with 1 where there is something newer.")]
pub(in crate::cli) struct Outdated {
    #[command(flatten)]
    config: ConfigFiles,
}

pub(super) async fn run(command: &Outdated, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let mut rows = Vec::new();
    for plugin in desk.remote(&[])? {
        rows.extend(row(&desk, &plugin).await?);
    }
    if rows.is_empty() {
        writeln!(out, "Nothing is newer than what was approved.")?;
        return Ok(ExitCode::SUCCESS);
    }
    table(["ID", "APPROVED", "ALLOWED", "HIGHEST", "APP-CONFIG"], rows.into_iter(), out)?;
    Ok(ExitCode::FAILURE)
}

async fn row(desk: &Desk, plugin: &PluginConfig) -> Result<Option<[String; 5]>, Failure> {
    let Source::Oci(repository, Wanted::Matching(requirement)) = &plugin.from else { return Ok(None) };
    let versions = desk.fetcher()?.versions(repository).await;
    let versions = versions.map_err(|error| Failure::Plugin(format!("{}: {error}", plugin.id)))?;
    let approved = desk.origin.lock.as_ref().ok().and_then(|lock| lock.plugins.get(&plugin.id));
    let approved = approved.map(|locked| locked.version.clone());
    let allowed = versions.iter().find(|version| requirement.matches(version)).cloned();
    let highest = versions.iter().find(|version| version.pre.is_empty()).or(versions.first()).cloned();
    if approved.is_some() && highest <= approved && allowed <= approved {
        return Ok(None);
    }
    let shown =
        |version: Option<semver::Version>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
    Ok(Some([plugin.id.clone(), shown(approved), shown(allowed), shown(highest), requirement.to_string()]))
}
