//! `/entities/by-query`.

use callboard_model::access::Access;
use callboard_model::api::{EntityPage, PageInfo};
use callboard_store::{Db, Sql, Tx};

use super::compile::{full_text, values_of, visible};
use super::cursor::{Cursor, Position};
use super::documents;
use super::fields::Fields;
use super::{Direction, Query};
use crate::{Document, Error};

/// A page of entities.
pub(crate) async fn page(db: &Db, access: &Access, query: &Query) -> Result<EntityPage<Document>, Error> {
    let fields = Fields::parse(&query.fields)?;
    let (mut cursor, first) = match &query.cursor {
        Some(text) => (Cursor::decode(text)?, false),
        None => (Cursor::of(query), true),
    };
    // What is counted and what is shown is of one moment.
    let mut tx = db.read().await?;
    if !query.total {
        cursor.total_items = None;
    } else if cursor.total_items.is_none() {
        cursor.total_items = Some(count(&mut tx, access, &cursor).await?);
    }
    let total_items = cursor.total_items.unwrap_or(0);
    if query.limit == 0 {
        return Ok(EntityPage { items: Vec::new(), total_items, page_info: PageInfo::default() });
    }
    let offset = if first { query.offset } else { 0 };
    let mut rows = rows(&mut tx, access, &cursor, query.limit, offset).await?;
    let more = cursor.is_previous || exceeds(&rows, query.limit);
    rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    if cursor.is_previous {
        rows.reverse();
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let items = documents::in_order(&mut tx, &ids, &fields).await?;
    let mut page_info = PageInfo::default();
    if let (Some(top), Some(bottom)) = (rows.first(), rows.last()) {
        let begin = cursor.first.clone().unwrap_or_else(|| top.position.clone());
        page_info.next_cursor = more.then(|| cursor.at(&bottom.position, &begin, false).encode());
        page_info.prev_cursor =
            (!first && top.position != begin).then(|| cursor.at(&top.position, &begin, true).encode());
    }
    Ok(EntityPage { items, total_items, page_info })
}

struct Found {
    id: i64,
    position: Position,
}

fn exceeds(rows: &[Found], limit: u64) -> bool {
    u64::try_from(rows.len()).unwrap_or(u64::MAX) > limit
}

async fn count(tx: &mut Tx, access: &Access, cursor: &Cursor) -> Result<u64, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT count(*) FROM entity e");
    restrict(&mut sql, access, cursor);
    let row = tx.fetch_optional(sql).await?;
    Ok(row.map_or(Ok(0), |row| row.get(0))?)
}

async fn rows(tx: &mut Tx, access: &Access, cursor: &Cursor, limit: u64, offset: u64) -> Result<Vec<Found>, Error> {
    let order = cursor.order.first();
    let descending = order.is_some_and(|order| order.direction == Direction::Desc) != cursor.is_previous;
    let mut sql = Sql::new();
    match order {
        Some(_) => sql.push("SELECT e.id, e.uid, o.value FROM entity e"),
        None => sql.push("SELECT e.id, e.uid, NULL FROM entity e"),
    };
    restrict(&mut sql, access, cursor);
    if let Some(position) = &cursor.position {
        match (order, &position.value) {
            (Some(_), Some(value)) => {
                sql.push(if descending { " AND (o.value, e.uid) < (" } else { " AND (o.value, e.uid) > (" });
                sql.bind(value).push(", ").bind(&position.uid).push(")");
            }
            _ => {
                sql.push(if descending { " AND e.uid < " } else { " AND e.uid > " }).bind(&position.uid);
            }
        }
    }
    sql.push(match (order.is_some(), descending) {
        (true, false) => " ORDER BY o.value, e.uid",
        (true, true) => " ORDER BY o.value DESC, e.uid DESC",
        (false, false) => " ORDER BY e.uid",
        (false, true) => " ORDER BY e.uid DESC",
    });
    // One more tells whether there is more.
    sql.push(" LIMIT ").bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX));
    sql.push(" OFFSET ").bind(i64::try_from(offset).unwrap_or(i64::MAX));
    let rows = tx.fetch_all(sql).await?;
    rows.iter()
        .map(|row| Ok(Found { id: row.get(0)?, position: Position { value: row.get(2)?, uid: row.get(1)? } }))
        .collect()
}

/// Adds what decides which entities are meant: the order's field too, because entities without it are left out.
fn restrict(sql: &mut Sql, access: &Access, cursor: &Cursor) {
    if let Some(order) = cursor.order.first() {
        // Of several values the first in the order counts, so that an entity comes once.
        let smallest = order.direction == Direction::Asc;
        sql.push(" JOIN (SELECT v.entity_id, ")
            .push(if smallest { "min" } else { "max" })
            .push("(v.value) AS value FROM ");
        values_of(sql, &order.field.to_lowercase());
        sql.push(" v GROUP BY v.entity_id) o ON o.entity_id = e.id");
    }
    sql.push(" WHERE ");
    visible(sql, access, cursor.query.as_ref());
    if let Some(text) = cursor.full_text.as_ref().filter(|text| !text.term.trim().is_empty()) {
        let default = cursor.order.first().map_or("metadata.uid", |order| order.field.as_str());
        let default = [default.to_owned()];
        full_text(sql, text.term.trim(), if text.fields.is_empty() { &default } else { &text.fields });
    }
}
