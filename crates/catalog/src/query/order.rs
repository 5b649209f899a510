//! Entities in the order of a field.
//!
//! The entities that are meant are known as sets, so that an order is a walk over an index that tests bits until the page
//! is full: over the rows of `wide` for what nearly every entity has of its own and lists are ordered by, kind by kind and
//! merged; over the terms of the key otherwise. Those of `long` are sorted on PostgreSQL, which has no index in their
//! order. Where few are meant, they are sorted in any case.

use std::collections::{BTreeMap, HashMap, VecDeque};

use callboard_store::{Error, Sql, Tx};

use super::leaf::{self, Scope};
use super::select::{Selection, valued};
use super::values;
use crate::index::extract::{as_member, is_always_there, is_wide, table};
use crate::index::sets::Sets;

/// The place of an entity in an order. Without an order it has no value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) value: Option<String>,
    pub(super) id: i64,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Begins beyond this place.
    pub(super) after: Option<Place>,
    pub(super) descending: bool,
    pub(super) skip: u64,
    pub(super) limit: u64,
}

/// How entities are ordered.
#[derive(Debug)]
pub(super) enum Ordered {
    /// By id.
    Plain,
    /// By a key whose values are rows, of which there are so many of each kind.
    Wide { key: String, smallest: bool, kinds: HashMap<i64, u64> },
    /// By a key whose values are terms.
    Terms { key: String, smallest: bool },
    /// By what was fetched for the purpose.
    Sorted(Vec<Place>),
}

/// Restricts a selection to the entities that have a value under a key, and says how to order them. Of several values
/// of an entity the smallest counts, or the largest.
pub(super) async fn by(
    tx: &mut Tx,
    selection: &mut Selection,
    key: Option<&str>,
    smallest: bool,
) -> Result<Ordered, Error> {
    let Some(key) = key else { return Ok(Ordered::Plain) };
    let mixed = !as_member(key).is_empty() && !leaf::members(tx, &selection.scope, key).await?.is_empty();
    if key.starts_with("relations.") || mixed || key.contains('\0') {
        // Relations may name what cannot be seen.
        let sets = selection.sets(tx).await?.clone();
        let mut ends = BTreeMap::new();
        for pair in leaf::pairs(tx, &selection.scope, key, Some(&sets)).await? {
            end(&mut ends, pair.id, pair.value, smallest);
        }
        selection.sets = Some(ends.keys().copied().collect());
        return Ok(sorted(ends));
    }
    if let Some(sets) = &mut selection.sets
        && !sets.is_empty()
        && !is_always_there(key)
    {
        sets.intersect(&valued(tx, &selection.scope, key).await?);
    }
    let key = key.to_owned();
    if !is_wide(&key) {
        return Ok(Ordered::Terms { key, smallest });
    }
    let few = selection.sets.as_ref().is_some_and(|sets| sets.len() <= FEW);
    let kinds = if few { HashMap::new() } else { kinds(tx, &selection.scope, &key).await? };
    Ok(Ordered::Wide { key, smallest, kinds })
}

fn end(ends: &mut BTreeMap<i64, String>, id: i64, value: String, smallest: bool) {
    let known = ends.get(&id);
    if known.is_none_or(|known| if smallest { value < *known } else { value > *known }) {
        ends.insert(id, value);
    }
}

fn sorted(ends: BTreeMap<i64, String>) -> Ordered {
    let mut places: Vec<Place> = ends.into_iter().map(|(id, value)| Place { value: Some(value), id }).collect();
    places.sort();
    Ordered::Sorted(places)
}

