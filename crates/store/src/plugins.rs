//! What is decided about plugins: which version of each runs, with which rights, and what came of the others.
//!
//! app-config is what the operator wishes, and each replica reads its own. What is decided is here, once for all of
//! them: a *generation* is one version of a plugin with the rights and limits that it got. A wish becomes a generation on
//! trial, on a copy of what the plugin keeps; it is accepted when it has shown that it works, and forgotten otherwise.
//! The accepted generation before it stays until the next one is accepted, as the way back.
//!
//! Whoever decides holds the [lease](crate::lease) [`LEASE`]. Whoever follows listens on [`CHANNEL`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{Db, Error, Row, Tx, args, kv, query};

/// The lease of the replica that decides.
pub const LEASE: &str = "plugins";

/// Where replicas hear that something was decided; the word is the plugin's id.
pub const CHANNEL: &str = "callboard_plugins";

/// Generations of a plugin that are remembered, for the plugin's page and to know a wish that was there before.
const REMEMBERED: usize = 20;

/// One version of a plugin with what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counts up with each decision about the plugin; 0 is none.
    pub number: i64,
    /// What became of it.
    pub state: State,
    /// What it is made of.
    pub made_of: MadeOf,
    /// Which generation of what the plugin keeps it works on.
    pub kv: i64,
    /// Who decided: an entity ref, or `app-config`, or `portal` where it did so by itself.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Why it is what it is; empty where nothing is to be said.
    pub reason: String,
}

/// What a generation is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeOf {
    /// Names the wish that it comes from: changes with all of app-config that is about the plugin.
    pub wish: String,
    /// `plugins.<id>.source`, for people.
    pub source: String,
    /// The plugin's own version.
    pub version: String,
    /// `sha256:` and the digest of the component.
    pub digest: String,
    /// JSON text of the rights that it was granted.
    pub rights: String,
    /// JSON text of the limits that differ from the host's.
    pub limits: String,
}

/// What became of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being tried.
    Trial,
    /// It is what runs.
    Accepted,
    /// It is what ran before, and the way back leads to it.
    Previous,
    /// It ran once.
    Past,
    /// It did not pass its trial.
    Failed,
    /// It ran, and was given up for the one before it.
    RolledBack,
}

const STATES: [(State, &str); 6] = [
    (State::Trial, "trial"),
    (State::Accepted, "accepted"),
    (State::Previous, "previous"),
    (State::Past, "past"),
    (State::Failed, "failed"),
    (State::RolledBack, "rolled-back"),
];

impl State {
    /// As it is written in the database and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

/// All that is decided about one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Its generations, the newest first.
    pub generations: Vec<Generation>,
    /// Whether somebody switched it on or off in the portal, and who; it counts where app-config does not say.
    pub switch: Option<(bool, String)>,
}

impl Decided {
    /// What is to run.
    #[must_use]
    pub fn accepted(&self) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.state == State::Accepted)
    }

    /// What the way back leads to.
    #[must_use]
    pub fn previous(&self) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.state == State::Previous)
    }

    /// What was decided last, whatever became of it.
    #[must_use]
    pub fn last(&self) -> Option<&Generation> {
        self.generations.first()
    }
}

/// What one replica does with a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The plugin.
    pub plugin: String,
    /// The generation that it runs; 0 for none.
    pub generation: i64,
    /// `running`, `refused` …, as the API has it.
    pub state: String,
    /// What is wrong; empty otherwise.
    pub reason: String,
}

/// The decisions. Cheap to clone.
#[derive(Clone)]
pub struct Decisions {
    db: Db,
}

impl Decisions {
    /// Those of a database.
    #[must_use]
    pub fn new(db: Db) -> Decisions {
        Decisions { db }
    }

