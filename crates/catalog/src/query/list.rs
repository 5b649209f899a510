//! `GET /entities`, with its two modes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_model::access::Access;
use callboard_store::{Db, Sql};
use serde::{Deserialize, Serialize};

use super::compile::{values_of, visible};
use super::documents;
use super::fields::Fields;
use super::{Direction, ListPage, ListQuery, Query};
use crate::Error;

/// The part of a list that `after` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    limit: u64,
    #[serde(default)]
    offset: u64,
}

/// All entities, or a page of them.
pub(crate) async fn list(db: &Db, access: &Access, query: &ListQuery) -> Result<ListPage, Error> {
    let fields = Fields::parse(&query.fields)?;
    let part = part(query)?;
    let mut sql = Sql::new();
    sql.push("SELECT e.id FROM entity e");
    // Everything at once knows only the first field and leaves out entities without it; pages do neither.
    let orders = if part.is_some() { query.order.as_slice() } else { query.order.get(..1).unwrap_or_default() };
    for (order, name) in orders.iter().zip(NAMES) {
        sql.push(if part.is_some() { " LEFT JOIN (SELECT v.entity_id, " } else { " JOIN (SELECT v.entity_id, " });
        sql.push(if order.direction == Direction::Asc { "min" } else { "max" }).push("(v.value) AS value FROM ");
        values_of(&mut sql, &order.field.to_lowercase());
        sql.push(" v GROUP BY v.entity_id) ").push(name).push(" ON ").push(name).push(".entity_id = e.id");
    }
    if part.is_some() && orders.is_empty() {
        sql.push(" JOIN ref r ON r.id = e.id");
    }
    sql.push(" WHERE ");
    visible(&mut sql, access, query.filter.as_ref());
    sql.push(" ORDER BY ");
    for (order, name) in orders.iter().zip(NAMES) {
        let descending = order.direction == Direction::Desc;
        sql.push(name).push(".value IS NULL, ").push(name).push(if descending { ".value DESC, " } else { ".value, " });
    }
    sql.push(if part.is_some() && orders.is_empty() { "r.ref" } else { "e.uid" });
    if let Some(part) = part {
        sql.push(" LIMIT ").bind(i64::try_from(part.limit.saturating_add(1)).unwrap_or(i64::MAX));
        sql.push(" OFFSET ").bind(i64::try_from(part.offset).unwrap_or(i64::MAX));
    }
    let mut tx = db.read().await?;
    let mut ids = tx.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, _>>()?;
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
        items.extend(documents::in_order(&mut tx, chunk, &fields).await?);
    }
    Ok(ListPage { items, next })
}

/// Names for the fields of an order; more than these nobody has asked for.
const NAMES: [&str; 4] = ["o1", "o2", "o3", "o4"];

fn part(query: &ListQuery) -> Result<Option<Part>, Error> {
    if query.order.len() > NAMES.len() {
        return Err(Error::Input(format!("At most {} order parameters are supported", NAMES.len())));
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
