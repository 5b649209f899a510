//! Making the index anew from the documents, when the rule changed by which it is made.

use std::sync::Arc;

use callboard_store::{Db, Error, Sql, args, query};

use super::changes::Changes;
use super::extract::{self, Entries};
use crate::engine::held::Held;
use crate::engine::replicas::Replica;

/// Documents that are indexed in one transaction.
const BATCH: i64 = 500;

/// Documents between two words about how far it is.
const TOLD: u64 = 10_000;

/// Makes the index anew, where it was made by another rule than this program's. A rebuild that is cut off begins again;
/// of several replicas that start together one does it, and the others wait.
pub(crate) async fn rebuild_if_changed(db: &Db, replica: &Arc<Replica>) -> Result<(), Error> {
    let held = loop {
        if is_current(db).await? {
            return Ok(());
        }
        if let Some(held) = Held::take(db, replica, "catalog index").await? {
            break held;
        }
        tokio::time::sleep(replica.beat()).await;
    };
    if is_current(db).await? {
        return held.give_up().await;
    }
    tokio::select! {
        rebuilt = rebuild(db) => rebuilt?,
        () = held.lost() => return Err(Error::Unavailable("the index could not be made in peace".to_owned())),
    }
    held.give_up().await
}

async fn is_current(db: &Db) -> Result<bool, Error> {
    let select = query("SELECT value FROM setting WHERE name = 'index'", args![]);
    let before: Option<String> = db.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?;
    Ok(before.as_deref() == Some(extract::VERSION))
}

async fn rebuild(db: &Db) -> Result<(), Error> {
    tracing::info!("indexing the catalog anew");
    let mut tx = db.begin().await?;
    for statement in [
        "DELETE FROM posting",
        "DELETE FROM facet_count",
        "DELETE FROM wide",
        "DELETE FROM long",
        "DELETE FROM term",
        "DELETE FROM key",
        "DELETE FROM setting WHERE name = 'index'",
    ] {
        tx.execute(query(statement, args![])).await?;
    }
    tx.commit().await?;
    let (mut last, mut done, mut told) = (0, 0, 0);
    loop {
        let mut tx = db.begin().await?;
        let mut sql = Sql::new();
        sql.push("SELECT d.entity_id, d.document FROM document d JOIN entity e ON e.id = d.entity_id ");
        sql.push("WHERE e.hash IS NOT NULL AND d.entity_id > ").bind(last);
        sql.push(" ORDER BY d.entity_id LIMIT ").bind(BATCH);
        let rows = tx.fetch_all(sql).await?;
        if rows.is_empty() {
            tx.execute(query(
                "INSERT INTO setting(name, value) VALUES ('index', $1) \
                 ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                args![extract::VERSION],
            ))
            .await?;
            return tx.commit().await;
        }
        let mut changes = Changes::default();
        for row in &rows {
            last = row.get(0)?;
            changes.replace(last, None, &Entries::of_document(&row.get::<String>(1)?)?);
        }
        changes.flush(&mut tx).await?;
        tx.commit().await?;
        done += u64::try_from(rows.len()).unwrap_or_default();
        if done >= told + TOLD {
            told = done;
            tracing::info!(entities = done, "indexing the catalog anew");
        }
    }
}
