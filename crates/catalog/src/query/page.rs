//! `/entities/by-query`.

use callboard_model::access::Access;
use callboard_model::api::{EntityPage, PageInfo};
use callboard_store::Tx;

use super::cursor::{Cursor, Position};
use super::direct::Direct;
use super::documents;
use super::fields::Fields;
use super::names::Source;
use super::order::{self, Ordered, Part, Place};
use super::select::{Selection, Text, count};
use super::{Direction, Query};
use crate::engine::Shared;
use crate::index::id;
use crate::{Document, Error};

/// A page of entities.
pub(crate) async fn page(shared: &Shared, access: &Access, query: &Query) -> Result<EntityPage<Document>, Error> {
    let fields = Fields::parse(&query.fields)?;
    let (mut cursor, first) = match &query.cursor {
        Some(text) => (Cursor::decode(text)?, false),
        None => (Cursor::of(query), true),
    };
    let after = cursor.position.as_ref().map(place).transpose()?;
    let skip = if first { query.offset } else { 0 };
    // One more tells whether there is more.
    let limit = query.limit.saturating_add(1);
    if !query.total {
        cursor.total_items = None;
    }
    let is_counted = query.total && cursor.total_items.is_none();
    let text = text(&cursor);
    let order = cursor.order.first();
    let key = order.map(|order| order.field.to_lowercase());
    let smallest = order.is_none_or(|order| order.direction == Direction::Asc);
    let part = Part { after, descending: smallest == cursor.is_previous, skip, limit };
    let by = key.as_deref().map(|key| (key, smallest));
    if query.bytes.is_none()
        && let Some(direct) = Direct::of(access, cursor.query.as_ref(), text.as_ref(), by, is_counted)
        // What is skipped would be read.
        && skip == 0
    {
        let (counted, found) = direct.read(shared, Some(&part).filter(|_| query.limit > 0), &fields).await?;
        cursor.total_items = counted.or(cursor.total_items);
        let (places, items) = found.into_iter().unzip();
        let total_items = cursor.total_items.unwrap_or(0);
        return Ok(EntityPage { total_items, ..answer(&cursor, first, query.limit, places, items) });
    }
    // What is counted and what is shown is of one moment.
    let mut tx = shared.db.read().await?;
    let mut selection = Selection::of(&mut tx, access, cursor.query.as_ref(), text.as_ref()).await?;
    let ordered = order::by(&mut tx, &mut selection, key.as_deref(), smallest).await?;
    if is_counted {
        cursor.total_items = Some(total(&mut tx, &mut selection, &ordered, query.limit).await?);
    }
    let total_items = cursor.total_items.unwrap_or(0);
    if query.limit == 0 {
        return Ok(EntityPage { items: Vec::new(), total_items, page_info: PageInfo::default() });
    }
    let places = ordered.part(&mut tx, &mut selection, &part).await?;
    let shown = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let ids: Vec<i64> = places.iter().take(shown).map(|place| place.id).collect();
    let source = &mut Source::Within(&mut tx);
    let Some(bytes) = query.bytes else {
        let items = documents::in_order(source, &shared.names, &ids, &fields).await?;
        return Ok(EntityPage { total_items, ..answer(&cursor, first, query.limit, places, items) });
    };
    let items = documents::first_within(source, &shared.names, &ids, &fields, bytes).await?;
    // A page that ended early is as if so many had been asked for.
    let limit = if items.len() < ids.len() { u64::try_from(items.len()).unwrap_or(u64::MAX) } else { query.limit };
    Ok(EntityPage { total_items, ..answer(&cursor, first, limit, places, items) })
}

/// A page of what was found, of which one more than the limit says that there is more.
fn answer(
    cursor: &Cursor,
    first: bool,
    limit: u64,
    mut places: Vec<Place>,
    mut items: Vec<Document>,
) -> EntityPage<Document> {
    let more = cursor.is_previous || u64::try_from(places.len()).unwrap_or(u64::MAX) > limit;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    places.truncate(limit);
    items.truncate(limit);
    if cursor.is_previous {
        places.reverse();
        items.reverse();
    }
    let mut page_info = PageInfo::default();
    if let (Some(top), Some(bottom)) = (places.first().map(position), places.last().map(position)) {
        let begin = cursor.first.clone().unwrap_or_else(|| top.clone());
        page_info.next_cursor = more.then(|| cursor.at(&bottom, &begin, false).encode());
        page_info.prev_cursor = (!first && top != begin).then(|| cursor.at(&top, &begin, true).encode());
    }
    EntityPage { items, total_items: 0, page_info }
}

fn position(place: &Place) -> Position {
    Position { value: place.value.clone(), uid: id::place(place.id) }
}

fn place(position: &Position) -> Result<Place, Error> {
    let id = id::of_uid(&position.uid)
        .ok_or_else(|| Error::Input("Malformed cursor: it does not say where to go on".to_owned()))?;
    let value = position.value.clone();
    if value.as_ref().is_some_and(|value| value.contains('\0')) {
        return Err(Error::Input("Malformed cursor: it holds a NUL character".to_owned()));
    }
    Ok(Place { value, id })
}

/// What is looked for, where it is something.
fn text(cursor: &Cursor) -> Option<Text<'_>> {
    let text = cursor.full_text.as_ref().filter(|text| !text.term.trim().is_empty())?;
    let default = cursor.order.first().map_or("metadata.uid", |order| order.field.as_str());
    let fields = if text.fields.is_empty() { vec![default.to_owned()] } else { text.fields.clone() };
    Some(Text { term: text.term.trim(), fields })
}

/// Entities without the field of the order are left out of the count, too.
async fn total(tx: &mut Tx, selection: &mut Selection, ordered: &Ordered, limit: u64) -> Result<u64, Error> {
    Ok(match (selection.sets.as_ref(), ordered) {
        (None, Ordered::Wide { kinds, .. }) => kinds.values().sum(),
        (None, Ordered::Terms { key, .. }) => count(&mut Source::Within(tx), &selection.scope, Some(key)).await?,
        // They are looked at next, so that they need not be counted apart.
        (None, Ordered::Plain) if limit > 0 => selection.sets(tx).await?.len(),
        _ => selection.len(tx).await?,
    })
}