impl Ordered {
    /// A part of a selection that [`by`] has restricted.
    pub(super) async fn part(&self, tx: &mut Tx, selection: &mut Selection, part: &Part) -> Result<Vec<Place>, Error> {
        match self {
            Ordered::Plain => {
                let sets = selection.sets(tx).await?;
                let after = part.after.as_ref().map(|place| place.id);
                let ids = sets.beyond(after, part.descending).skip(size(part.skip)).take(size(part.limit));
                Ok(ids.map(|id| Place { value: None, id }).collect())
            }
            Ordered::Sorted(places) => Ok(cut(places, part)),
            Ordered::Wide { key, smallest, kinds } => wide(tx, selection, key, *smallest, kinds, part).await,
            Ordered::Terms { key, smallest } => terms(tx, selection, key, *smallest, part).await,
        }
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A part of what is sorted already.
fn cut(places: &[Place], part: &Part) -> Vec<Place> {
    let (skip, limit) = (size(part.skip), size(part.limit));
    let rest = |from: usize, to: usize| places.get(from..to).unwrap_or_default().iter();
    if part.descending {
        let end = part.after.as_ref().map_or(places.len(), |after| places.partition_point(|place| place < after));
        rest(0, end).rev().skip(skip).take(limit).cloned().collect()
    } else {
        let start = part.after.as_ref().map_or(0, |after| places.partition_point(|place| place <= after));
        rest(start, places.len()).skip(skip).take(limit).cloned().collect()
    }
}

/// So few are sorted without a thought about what a walk would cost.
const FEW: u64 = 64;

/// What fetching the name of one entity costs, in rows of a walk.
const NAME_COST: u64 = 2;

/// What reading the document of one entity costs, in rows of a walk.
const DOCUMENT_COST: u64 = 25;

async fn wide(
    tx: &mut Tx,
    selection: &Selection,
    key: &str,
    smallest: bool,
    kinds: &HashMap<i64, u64>,
    part: &Part,
) -> Result<Vec<Place>, Error> {
    let mut step = part.skip.saturating_add(part.limit);
    let kinds = match &selection.sets {
        None => kinds.keys().copied().collect(),
        Some(sets) => {
            let total = sets.len();
            if total <= FEW {
                return sort(tx, sets, key, smallest, part).await;
            }
            let cost = total.saturating_mul(if key == "metadata.name" { NAME_COST } else { DOCUMENT_COST });
            let rows: u64 = kinds.iter().filter_map(|(kind, n)| (sets.len_of(*kind) > 0).then_some(*n)).sum();
            // As many rows as it takes until enough of them are meant, if those are spread evenly.
            step = rows.saturating_mul(step.min(total)) / total;
            if cost < step {
                return sort(tx, sets, key, smallest, part).await;
            }
            sets.kinds().collect()
        }
    };
    walk(tx, selection.sets.as_ref(), kinds, key, smallest, part, step).await
}

/// The kinds of a scope with a value under a key, with how many entities have one.
async fn kinds(tx: &mut Tx, scope: &Scope, key: &str) -> Result<HashMap<i64, u64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT f.kind_id, f.n FROM key k CROSS JOIN facet_count f WHERE f.key_id = k.id AND f.kind_id > 0 ");
    sql.push("AND f.term_id = -2 * k.id AND k.name = ").bind(key);
    scope.restrict(&mut sql, "f.kind_id");
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

async fn sort(tx: &mut Tx, sets: &Sets, key: &str, smallest: bool, part: &Part) -> Result<Vec<Place>, Error> {
    let mut ends = BTreeMap::new();
    for (id, value) in values::of(tx, sets, key).await? {
        end(&mut ends, id, value, smallest);
    }
    match sorted(ends) {
        Ordered::Sorted(places) => Ok(cut(&places, part)),
        _ => Ok(Vec::new()),
    }
}

/// The rows of one kind, in order, a batch at a time.
struct Stream {
    kind: i64,
    after: Option<Place>,
    rows: VecDeque<Place>,
    ended: bool,
}

/// Rows that are fetched at once, at least and at most.
const STEP: (u64, u64) = (32, 4_096);

/// Kinds whose rows one statement fetches.
const STREAMS: usize = 50;

async fn walk(
    tx: &mut Tx,
    sets: Option<&Sets>,
    kinds: Vec<i64>,
    key: &str,
    smallest: bool,
    part: &Part,
    step: u64,
) -> Result<Vec<Place>, Error> {
    let after = part.after.clone();
    let mut streams: Vec<Stream> = kinds
        .into_iter()
        .map(|kind| Stream { kind, after: after.clone(), rows: VecDeque::new(), ended: false })
        .collect();
    let (mut places, mut skip) = (Vec::new(), part.skip);
    // Few different limits, so that the statements are prepared already.
    let mut step = step.clamp(STEP.0, STEP.1).next_power_of_two();
    while size(part.limit) > places.len() {
        if streams.iter().any(|stream| stream.rows.is_empty() && !stream.ended) {
            fill(tx, &mut streams, key, smallest, part.descending, step).await?;
            step = (step * 2).min(STEP.1);
        }
        let heads = streams.iter_mut().filter(|stream| !stream.rows.is_empty());
        let next = if part.descending {
            heads.max_by(|a, b| a.rows.front().cmp(&b.rows.front()))
        } else {
            heads.min_by(|a, b| a.rows.front().cmp(&b.rows.front()))
        };
        let Some(place) = next.and_then(|stream| stream.rows.pop_front()) else { break };
        if sets.is_some_and(|sets| !sets.contains(place.id)) {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        places.push(place);
    }
    Ok(places)
}

async fn fill(
    tx: &mut Tx,
    streams: &mut [Stream],
    key: &str,
    smallest: bool,
    descending: bool,
    step: u64,
) -> Result<(), Error> {
    let mut empty: Vec<&mut Stream> =
        streams.iter_mut().filter(|stream| stream.rows.is_empty() && !stream.ended).collect();
    for streams in empty.chunks_mut(STREAMS) {
        let mut sql = Sql::new();
        for (number, stream) in streams.iter().enumerate() {
            sql.push(if number == 0 { "" } else { " UNION ALL " });
            sql.push("SELECT kind_id, value, entity_id FROM (SELECT x.kind_id, x.value, x.entity_id FROM ");
            sql.push(table(key))
                .push(" x WHERE x.key_id = (SELECT id FROM key WHERE name = ")
                .bind(key)
                .push(") AND x.kind_id = ");
            sql.bind(stream.kind);
            if let Some(Place { value: Some(value), id }) = &stream.after {
                sql.push(" AND (x.value, x.entity_id)").push(if descending { " < (" } else { " > (" });
                sql.bind(value).push(", ").bind(*id).push(")");
            }
            sql.push(if smallest { " AND (x.flags & 1) <> 0" } else { " AND (x.flags & 2) <> 0" });
            sql.push(if descending {
                " ORDER BY x.value DESC, x.entity_id DESC"
            } else {
                " ORDER BY x.value, x.entity_id"
            });
            sql.limit(step).push(") s");
        }
        let mut rows: HashMap<i64, Vec<Place>> = HashMap::new();
        for row in tx.fetch_all(sql).await? {
            rows.entry(row.get(0)?).or_default().push(Place { value: Some(row.get(1)?), id: row.get(2)? });
        }
        for stream in streams.iter_mut() {
            let mut rows = rows.remove(&stream.kind).unwrap_or_default();
            stream.ended = u64::try_from(rows.len()).unwrap_or(u64::MAX) < step;
            // Nothing says that a union keeps the order of its parts.
            rows.sort();
            if descending {
                rows.reverse();
            }
            stream.after = rows.last().cloned().or(stream.after.take());
            stream.rows.extend(rows);
        }
    }
    Ok(())
}

/// Values of a key whose postings are fetched at once, at first and at most.
const VALUES: (u64, u64) = (64, 1_024);

/// Terms in the order of their values, the entities of each by id. An entity counts with the first of its values, so that
/// those before the part have to be looked at as well.
async fn terms(
    tx: &mut Tx,
    selection: &Selection,
    key: &str,
    smallest: bool,
    part: &Part,
) -> Result<Vec<Place>, Error> {
    // From the end at which an entity's value is decided, which is not the one at which the part begins where it goes
    // back from a cursor.
    let backwards = part.descending == smallest;
    let mut seen = Sets::default();
    let mut found = Vec::new();
    let (mut last, mut step) = (None, VALUES.0);
    let enough = size(part.skip.saturating_add(part.limit));
    loop {
        let batch = values(tx, &selection.scope, key, last.as_deref(), !smallest, step).await?;
        let ended = u64::try_from(batch.len()).unwrap_or(u64::MAX) < step;
        last = batch.last().map(|(value, _)| value.clone());
        step = (step * 2).min(VALUES.1);
        for (value, mut sets) in batch {
            if let Some(meant) = &selection.sets {
                sets.intersect(meant);
            }
            sets.subtract(&seen);
            seen.union(&sets);
            if backwards {
                found.push((value, sets));
                continue;
            }
            take(&mut found, value, sets, part);
            if found.iter().map(|(_, sets)| size(sets.len())).sum::<usize>() >= enough {
                return Ok(places(&found, part));
            }
        }
        if ended {
            break;
        }
    }
    if backwards {
        found.reverse();
        let all = std::mem::take(&mut found);
        for (value, sets) in all {
            take(&mut found, value, sets, part);
        }
    }
    Ok(places(&found, part))
}

/// Keeps the entities of a value that are beyond the place where the part begins.
fn take(found: &mut Vec<(String, Sets)>, value: String, sets: Sets, part: &Part) {
    let rest = match &part.after {
        Some(Place { value: Some(after), id }) => match value.cmp(after) {
            std::cmp::Ordering::Equal => sets.beyond(Some(*id), part.descending).collect(),
            order if order.is_gt() != part.descending => sets,
            _ => return,
        },
        _ => sets,
    };
    if !rest.is_empty() {
        found.push((value, rest));
    }
}

fn places(found: &[(String, Sets)], part: &Part) -> Vec<Place> {
    let all = found.iter().flat_map(|(value, sets)| {
        sets.beyond(None, part.descending).map(|id| Place { value: Some(value.clone()), id })
    });
    all.skip(size(part.skip)).take(size(part.limit)).collect()
}

/// The next values of a key, with the entities that have each.
async fn values(
    tx: &mut Tx,
    scope: &Scope,
    key: &str,
    after: Option<&str>,
    descending: bool,
    limit: u64,
) -> Result<Vec<(String, Sets)>, Error> {
    let mut sql = Sql::new();
    sql.push("WITH v(key_id, value) AS (SELECT DISTINCT t.key_id, t.value FROM term t WHERE t.key_id = ");
    sql.push("(SELECT id FROM key WHERE name = ").bind(key).push(")");
    if let Some(after) = after {
        sql.push(if descending { " AND t.value < " } else { " AND t.value > " }).bind(after);
    }
    sql.push(if descending { " ORDER BY t.value DESC" } else { " ORDER BY t.value" }).limit(limit);
    sql.push(") SELECT v.value, p.kind_id, p.numbers FROM v JOIN term t ON t.key_id = v.key_id AND t.value = v.value ");
    sql.push("LEFT JOIN posting p ON p.term_id = t.id");
    scope.restrict(&mut sql, "p.kind_id");
    let mut found: BTreeMap<String, Sets> = BTreeMap::new();
    for row in tx.fetch_all(sql).await? {
        let sets = found.entry(row.get(0)?).or_default();
        if row.get::<Option<i64>>(1)?.is_some() {
            leaf::add(sets, &row, 1)?;
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    if descending {
        found.reverse();
    }
    Ok(found)
}
