//! The ids of refs and kinds.

use std::collections::{BTreeMap, BTreeSet};

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args, query};
use foldhash::HashMap;

use crate::index::id;
use crate::limits::REF_BYTES;

/// Why a ref gets no id.
pub(crate) const REFUSED: &str =
    "the catalog cannot take this ref: a ref may have 1,000 bytes and no NUL, and there may be 65,535 kinds in all";

/// The ids of refs; those that are new get one. A ref that cannot have one is left out: see [`REFUSED`].
pub(crate) async fn ref_ids<'a>(
    tx: &mut Tx,
    refs: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, i64>, Error> {
    let refs: BTreeSet<&str> = refs.into_iter().filter(|name| is_possible(name)).collect();
    if refs.is_empty() {
        return Ok(HashMap::default());
    }
    let mut ids = known(tx, &refs).await?;
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in refs.into_iter().filter(|name| !ids.contains_key(*name)) {
        missing.entry(kind_of(name)).or_default().push(name);
    }
    if missing.is_empty() {
        return Ok(ids);
    }
    let kinds = kind_ids(tx, &missing.keys().copied().collect()).await?;
    let mut rows = Vec::new();
    for (kind, refs) in missing {
        let Some(kind) = kinds.get(kind).copied() else { continue };
        let count = i64::try_from(refs.len()).unwrap_or(i64::MAX);
        let update = query("UPDATE kind SET next = next + $2 WHERE id = $1 RETURNING next", args![kind, count]);
        let row = tx.fetch_optional(update).await?.ok_or_else(|| Error::Failed("a kind is gone".to_owned()))?;
        let first = row.get::<i64>(0)?.saturating_sub(count);
        for (number, name) in (first..).zip(refs) {
            let Ok(number) = u32::try_from(number) else { break };
            rows.push((id::of(kind, number), name));
        }
    }
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO ref(id, ref) VALUES ").rows(chunk.iter().map(|(id, name)| args![*id, *name]));
        tx.execute(sql).await?;
    }
    ids.extend(rows.into_iter().map(|(id, name)| (name.to_owned(), id)));
    Ok(ids)
}

/// Whether a ref can be kept: PostgreSQL's indexes and texts have bounds.
pub(crate) fn is_possible(name: &str) -> bool {
    name.len() <= REF_BYTES && !name.contains('\0')
}

fn kind_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(kind, _)| kind)
}

async fn known(tx: &mut Tx, refs: &BTreeSet<&str>) -> Result<HashMap<String, i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT ref, id FROM ref WHERE ref IN ").list(refs.iter().copied());
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

async fn kind_ids(tx: &mut Tx, names: &BTreeSet<&str>) -> Result<HashMap<String, i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT name, id FROM kind WHERE name IN ").list(names.iter().copied());
    let rows = tx.fetch_all(sql).await?;
    let mut ids: HashMap<String, i64> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
    let missing: Vec<&str> = names.iter().copied().filter(|name| !ids.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(ids);
    }
    let row = tx.fetch_optional(query("SELECT coalesce(max(id), 0) FROM kind", args![])).await?;
    let last: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    let new: Vec<(i64, &str)> = (last.saturating_add(1)..=id::MAX_KIND).zip(missing).collect();
    for chunk in new.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO kind(id, name, next) VALUES ").rows(chunk.iter().map(|(id, name)| args![*id, *name, 0]));
        tx.execute(sql).await?;
    }
    ids.extend(new.into_iter().map(|(id, name)| (name.to_owned(), id)));
    Ok(ids)
}
