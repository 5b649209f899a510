//! Where an entity comes from, and how current it is.

use callboard_model::access::Access;
use callboard_model::api::{Freshness, FreshnessSource, FreshnessStep, SourceKind};
use callboard_model::entity::Entity;
use callboard_model::location_ref::MANAGED_BY_LOCATION;
use callboard_store::{Row, Tx, args, query};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::engine::{Shared, now};
use crate::graph::source::SourceText;
use crate::limits::REFRESH_LEVELS;
use crate::location::registry::{CONFIGURED, STORE};
use crate::process::ProcessingError;
use crate::provider::runner::Runner;
use crate::query::lookup;
use crate::{Error, push};

/// What stands where only an operator is told the reason.
const HIDDEN: &str = "the source could not be read the last time";

/// Times are milliseconds since 1970 here.
#[derive(Default)]
struct Step {
    entity_ref: String,
    location: Option<String>,
    verified: Option<i64>,
    next: Option<i64>,
    error: Option<String>,
}

struct Source {
    name: String,
    verified: Option<i64>,
    next: Option<i64>,
    error: Option<String>,
}

/// None where there is no such entity, or the caller may not see it. `operator` is told why a source fails; its reason may
/// name things that readers of the catalog have no business with.
pub(crate) async fn freshness(
    shared: &Shared,
    runner: &Runner,
    access: &Access,
    uid: &str,
    operator: bool,
) -> Result<Option<Freshness>, Error> {
    let mut tx = shared.db.read().await?;
    let Some(id) = lookup::id_of_uid(&mut tx, &shared.names, access, uid).await? else { return Ok(None) };
    let (mut steps, mut source, mut next) = (Vec::new(), None, Some(id));
    while let Some(id) = next.take().filter(|_| steps.len() < REFRESH_LEVELS) {
        let Some(step) = step(&mut tx, id).await? else { break };
        steps.push(step);
        source = source_of(&mut tx, runner, id).await?;
        if source.is_none() {
            let parent = "SELECT min(parent_id) FROM reference WHERE child_id = $1";
            next = tx.fetch_optional(query(parent, args![id])).await?.map(|row| row.get(0)).transpose()?.flatten();
        }
    }
    for step in steps.iter_mut().skip(1) {
        if lookup::id_of(&mut tx, &shared.names, access, &step.entity_ref).await?.is_none() {
            let error = step.error.as_ref().map(|_| HIDDEN.to_owned());
            *step = Step { entity_ref: String::new(), location: None, error, ..std::mem::take(step) };
        }
    }
    if let Some(source) = source.as_mut().filter(|_| !operator) {
        source.error = source.error.as_ref().map(|_| HIDDEN.to_owned());
    }
    Ok(Some(told(steps, source)))
}

fn told(steps: Vec<Step>, source: Option<Source>) -> Freshness {
    let of_source = |time: fn(&Source) -> Option<i64>| source.as_ref().and_then(time);
    let verified = steps.iter().filter_map(|step| step.verified).chain(of_source(|source| source.verified)).min();
    let next = steps.iter().filter_map(|step| step.next).chain(of_source(|source| source.next)).min();
    let error = steps.iter().find_map(|step| step.error.clone());
    let error = error.or_else(|| source.as_ref().and_then(|source| source.error.clone()));
    let chain: Vec<FreshnessStep> = steps
        .into_iter()
        .map(|step| FreshnessStep {
            entity_ref: Some(step.entity_ref).filter(|name| !name.is_empty()),
            location: step.location,
            last_verified: step.verified.and_then(text),
            next_refresh: step.next.and_then(text),
            last_error: step.error,
        })
        .collect();
    Freshness {
        entity_ref: chain.first().and_then(|step| step.entity_ref.clone()).unwrap_or_default(),
        last_verified: verified.and_then(text),
        next_refresh: next.and_then(text),
        last_error: error,
        chain,
        source: source.map(|source| FreshnessSource {
            kind: kind(&source.name),
            name: source.name,
            last_verified: source.verified.and_then(text),
            next_refresh: source.next.and_then(text),
            last_error: source.error,
        }),
    }
}

