//! Makes the plugins what is wished and decided: tries what is new, takes over what was decided elsewhere, and keeps
//! what is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::rights::{self, Rights};
use callboard_store::plugins::{Decided, Generation, LEASE, MadeOf, State};
use callboard_store::{Db, Error, lease};
use chrono::Utc;
use futures::future::join_all;
use sha2::{Digest, Sha256};

use super::keeper::{Acted, Keeper, OnProbation, SILENCE};
use super::load::{Failed, Live, Recipe, Trial, load};
use super::origin::Found;
use super::set::{Listed, Outcome, PluginSet};
use super::wish::Wish;
use crate::adapter::event_subscriber;
use crate::config::PluginConfig;

/// For how long the others leave the decisions to a replica that says nothing.
const LEASE_TIME: Duration = Duration::from_secs(60);
/// How often it extends that.
const LEASE_BEAT: Duration = Duration::from_secs(20);
/// How often one that waits for its turn to decide asks again.
const LEASE_PAUSE: Duration = Duration::from_millis(250);

/// Who decided, where app-config did.
const APP_CONFIG: &str = "app-config";

/// What is tried though nobody wishes anything new.
pub(super) enum Again {
    None,
    /// A plugin, because somebody asked for it.
    Reload {
        id: String,
        by: String,
    },
}

impl Again {
    fn by(&self, plugin: &str) -> Option<&str> {
        match self {
            Again::Reload { id, by } if id == plugin => Some(by),
            _ => None,
        }
    }
}

/// What became of one plugin before it is known whether it gets along with the others.
enum Prepared {
    Off(String),
    /// What runs is what is to run.
    Same(Arc<Listed>),
    /// Something new was tried.
    Tried {
        generation: Generation,
        live: Result<Live, Failed>,
    },
    /// What was decided before was loaded.
    Loaded {
        generation: Generation,
        live: Result<Live, Failed>,
    },
    Refused(Failed),
}

