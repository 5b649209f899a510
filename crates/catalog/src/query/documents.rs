//! Fetching documents, with what is joined when they are read: one statement for any number of them, and one more for
//! the refs that this process has not met yet.

use std::collections::HashMap;

use callboard_store::{Error as StoreError, Sql};

use super::fields::Fields;
use super::names::{Names, Source};
use crate::graph::document::render;
use crate::{Document, Error};

/// A document with whose it is.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) document: Document,
    /// What [`select_beside`] was told to read beside it.
    pub(super) beside: Option<String>,
}

/// Begins a statement for the documents of entities that can be seen; what follows restricts the entity `e` and its ref
/// `r`, and begins with ` AND`.
///
/// The relations of an entity come as one text, of a piece for each: the id of its type, the direction in which it is
/// read, and the id of the other end.
pub(super) fn select(restriction: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(COLUMNS).push(", NULL FROM ").push(ENTITIES);
    restriction(&mut sql);
    sql
}

/// The same for entities whose ids another statement answers in a column `id`, with a text in a column `beside`. Nothing
/// is said of the order.
pub(super) fn select_beside(ids: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(COLUMNS).push(", s.beside FROM (");
    ids(&mut sql);
    // SQLite keeps to the order of a cross join: first what is to be read.
    sql.push(") s CROSS JOIN ").push(ENTITIES).push(" AND r.id = s.id");
    sql
}

const COLUMNS: &str = "e.id, r.ref, e.hash, e.errors, d.document, (SELECT string_agg(x.piece, ' ') FROM \
     (SELECT y.type_id || '>' || y.target_id AS piece FROM relation y WHERE y.source_id = e.id \
     UNION ALL SELECT y.type_id || '<' || y.source_id FROM relation y WHERE y.target_id = e.id) x)";

const ENTITIES: &str =
    "ref r JOIN entity e ON e.id = r.id JOIN document d ON d.entity_id = e.id WHERE e.hash IS NOT NULL";

/// Reads what such a statement answers.
pub(super) async fn read(
    source: &mut Source<'_>,
    names: &Names,
    sql: Sql,
    fields: &Fields,
) -> Result<Vec<Found>, Error> {
    let rows = source.fetch_all(sql).await?;
    let mut pieces = Vec::with_capacity(rows.len());
    for row in &rows {
        pieces.push(split(&row.get::<Option<String>>(5)?.unwrap_or_default())?);
    }
    let all = || pieces.iter().flatten();
    let types = names.types(source, &all().map(|piece| piece.kind).collect()).await?;
    let refs = names.refs(source, &all().map(|piece| piece.other).collect::<Vec<_>>()).await?;
    let mut refs = refs.iter();
    let mut found = Vec::with_capacity(rows.len());
    for (row, pieces) in rows.iter().zip(&pieces) {
        let (hash, errors, text): (String, Option<String>, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let mut relations: Vec<(&str, &str)> = pieces
            .iter()
            .zip(&mut refs)
            .filter_map(|(piece, other)| {
                let [name, inverse] = types.get(&piece.kind)?;
                let kind = if piece.forward { name } else { inverse };
                Some((&**kind, &**other.as_ref()?))
            })
            .filter(|(kind, _)| !kind.is_empty())
            .collect();
        relations.sort_unstable();
        relations.dedup();
        let document = render(&text, &hash, &relations, errors.as_deref()).map_err(|error| damaged(&error))?;
        let document = fields.project(document).map_err(|error| damaged(&error))?;
        found.push(Found { id: row.get(0)?, name: row.get(1)?, document, beside: row.get(6)? });
    }
    Ok(found)
}

/// The documents of these entities.
pub(super) async fn fetch(
    source: &mut Source<'_>,
    names: &Names,
    ids: &[i64],
    fields: &Fields,
) -> Result<Vec<Found>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = select(|sql| {
        sql.push(" AND e.id IN ").ids(ids.iter().copied());
    });
    read(source, names, sql, fields).await
}

/// The documents of these entities, in that order.
pub(super) async fn in_order(
    source: &mut Source<'_>,
    names: &Names,
    ids: &[i64],
    fields: &Fields,
) -> Result<Vec<Document>, Error> {
    let found = fetch(source, names, ids, fields).await?;
    let mut documents: HashMap<i64, Document> = found.into_iter().map(|found| (found.id, found.document)).collect();
    Ok(ids.iter().filter_map(|id| documents.remove(id)).collect())
}

/// Documents that are read at once where not all of them may be wanted.
const AT_ONCE: usize = 8;

/// The first of these entities' documents, in that order: as many as have no more than so many bytes together, and at
/// least one.
pub(super) async fn first_within(
    source: &mut Source<'_>,
    names: &Names,
    ids: &[i64],
    fields: &Fields,
    bytes: usize,
) -> Result<Vec<Document>, Error> {
    let mut first: Vec<Document> = Vec::new();
    let mut taken = 0;
    for some in ids.chunks(AT_ONCE) {
        for document in in_order(source, names, some, fields).await? {
            taken += document.get().len();
            if taken > bytes && !first.is_empty() {
                return Ok(first);
            }
            first.push(document);
        }
    }
    Ok(first)
}

/// A relation, as an entity has it.
#[derive(Debug, PartialEq)]
struct Piece {
    kind: i64,
    /// Whether the entity is its source.
    forward: bool,
    other: i64,
}

/// Pieces of `<type><direction><other end>`.
fn split(pieces: &str) -> Result<Vec<Piece>, StoreError> {
    let pieces = pieces.split_ascii_whitespace().map(|piece| {
        let (forward, (kind, other)) = match piece.split_once('>') {
            Some(ids) => (true, ids),
            None => (false, piece.split_once('<')?),
        };
        Some(Piece { kind: kind.parse().ok()?, forward, other: other.parse().ok()? })
    });
    let damaged = || StoreError::Failed("a list of relations is damaged".to_owned());
    pieces.collect::<Option<Vec<_>>>().ok_or_else(damaged)
}

fn damaged(error: &serde_json::Error) -> Error {
    Error::Store(StoreError::Failed(format!("a stored document is damaged: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        fn check(text: &str, expected: &[(i64, bool, i64)]) {
            let pieces = split(text).unwrap().into_iter();
            assert_eq!(
                pieces.map(|piece| (piece.kind, piece.forward, piece.other)).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
        check("", &[]);
        check("1>3 12<4294967297", &[(1, true, 3), (12, false, 4_294_967_297)]);
        for damaged in ["1", "1>x", "a>1", "1?2"] {
            assert!(split(damaged).is_err(), "{damaged}");
        }
    }
}