    /// What is decided, by plugin.
    ///
    /// # Errors
    /// The database fails.
    pub async fn all(&self) -> Result<BTreeMap<String, Decided>, Error> {
        let mut tx = self.db.read().await?;
        let mut all: BTreeMap<String, Decided> = BTreeMap::new();
        let select = "SELECT plugin, generation, state, wish, source, version, digest, rights, limits, kv, decided_by, \
                      decided_at, reason FROM plugin_generation ORDER BY plugin, generation DESC";
        for row in tx.fetch_all(query(select, args![])).await? {
            all.entry(row.get("plugin")?).or_default().generations.push(generation(&row)?);
        }
        for row in tx.fetch_all(query("SELECT plugin, is_on, decided_by FROM plugin_switch", args![])).await? {
            all.entry(row.get(0)?).or_default().switch = Some((row.get(1)?, row.get(2)?));
        }
        tx.commit().await?;
        Ok(all)
    }

    /// Begins a trial, and answers with its generation. What the accepted one keeps is copied for another component;
    /// with the same one it works on the same. What is left of an older trial is forgotten.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin(&self, plugin: &str, made_of: &MadeOf, decided_by: &str) -> Result<Generation, Error> {
        let mut tx = self.db.begin().await?;
        let known = of(&mut tx, plugin).await?;
        for abandoned in known.generations.iter().filter(|generation| generation.state == State::Trial) {
            set_state(&mut tx, plugin, abandoned.number, State::Failed, "the portal ended while it was tried").await?;
        }
        let number = known.last().map_or(0, |last| last.number).saturating_add(1);
        let accepted = known.accepted();
        // The first generation takes what an older version of the portal kept under 0.
        let before = accepted.map_or(0, |accepted| accepted.kv);
        let kept = known.previous().map_or(before, |previous| previous.kv);
        kv::forget_all_but(&mut tx, plugin, before, kept).await?;
        let kv = match accepted {
            Some(accepted) if accepted.made_of.digest != made_of.digest => {
                kv::copy(&mut tx, plugin, before, number).await?;
                number
            }
            _ => before,
        };
        let generation = Generation {
            number,
            state: State::Trial,
            made_of: made_of.clone(),
            kv,
            decided_by: decided_by.to_owned(),
            decided_at: now(),
            reason: String::new(),
        };
        insert(&mut tx, plugin, &generation).await?;
        tx.commit().await?;
        Ok(generation)
    }

    /// Accepts a generation that was tried: every replica goes over to it. The accepted one before it becomes the way
    /// back, and what was the way back is forgotten with what it kept.
    ///
    /// # Errors
    /// The database fails.
    pub async fn accept(&self, plugin: &str, tried: &Generation) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        let known = of(&mut tx, plugin).await?;
        if let Some(previous) = known.previous() {
            set_state(&mut tx, plugin, previous.number, State::Past, "").await?;
        }
        let before = known.accepted();
        if let Some(before) = before {
            set_state(&mut tx, plugin, before.number, State::Previous, "").await?;
        }
        set_state(&mut tx, plugin, tried.number, State::Accepted, "").await?;
        kv::forget_all_but(&mut tx, plugin, tried.kv, before.map_or(tried.kv, |before| before.kv)).await?;
        forget_old(&mut tx, plugin, &known).await?;
        tx.notify(CHANNEL, plugin).await?;
        tx.commit().await
    }

    /// Gives up a generation that did not pass its trial, with what it kept. Nothing else changes.
    ///
    /// # Errors
    /// The database fails.
    pub async fn fail(&self, plugin: &str, tried: &Generation, reason: &str) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        set_state(&mut tx, plugin, tried.number, State::Failed, reason).await?;
        let known = of(&mut tx, plugin).await?;
        let before = known.accepted().map_or(0, |accepted| accepted.kv);
        kv::forget_all_but(&mut tx, plugin, before, known.previous().map_or(before, |previous| previous.kv)).await?;
        forget_old(&mut tx, plugin, &known).await?;
        tx.notify(CHANNEL, plugin).await?;
        tx.commit().await
    }

    /// Goes back to the generation before the accepted one, which becomes a generation of its own; what was kept since
    /// then is forgotten. None where there is no way back, or the accepted one is no longer `from`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn roll_back(
        &self,
        plugin: &str,
        from: i64,
        decided_by: &str,
        reason: &str,
    ) -> Result<Option<Generation>, Error> {
        let mut tx = self.db.begin().await?;
        let known = of(&mut tx, plugin).await?;
        let (Some(accepted), Some(previous)) = (known.accepted(), known.previous()) else {
            tx.commit().await?;
            return Ok(None);
        };
        if accepted.number != from {
            tx.commit().await?;
            return Ok(None);
        }
        let generation = Generation {
            number: known.last().map_or(0, |last| last.number).saturating_add(1),
            state: State::Accepted,
            // It stands for the wish that led to the one which is given up, so that this is not tried again by itself.
            made_of: MadeOf { wish: accepted.made_of.wish.clone(), ..previous.made_of.clone() },
            kv: previous.kv,
            decided_by: decided_by.to_owned(),
            decided_at: now(),
            reason: reason.to_owned(),
        };
        set_state(&mut tx, plugin, accepted.number, State::RolledBack, reason).await?;
        set_state(&mut tx, plugin, previous.number, State::Past, "").await?;
        insert(&mut tx, plugin, &generation).await?;
        kv::forget_all_but(&mut tx, plugin, generation.kv, generation.kv).await?;
        tx.notify(CHANNEL, plugin).await?;
        tx.commit().await?;
        Ok(Some(generation))
    }

    /// Switches a plugin on or off.
    ///
    /// # Errors
    /// The database fails.
    pub async fn switch(&self, plugin: &str, is_on: bool, decided_by: &str) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        tx.execute(query(
            "INSERT INTO plugin_switch(plugin, is_on, decided_by) VALUES ($1, $2, $3) \
             ON CONFLICT(plugin) DO UPDATE SET is_on = excluded.is_on, decided_by = excluded.decided_by",
            args![plugin, is_on, decided_by],
        ))
        .await?;
        tx.notify(CHANNEL, plugin).await?;
        tx.commit().await
    }

    /// Keeps a component, so that every replica has it, and whatever becomes of where it came from. `signatures` is JSON
    /// text of a list of the sigstore bundles that came with it; the newest list counts.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep_artifact(&self, digest: &str, bytes: &[u8], signatures: &str) -> Result<(), Error> {
        // Often it is there, and millions of bytes need not be written again.
        let update = "UPDATE plugin_artifact SET signatures = $2 WHERE digest = $1";
        if self.db.execute(query(update, args![digest, signatures])).await? > 0 {
            return Ok(());
        }
        let insert = "INSERT INTO plugin_artifact(digest, bytes, signatures) VALUES ($1, $2, $3) \
                      ON CONFLICT(digest) DO UPDATE SET signatures = excluded.signatures";
        self.db.execute(query(insert, args![digest, bytes, signatures])).await?;
        Ok(())
    }

    /// A component by its digest, with its signatures. Whoever loads it compares the digest again.
    ///
    /// # Errors
    /// The database fails.
    pub async fn artifact(&self, digest: &str) -> Result<Option<(Vec<u8>, String)>, Error> {
        let select = query("SELECT bytes, signatures FROM plugin_artifact WHERE digest = $1", args![digest]);
        self.db.fetch_optional(select).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
    }

    /// Says what a replica does with its plugins, instead of what it said before, and forgets replicas that have said
    /// nothing since `silent_since`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn report(
        &self,
        replica: &str,
        reports: &[Report],
        now: DateTime<Utc>,
        silent_since: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        tx.execute(query(
            "DELETE FROM plugin_replica WHERE replica = $1 OR seen_at < $2",
            args![replica, silent_since.timestamp_millis()],
        ))
        .await?;
        for report in reports {
            tx.execute(query(
                "INSERT INTO plugin_replica(replica, plugin, generation, state, reason, seen_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                args![
                    replica,
                    report.plugin.as_str(),
                    report.generation,
                    report.state.as_str(),
                    storable(&report.reason),
                    now.timestamp_millis()
                ],
            ))
            .await?;
        }
        tx.commit().await
    }

    /// What each replica does, by replica.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reports(&self, silent_since: DateTime<Utc>) -> Result<BTreeMap<String, Vec<Report>>, Error> {
        let rows = self
            .db
            .fetch_all(query(
                "SELECT replica, plugin, generation, state, reason FROM plugin_replica WHERE seen_at >= $1 \
                 ORDER BY replica, plugin",
                args![silent_since.timestamp_millis()],
            ))
            .await?;
        let mut reports: BTreeMap<String, Vec<Report>> = BTreeMap::new();
        for row in rows {
            reports.entry(row.get(0)?).or_default().push(Report {
                plugin: row.get(1)?,
                generation: row.get(2)?,
                state: row.get(3)?,
                reason: row.get(4)?,
            });
        }
        Ok(reports)
    }

    /// Takes back what a replica said, which is about to end.
    ///
    /// # Errors
    /// The database fails.
    pub async fn leave(&self, replica: &str) -> Result<(), Error> {
        self.db.execute(query("DELETE FROM plugin_replica WHERE replica = $1", args![replica])).await?;
        Ok(())
    }
}

