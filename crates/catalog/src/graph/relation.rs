//! Relations: an index that is joined when entities are read.

use std::collections::{HashMap, HashSet};

use callboard_model::relations::Relation;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};

use super::ref_ids;

/// Sets the relations that an entity's processing named.
pub(super) async fn set(tx: &mut Tx, origin: i64, relations: &[Relation]) -> Result<(), Error> {
    let rows = tx
        .fetch_all(query("SELECT source_id, type_id, target_id FROM relation WHERE origin_id = $1", args![origin]))
        .await?;
    let before: HashSet<(i64, i64, i64)> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect::<Result<_, Error>>()?;
    if before.is_empty() && relations.is_empty() {
        return Ok(());
    }
    let types = type_ids(tx, relations).await?;
    let refs: Vec<String> =
        relations.iter().flat_map(|relation| [relation.source.to_string(), relation.target.to_string()]).collect();
    let refs = ref_ids(tx, &refs).await?;
    let mut wanted = HashSet::new();
    for relation in relations {
        let source = refs.get(&relation.source.to_string());
        let target = refs.get(&relation.target.to_string());
        if let (Some(source), Some(kind), Some(target)) = (source, types.get(&relation.kind), target) {
            wanted.insert((*source, *kind, *target));
        }
    }
    for (source, kind, target) in before.difference(&wanted) {
        tx.execute(query(
            "DELETE FROM relation WHERE source_id = $1 AND type_id = $2 AND target_id = $3 AND origin_id = $4",
            args![*source, *kind, *target, origin],
        ))
        .await?;
    }
    let new: Vec<_> = wanted.difference(&before).collect();
    for chunk in new.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO relation(source_id, type_id, target_id, origin_id) VALUES ");
        sql.rows(chunk.iter().map(|(source, kind, target)| args![*source, *kind, *target, origin]));
        tx.execute(sql).await?;
    }
    Ok(())
}

async fn type_ids(tx: &mut Tx, relations: &[Relation]) -> Result<HashMap<String, i64>, Error> {
    let names: HashSet<&str> = relations.iter().map(|relation| relation.kind.as_str()).collect();
    let mut ids = known_types(tx, &names).await?;
    let missing: Vec<&str> = names.iter().copied().filter(|name| !ids.contains_key(*name)).collect();
    if !missing.is_empty() {
        let mut sql = Sql::new();
        sql.push("INSERT INTO relation_type(name, search_key) VALUES ");
        sql.rows(missing.iter().map(|name| args![*name, format!("relations.{}", name.to_lowercase())]));
        tx.execute(sql).await?;
        ids = known_types(tx, &names).await?;
    }
    Ok(ids)
}

async fn known_types(tx: &mut Tx, names: &HashSet<&str>) -> Result<HashMap<String, i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT name, id FROM relation_type WHERE name IN ").list(names.iter().copied());
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