async fn step(tx: &mut Tx, id: i64) -> Result<Option<Step>, Error> {
    let row = tx
        .fetch_optional(query(
            "SELECT r.ref, e.errors, s.source, q.due_at, q.checked_at FROM entity e JOIN ref r ON r.id = e.id \
             JOIN entity_source s ON s.entity_id = e.id LEFT JOIN queue q ON q.entity_id = e.id WHERE e.id = $1",
            args![id],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let keys = tx.fetch_all(query("SELECT key FROM dependency WHERE entity_id = $1", args![id])).await?;
    let keys = keys.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(Some(read(&row, &keys)?))
}

fn read(row: &Row, dependencies: &[String]) -> Result<Step, callboard_store::Error> {
    let damaged = |error: serde_json::Error| {
        callboard_store::Error::Failed(format!("what is stored of an entity is damaged: {error}"))
    };
    let errors: Option<String> = row.get("errors")?;
    let errors: Vec<ProcessingError> =
        errors.map_or(Ok(Vec::new()), |errors| serde_json::from_str(&errors)).map_err(damaged)?;
    // What is there is current, though others may have a part of it.
    let errors = errors.into_iter().filter(|error| error.level.is_error());
    let messages: Vec<String> = errors.map(|error| error.message).collect();
    let error = Some(messages.join("; ")).filter(|error| !error.is_empty());
    let source: SourceText = row.get("source")?;
    let source: Entity = serde_json::from_str(&source.0).map_err(damaged)?;
    // Files are looked at all the time.
    let mut read = dependencies.iter().filter(|key| !key.starts_with("key:")).peekable();
    let watched = read.peek().is_some() && read.all(|key| key.starts_with("file:"));
    let checked = if watched && error.is_none() { Some(now()) } else { row.get("checked_at")? };
    Ok(Step {
        entity_ref: row.get("ref")?,
        location: source.annotation(MANAGED_BY_LOCATION).map(ToOwned::to_owned),
        verified: checked,
        next: row.get("due_at")?,
        error,
    })
}

async fn source_of(tx: &mut Tx, runner: &Runner, id: i64) -> Result<Option<Source>, Error> {
    let row = tx
        .fetch_optional(query(
            "SELECT s.name, s.last_success, s.last_error FROM provided p JOIN source s ON s.id = p.source_id \
             WHERE p.entity_id = $1 ORDER BY s.id LIMIT 1",
            args![id],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let name: String = row.get(0)?;
    let next = runner.all().get(&name).and_then(|running| running.state().next);
    Ok(Some(Source { verified: row.get(1)?, error: row.get(2)?, next: next.map(|next| next.timestamp_millis()), name }))
}

fn kind(name: &str) -> SourceKind {
    match name {
        CONFIGURED => SourceKind::Configured,
        STORE => SourceKind::Registered,
        name if push::is_provider(name) => SourceKind::Push,
        _ => SourceKind::Provider,
    }
}

fn text(millis: i64) -> Option<String> {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(millis)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, verified: Option<i64>, next: Option<i64>, error: Option<&str>) -> Step {
        Step { entity_ref: name.to_owned(), location: None, verified, next, error: error.map(ToOwned::to_owned) }
    }

    #[test]
    fn the_weakest_link_counts() {
        let source = |verified, next, error: Option<&str>| {
            Some(Source { name: "p".to_owned(), verified, next, error: error.map(ToOwned::to_owned) })
        };
        fn check(
            steps: Vec<Step>,
            source: Option<Source>,
            verified: Option<i64>,
            next: Option<i64>,
            error: Option<&str>,
        ) {
            let told = told(steps, source);
            assert_eq!((told.last_verified, told.next_refresh), (verified.and_then(text), next.and_then(text)));
            assert_eq!(told.last_error.as_deref(), error);
        }
        check(vec![step("a", None, None, None)], None, None, None, None);
        check(vec![step("a", None, None, None)], source(Some(5), Some(9), None), Some(5), Some(9), None);
        check(
            vec![step("a", None, None, None), step("b", Some(3), Some(7), Some("b is broken"))],
            source(Some(5), Some(9), Some("the source is broken")),
            Some(3),
            Some(7),
            Some("b is broken"),
        );
        check(vec![step("a", Some(8), None, None)], source(Some(5), None, Some("x")), Some(5), None, Some("x"));
    }

    #[test]
    fn kinds() {
        for (name, expected) in [
            ("ConfigLocationProvider", SourceKind::Configured),
            ("DefaultLocationStore", SourceKind::Registered),
            ("push:ci", SourceKind::Push),
            ("awsS3-provider:default", SourceKind::Provider),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