async fn of(tx: &mut Tx, plugin: &str) -> Result<Decided, Error> {
    let select = "SELECT plugin, generation, state, wish, source, version, digest, rights, limits, kv, decided_by, \
                  decided_at, reason FROM plugin_generation WHERE plugin = $1 ORDER BY generation DESC";
    let rows = tx.fetch_all(query(select, args![plugin])).await?;
    let generations = rows.iter().map(generation).collect::<Result<_, _>>()?;
    Ok(Decided { generations, switch: None })
}

fn generation(row: &Row) -> Result<Generation, Error> {
    let state: String = row.get("state")?;
    let state = STATES.iter().find(|(_, name)| *name == state).map(|(state, _)| *state);
    let decided_at: i64 = row.get("decided_at")?;
    Ok(Generation {
        number: row.get("generation")?,
        state: state
            .ok_or_else(|| Error::Failed("a generation of a plugin has a state that is not known".to_owned()))?,
        made_of: MadeOf {
            wish: row.get("wish")?,
            source: row.get("source")?,
            version: row.get("version")?,
            digest: row.get("digest")?,
            rights: row.get("rights")?,
            limits: row.get("limits")?,
        },
        kv: row.get("kv")?,
        decided_by: row.get("decided_by")?,
        decided_at: DateTime::from_timestamp_millis(decided_at).unwrap_or_default(),
        reason: row.get("reason")?,
    })
}

