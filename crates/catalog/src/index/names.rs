//! The ids of keys and terms.

use std::collections::BTreeSet;

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Row, Sql, Tx, args};
use foldhash::HashMap;

use super::extract::Term;

/// The ids of keys; those that are new get one.
pub(super) async fn key_ids(tx: &mut Tx, names: &BTreeSet<&str>) -> Result<HashMap<String, i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT name, id FROM key WHERE name IN ").list(names.iter().copied());
    let rows = tx.fetch_all(sql).await?;
    let mut ids: HashMap<String, i64> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
    let missing: Vec<&str> = names.iter().copied().filter(|name| !ids.contains_key(*name)).collect();
    for chunk in missing.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO key(name) VALUES ").rows(chunk.iter().map(|name| args![*name]));
        sql.push(" RETURNING name, id");
        for row in tx.fetch_all(sql).await? {
            ids.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(ids)
}

/// The ids of terms, whose keys are known; those that are new get one.
pub(super) async fn term_ids<'a>(
    tx: &mut Tx,
    terms: impl Iterator<Item = &'a Term>,
    keys: &HashMap<String, i64>,
) -> Result<HashMap<&'a Term, i64>, Error> {
    let mut wanted = Vec::new();
    for term in terms {
        let key = keys.get(&term.key).ok_or_else(|| Error::Failed(format!("the key {} has no id", term.key)))?;
        wanted.push((term, *key));
    }
    let mut found = HashMap::default();
    let pairs: BTreeSet<(i64, &str)> = wanted.iter().map(|(term, key)| (*key, term.value.as_str())).collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    for chunk in pairs.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("WITH w(key_id, value) AS (VALUES ").rows(chunk.iter().map(|(key, value)| args![*key, *value]));
        sql.push(
            ") SELECT t.id, t.key_id, t.value, t.original, t.member FROM w \
             CROSS JOIN term t WHERE t.key_id = w.key_id AND t.value = w.value",
        );
        read(&tx.fetch_all(sql).await?, &mut found)?;
    }
    let is_new = |(term, key): &&(&Term, i64)| !found.contains_key(&identity(term, *key));
    let missing: Vec<(&Term, i64)> = wanted.iter().filter(is_new).copied().collect();
    for chunk in missing.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO term(key_id, value, original, member) VALUES ");
        sql.rows(chunk.iter().map(|(term, key)| args![*key, &term.value, &term.original, term.member]));
        sql.push(" RETURNING id, key_id, value, original, member");
        read(&tx.fetch_all(sql).await?, &mut found)?;
    }
    Ok(wanted.into_iter().filter_map(|(term, key)| Some((term, *found.get(&identity(term, key))?))).collect())
}

type Identity = (i64, String, String, bool);

fn identity(term: &Term, key: i64) -> Identity {
    (key, term.value.clone(), term.original.clone(), term.member)
}

fn read(rows: &[Row], found: &mut HashMap<Identity, i64>) -> Result<(), Error> {
    for row in rows {
        found.insert((row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?), row.get(0)?);
    }
    Ok(())
}