impl Keeper {
    /// Makes the plugins what is wished and decided.
    ///
    /// # Errors
    /// The database fails, or the catalog does not take what plugins contribute. What was there goes on.
    pub(super) async fn settle(&mut self, again: &Again) -> Result<(), callboard_catalog::Error> {
        let config = self.config.clone();
        let origin = self.origin.clone();
        let wishes: Vec<Wish<'_>> = config.plugins.iter().map(|plugin| Wish::of(&config, &origin, plugin)).collect();
        let is_new = |wish: &Wish<'_>| {
            let acted = self.acted.get(&wish.plugin.id);
            again.by(&wish.plugin.id).is_some()
                || acted.is_none_or(|acted| acted.text != wish.text || acted.config != wish.config)
        };
        if !self.several || !wishes.iter().any(is_new) {
            return self.settle_all(&wishes, again).await;
        }
        let (db, replica) = (self.means.db.clone(), self.replica.clone());
        while !lease::acquire(&db, LEASE, &replica, LEASE_TIME, Utc::now()).await? {
            tokio::time::sleep(LEASE_PAUSE).await;
        }
        let settled = tokio::select! {
            settled = self.settle_all(&wishes, again) => settled,
            never = hold(&db, &replica) => match never {},
        };
        lease::release(&db, LEASE, &replica).await?;
        settled
    }

    async fn settle_all(&mut self, wishes: &[Wish<'_>], again: &Again) -> Result<(), callboard_catalog::Error> {
        let before = self.plugins.current();
        let decided = self.decisions.all().await?;
        let ids: BTreeSet<&str> = wishes.iter().map(|wish| wish.plugin.id.as_str()).collect();
        self.acted.retain(|id, _| ids.contains(id.as_str()));

        let nothing = Decided::default();
        // All at once: to compile one takes a while.
        let prepared = join_all(wishes.iter().map(async |wish| {
            let id = wish.plugin.id.as_str();
            let mut acted = self.acted.get(id).cloned().unwrap_or_default();
            let decided = decided.get(id).unwrap_or(&nothing);
            let prepared = self.prepare(wish, &mut acted, decided, before.find(id), again.by(id)).await;
            prepared.map(|prepared| (prepared, acted))
        }))
        .await;

        let mut names = Names::default();
        for one in &prepared {
            if let Ok((Prepared::Same(listed), _)) = one {
                names.take(&listed.id, listed.provider_names());
            }
        }
        let mut listed = Vec::new();
        for (wish, prepared) in wishes.iter().zip(prepared) {
            let (prepared, mut acted) = prepared?;
            let id = wish.plugin.id.as_str();
            let one = self.conclude(wish, prepared, &mut acted, &mut names, before.find(id)).await?;
            self.acted.insert(id.to_owned(), acted);
            log(before.find(id).map(AsRef::as_ref), &one);
            listed.push(one);
        }
        let mut decided = self.decisions.all().await?;
        for one in &mut listed {
            one.decided = decided.remove(&one.id).unwrap_or_default();
        }
        let set = PluginSet::new(listed);
        let has_changed = !self.has_begun || !set.contributes_the_same(&before);
        let (providers, idle, processors) = (set.providers(), set.idle(), set.processors());
        // Before anything of the catalog changes for them.
        let db = &self.means.db;
        let subscriptions = event_subscriber::subscriptions(&set, &db.subscriptions());
        self.plugins.replace(set);
        db.subscribe(subscriptions).await?;
        if has_changed {
            self.means.catalog.set_providers_keeping(providers, &idle).await?;
            self.means.catalog.set_processors(processors).await?;
        }
        self.has_begun = true;
        Ok(())
    }

    /// Loads what is to run, if it does not run already.
    async fn prepare(
        &self,
        wish: &Wish<'_>,
        acted: &mut Acted,
        decided: &Decided,
        before: Option<&Arc<Listed>>,
        by: Option<&str>,
    ) -> Result<Prepared, Error> {
        let plugin = wish.plugin;
        if let Some(reason) = off(plugin, decided) {
            // What there is then is looked at when it is switched on.
            *acted = Acted::default();
            return Ok(Prepared::Off(reason));
        }
        let text_changed = acted.text != wish.text;
        let config_changed = acted.config != wish.config;
        let has_failed = acted.failure.is_some();
        acted.text.clone_from(&wish.text);
        acted.config.clone_from(&wish.config);
        if by.is_some() || text_changed || (config_changed && has_failed) {
            acted.failure = None;
            match self.origin.find(plugin).await {
                Err(reason) => acted.failure = Some(reason),
                Ok(found) => {
                    let made_of = self.made_of(wish, &found.wasm);
                    let is_known = decided
                        .last()
                        .is_some_and(|last| last.made_of.wish == made_of.wish && last.state != State::Failed);
                    if !self.has_begun && !is_known && by.is_none() && self.is_superseded(decided, &made_of).await? {
                        acted.failure = Some(format!(
                            "the other replicas were told something newer about {} than this one's app-config says",
                            plugin.id
                        ));
                    } else if by.is_some() || !is_known {
                        return self.attempt(wish, decided, &made_of, found, by.unwrap_or(APP_CONFIG)).await;
                    }
                }
            }
        }
        self.take_over(wish, acted, decided, before).await
    }

    /// Tries a component on a generation of its own.
    async fn attempt(
        &self,
        wish: &Wish<'_>,
        decided: &Decided,
        made_of: &MadeOf,
        found: Found,
        by: &str,
    ) -> Result<Prepared, Error> {
        let plugin = wish.plugin;
        let Found { wasm, signatures, signed_by } = found;
        self.decisions.keep_artifact(&made_of.digest, &wasm, &signatures).await?;
        let generation = self.decisions.begin(&plugin.id, made_of, by).await?;
        let copied_from = decided.accepted().filter(|accepted| accepted.kv != generation.kv);
        let recipe = Recipe {
            id: plugin.id.clone(),
            source: plugin.source.clone(),
            wasm,
            grant: plugin.grant.clone(),
            limits: plugin.limits.clone(),
            kv_generation: generation.kv,
            signed_by,
            trial: Some(Trial { keeps_of: copied_from.map(|before| before.made_of.version.clone()) }),
        };
        let live = load(recipe, &self.config, &self.means.host, &self.means.scheduled).await;
        Ok(Prepared::Tried { generation, live })
    }

    /// Loads what is decided, unless it runs.
    async fn take_over(
        &self,
        wish: &Wish<'_>,
        acted: &Acted,
        decided: &Decided,
        before: Option<&Arc<Listed>>,
    ) -> Result<Prepared, Error> {
        let id = &wish.plugin.id;
        let refused = |reason: String| Ok(Prepared::Refused(Failed::from(reason)));
        let Some(accepted) = decided.accepted() else {
            let last = decided.last().map(|last| last.reason.clone()).unwrap_or_default();
            return refused(acted.failure.clone().unwrap_or(last));
        };
        let rights: Rights = match serde_json::from_str(&accepted.made_of.rights) {
            Ok(rights) => rights,
            Err(error) => return refused(format!("its rights in the database are not readable: {error}")),
        };
        // What app-config takes away is gone at once, whatever else of the wish does not come true.
        if let Some(failure) = &acted.failure {
            let revoked = rights::beyond(&rights, &wish.plugin.grant).each();
            if !revoked.is_empty() {
                return refused(format!(
                    "{failure}. The version that ran before has rights that app-config does not grant any more ({}), \
                     so it does not run either",
                    revoked.join(", ")
                ));
            }
        }
        if let Some(before) = before.filter(|before| before.is_as(accepted, wish)) {
            return Ok(Prepared::Same(before.clone()));
        }
        let digest = &accepted.made_of.digest;
        let Some((wasm, signatures)) = self.decisions.artifact(digest).await? else {
            return refused(format!("its component {digest} is not in the database; reload the plugin {id}"));
        };
        if digest_of(&wasm) != *digest {
            return refused(format!("its component in the database is not the one with the digest {digest}"));
        }
        // Whom the operator trusts may have changed since it was accepted.
        let signed_by = match wish.plugin.from.is_remote().then(|| self.origin.still_trusted(&wasm, &signatures)) {
            Some(Err(reason)) => return refused(reason),
            Some(Ok(signed_by)) => signed_by,
            None => None,
        };
        let recipe = Recipe {
            id: id.clone(),
            source: accepted.made_of.source.clone(),
            wasm,
            grant: rights,
            limits: serde_json::from_str(&accepted.made_of.limits).unwrap_or_default(),
            kv_generation: accepted.kv,
            signed_by,
            trial: None,
        };
        let live = load(recipe, &self.config, &self.means.host, &self.means.scheduled).await;
        Ok(Prepared::Loaded { generation: accepted.clone(), live })
    }

    /// Accepts or refuses what was prepared, now that it is known what the others contribute.
    async fn conclude(
        &mut self,
        wish: &Wish<'_>,
        prepared: Prepared,
        acted: &mut Acted,
        names: &mut Names,
        before: Option<&Arc<Listed>>,
    ) -> Result<Listed, Error> {
        let id = wish.plugin.id.as_str();
        let mut blank = Listed::blank(wish);
        blank.notice.clone_from(&acted.failure);
        let (generation, live, is_new) = match prepared {
            Prepared::Off(reason) => {
                blank.outcome = Outcome::Off { reason };
                return Ok(blank);
            }
            Prepared::Refused(Failed { reason, inspection }) => {
                blank.outcome = Outcome::Refused { reason, inspection };
                blank.notice = None;
                return Ok(blank);
            }
            Prepared::Same(same) => return Ok(blank.going_on(&same)),
            Prepared::Tried { generation, live } => (generation, live, true),
            Prepared::Loaded { generation, live } => (generation, live, false),
        };
        let live = live.and_then(|live| match names.conflict(id, live.providers.iter().map(|one| one.name())) {
            Some(reason) => Err(Failed::from(reason)),
            None => Ok(live),
        });
        match live {
            Ok(live) => {
                if is_new {
                    self.decisions.accept(id, &generation).await?;
                    if generation.number > 1 {
                        self.probation.insert(id.to_owned(), OnProbation::of(generation.number));
                    }
                }
                names.take(id, live.providers.iter().map(|one| one.name()));
                Ok(blank.running(live, generation.number))
            }
            Err(failed) if is_new => {
                self.decisions.fail(id, &generation, &failed.reason).await?;
                acted.failure = Some(failed.reason.clone());
                let decided = self.decisions.all().await?.remove(id).unwrap_or_default();
                if decided.accepted().is_none() {
                    blank.outcome = Outcome::Refused { reason: failed.reason, inspection: failed.inspection };
                    return Ok(blank);
                }
                let prepared = self.take_over(wish, acted, &decided, before).await?;
                Box::pin(self.conclude(wish, prepared, acted, names, before)).await
            }
            // A replica whose own app-config does not suit it, such as a key of its config that is missing.
            Err(failed) => match before.filter(|before| before.outcome.plugin().is_some()) {
                Some(before) if before.generation == generation.number => {
                    names.take(id, before.provider_names());
                    Ok(Listed { notice: Some(failed.reason), ..blank.going_on(before) })
                }
                _ => {
                    blank.outcome = Outcome::Refused { reason: failed.reason, inspection: failed.inspection };
                    Ok(blank)
                }
            },
        }
    }

    fn made_of(&self, wish: &Wish<'_>, wasm: &[u8]) -> MadeOf {
        let version = callboard_host::inspect(wasm).map(|inspection| inspection.manifest.version.to_string());
        wish.made_of(&digest_of(wasm), version.unwrap_or_default())
    }

    /// Whether a replica that starts comes with a wish that the others, which are there, have left behind.
    async fn is_superseded(&self, decided: &Decided, made_of: &MadeOf) -> Result<bool, Error> {
        let was_there = decided.generations.iter().any(|generation| generation.made_of.wish == made_of.wish);
        Ok(self.several && was_there && !self.decisions.reports(Utc::now() - SILENCE).await?.is_empty())
    }
}

