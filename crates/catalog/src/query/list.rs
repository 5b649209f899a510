//! `GET /entities`, with its two modes.

use std::cmp::Ordering;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_model::access::Access;
use callboard_store::{Sql, Tx};
use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::names::Source;
use super::order::{self, Ordered};
use super::select::Selection;
use super::{Direction, ListPage, ListQuery, Order, Query};
use super::{documents, leaf};
use crate::Error;
use crate::engine::Shared;

/// The part of a list that `after` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    limit: u64,
    #[serde(default)]
    offset: u64,
}

/// All entities, or a page of them.
pub(crate) async fn list(shared: &Shared, access: &Access, query: &ListQuery) -> Result<ListPage, Error> {
    let fields = Fields::parse(&query.fields)?;
    let part = part(query)?;
    let mut tx = shared.db.read().await?;
    let mut selection = Selection::of(&mut tx, access, query.filter.as_ref(), None).await?;
    let (skip, limit) = part.map_or((0, u64::MAX), |part| (part.offset, part.limit.saturating_add(1)));
    let mut ids = match (part, query.order.as_slice()) {
        (Some(_), []) => by_ref(&mut tx, &mut selection, skip, limit).await?,
        // Everything at once knows only the first field and leaves out entities without it; pages do neither.
        (None, orders) => {
            let order = orders.first();
            let (key, smallest) = (order.map(|order| order.field.to_lowercase()), order.is_none_or(is_ascending));
            let ordered = order::by(&mut tx, &mut selection, key.as_deref(), smallest).await?;
            take(&mut tx, &ordered, &mut selection, !smallest, skip, limit).await?
        }
        (Some(_), [order]) => by_field(&mut tx, &mut selection, order, skip, limit).await?,
        (Some(_), orders) => by_fields(&mut tx, &mut selection, orders, skip, limit).await?,
    };
    let mut next = None;
    if let Some(part) = part
        && u64::try_from(ids.len()).unwrap_or(u64::MAX) > part.limit
    {
        ids.truncate(usize::try_from(part.limit).unwrap_or(usize::MAX));
        let following = Part { limit: part.limit, offset: part.offset.saturating_add(part.limit) };
        next = Some(STANDARD.encode(serde_json::to_vec(&following).unwrap_or_default()));
    }
    let mut items = Vec::with_capacity(ids.len());
    // A statement with a hundred thousand ids is slower than many with a few.
    for chunk in ids.chunks(1_000) {
        items.extend(documents::in_order(&mut Source::Within(&mut tx), &shared.names, chunk, &fields).await?);
    }
    Ok(ListPage { items, next })
}

fn is_ascending(order: &Order) -> bool {
    order.direction == Direction::Asc
}

async fn take(
    tx: &mut Tx,
    ordered: &Ordered,
    selection: &mut Selection,
    descending: bool,
    skip: u64,
    limit: u64,
) -> Result<Vec<i64>, Error> {
    let part = order::Part { after: None, descending, skip, limit };
    Ok(ordered.part(tx, selection, &part).await?.into_iter().map(|place| place.id).collect())
}

/// Those with the field in its order, then those without it.
async fn by_field(
    tx: &mut Tx,
    selection: &mut Selection,
    order: &Order,
    skip: u64,
    limit: u64,
) -> Result<Vec<i64>, Error> {
    let mut valued = Selection { scope: selection.scope.clone(), sets: Some(selection.sets(tx).await?.clone()) };
    let key = order.field.to_lowercase();
    let ordered = order::by(tx, &mut valued, Some(&key), is_ascending(order)).await?;
    let count = valued.len(tx).await?;
    let mut ids = Vec::new();
    if skip < count {
        ids = take(tx, &ordered, &mut valued, !is_ascending(order), skip, limit).await?;
    }
    let found = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    if found < limit {
        let rest = selection.sets(tx).await?;
        rest.subtract(valued.sets(tx).await?);
        let skip = skip.saturating_sub(count);
        ids.extend(take(tx, &Ordered::Plain, selection, false, skip, limit - found).await?);
    }
    Ok(ids)
}

