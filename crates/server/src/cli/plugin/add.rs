//! `callboard plugin add`.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use callboard_artifact::{Fetched, Locked, Source, Wanted};
use callboard_host::{Inspection, Interfaces};
use callboard_model::rights::Rights;
use clap::Args;
use serde_json::{Value, json};

use super::desk::Desk;
use super::shown::{Bar, describe_offer, is_granted};
use crate::cli::{ConfigFiles, Failure};
use crate::config::edit;

/// Add a plugin to app-config, with what it asks for
///
/// Fetches the plugin, checks who signed it where app-config requires that, shows what it asks for, and asks. Nothing of
/// it runs. Only after a yes the plugin is written into app-config with its grant, and its version, digest and rights
/// into callboard.lock. A portal that runs takes it over by itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Add {
    /// Where it is: a .wasm file, an https:// address, or oci://registry/name
    source: String,
    /// The versions that may be used, of a registry: ^1.2; without it, those compatible with the highest there is
    #[arg(long, value_name = "REQUIREMENT")]
    version: Option<String>,
    /// Grant all that it asks for, without a question
    #[arg(long)]
    grant_requested: bool,
    #[command(flatten)]
    config: ConfigFiles,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin add oci://ghcr.io/acme/widgets --version ^1.2
  callboard plugin add https://example.com/widgets-1.2.3.wasm
  callboard plugin add target/plugins/s3.wasm --grant-requested";

pub(super) async fn run(
    command: Add,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&command.config)?;
    let source = parse(&command.source, command.version.as_deref())?;
    let offer = fetch(&desk, &source).await?;
    let id = offer.inspection.manifest.id.clone();
    if desk.config.plugin(&id).is_some() {
        return Err(Failure::Plugin(format!(
            "{id} is in app-config already: `callboard plugin update {id}` looks for a newer version, \
             `callboard plugin remove {id}` makes room for another"
        )));
    }
    describe_offer(&offer, out)?;
    let rights = offer.inspection.manifest.rights.clone();
    if !is_granted(command.grant_requested, "Grant this, and add it?", input, out)? {
        return Err(Failure::Plugin("nothing was changed".to_owned()));
    }
    // In the order in which people write them.
    let mut entry = vec![("source", json!(command.source))];
    let requirement = offer.requirement.clone();
    if let Some(requirement) = requirement.as_ref().filter(|_| matches!(source, Source::Oci(_, Wanted::Matching(_)))) {
        entry.push(("version", json!(requirement)));
    }
    entry.push(("grant", grant_value(&rights)?));
    // First what is approved, and then what is wished: a portal that looks in between finds nothing unapproved.
    if source.is_remote() {
        let mut lock = desk.lock()?;
        lock.plugins.insert(id.clone(), offer.locked(&source, rights));
        desk.write_lock(&lock)?;
    }
    let file = desk.edit(&id, |text| {
        entry.iter().try_fold(text.to_owned(), |text, (key, value)| edit::set(&text, &["plugins", &id, key], value))
    })?;
    writeln!(out, "Added {id} {} to {}", offer.inspection.manifest.version, file.display())?;
    Ok(ExitCode::SUCCESS)
}

/// A plugin that has arrived, and that nobody has agreed to yet.
pub(super) struct Offer {
    pub(super) source: Source,
    pub(super) fetched: Fetched,
    pub(super) inspection: Inspection,
    pub(super) signed_by: Option<callboard_artifact::SignedBy>,
    /// What app-config says or is to say about its versions.
    pub(super) requirement: Option<semver::VersionReq>,
}

impl Offer {
    /// What is written down once somebody has agreed to these rights.
    pub(super) fn locked(&self, source: &Source, rights: Rights) -> Locked {
        Locked {
            source: source.to_string(),
            requirement: self.requirement.clone(),
            version: self.inspection.manifest.version.clone(),
            digest: self.fetched.digest,
            manifest: self.fetched.manifest.as_ref().map(|manifest| manifest.digest),
            rights,
            signed_by: self.signed_by.clone(),
            held: None,
        }
    }
}

pub(super) fn parse(source: &str, version: Option<&str>) -> Result<Source, Failure> {
    Source::parse(source, version).map_err(|error| Failure::Plugin(format!("{source}: {error}")))
}

/// Gets a plugin, and checks all that can be checked without running it.
pub(super) async fn fetch(desk: &Desk, source: &Source) -> Result<Offer, Failure> {
    let bar = Bar::new(source);
    let fetched = desk.fetcher()?.fetch(source, &|done, whole| bar.show(done, whole)).await;
    bar.finish();
    examine(desk, source, fetched.map_err(|error| Failure::Plugin(error.to_string()))?)
}

/// Checks all that can be checked of a plugin without running it.
pub(super) fn examine(desk: &Desk, source: &Source, fetched: Fetched) -> Result<Offer, Failure> {
    let fail = |message: String| Failure::Plugin(format!("{source}: {message}"));
    let signed_by = match source.is_remote() {
        true => desk.origin.trusted(&fetched).map_err(fail)?,
        false => None,
    };
    let inspection = callboard_host::inspect(&fetched.bytes).map_err(|error| fail(error.to_string()))?;
    let own = Interfaces::of_this_portal().map_err(|error| fail(error.to_string()))?;
    own.would_load(&inspection, &fetched.bytes).map_err(fail)?;
    let version = &inspection.manifest.version;
    if let Some(tagged) = fetched.version.as_ref().filter(|tagged| *tagged != version) {
        return Err(fail(format!(
            "its tag says version {tagged}, and it says of itself that it is {version}; ask its author to publish it again"
        )));
    }
    let requirement = source.requirement().map(|requirement| match requirement.comparators.is_empty() {
        // Nothing was required: what is compatible with what is there now.
        true => semver::VersionReq { comparators: vec![caret(version)] },
        false => requirement.clone(),
    });
    Ok(Offer { source: source.clone(), fetched, inspection, signed_by, requirement })
}

fn caret(version: &semver::Version) -> semver::Comparator {
    semver::Comparator {
        op: semver::Op::Caret,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    }
}

/// Rights as app-config has them: without those that are not given.
pub(super) fn grant_value(rights: &Rights) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(rights).map_err(|error| Failure::Plugin(error.to_string()))?;
    if let Value::Object(entries) = &mut value {
        entries.retain(|_, right| !is_nothing(right));
    }
    Ok(value)
}

fn is_nothing(right: &Value) -> bool {
    match right {
        Value::Bool(given) => !given,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.values().all(is_nothing),
        _ => false,
    }
}
