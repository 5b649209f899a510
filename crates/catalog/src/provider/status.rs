//! How providers are doing.

use callboard_model::api::{Problem, ProviderInfo, RunCounts};
use callboard_model::location_ref::{LocationRef, MANAGED_BY_LOCATION};
use callboard_store::{Db, Error, Row, Sql, Tx, args, query};
use chrono::{DateTime, SecondsFormat, Utc};

use super::apply::Conflict;
use super::runner::Runner;
use crate::limits::PROBLEMS;
use crate::process::ProcessingError;

/// Whether a run was cut off.
pub(crate) async fn has_open_run(db: &Db, name: &str) -> Result<bool, Error> {
    Ok(db
        .fetch_optional(query("SELECT 1 FROM source WHERE name = $1 AND run IS NOT NULL", args![name]))
        .await?
        .is_some())
}

/// The state of every provider, by name.
pub(crate) async fn all(db: &Db, runner: &Runner) -> Result<Vec<ProviderInfo>, Error> {
    let mut tx = db.read().await?;
    let mut infos = Vec::new();
    for (name, running) in runner.all() {
        let state = running.state();
        let mut info = ProviderInfo {
            name: name.clone(),
            schedule: running.provider.schedule().to_string(),
            running: state.running,
            next_run: state.next.map(text),
            ..ProviderInfo::default()
        };
        let row = tx
            .fetch_optional(query(
                "SELECT id, started_at, last_success, last_error, counts, conflicts FROM source WHERE name = $1",
                args![&name],
            ))
            .await?;
        if let Some(row) = row {
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
    let source: callboard_model::entity::Entity = parse(&row.get::<String>(2)?)?;
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