/// By several fields, those without one after those with it. Everything that is meant is sorted.
async fn by_fields(
    tx: &mut Tx,
    selection: &mut Selection,
    orders: &[Order],
    skip: u64,
    limit: u64,
) -> Result<Vec<i64>, Error> {
    let sets = selection.sets(tx).await?.clone();
    let mut fields = Vec::new();
    for order in orders {
        let mut values: HashMap<i64, String> = HashMap::new();
        for pair in leaf::pairs(tx, &selection.scope, &order.field.to_lowercase(), Some(&sets)).await? {
            let known = values.get(&pair.id);
            if known.is_none_or(|known| if is_ascending(order) { pair.value < *known } else { pair.value > *known }) {
                values.insert(pair.id, pair.value);
            }
        }
        fields.push((values, is_ascending(order)));
    }
    let mut ids: Vec<i64> = sets.iter().collect();
    ids.sort_by(|a, b| {
        let compared = fields.iter().map(|(values, ascending)| match (values.get(a), values.get(b)) {
            (Some(a), Some(b)) if *ascending => a.cmp(b),
            (Some(a), Some(b)) => b.cmp(a),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        compared.fold(Ordering::Equal, Ordering::then).then(a.cmp(b))
    });
    Ok(ids.into_iter().skip(size(skip)).take(size(limit)).collect())
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// So many are sorted without a walk over the refs.
const FEW: u64 = 1_000;

/// Rows that are fetched at once, at most.
const STEP: u64 = 4_096;

async fn by_ref(tx: &mut Tx, selection: &mut Selection, mut skip: u64, limit: u64) -> Result<Vec<i64>, Error> {
    if let Some(sets) = selection.sets.as_ref().filter(|sets| sets.len() <= FEW) {
        let mut sql = Sql::new();
        sql.push("SELECT id FROM ref WHERE id IN ").ids(sets.iter()).push(" ORDER BY ref");
        let rows = tx.fetch_all(sql).await?;
        let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
        return Ok(ids.into_iter().skip(size(skip)).take(size(limit)).collect());
    }
    let (mut after, mut ids) = (None::<String>, Vec::new());
    let mut step = skip.saturating_add(limit).clamp(1, STEP).next_power_of_two();
    loop {
        let mut sql = Sql::new();
        sql.push("SELECT r.id, r.ref FROM ref r JOIN entity e ON e.id = r.id WHERE e.hash IS NOT NULL");
        if let Some(after) = &after {
            sql.push(" AND r.ref > ").bind(after);
        }
        if let Some([kind]) = selection.scope.0.as_ref().map(|kinds| kinds.iter().collect::<Vec<_>>()).as_deref() {
            // Every ref of the kind; the next character after `:` is `;`.
            sql.push(" AND r.ref >= ").bind(format!("{kind}:")).push(" AND r.ref < ").bind(format!("{kind};"));
        } else if selection.scope.0.is_some() {
            selection.sets(tx).await?;
        }
        sql.push(" ORDER BY r.ref").limit(step);
        let rows = tx.fetch_all(sql).await?;
        for row in &rows {
            let id = row.get(0)?;
            if selection.sets.as_ref().is_some_and(|sets| !sets.contains(id)) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            ids.push(id);
            if ids.len() >= size(limit) {
                return Ok(ids);
            }
        }
        if u64::try_from(rows.len()).unwrap_or(u64::MAX) < step {
            return Ok(ids);
        }
        after = rows.last().map(|row| row.get(1)).transpose()?;
        step = STEP;
    }
}

/// The fields of an order; more than these nobody has asked for.
const ORDERS: usize = 4;

fn part(query: &ListQuery) -> Result<Option<Part>, Error> {
    if query.order.len() > ORDERS {
        return Err(Error::Input(format!("At most {ORDERS} order parameters are supported")));
    }
    if query.limit == Some(0) {
        return Err(Error::Input("Invalid limit 0: it must be at least 1".to_owned()));
    }
    if let Some(after) = &query.after {
        let malformed = || Error::Input("Malformed after cursor, could not be parsed".to_owned());
        let bytes = STANDARD.decode(after).map_err(|_| malformed())?;
        let part: Part = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        return if part.limit == 0 { Err(malformed()) } else { Ok(Some(part)) };
    }
    if query.limit.is_none() && query.offset.is_none() {
        return Ok(None);
    }
    Ok(Some(Part { limit: query.limit.unwrap_or(Query::DEFAULT_LIMIT), offset: query.offset.unwrap_or(0) }))
}
