//! Waiting for the engine, for those who want to read what they wrote.

use std::collections::HashSet;
use std::time::Duration;

use callboard_store::{Error, Row, Sql, Tx};
use tokio::time::{Instant, sleep, timeout};

use crate::engine::{Shared, now};
use crate::limits::{WAIT_LOOK, WAIT_PAUSE};

/// What became of the entities that somebody waited for.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Those that were asked for, and what came from them.
    pub(crate) all: HashSet<i64>,
    /// Those among them that are still to be processed.
    pub(crate) pending: HashSet<i64>,
}

/// Waits until the engine has dealt with the entities of these refs and with everything that came from them, but no
/// longer than `patience`.
pub(crate) async fn wait(shared: &Shared, refs: &[String], patience: Duration) -> Result<Settled, Error> {
    let deadline = Instant::now() + patience;
    let mut changes = shared.changes.subscribe();
    let ids = ids(&mut shared.db.read().await?, refs).await?;
    let mut settled = Settled { all: ids.clone(), pending: ids };
    loop {
        changes.borrow_and_update();
        look(&mut shared.db.read().await?, &mut settled).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        if settled.pending.is_empty() || left.is_zero() {
            return Ok(settled);
        }
        sleep(WAIT_PAUSE.min(left)).await;
        // In vain or not, it is looked at again.
        let _ = timeout(WAIT_LOOK.min(left), changes.changed()).await;
    }
}

/// Takes out what is done, and puts in what came from it. Work that is due later was done: a failed read is tried again
/// then, and a source that cannot tell of changes is asked again.
async fn look(tx: &mut Tx, settled: &mut Settled) -> Result<(), Error> {
    while !settled.pending.is_empty() {
        let mut sql = Sql::new();
        sql.push("SELECT entity_id FROM queue WHERE due_at <= ").bind(now());
        sql.push(" AND entity_id IN ").ids(settled.pending.iter().copied());
        let due = column(&tx.fetch_all(sql).await?)?;
        let done: Vec<i64> = settled.pending.difference(&due).copied().collect();
        settled.pending = due;
        if done.is_empty() {
            break;
        }
        let mut sql = Sql::new();
        sql.push("SELECT child_id FROM reference WHERE parent_id IN ").ids(done);
        let children = column(&tx.fetch_all(sql).await?)?;
        settled.pending.extend(children.into_iter().filter(|child| settled.all.insert(*child)));
    }
    Ok(())
}

async fn ids(tx: &mut Tx, refs: &[String]) -> Result<HashSet<i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT e.id FROM ref r JOIN entity e ON e.id = r.id WHERE r.ref IN ").list(refs);
    column(&tx.fetch_all(sql).await?)
}

fn column(rows: &[Row]) -> Result<HashSet<i64>, Error> {
    rows.iter().map(|row| row.get(0)).collect()
}
