//! Fetching documents, with what is joined when they are read: one statement for any number of them.

use std::collections::HashMap;

use callboard_store::{Error as StoreError, Row, Sql, Tx};

use super::fields::Fields;
use crate::graph::document::render;
use crate::{Document, Error};

/// A document with whose it is.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) document: Document,
}

/// Begins a statement for the documents of entities that can be seen; what follows restricts the entity `e` and its ref
/// `r`, and begins with ` AND`.
///
/// The relations of an entity come as one text, of a piece for each: the id of its type, the direction in which it is
/// read, and the other end's ref after its length in characters. The row 0 has the names of the types in the same form.
///
/// The refs are looked up one by one and not joined: PostgreSQL, before it has looked at tables that were just filled,
/// takes an entity to have a hundred relations, and reads all refs for them.
pub(super) fn select(restriction: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "SELECT e.id, r.ref, e.hash, e.errors, d.document, (SELECT string_agg(x.piece, '') FROM \
         (SELECT y.type_id || '>' || (SELECT length(v.ref) || ':' || v.ref FROM ref v WHERE v.id = y.target_id) AS piece \
         FROM relation y WHERE y.source_id = e.id \
         UNION ALL SELECT y.type_id || '<' || (SELECT length(v.ref) || ':' || v.ref FROM ref v WHERE v.id = y.source_id) \
         FROM relation y WHERE y.target_id = e.id) x) \
         FROM ref r JOIN entity e ON e.id = r.id JOIN document d ON d.entity_id = e.id WHERE e.hash IS NOT NULL",
    );
    restriction(&mut sql);
    sql.push(
        " UNION ALL SELECT 0, '', NULL, NULL, NULL, string_agg(t.id || '>' || length(t.name) || ':' || t.name || t.id \
         || '<' || length(t.inverse) || ':' || t.inverse, '') FROM relation_type t",
    );
    sql
}

/// Reads what such a statement answered.
pub(super) fn read(rows: &[Row], fields: &Fields) -> Result<Vec<Found>, Error> {
    let mut types: HashMap<(i64, bool), String> = HashMap::new();
    if let Some(row) = rows.iter().find(|row| row.get::<i64>(0).is_ok_and(|id| id == 0)) {
        let pieces: Option<String> = row.get(5)?;
        types.extend(split(&pieces.unwrap_or_default())?.map(|(id, forward, name)| ((id, forward), name.to_owned())));
    }
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let id: i64 = row.get(0)?;
        if id == 0 {
            continue;
        }
        let (hash, errors, text): (String, Option<String>, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let pieces: Option<String> = row.get(5)?;
        let pieces = pieces.unwrap_or_default();
        let mut relations: Vec<(&str, &str)> = split(&pieces)?
            .filter_map(|(id, forward, name)| Some((types.get(&(id, forward))?.as_str(), name)))
            .filter(|(kind, _)| !kind.is_empty())
            .collect();
        relations.sort_unstable();
        relations.dedup();
        let document = render(&text, &hash, &relations, errors.as_deref()).map_err(|error| damaged(&error))?;
        let document = fields.project(document).map_err(|error| damaged(&error))?;
        found.push(Found { id, name: row.get(1)?, document });
    }
    Ok(found)
}

/// The documents of these entities.
pub(super) async fn fetch(tx: &mut Tx, ids: &[i64], fields: &Fields) -> Result<Vec<Found>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = select(|sql| {
        sql.push(" AND e.id IN ").ids(ids.iter().copied());
    });
    read(&tx.fetch_all(sql).await?, fields)
}

/// The documents of these entities, in that order.
pub(super) async fn in_order(tx: &mut Tx, ids: &[i64], fields: &Fields) -> Result<Vec<Document>, Error> {
    let found = fetch(tx, ids, fields).await?;
    let mut documents: HashMap<i64, Document> = found.into_iter().map(|found| (found.id, found.document)).collect();
    Ok(ids.iter().filter_map(|id| documents.remove(id)).collect())
}

/// Pieces of `<id><direction><length>:<text>`.
fn split(pieces: &str) -> Result<std::vec::IntoIter<(i64, bool, &str)>, StoreError> {
    let mut found = Vec::new();
    let mut rest = pieces;
    while !rest.is_empty() {
        let (piece, after) =
            first(rest).ok_or_else(|| StoreError::Failed("a list of relations is damaged".to_owned()))?;
        found.push(piece);
        rest = after;
    }
    Ok(found.into_iter())
}

fn first(pieces: &str) -> Option<((i64, bool, &str), &str)> {
    let (head, rest) = pieces.split_once(':')?;
    let (id, forward, length) = match head.split_once('>') {
        Some((id, length)) => (id, true, length),
        None => head.split_once('<').map(|(id, length)| (id, false, length))?,
    };
    let length: usize = length.parse().ok()?;
    // Most texts have a byte for each character.
    let end = match rest.get(..length) {
        Some(text) if text.is_ascii() => length,
        _ => rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at),
    };
    Some(((id.parse().ok()?, forward, rest.get(..end)?), rest.get(end..)?))
}

fn damaged(error: &serde_json::Error) -> Error {
    Error::Store(StoreError::Failed(format!("a stored document is damaged: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        fn check(text: &str, expected: &[(i64, bool, &str)]) {
            assert_eq!(split(text).unwrap().collect::<Vec<_>>(), expected, "{text}");
        }
        check("", &[]);
        check("1>3:a:b12<0:3>2:éü", &[(1, true, "a:b"), (12, false, ""), (3, true, "éü")]);
        check("1>2:é>2<1:x", &[(1, true, "é>"), (2, false, "x")]);
        for damaged in ["1", "1>x:", "a>1:b", "1?2:ab"] {
            assert!(split(damaged).is_err(), "{damaged}");
        }
    }
}
