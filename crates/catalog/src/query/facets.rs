//! Facets: the values of fields, with how many entities have each.

use std::collections::BTreeMap;

use callboard_model::access::Access;
use callboard_model::api::{FacetValue, Facets};
use callboard_model::filter::Predicate;
use callboard_store::{Db, Error as StoreError, Sql, Tx};

use super::leaf::{self, Scope};
use super::relations;
use super::select::Selection;
use super::values;
use crate::Error;
use crate::index::extract::{as_member, is_wide};
use crate::index::posting;
use crate::index::sets::Sets;
use crate::limits::FACETS;

/// The values of facets among the entities that are meant.
pub(crate) async fn facets(
    db: &Db,
    access: &Access,
    facets: &[String],
    filter: Option<&Predicate>,
) -> Result<Facets, Error> {
    if facets.is_empty() {
        return Err(Error::Input("Missing or empty facets parameter".to_owned()));
    }
    if facets.len() > FACETS {
        return Err(Error::Input(format!("At most {FACETS} facets may be asked for at once")));
    }
    let mut tx = db.read().await?;
    let selection = Selection::of(&mut tx, access, filter, None).await?;
    let mut answer = Facets::default();
    for facet in facets {
        let counts = facet_of(&mut tx, &selection, &facet.to_lowercase()).await?;
        let values = counts.into_iter().map(|(value, count)| FacetValue { value, count });
        answer.facets.insert(facet.clone(), values.collect());
    }
    Ok(answer)
}

/// By value, as it is written.
type Counts = BTreeMap<String, u64>;

async fn facet_of(tx: &mut Tx, selection: &Selection, key: &str) -> Result<Counts, StoreError> {
    if key.contains('\0') || selection.sets.as_ref().is_some_and(Sets::is_empty) {
        return Ok(Counts::new());
    }
    let scope = &selection.scope;
    if key.starts_with("relations.") {
        if selection.sets.is_none()
            && let Some(counts) = relations::related(tx, scope, key).await?
        {
            return Ok(counts.into_iter().collect());
        }
        // Relations may name what cannot be seen.
        let mut all = Selection { scope: scope.clone(), sets: selection.sets.clone() };
        let sets = all.sets(tx).await?;
        return Ok(counted(leaf::pairs(tx, scope, key, Some(sets)).await?.into_iter().map(|pair| pair.original)));
    }
    if is_wide(key) {
        let pairs = leaf::pairs(tx, scope, key, selection.sets.as_ref()).await?;
        return Ok(counted(pairs.into_iter().map(|pair| pair.original)));
    }
    let mut counts = match &selection.sets {
        None => counters(tx, scope, key).await?,
        Some(sets) => among(tx, scope, key, sets).await?,
    };
    if !as_member(key).is_empty() {
        let mut members = leaf::members(tx, scope, key).await?;
        if let Some(sets) = &selection.sets {
            members.intersect(sets);
        }
        if !members.is_empty() {
            *counts.entry("true".to_owned()).or_default() += members.len();
        }
    }
    Ok(counts)
}

fn counted(values: impl Iterator<Item = String>) -> Counts {
    let mut counts = Counts::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// From what is counted already.
async fn counters(tx: &mut Tx, scope: &Scope, key: &str) -> Result<Counts, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT t.value, t.original, f.n FROM key k CROSS JOIN facet_count f CROSS JOIN term t ");
    sql.push("WHERE f.key_id = k.id AND f.term_id > 0 AND t.id = f.term_id AND k.name = ").bind(key);
    match &scope.0 {
        None => {
            sql.push(" AND f.kind_id = 0");
        }
        Some(_) => scope.restrict(&mut sql, "f.kind_id"),
    }
    let mut counts = Counts::new();
    for row in tx.fetch_all(sql).await? {
        let (value, original, n): (String, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        *counts.entry(if original.is_empty() { value } else { original }).or_default() += n;
    }
    Ok(counts)
}

/// Postings that are always looked at.
const POSTINGS: u64 = 2_000;

/// The entities of which reading the documents is cheaper than more postings than that.
const ENTITIES: u64 = 1_000;

/// Among the entities of a set.
async fn among(tx: &mut Tx, scope: &Scope, key: &str, sets: &Sets) -> Result<Counts, StoreError> {
    // A document also has what its arrays' strings are true of, which the caller counts.
    let few = sets.len() <= ENTITIES && as_member(key).is_empty();
    let mut sql = Sql::new();
    sql.push("SELECT p.kind_id, p.numbers, t.value, t.original FROM term t CROSS JOIN posting p ");
    sql.push("WHERE p.term_id = t.id AND t.key_id = (SELECT id FROM key WHERE name = ").bind(key).push(")");
    scope.restrict(&mut sql, "p.kind_id");
    if few {
        sql.limit(POSTINGS + 1);
    }
    let rows = tx.fetch_all(sql).await?;
    if few && u64::try_from(rows.len()).unwrap_or(u64::MAX) > POSTINGS {
        let rows = values::rows(tx, sets, key).await?;
        return Ok(counted(rows.into_iter().map(|(_, _, original)| original)));
    }
    let mut counts = Counts::new();
    for row in &rows {
        let n = sets.count(row.get(0)?, &posting::decode(&row.get::<Vec<u8>>(1)?)?);
        if n > 0 {
            let (value, original): (String, String) = (row.get(2)?, row.get(3)?);
            *counts.entry(if original.is_empty() { value } else { original }).or_default() += n;
        }
    }
    Ok(counts)
}
