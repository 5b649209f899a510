//! What entities have under a key, looked up by entity: for few of them.

use callboard_model::filter::search_rows;
use callboard_store::{Error, Row, Sql, Tx};
use serde_json::Value;

use crate::index::sets::Sets;

/// Entities whose documents are read at once: each may be large.
const DOCUMENTS: usize = 200;

/// The values of entities under a key that is no relation, with the entity.
pub(super) async fn of(tx: &mut Tx, sets: &Sets, key: &str) -> Result<Vec<(i64, String)>, Error> {
    if key == "metadata.name" {
        return names(tx, sets).await;
    }
    let rows = rows(tx, sets, key).await?;
    Ok(rows.into_iter().map(|(id, value, _)| (id, value)).collect())
}

/// The same, and as they are written.
pub(super) async fn rows(tx: &mut Tx, sets: &Sets, key: &str) -> Result<Vec<(i64, String, String)>, Error> {
    let mut found = Vec::new();
    let ids: Vec<i64> = sets.iter().collect();
    for ids in ids.chunks(DOCUMENTS) {
        let mut sql = Sql::new();
        sql.push("SELECT entity_id, document FROM document WHERE entity_id IN ").ids(ids.iter().copied());
        for row in tx.fetch_all(sql).await? {
            let id: i64 = row.get(0)?;
            for row in parse(&row)?.into_iter().filter(|row| row.key == key) {
                if let (Some(value), Some(original)) = (row.value, row.original) {
                    found.push((id, value, original));
                }
            }
        }
    }
    Ok(found)
}

fn parse(row: &Row) -> Result<Vec<callboard_model::filter::SearchRow>, Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::Failed(format!("a stored document is damaged: {error}"));
    let value: Value = serde_json::from_str(&row.get::<String>(1)?).map_err(|error| damaged(&error))?;
    search_rows(&value).map_err(|error| damaged(&error))
}

/// Names are in the refs, in lower case as the index has them.
async fn names(tx: &mut Tx, sets: &Sets) -> Result<Vec<(i64, String)>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT id, ref FROM ref WHERE id IN ").ids(sets.iter());
    let rows = tx.fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.get(1)?;
            // Neither kinds nor namespaces have a slash.
            Ok((row.get(0)?, name.split_once('/').map_or("", |(_, name)| name).to_owned()))
        })
        .collect()
}
