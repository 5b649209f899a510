//! Which processors of plugins had a say in what is stored of entities.

use std::collections::{BTreeMap, HashMap};

use callboard_model::stable_json::sha1_hex_of;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args};

/// Notes them for results that are stored. Where nothing changed it writes nothing.
pub(super) async fn set(tx: &mut Tx, results: &[(i64, &BTreeMap<String, String>)]) -> Result<(), Error> {
    if results.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new();
    sql.push("SELECT h.entity_id, c.digest FROM chained h JOIN chain c ON c.id = h.chain_id WHERE h.entity_id IN ");
    sql.ids(results.iter().map(|(id, _)| *id));
    let rows = tx.fetch_all(sql).await?;
    let before: HashMap<i64, String> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
    let (mut gone, mut new, mut chains) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (id, used) in results {
        let text = serde_json::to_string(used).map_err(|error| Error::Failed(error.to_string()))?;
        let digest = (!used.is_empty()).then(|| sha1_hex_of(text.as_bytes()));
        let known = before.get(id);
        if known == digest.as_ref() {
            continue;
        }
        gone.extend(known.map(|_| *id));
        if let Some(digest) = digest {
            new.push((*id, digest.clone()));
            chains.insert(digest, text);
        }
    }
    if !gone.is_empty() {
        let mut sql = Sql::new();
        sql.push("DELETE FROM chained WHERE entity_id IN ").ids(gone);
        tx.execute(sql).await?;
    }
    if new.is_empty() {
        return Ok(());
    }
    let ids = chain_ids(tx, &chains).await?;
    let rows: Vec<_> = new.iter().filter_map(|(id, digest)| ids.get(digest).map(|chain| args![*id, *chain])).collect();
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO chained(entity_id, chain_id) VALUES ").rows(chunk.iter().cloned());
        tx.execute(sql).await?;
    }
    Ok(())
}

/// The ids of lists, by their digests. There are few of them.
async fn chain_ids(tx: &mut Tx, chains: &BTreeMap<String, String>) -> Result<HashMap<String, i64>, Error> {
    let rows: Vec<_> = chains.iter().map(|(digest, used)| args![digest, used]).collect();
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO chain(digest, used) VALUES ").rows(chunk.iter().cloned());
        sql.push(" ON CONFLICT(digest) DO NOTHING");
        tx.execute(sql).await?;
    }
    let mut sql = Sql::new();
    sql.push("SELECT digest, id FROM chain WHERE digest IN ").list(chains.keys().cloned());
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
