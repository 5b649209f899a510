//! Removing entities, and what came from them.

use callboard_store::{Error, Sql, Tx, args, query};

use super::{enqueue, forget_results};
use crate::settings::Strategy;

/// Deals with entities that lost a parent or a provider: those that have none left go, or are marked.
pub(crate) async fn orphaned(tx: &mut Tx, ids: &[i64], orphans: Strategy, now: i64) -> Result<(), Error> {
    match orphans {
        Strategy::Delete => prune(tx, ids, now).await.map(|_| ()),
        Strategy::Keep => {
            forget_results(tx, ids).await?;
            enqueue(tx, ids, now, false).await
        }
    }
}

/// Removes what no provider brings any more, of these entities and everything below them. Says how many went.
pub(crate) async fn prune(tx: &mut Tx, ids: &[i64], now: i64) -> Result<u64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    // Kept is what a provider brings or something outside of this branch emits, and all that is below it. Counting from
    // the roots and not from the parents gets rid of circles, too.
    let mut sql = Sql::new();
    sql.push("WITH RECURSIVE branch(id) AS (SELECT id FROM entity WHERE id IN ").ids(ids.iter().copied());
    sql.push(
        " UNION SELECT r.child_id FROM reference r JOIN branch ON r.parent_id = branch.id), \
         kept(id) AS (SELECT id FROM branch \
         WHERE EXISTS (SELECT 1 FROM provided p WHERE p.entity_id = branch.id) \
         OR EXISTS (SELECT 1 FROM reference r WHERE r.child_id = branch.id \
         AND r.parent_id NOT IN (SELECT id FROM branch)) \
         UNION SELECT r.child_id FROM reference r JOIN kept ON r.parent_id = kept.id) \
         SELECT id FROM branch WHERE id NOT IN (SELECT id FROM kept)",
    );
    let doomed = tx.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
    delete(tx, &doomed, now).await?;
    Ok(u64::try_from(doomed.len()).unwrap_or(u64::MAX))
}

/// Removes exactly these entities. Whoever lost the same ref to one of them gets another chance.
pub(crate) async fn delete(tx: &mut Tx, ids: &[i64], now: i64) -> Result<(), Error> {
    const CHUNK: usize = 2_000;
    for ids in ids.chunks(CHUNK) {
        let mut sql = Sql::new();
        sql.push("SELECT DISTINCT parent_id FROM contender WHERE ref_id IN ").ids(ids.iter().copied());
        let contenders = tx
            .fetch_all(sql)
            .await?
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<Vec<i64>, callboard_store::Error>>()?;
        for statement in [
            "DELETE FROM search WHERE entity_id IN ",
            "DELETE FROM document WHERE entity_id IN ",
            "DELETE FROM entity_source WHERE entity_id IN ",
            "DELETE FROM queue WHERE entity_id IN ",
            "DELETE FROM dependency WHERE entity_id IN ",
            "DELETE FROM relation WHERE origin_id IN ",
            "DELETE FROM reference WHERE child_id IN ",
            "DELETE FROM reference WHERE parent_id IN ",
            "DELETE FROM provided WHERE entity_id IN ",
            "DELETE FROM contender WHERE parent_id IN ",
            "DELETE FROM entity WHERE id IN ",
            // A ref that a relation leads to keeps its id, for the relation's sake.
            "DELETE FROM ref WHERE NOT EXISTS (SELECT 1 FROM relation r WHERE r.target_id = ref.id) \
             AND NOT EXISTS (SELECT 1 FROM relation r WHERE r.source_id = ref.id) \
             AND NOT EXISTS (SELECT 1 FROM contender c WHERE c.ref_id = ref.id) AND id IN ",
        ] {
            let mut sql = Sql::new();
            sql.push(statement).ids(ids.iter().copied());
            tx.execute(sql).await?;
        }
        forget_results(tx, &contenders).await?;
        enqueue(tx, &contenders, now, true).await?;
    }
    Ok(())
}

/// Removes one entity because somebody asked for it. What still brings it brings it back.
pub(crate) async fn delete_one(tx: &mut Tx, id: i64, orphans: Strategy, now: i64) -> Result<(), Error> {
    let rows = tx.fetch_all(query("SELECT parent_id FROM reference WHERE child_id = $1", args![id])).await?;
    let parents = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
    let children: Vec<i64> = super::children_of(tx, id).await?.into_iter().collect();
    delete(tx, &[id], now).await?;
    orphaned(tx, &children, orphans, now).await?;
    forget_results(tx, &parents).await?;
    enqueue(tx, &parents, now, true).await
}
