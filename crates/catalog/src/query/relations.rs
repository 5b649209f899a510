//! Conditions on `relations.<type>`. The index has no postings of them: their rows are read, from either end.

use std::collections::BTreeSet;

use callboard_store::{Error, Sql, Tx, args, query};

use super::leaf::{Answers, Asked, Pair, Scope, accepted, insert_listed, is_kept, of_kinds};

/// The types of relations that a key means, from their two ends.
#[derive(Default)]
struct Types {
    /// The entity is the source.
    forward: Vec<i64>,
    /// The entity is the target.
    backward: Vec<i64>,
}

/// The types that `relations.<type>` means.
async fn types(tx: &mut Tx, key: &str) -> Result<Types, Error> {
    let wanted = key.strip_prefix("relations.").unwrap_or_default();
    let mut types = Types::default();
    // A handful: letter case is for the process, because the engines disagree about it.
    for row in tx.fetch_all(query("SELECT id, name, inverse FROM relation_type", args![])).await? {
        if row.get::<String>(1)?.to_lowercase() == wanted {
            types.forward.push(row.get(0)?);
        }
        let inverse: String = row.get(2)?;
        if !inverse.is_empty() && inverse.to_lowercase() == wanted {
            types.backward.push(row.get(0)?);
        }
    }
    Ok(types)
}

/// Relations to so few refs are looked at together with the entities that have them. Beyond that, fetching all that can be
/// seen is cheaper.
const FEW_REFS: usize = 4;

/// Whether what is asked of a key is answered with entities, too, that cannot be seen: a relation may be of one.
pub(super) fn may_be_unseen(key: &str, asked: &BTreeSet<Asked>) -> bool {
    key.starts_with("relations.")
        && (asked.len() > FEW_REFS || asked.iter().any(|asked| !matches!(asked, Asked::Is(_))))
}

/// Fetches what is asked of relations.
pub(super) async fn fetch(
    tx: &mut Tx,
    scope: &Scope,
    key: &str,
    asked: &BTreeSet<&Asked>,
    answers: &mut Answers,
) -> Result<(), Error> {
    let types = types(tx, key).await?;
    let exact: Vec<&String> =
        asked.iter().filter_map(|asked| if let Asked::Is(value) = asked { Some(value) } else { None }).collect();
    let ends = [(&types.forward, "x.source_id", "x.target_id"), (&types.backward, "x.target_id", "x.source_id")];
    for (types, this, other) in ends.into_iter().filter(|(types, ..)| !types.is_empty()) {
        if !exact.is_empty() {
            let mut sql = Sql::new();
            sql.push("SELECT v.ref, string_agg(").push(this).push(" || '', ' ') FROM ref v CROSS JOIN relation x");
            if exact.len() <= FEW_REFS {
                sql.push(" JOIN entity e ON e.hash IS NOT NULL AND e.id = ").push(this);
            }
            sql.push(" WHERE v.id = ").push(other).push(" AND x.type_id IN ").ids(types.iter().copied());
            sql.push(" AND v.ref IN ").list(exact.iter().copied());
            of_kinds(&mut sql, scope, this);
            sql.push(" GROUP BY v.ref");
            for row in tx.fetch_all(sql).await? {
                insert_listed(answers.entry((key.to_owned(), Asked::Is(row.get(0)?))).or_default(), &row, 1)?;
            }
        }
        for asked in asked.iter().filter(|asked| !matches!(asked, Asked::Is(_))) {
            let sets = answers.entry((key.to_owned(), (*asked).clone())).or_default();
            let mut sql = Sql::new();
            if **asked == Asked::Anything {
                sql.push("SELECT DISTINCT ").push(this).push(" FROM relation x WHERE x.type_id IN ");
                sql.ids(types.iter().copied());
                of_kinds(&mut sql, scope, this);
                for row in tx.fetch_all(sql).await? {
                    sets.insert(row.get(0)?);
                }
                continue;
            }
            sql.push("SELECT ").push(this).push(", v.ref FROM ref v CROSS JOIN relation x WHERE v.id = ").push(other);
            sql.push(" AND x.type_id IN ").ids(types.iter().copied());
            accepted(&mut sql, "v.ref", asked);
            of_kinds(&mut sql, scope, this);
            for row in tx.fetch_all(sql).await? {
                if is_kept(&row.get::<String>(1)?) {
                    sets.insert(row.get(0)?);
                }
            }
        }
    }
    Ok(())
}

/// How many entities that can be seen have a relation to each ref; none where the key means two ends, of which an entity
/// may have both.
pub(super) async fn related(tx: &mut Tx, scope: &Scope, key: &str) -> Result<Option<Vec<(String, u64)>>, Error> {
    let types = types(tx, key).await?;
    let (types, this, other) = match (types.forward, types.backward) {
        (forward, backward) if backward.is_empty() => (forward, "x.source_id", "x.target_id"),
        (forward, backward) if forward.is_empty() => (backward, "x.target_id", "x.source_id"),
        _ => return Ok(None),
    };
    let mut sql = Sql::new();
    sql.push("SELECT v.ref, g.n FROM (SELECT ").push(other).push(" AS id, count(DISTINCT ").push(this);
    sql.push(") AS n FROM relation x JOIN entity e ON e.hash IS NOT NULL AND e.id = ").push(this);
    sql.push(" WHERE x.type_id IN ").ids(types);
    of_kinds(&mut sql, scope, this);
    sql.push(" GROUP BY ").push(other).push(") g JOIN ref v ON v.id = g.id");
    let rows = tx.fetch_all(sql).await?;
    let counts =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(String, u64)>, Error>>()?;
    Ok(Some(counts.into_iter().filter(|(name, _)| is_kept(name)).collect()))
}

/// Every ref that entities have under a key, each of an entity once.
pub(super) async fn pairs(
    tx: &mut Tx,
    scope: &Scope,
    key: &str,
    is_meant: impl Fn(i64) -> bool,
) -> Result<Vec<Pair>, Error> {
    let mut pairs = Vec::new();
    let types = types(tx, key).await?;
    let ends = [(types.forward, "x.source_id", "x.target_id"), (types.backward, "x.target_id", "x.source_id")];
    for (types, this, other) in ends.into_iter().filter(|(types, ..)| !types.is_empty()) {
        let mut sql = Sql::new();
        sql.push("SELECT DISTINCT ").push(this).push(", v.ref FROM relation x JOIN ref v ON v.id = ").push(other);
        sql.push(" WHERE x.type_id IN ").ids(types);
        of_kinds(&mut sql, scope, this);
        for row in tx.fetch_all(sql).await? {
            let (id, value): (i64, String) = (row.get(0)?, row.get(1)?);
            if is_meant(id) && is_kept(&value) {
                pairs.push(Pair { id, original: value.clone(), value });
            }
        }
    }
    // Two ends of one name may lead to the same.
    pairs.sort();
    pairs.dedup();
    Ok(pairs)
}
