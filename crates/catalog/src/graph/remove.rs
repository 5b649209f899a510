//! Removing entities, and what came from them.

use callboard_store::{Engine, Error, Sql, Tx, args, query};

use super::{enqueue, forget_results, told};
use crate::index::changes::Changes;
use crate::index::extract::Entries;
use crate::settings::Strategy;

/// Deals with entities that lost a parent or a provider: those that have none left go, or are marked. Says which went.
pub(super) async fn orphaned(
    tx: &mut Tx,
    changes: &mut Changes,
    ids: &[i64],
    orphans: Strategy,
    now: i64,
) -> Result<Vec<i64>, Error> {
    match orphans {
        Strategy::Delete => prune_with(tx, changes, ids, now).await,
        Strategy::Keep => {
            forget_results(tx, ids).await?;
            changes.forgotten.extend(ids);
            enqueue(tx, ids, now, false).await?;
            Ok(Vec::new())
        }
    }
}

/// Removes what no provider brings any more, of these entities and everything below them.
pub(crate) async fn prune(tx: &mut Tx, ids: &[i64], now: i64) -> Result<(), Error> {
    prune_with(tx, &mut Changes::default(), ids, now).await.map(|_| ())
}

/// The same, within a transaction that changes the index already. Says which went.
async fn prune_with(tx: &mut Tx, changes: &mut Changes, ids: &[i64], now: i64) -> Result<Vec<i64>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
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
    delete(tx, changes, &doomed, now).await?;
    Ok(doomed)
}

/// Removes exactly these entities. Whoever lost the same ref to one of them gets another chance.
async fn delete(tx: &mut Tx, changes: &mut Changes, ids: &[i64], now: i64) -> Result<(), Error> {
    const CHUNK: usize = 2_000;
    for ids in ids.chunks(CHUNK) {
        unindex(tx, changes, ids).await?;
        let mut sql = Sql::new();
        sql.push("SELECT DISTINCT parent_id FROM contender WHERE ref_id IN ").ids(ids.iter().copied());
        let contenders = tx
            .fetch_all(sql)
            .await?
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<Vec<i64>, callboard_store::Error>>()?;
        delete_rows(tx, ids).await?;
        forget_results(tx, &contenders).await?;
        enqueue(tx, &contenders, now, true).await?;
        changes.forgotten.extend(contenders);
    }
    Ok(())
}

/// What there is of entities, by the name that a statement has where several go together.
const ROWS: [(&str, &str); 12] = [
    ("of_document AS (", "DELETE FROM document WHERE entity_id IN "),
    ("of_source AS (", "DELETE FROM entity_source WHERE entity_id IN "),
    ("of_queue AS (", "DELETE FROM queue WHERE entity_id IN "),
    ("of_dependency AS (", "DELETE FROM dependency WHERE entity_id IN "),
    ("of_chained AS (", "DELETE FROM chained WHERE entity_id IN "),
    ("of_relation AS (", "DELETE FROM relation WHERE origin_id = source_id AND source_id IN "),
    ("of_relation_named AS (", "DELETE FROM relation WHERE origin_id <> source_id AND origin_id IN "),
    ("of_reference AS (", "DELETE FROM reference WHERE child_id IN "),
    ("of_reference_below AS (", "DELETE FROM reference WHERE parent_id IN "),
    ("of_provided AS (", "DELETE FROM provided WHERE entity_id IN "),
    ("of_contender AS (", "DELETE FROM contender WHERE parent_id IN "),
    ("of_entity AS (", "DELETE FROM entity WHERE id IN "),
];

/// PostgreSQL takes them all at once, and each then sees the rows as they were before; none goes by what another does.
/// To SQLite, which is in this process, a statement is no way.
async fn delete_rows(tx: &mut Tx, ids: &[i64]) -> Result<(), Error> {
    match tx.engine() {
        Engine::Postgres => {
            let mut sql = Sql::new();
            for (number, (name, statement)) in ROWS.into_iter().enumerate() {
                sql.push(if number == 0 { "WITH " } else { ", " }).push(name);
                sql.push(statement).ids(ids.iter().copied()).push(")");
            }
            sql.push(" SELECT 1");
            tx.execute(sql).await?;
        }
        Engine::Sqlite => {
            for (_, statement) in ROWS {
                let mut sql = Sql::new();
                sql.push(statement).ids(ids.iter().copied());
                tx.execute(sql).await?;
            }
        }
    }
    // A ref that a relation leads to keeps its id, for the relation's sake.
    let mut sql = Sql::new();
    sql.push("DELETE FROM ref WHERE NOT EXISTS (SELECT 1 FROM relation r WHERE r.target_id = ref.id) ");
    sql.push("AND NOT EXISTS (SELECT 1 FROM relation r WHERE r.source_id = ref.id) ");
    sql.push("AND NOT EXISTS (SELECT 1 FROM contender c WHERE c.ref_id = ref.id) AND id IN ").ids(ids.iter().copied());
    tx.execute(sql).await?;
    Ok(())
}

/// Takes entities out of the index. Their documents say what there is of them.
async fn unindex(tx: &mut Tx, changes: &mut Changes, ids: &[i64]) -> Result<(), Error> {
    // Few at a time: a document may be large.
    const CHUNK: usize = 200;
    // What the transaction has changed so far may be of the same entities.
    changes.flush(tx).await?;
    for ids in ids.chunks(CHUNK) {
        let mut sql = Sql::new();
        sql.push("SELECT d.entity_id, d.document FROM document d JOIN entity e ON e.id = d.entity_id ");
        sql.push("WHERE e.hash IS NOT NULL AND d.entity_id IN ").ids(ids.iter().copied());
        let mut seen = Vec::new();
        for row in tx.fetch_all(sql).await? {
            let id = row.get(0)?;
            changes.remove(id, &Entries::of_document(&row.get::<String>(1)?)?);
            seen.push(id);
        }
        told::removed(tx, &seen).await?;
    }
    changes.flush(tx).await
}

/// Removes one entity because somebody asked for it. What still brings it brings it back.
pub(crate) async fn delete_one(tx: &mut Tx, id: i64, orphans: Strategy, now: i64) -> Result<(), Error> {
    let select = "SELECT 1, parent_id FROM reference WHERE child_id = $1 \
                  UNION ALL SELECT 0, child_id FROM reference WHERE parent_id = $1";
    let (mut parents, mut children) = (Vec::new(), Vec::new());
    for row in tx.fetch_all(query(select, args![id])).await? {
        let found = if row.get(0)? { &mut parents } else { &mut children };
        found.push(row.get(1)?);
    }
    let mut changes = Changes::default();
    delete(tx, &mut changes, &[id], now).await?;
    orphaned(tx, &mut changes, &children, orphans, now).await?;
    forget_results(tx, &parents).await?;
    enqueue(tx, &parents, now, true).await
}
