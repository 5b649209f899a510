//! What there is instead of what was approved.

use callboard_artifact::{Candidate, Decision, Digest, Locked, Source, Wanted, decide};
use semver::Version;

use super::add::{Offer, examine, fetch};
use super::desk::Desk;
use super::shown::Bar;
use crate::cli::Failure;
use crate::config::PluginConfig;

/// Versions that are looked into for one that asks for nothing more. Whoever publishes more than that while nobody
/// updates is asked again afterwards.
const LOOKED_INTO: usize = 20;

/// What an update would do.
pub(super) struct Newer {
    /// What to take, with what was decided about it; none where what was approved is the best there is.
    pub(super) take: Option<(Offer, Decision)>,
    /// The highest that asks for more than was approved.
    pub(super) held: Option<(Offer, Vec<String>)>,
    /// Why what is there is not to be had.
    pub(super) refused: Option<Decision>,
}

/// Looks for what is newer than what was approved.
pub(super) async fn look(
    desk: &Desk,
    plugin: &PluginConfig,
    locked: &Locked,
    allow_downgrade: bool,
) -> Result<Newer, Failure> {
    match &plugin.from {
        Source::Oci(repository, Wanted::Matching(requirement)) => {
            let fail = |error: callboard_artifact::FetchError| Failure::Plugin(format!("{}: {error}", plugin.id));
            let versions = desk.fetcher()?.versions(repository).await.map_err(fail)?;
            let matching: Vec<Version> = versions.into_iter().filter(|version| requirement.matches(version)).collect();
            let mut newer = Newer { take: None, held: None, refused: None };
            // Whether what was approved is what it was.
            if matching.contains(&locked.version)
                && let Some(refused) = moved(desk, plugin, locked).await?
            {
                newer.refused = Some(refused);
                return Ok(newer);
            }
            let is_older = |version: &&Version| **version < locked.version;
            let candidates: Vec<Version> = match matching.first() {
                None => return Err(none_left(plugin, locked)),
                Some(highest) if *highest < locked.version => {
                    matching.iter().filter(is_older).take(1).cloned().collect()
                }
                Some(_) => {
                    matching.iter().filter(|version| **version > locked.version).take(LOOKED_INTO).cloned().collect()
                }
            };
            for version in candidates {
                let offer = fetch_version(desk, plugin, &version).await?;
                newer.weigh(offer, locked, allow_downgrade);
                if newer.take.is_some() || newer.refused.is_some() {
                    break;
                }
            }
            Ok(newer)
        }
        source => {
            let offer = fetch(desk, source).await?;
            let mut newer = Newer { take: None, held: None, refused: None };
            newer.weigh(offer, locked, allow_downgrade);
            Ok(newer)
        }
    }
}

impl Newer {
    fn weigh(&mut self, offer: Offer, locked: &Locked, allow_downgrade: bool) {
        let manifest = &offer.inspection.manifest;
        let candidate =
            Candidate { version: &manifest.version, digest: offer.fetched.digest, rights: &manifest.rights };
        match decide(locked, candidate, allow_downgrade) {
            Decision::Same => {}
            // Going back was allowed, and is an update like another.
            decision @ Decision::Update { .. } => self.take = Some((offer, decision)),
            Decision::NeedsApproval { added, .. } => {
                self.held.get_or_insert((offer, added));
            }
            decision => self.refused = Some(decision),
        }
    }
}

/// Whether the tag of the approved version leads to something else now.
async fn moved(desk: &Desk, plugin: &PluginConfig, locked: &Locked) -> Result<Option<Decision>, Failure> {
    let Source::Oci(repository, _) = &plugin.from else { return Ok(None) };
    let wanted = Wanted::Matching(exactly(&locked.version));
    let resolved = desk.fetcher()?.resolve(repository, &wanted).await;
    let resolved = resolved.map_err(|error| Failure::Plugin(format!("{}: {error}", plugin.id)))?;
    let offered: Digest = resolved.component.digest;
    let changed = offered != locked.digest;
    Ok(changed.then(|| Decision::ChangedDigest { version: locked.version.clone(), approved: locked.digest, offered }))
}

async fn fetch_version(desk: &Desk, plugin: &PluginConfig, version: &Version) -> Result<Offer, Failure> {
    let Source::Oci(repository, _) = &plugin.from else { return fetch(desk, &plugin.from).await };
    let source = Source::Oci(repository.clone(), Wanted::Matching(exactly(version)));
    let bar = Bar::new(&source);
    let fetched = desk.fetcher()?.fetch(&source, &|done, whole| bar.show(done, whole)).await;
    bar.finish();
    let fetched = fetched.map_err(|error| Failure::Plugin(format!("{}: {error}", plugin.id)))?;
    // What is written down is the requirement of app-config.
    examine(desk, &plugin.from, fetched)
}

fn exactly(version: &Version) -> semver::VersionReq {
    let comparator = semver::Comparator {
        op: semver::Op::Exact,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    semver::VersionReq { comparators: vec![comparator] }
}

fn none_left(plugin: &PluginConfig, locked: &Locked) -> Failure {
    Failure::Plugin(format!(
        "{}: {} has no version any more that app-config allows; {} was approved and still runs where it is kept. \
         Change plugins.{}.version, or publish it again",
        plugin.id, plugin.source, locked.version, plugin.id
    ))
}
