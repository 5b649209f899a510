//! `callboard plugin update`.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use callboard_artifact::{Held, Lock, Locked};
use callboard_model::rights::{beyond, union};
use clap::Args;

use super::add::{Offer, fetch, grant_value};
use super::desk::Desk;
use super::newer::{Newer, look};
use super::shown::{describe_offer, is_granted, plain};
use crate::cli::{ConfigFiles, Failure};
use crate::config::{PluginConfig, edit};

/// Take newer versions of plugins, as far as app-config allows
///
/// A version that asks for nothing more than was approved is taken. One that asks for more is shown, and taken only
/// after a yes; without it the version before stays, and the plugins page says what waits. An older version, and another
/// component under a version that was approved, are refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Update {
    /// The plugins; all that come from elsewhere where none is named
    ids: Vec<String>,
    /// Change nothing, and end with 1 where something would be changed
    #[arg(long)]
    check: bool,
    /// Take an older version, where that is what there is
    #[arg(long)]
    allow_downgrade: bool,
    /// Approve all that newer versions ask for, without a question
    #[arg(long)]
    grant_requested: bool,
    #[command(flatten)]
    config: ConfigFiles,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin update
  callboard plugin update widgets --grant-requested
  callboard plugin update --check";

pub(super) async fn run(
    command: Update,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let mut lock = desk.lock()?;
    let plugins = desk.remote(&command.ids)?;
    let mut ended = Ended::default();
    for plugin in &plugins {
        let one = update(&desk, plugin, &command, &mut lock, input, out).await;
        match one {
            Ok(changed) => ended.changes |= changed,
            // The others are looked at all the same.
            Err(failure @ (Failure::Plugin(_) | Failure::File { .. })) => {
                writeln!(out, "{failure}")?;
                ended.failures = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if plugins.is_empty() {
        writeln!(out, "No plugin of app-config comes from elsewhere, so there is nothing to update.")?;
    }
    Ok(if ended.failures || (command.check && ended.changes) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[derive(Default)]
struct Ended {
    changes: bool,
    failures: bool,
}

/// Whether something was changed, or would be.
async fn update(
    desk: &Desk,
    plugin: &PluginConfig,
    command: &Update,
    lock: &mut Lock,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<bool, Failure> {
    let id = plugin.id.as_str();
    let source = plugin.from.to_string();
    let Some(locked) = lock.plugins.get(id).filter(|locked| locked.source == source).cloned() else {
        return approve_first(desk, plugin, command, lock, input, out).await;
    };
    let Newer { take, held, refused } = look(desk, plugin, &locked, command.allow_downgrade).await?;
    if let Some(refused) = refused {
        return Err(Failure::Plugin(refused.message(id)));
    }
    if command.check {
        match (&take, &held) {
            (None, None) => writeln!(out, "{id} {} is up to date", locked.version)?,
            (Some((_, decision)), _) => writeln!(out, "{}", decision.message(id))?,
            (None, Some(_)) => {}
        }
        if let Some((offer, added)) = &held {
            writeln!(out, "{}", waits(id, offer, added))?;
        }
        return Ok(take.is_some() || held.is_some());
    }
    if let Some((offer, added)) = held {
        let from = take.as_ref().map_or(&locked.version, |(offer, _)| &offer.inspection.manifest.version).clone();
        writeln!(out, "{id} {} asks for more than was approved:", offer.inspection.manifest.version)?;
        added.iter().try_for_each(|right| writeln!(out, "  {}", plain(right)))?;
        let question = format!("Grant that, and go from {from} to {}?", offer.inspection.manifest.version);
        // Whoever is not there to answer gets the update that needs no answer.
        if is_granted(command.grant_requested, &question, input, out).unwrap_or(false) {
            grant(desk, plugin, &locked.rights, &offer)?;
            let rights = union(&locked.rights, &offer.inspection.manifest.rights);
            let taken = offer.locked(&plugin.from, rights);
            writeln!(out, "{id} {} takes the place of {}", taken.version, locked.version)?;
            return approve(desk, lock, id, taken);
        }
        writeln!(out, "{}", waits(id, &offer, &added))?;
        let version = offer.inspection.manifest.version;
        if let Some(locked) = lock.plugins.get_mut(id) {
            locked.held = Some(Held { version, added });
        }
        desk.write_lock(lock)?;
    }
    let Some((offer, _)) = take else {
        writeln!(out, "{id} stays at {}", locked.version)?;
        return Ok(false);
    };
    let mut taken = offer.locked(&plugin.from, locked.rights.clone());
    taken.held = lock.plugins.get(id).and_then(|locked| locked.held.clone());
    writeln!(out, "{id} {} takes the place of {}", taken.version, locked.version)?;
    approve(desk, lock, id, taken)
}

/// A plugin that stands in app-config, and that nobody has approved.
async fn approve_first(
    desk: &Desk,
    plugin: &PluginConfig,
    command: &Update,
    lock: &mut Lock,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<bool, Failure> {
    let id = plugin.id.as_str();
    let offer = fetch(desk, &plugin.from).await?;
    if offer.inspection.manifest.id != id {
        return Err(Failure::Plugin(format!(
            "plugins.{id} in app-config is the plugin `{}`: write that in the place of {id}",
            offer.inspection.manifest.id
        )));
    }
    describe_offer(&offer, out)?;
    if command.check {
        return Ok(true);
    }
    if !is_granted(
        command.grant_requested,
        "Approve this? What it may do is what app-config grants of it.",
        input,
        out,
    )? {
        return Err(Failure::Plugin(format!("{id}: nothing was changed")));
    }
    let taken = offer.locked(&plugin.from, offer.inspection.manifest.rights.clone());
    writeln!(out, "{id} {} is approved", taken.version)?;
    approve(desk, lock, id, taken)
}

/// Writes into the lock what is approved, which is a change.
fn approve(desk: &Desk, lock: &mut Lock, id: &str, taken: Locked) -> Result<bool, Failure> {
    lock.plugins.insert(id.to_owned(), taken);
    desk.write_lock(lock)?;
    Ok(true)
}

/// Adds to a grant what the new version asks for beyond the old one. What the operator left out of the old one stays out.
fn grant(
    desk: &Desk,
    plugin: &PluginConfig,
    approved: &callboard_model::rights::Rights,
    offer: &Offer,
) -> Result<(), Failure> {
    let added = beyond(&offer.inspection.manifest.rights, approved);
    let granted = union(&plugin.grant, &added);
    let value = grant_value(&granted)?;
    desk.edit(&plugin.id, |text| edit::set(text, &["plugins", &plugin.id, "grant"], &value))?;
    Ok(())
}

fn waits(id: &str, offer: &Offer, added: &[String]) -> String {
    format!(
        "{id} {} waits: it asks for {}. `callboard plugin update {id}` asks whether to grant that",
        offer.inspection.manifest.version,
        plain(&added.join(", "))
    )
}
