//! Relations: an index that is joined when entities are read.
//!
//! A relation that its processing named from both ends, such as `ownedBy` and `ownerOf`, is one row that is read from
//! both; a group with a hundred thousand members is then written no more often than one with ten.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::entity_ref::EntityRef;
use callboard_model::relations::{PAIRS, Relation};
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Row, Sql, Tx, args};
use foldhash::{HashMap, HashSet};

use super::refs::{self, ref_ids};
use crate::process::ProcessingError;

/// A type as the table has it: its name, and what it is called from the other end, or nothing.
type Type<'a> = (&'a str, &'a str);

/// A row to be: source, type, target.
type Edge<'a, T> = (T, Type<'a>, T);

/// Sets the relations that the processing of entities named. Answers with those whose relations cannot be kept, and
/// leaves theirs as they are.
pub(crate) async fn set(tx: &mut Tx, wanted: &[(i64, &[Relation])]) -> Result<HashMap<i64, ProcessingError>, Error> {
    let mut refused = HashMap::default();
    let mut before = before(tx, wanted.iter().map(|(origin, _)| *origin).collect()).await?;
    if before.is_empty() && wanted.iter().all(|(_, relations)| relations.is_empty()) {
        return Ok(refused);
    }
    let named: HashSet<&EntityRef> = wanted.iter().flat_map(|(_, relations)| relations.iter().flat_map(ends)).collect();
    let named: Vec<(&EntityRef, String)> = named.into_iter().map(|end| (end, end.to_string())).collect();
    let ids = ref_ids(tx, named.iter().map(|(_, name)| name.as_str())).await?;
    let ids: HashMap<&EntityRef, i64> = named.iter().filter_map(|(end, name)| Some((*end, *ids.get(name)?))).collect();
    let mut rows = Vec::new();
    for (origin, relations) in wanted {
        let known = |relation: &Relation| Some((*ids.get(&relation.source)?, *ids.get(&relation.target)?));
        let with_ids = relations.iter().map(|relation| {
            known(relation).map(|(source, target)| (source, relation.kind.as_str(), target)).ok_or(relation)
        });
        match with_ids.collect::<Result<Vec<_>, _>>() {
            Ok(relations) => rows.push((*origin, edges(relations))),
            Err(relation) => {
                let lost = ends(relation).into_iter().find(|end| !ids.contains_key(end));
                let lost: String = lost.map(|end| end.to_string().chars().take(100).collect()).unwrap_or_default();
                refused.insert(*origin, ProcessingError::input(format!("relation to {lost:?}: {}", refs::REFUSED)));
            }
        }
    }
    let types = rows.iter().flat_map(|(_, edges)| edges.iter().map(|edge| edge.1)).collect();
    let types = type_ids(tx, types).await?;
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (origin, edges) in &rows {
        let id = |kind| types.get(kind).copied().ok_or_else(|| Error::Failed("a relation type has no id".to_owned()));
        let ids = edges.iter().map(|(source, kind, target)| Ok((*source, id(kind)?, *target)));
        let ids: Rows = ids.collect::<Result<_, Error>>()?;
        let before = before.remove(origin).unwrap_or_default();
        let row = |(source, kind, target): &(i64, i64, i64)| (*source, *kind, *target, *origin);
        gone.extend(before.difference(&ids).map(row));
        new.extend(ids.difference(&before).map(row));
    }
    // Neighbours in the table are written one after the other.
    new.sort_unstable();
    let row = |(source, kind, target, origin): &(i64, i64, i64, i64)| args![*source, *kind, *target, *origin];
    for chunk in gone.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("DELETE FROM relation WHERE (source_id, type_id, target_id, origin_id) IN (VALUES ");
        sql.rows(chunk.iter().map(row)).push(")");
        tx.execute(sql).await?;
    }
    for chunk in new.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO relation(source_id, type_id, target_id, origin_id) VALUES ");
        sql.rows(chunk.iter().map(row));
        tx.execute(sql).await?;
    }
    Ok(refused)
}

type Rows = HashSet<(i64, i64, i64)>;