async fn insert(tx: &mut Tx, plugin: &str, generation: &Generation) -> Result<(), Error> {
    let MadeOf { wish, source, version, digest, rights, limits } = &generation.made_of;
    tx.execute(query(
        "INSERT INTO plugin_generation(plugin, generation, state, wish, source, version, digest, rights, limits, kv, \
         decided_by, decided_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            plugin,
            generation.number,
            generation.state.name(),
            wish.as_str(),
            source.as_str(),
            version.as_str(),
            digest.as_str(),
            rights.as_str(),
            limits.as_str(),
            generation.kv,
            generation.decided_by.as_str(),
            generation.decided_at.timestamp_millis(),
            storable(&generation.reason)
        ],
    ))
    .await?;
    Ok(())
}

async fn set_state(tx: &mut Tx, plugin: &str, number: i64, state: State, reason: &str) -> Result<(), Error> {
    tx.execute(query(
        "UPDATE plugin_generation SET state = $3, reason = CASE WHEN $4 = '' THEN reason ELSE $4 END \
         WHERE plugin = $1 AND generation = $2",
        args![plugin, number, state.name(), storable(reason)],
    ))
    .await?;
    Ok(())
}

/// Forgets the oldest generations, and the components that none stands for any more.
async fn forget_old(tx: &mut Tx, plugin: &str, known: &Decided) -> Result<(), Error> {
    if let Some(oldest) = known.generations.get(REMEMBERED) {
        tx.execute(query(
            "DELETE FROM plugin_generation WHERE plugin = $1 AND generation <= $2 \
             AND state NOT IN ('accepted', 'previous', 'trial')",
            args![plugin, oldest.number],
        ))
        .await?;
    }
    tx.execute(query(
        "DELETE FROM plugin_artifact WHERE NOT EXISTS (SELECT 1 FROM plugin_generation g \
         WHERE g.digest = plugin_artifact.digest AND g.state IN ('accepted', 'previous', 'trial'))",
        args![],
    ))
    .await?;
    Ok(())
}

/// A plugin's words may be part of a reason.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// To the millisecond, as it is kept.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap_or_default()
}