/// Extends the lease as long as it is needed.
async fn hold(db: &Db, replica: &str) -> Infallible {
    loop {
        tokio::time::sleep(LEASE_BEAT).await;
        match lease::acquire(db, LEASE, replica, LEASE_TIME, Utc::now()).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("another replica decides about the plugins, too"),
            Err(error) => tracing::warn!(%error, "another replica may decide about the plugins meanwhile"),
        }
    }
}

/// Why a plugin is not to run, if so.
fn off(plugin: &PluginConfig, decided: &Decided) -> Option<String> {
    match (plugin.enabled, &decided.switch) {
        (Some(true), _) | (None, None | Some((true, _))) => None,
        (Some(false), _) => {
            Some(format!("it is switched off; remove plugins.{}.enabled: false from app-config", plugin.id))
        }
        (None, Some((false, by))) => Some(format!("{by} switched it off; switch it on again to have it back")),
    }
}

/// Whose provider is called what: two of the same name would overwrite what the other brought in.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn take<'a>(&mut self, plugin: &str, names: impl Iterator<Item = &'a str>) {
        self.0.extend(names.map(|name| (name.to_owned(), plugin.to_owned())));
    }

    fn conflict<'a>(&self, plugin: &str, mut names: impl Iterator<Item = &'a str>) -> Option<String> {
        let name = names.find(|name| self.0.get(*name).is_some_and(|other| other != plugin))?;
        Some(format!("another plugin has a provider of the name `{name}` already"))
    }
}

fn log(before: Option<&Listed>, now: &Listed) {
    let is_same = before.is_some_and(|before| {
        before.generation == now.generation
            && before.outcome.reason() == now.outcome.reason()
            && before.notice == now.notice
    });
    if is_same {
        return;
    }
    match &now.outcome {
        Outcome::Loaded(plugin) => tracing::info!(
            plugin = now.id,
            version = %plugin.manifest().version,
            digest = plugin.digest(),
            generation = now.generation,
            "loaded"
        ),
        Outcome::Off { reason } => tracing::info!(plugin = now.id, "not loaded: {reason}"),
        Outcome::Refused { reason, .. } => tracing::error!(plugin = now.id, "not loaded: {reason}"),
    }
    if let Some(notice) = &now.notice {
        tracing::error!(plugin = now.id, "what app-config asks for was not taken over: {notice}");
    }
}

fn digest_of(wasm: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(wasm)))
}
