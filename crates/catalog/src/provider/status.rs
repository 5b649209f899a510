//! How providers are doing.

use callboard_model::api::{Problem, ProviderInfo, RunCounts};
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION};
use callboard_store::{Db, Engine, Error, Row, Sql, Tx, args, query};
use chrono::{DateTime, SecondsFormat, Utc};

use super::apply::Conflict;
use super::runner::Runner;
use crate::graph::source::SourceText;
use crate::limits::PROBLEMS;
use crate::process::ProcessingError;

/// What replicas go by when they decide whether it is a provider's turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// When the last run began, of whichever replica.
    pub(crate) started_at: Option<i64>,
    /// Of the provider that began it.
    pub(crate) fingerprint: Option<String>,
    /// Whether it is under way, or was cut off.
    pub(crate) is_open: bool,
}

pub(crate) async fn clock(db: &Db, name: &str) -> Result<Clock, Error> {
    let select = query("SELECT started_at, fingerprint, run FROM source WHERE name = $1", args![name]);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(Clock::default()) };
    Ok(Clock { started_at: row.get(0)?, fingerprint: row.get(1)?, is_open: row.get::<Option<String>>(2)?.is_some() })
}

/// The lease that a provider's runs are under.
pub(crate) fn lease_name(provider: &str) -> String {
    format!("{LEASE_OF}{provider}")
}

const LEASE_OF: &str = "provider ";

/// The providers whose run was cut off, and is nobody's. One that asks to be called again at once has no run in between,
/// and a cursor instead.
pub(crate) async fn abandoned(db: &Db, now: i64) -> Result<Vec<String>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT s.name FROM source s WHERE (s.run IS NOT NULL OR s.cursor IS NOT NULL) AND NOT EXISTS ");
    sql.push("(SELECT 1 FROM lease l WHERE l.name = ").bind(LEASE_OF).push(" || s.name AND l.expires_at > ").bind(now);
    sql.push(")");
    db.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect()
}

/// The state of every provider, by name.
pub(crate) async fn all(db: &Db, runner: &Runner) -> Result<Vec<ProviderInfo>, Error> {
    // A run that ends meanwhile has a row of before and a state of after, as if it had ended like the one before it. One
    // that ends all the time must not keep whoever asks.
    const LOOKS: usize = 3;
    let ended = || runner.all().values().map(|running| running.state().ended).collect::<Vec<_>>();
    let mut looks = 1;
    loop {
        let before = ended();
        let infos = look(db, runner).await?;
        if looks >= LOOKS || ended() == before {
            return Ok(infos);
        }
        looks += 1;
    }
}

async fn look(db: &Db, runner: &Runner) -> Result<Vec<ProviderInfo>, Error> {
    let mut tx = db.read().await?;
    let is_shared = db.engine() == Engine::Postgres;
    let mut infos = Vec::new();
    for (name, running) in runner.all() {
        let row = tx
            .fetch_optional(query(
                "SELECT id, started_at, last_success, last_error, counts, conflicts, run FROM source WHERE name = $1",
                args![&name],
            ))
            .await?;
        // After the row: a run that begins in between is under way then, and not one that has ended.
        let state = running.state();
        let mut info = ProviderInfo {
            name: name.clone(),
            schedule: running.provider.schedule().to_string(),
            running: state.running,
            next_run: state.next.map(text),
            ..ProviderInfo::default()
        };
        if let Some(row) = row {
            // Another replica may be the one that runs it.
            info.running |= is_shared && row.get::<Option<String>>("run")?.is_some();
            fill(&mut tx, &mut info, &row).await?;
        }
        infos.push(info);
    }
    Ok(infos)
}

async fn fill(tx: &mut Tx, info: &mut ProviderInfo, row: &Row) -> Result<(), Error> {
    let time = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis).map(text);
    info.last_run = time(row.get("started_at")?);
    info.last_success = time(row.get("last_success")?);
    info.last_error = row.get("last_error")?;
    let counts: Option<String> = row.get("counts")?;
    info.counts = counts.map(|counts| parse::<RunCounts>(&counts)).transpose()?.unwrap_or_default();
    let conflicts: Option<String> = row.get("conflicts")?;
    let conflicts = conflicts.map(|conflicts| parse::<Vec<Conflict>>(&conflicts)).transpose()?.unwrap_or_default();
    let (problems, count) = problems(tx, row.get("id")?).await?;
    info.problem_count = count.saturating_add(u64::try_from(conflicts.len()).unwrap_or(u64::MAX));
    info.problems = conflicts
        .into_iter()
        .map(|conflict| Problem { target: String::new(), entity_ref: conflict.entity_ref, message: conflict.message })
        .chain(problems)
        .take(PROBLEMS)
        .collect();
    Ok(())
}

/// What a provider brought that has errors, and what came from that: walked from the failures up, of which there are few.
async fn problems(tx: &mut Tx, source_id: i64) -> Result<(Vec<Problem>, u64), Error> {
    let below = |select: &'static str| {
        let mut sql = Sql::new();
        sql.push(
            "WITH RECURSIVE up(failed, id) AS (SELECT e.id, e.id FROM entity e WHERE e.errors IS NOT NULL \
             UNION SELECT up.failed, r.parent_id FROM up JOIN reference r ON r.child_id = up.id), \
             ours(id) AS (SELECT DISTINCT up.failed FROM up JOIN provided p ON p.entity_id = up.id AND p.source_id = ",
        );
        sql.bind(source_id).push(") ").push(select);
        sql
    };
    let count = match tx.fetch_optional(below("SELECT count(*) FROM ours")).await? {
        Some(row) => row.get(0)?,
        None => 0,
    };
    if count == 0 {
        return Ok((Vec::new(), 0));
    }
    let mut sql = below(
        "SELECT r.ref, e.errors, s.source FROM ours JOIN entity e ON e.id = ours.id JOIN ref r ON r.id = ours.id \
         JOIN entity_source s ON s.entity_id = ours.id ORDER BY r.ref LIMIT ",
    );
    sql.bind(i64::try_from(PROBLEMS).unwrap_or(i64::MAX));
    let rows = tx.fetch_all(sql).await?;
    let problems = rows.iter().map(problem).collect::<Result<_, _>>()?;
    Ok((problems, count))
}

fn problem(row: &Row) -> Result<Problem, Error> {
    let errors: Vec<ProcessingError> = parse(&row.get::<String>(1)?)?;
    let source: callboard_model::entity::Entity = parse(&row.get::<SourceText>(2)?.0)?;
    let target = match source.spec_text("target").filter(|_| source.kind() == "Location") {
        Some(target) => target.to_owned(),
        // A Location's target has no type before it, so neither has that of what came from one.
        None => {
            let managed_by = source.annotation(MANAGED_BY_LOCATION).unwrap_or_default();
            LocationRef::parse(managed_by).map_or_else(|_| managed_by.to_owned(), |location| location.target)
        }
    };
    let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
    Ok(Problem { entity_ref: row.get(0)?, target, message: messages.join("; ") })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Failed(format!("a provider's state is damaged: {error}")))
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
