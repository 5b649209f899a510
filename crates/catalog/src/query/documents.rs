//! Fetching documents by their ids, with what is joined when they are read.

use std::collections::HashMap;

use callboard_store::{Sql, Tx};

use super::fields::Fields;
use crate::graph::document::render;
use crate::{Document, Error};

/// The documents of these entities.
pub(super) async fn fetch(tx: &mut Tx, ids: &[i64], fields: &Fields) -> Result<HashMap<i64, Document>, Error> {
    let mut documents = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(documents);
    }
    let mut sql = Sql::new();
    sql.push(
        "SELECT DISTINCT x.source_id, t.name, v.ref FROM relation x JOIN relation_type t ON t.id = x.type_id \
         JOIN ref v ON v.id = x.target_id WHERE x.source_id IN ",
    );
    sql.ids(ids.iter().copied()).push(" ORDER BY x.source_id, t.name, v.ref");
    let mut relations: HashMap<i64, Vec<(String, String)>> = HashMap::new();
    for row in tx.fetch_all(sql).await? {
        relations.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    let mut sql = Sql::new();
    sql.push(
        "SELECT e.id, d.document, e.hash, e.errors FROM entity e JOIN document d ON d.entity_id = e.id WHERE e.id IN ",
    );
    sql.ids(ids.iter().copied());
    for row in tx.fetch_all(sql).await? {
        let id: i64 = row.get(0)?;
        let (text, hash, errors): (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let relations = relations.remove(&id).unwrap_or_default();
        let document = render(&text, &hash, &relations, errors.as_deref()).map_err(|error| damaged(&error))?;
        documents.insert(id, fields.project(document).map_err(|error| damaged(&error))?);
    }
    Ok(documents)
}

/// The documents of these entities, in that order.
pub(super) async fn in_order(tx: &mut Tx, ids: &[i64], fields: &Fields) -> Result<Vec<Document>, Error> {
    let mut documents = fetch(tx, ids, fields).await?;
    Ok(ids.iter().filter_map(|id| documents.remove(id)).collect())
}

fn damaged(error: &serde_json::Error) -> Error {
    Error::Store(callboard_store::Error::Failed(format!("a stored document is damaged: {error}")))
}
