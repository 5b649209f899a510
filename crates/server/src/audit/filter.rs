//! Rows by what they say, a page at a time.

use callboard_model::api::{AuditDecision, AuditEntry};
use callboard_store::{Db, Engine, Error, Row, Sql};
use chrono::{DateTime, Utc};

use super::AuditError;
use super::chain::{self, COLUMNS};

/// Which rows. What is none leaves them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By this actor.
    pub actor: Option<String>,
    /// Of permissions with this name, in which `*` stands for any text.
    pub permission: Option<String>,
    /// Allowed or denied.
    pub decision: Option<AuditDecision>,
    /// About this.
    pub resource: Option<String>,
    /// With a path that begins so.
    pub path: Option<String>,
    /// At this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// The newest rows before one.
pub(super) async fn before(
    db: &Db,
    filter: &Filter,
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<AuditEntry>, AuditError> {
    let mut sql = of(db, filter);
    if let Some(before) = before {
        sql.push(" AND seq < ").bind(chain::integer(before));
    }
    sql.push(" ORDER BY seq DESC").limit(limit);
    read(&db.fetch_all(sql).await?)
}

/// The oldest rows after one, up to another.
pub(super) async fn between(
    db: &Db,
    filter: &Filter,
    after: u64,
    last: u64,
    limit: u64,
) -> Result<Vec<AuditEntry>, AuditError> {
    let mut sql = of(db, filter);
    sql.push(" AND seq > ").bind(chain::integer(after)).push(" AND seq <= ").bind(chain::integer(last));
    sql.push(" ORDER BY seq").limit(limit);
    read(&db.fetch_all(sql).await?)
}

pub(super) fn select(text: &'static str) -> Sql {
    let mut sql = Sql::new();
    sql.push(text);
    sql
}

fn of(db: &Db, filter: &Filter) -> Sql {
    let Filter { actor, permission, decision, resource, path, since, until } = filter;
    let mut sql = select(COLUMNS);
    sql.push(" WHERE seq > 0");
    if let Some(actor) = actor {
        sql.push(" AND actor = ").bind(actor);
    }
    if let Some(pattern) = permission.as_ref().filter(|pattern| *pattern != "*") {
        if pattern.contains('*') {
            sql.push_on(" AND permission GLOB ", " AND permission LIKE ").bind(glob(db.engine(), pattern));
        } else {
            sql.push(" AND permission = ").bind(pattern);
        }
    }
    if let Some(decision) = decision {
        sql.push(" AND decision = ").bind(chain::word(*decision));
    }
    if let Some(resource) = resource {
        sql.push(" AND resource = ").bind(resource);
    }
    if let Some(path) = path {
        sql.push(" AND substr(path, 1, length(").bind(path).push(")) = ").bind(path);
    }
    if let Some(since) = since {
        sql.push(" AND at >= ").bind(since.timestamp_millis());
    }
    if let Some(until) = until {
        sql.push(" AND at < ").bind(until.timestamp_millis());
    }
    sql
}

/// A pattern in which nothing but `*` means anything, in the engine's own words: neither has a function for it that
/// tells letters in small and large apart on both.
fn glob(engine: Engine, pattern: &str) -> String {
    let word = |c: char| match (engine, c) {
        (Engine::Postgres, '*') => "%".to_owned(),
        (Engine::Postgres, '%' | '_' | '\\') => format!("\\{c}"),
        (Engine::Sqlite, '?' | '[') => format!("[{c}]"),
        _ => c.to_string(),
    };
    pattern.chars().map(word).collect()
}

fn read(rows: &[Row]) -> Result<Vec<AuditEntry>, AuditError> {
    let read = |row: &Row| match chain::read(row) {
        Err(Error::Column { .. }) => Err(AuditError::Unreadable(row.get("seq")?)),
        read => Ok(read?),
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        fn check(pattern: &str, sqlite: &str, postgres: &str) {
            assert_eq!(glob(Engine::Sqlite, pattern), sqlite);
            assert_eq!(glob(Engine::Postgres, pattern), postgres);
        }
        check("catalog.*", "catalog.*", "catalog.%");
        check("*.own_x?", "*.own_x[?]", "%.own\\_x?");
        check("a[b]%\\", "a[[]b]%\\", "a[b]\\%\\\\");
    }
}