async fn before(tx: &mut Tx, origins: Vec<i64>) -> Result<HashMap<i64, Rows>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT origin_id, source_id, type_id, target_id FROM relation WHERE origin_id = source_id ");
    sql.push("AND source_id IN ").ids(origins.iter().copied());
    sql.push(" UNION ALL SELECT origin_id, source_id, type_id, target_id FROM relation ");
    sql.push("WHERE origin_id <> source_id AND origin_id IN ").ids(origins);
    let mut before: HashMap<i64, Rows> = HashMap::default();
    for row in tx.fetch_all(sql).await? {
        before.entry(row.get(0)?).or_default().insert((row.get(1)?, row.get(2)?, row.get(3)?));
    }
    Ok(before)
}

fn ends(relation: &Relation) -> [&EntityRef; 2] {
    [&relation.source, &relation.target]
}

/// Each relation once: those that were named from both ends in the direction of [`PAIRS`], the others as they are.
fn edges<'a, T: Copy + Ord>(relations: impl IntoIterator<Item = (T, &'a str, T)>) -> BTreeSet<Edge<'a, T>> {
    let mut pairs: BTreeMap<Edge<'a, T>, (bool, bool)> = BTreeMap::new();
    let mut edges = BTreeSet::new();
    for (source, kind, target) in relations {
        match PAIRS.into_iter().find(|(forward, reverse)| [*forward, *reverse].contains(&kind)) {
            Some(pair) if pair.0 == kind => pairs.entry((source, pair, target)).or_default().0 = true,
            Some(pair) => pairs.entry((target, pair, source)).or_default().1 = true,
            None => {
                edges.insert((source, (kind, ""), target));
            }
        }
    }
    for ((source, pair, target), directions) in pairs {
        edges.insert(match directions {
            (true, true) => (source, pair, target),
            (true, false) => (source, (pair.0, ""), target),
            _ => (target, (pair.1, ""), source),
        });
    }
    edges
}

type TypeIds = HashMap<(String, String), i64>;

async fn type_ids<'a>(tx: &mut Tx, types: BTreeSet<Type<'a>>) -> Result<HashMap<Type<'a>, i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT name, inverse, id FROM relation_type WHERE name IN ").list(types.iter().map(|(name, _)| *name));
    let read = |rows: &[Row]| -> Result<TypeIds, Error> {
        rows.iter().map(|row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).collect()
    };
    let mut ids = read(&tx.fetch_all(sql).await?)?;
    let key = |(name, inverse): &Type<'_>| ((*name).to_owned(), (*inverse).to_owned());
    let missing: Vec<Type<'_>> = types.iter().filter(|kind| !ids.contains_key(&key(kind))).copied().collect();
    for chunk in missing.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO relation_type(name, inverse) VALUES ");
        sql.rows(chunk.iter().map(|(name, inverse)| args![*name, *inverse])).push(" RETURNING name, inverse, id");
        ids.extend(read(&tx.fetch_all(sql).await?)?);
    }
    Ok(types.into_iter().filter_map(|kind| Some((kind, *ids.get(&key(&kind))?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_a_pair() {
        fn check(relations: &[(&str, &str, &str)], expected: &[(&str, Type<'_>, &str)]) {
            let found: Vec<_> = edges(relations.iter().copied()).into_iter().collect();
            assert_eq!(found, expected, "{relations:?}");
        }
        let (a, b) = ("x:default/a", "x:default/b");
        check(&[(a, "ownedBy", b), (b, "ownerOf", a)], &[(a, ("ownedBy", "ownerOf"), b)]);
        check(&[(a, "ownerOf", b), (b, "ownedBy", a)], &[(b, ("ownedBy", "ownerOf"), a)]);
        // What is named from one end only is there from that end only.
        check(&[(a, "ownedBy", b)], &[(a, ("ownedBy", ""), b)]);
        check(&[(a, "ownerOf", b)], &[(a, ("ownerOf", ""), b)]);
        check(&[(a, "likes", b), (b, "likes", a)], &[(a, ("likes", ""), b), (b, ("likes", ""), a)]);
        check(&[(a, "dependsOn", a), (a, "dependencyOf", a)], &[(a, ("dependsOn", "dependencyOf"), a)]);
    }
}
