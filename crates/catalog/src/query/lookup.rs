//! Single entities, and what they come from.

use std::collections::{BTreeMap, HashMap, HashSet};

use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::{Predicate, SearchRows};
use callboard_store::{Db, Sql, Tx, args, query};
use serde_json::Value;

use super::documents::{self, Found};
use super::fields::Fields;
use super::select::Selection;
use super::{Ancestry, AncestryItem};
use crate::index::id;
use crate::limits::REFS;
use crate::{Document, Error};

/// An entity by its ref.
pub(crate) async fn by_ref(db: &Db, access: &Access, entity_ref: &EntityRef) -> Result<Option<Document>, Error> {
    let Some(sql) = of_ref(&entity_ref.to_string()) else { return Ok(None) };
    one(documents::read(&db.fetch_all(sql).await?, &Fields::default())?, access)
}

/// An entity by its uid.
pub(crate) async fn by_uid(db: &Db, access: &Access, uid: &str) -> Result<Option<Document>, Error> {
    let Some(sql) = of_uid(uid) else { return Ok(None) };
    one(documents::read(&db.fetch_all(sql).await?, &Fields::default())?, access)
}

fn one(found: Vec<Found>, access: &Access) -> Result<Option<Document>, Error> {
    let Some(found) = found.into_iter().next() else { return Ok(None) };
    Ok(is_meant(&found.document, access, None)?.then_some(found.document))
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of(tx: &mut Tx, access: &Access, entity_ref: &str) -> Result<Option<i64>, Error> {
    let Some(sql) = of_ref(entity_ref) else { return Ok(None) };
    only(tx, sql, access).await
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of_uid(tx: &mut Tx, access: &Access, uid: &str) -> Result<Option<i64>, Error> {
    let Some(sql) = of_uid(uid) else { return Ok(None) };
    only(tx, sql, access).await
}

async fn only(tx: &mut Tx, sql: Sql, access: &Access) -> Result<Option<i64>, Error> {
    let found = documents::read(&tx.fetch_all(sql).await?, &Fields::default())?;
    let Some(found) = found.first() else { return Ok(None) };
    Ok(is_meant(&found.document, access, None)?.then_some(found.id))
}

/// None where nothing can have such a ref.
fn of_ref(name: &str) -> Option<Sql> {
    let select = || {
        documents::select(|sql| {
            sql.push(" AND r.ref = ").bind(name);
        })
    };
    (!name.contains('\0')).then(select)
}

/// A uid of ours says which entity it is of. One that was brought along is looked up by its index.
fn of_uid(uid: &str) -> Option<Sql> {
    let select = || {
        documents::select(|sql| match id::of_uid(uid) {
            Some(id) => {
                sql.push(" AND (e.id = ")
                    .bind(id)
                    .push(" OR e.id = (SELECT id FROM entity WHERE foreign_uid = 1 AND uid = ");
                sql.bind(uid).push(")) AND e.uid = ").bind(uid);
            }
            None => {
                sql.push(" AND e.id = (SELECT id FROM entity WHERE foreign_uid = 1 AND uid = ").bind(uid).push(")");
            }
        })
    };
    (!uid.contains('\0')).then(select)
}

/// Whether the caller may see a document, and asked for it. What decides is the same as for sets of entities, because the
/// index has of a document what [`SearchRows`] has.
fn is_meant(document: &Document, access: &Access, filter: Option<&Predicate>) -> Result<bool, Error> {
    let mut conditions: Vec<&Predicate> = filter.into_iter().collect();
    match access {
        Access::All => {}
        Access::Where(predicate) => conditions.push(predicate),
        Access::None => return Ok(false),
    }
    if conditions.is_empty() {
        return Ok(true);
    }
    let damaged = |error: &dyn std::fmt::Display| {
        Error::Store(callboard_store::Error::Failed(format!("a stored document is damaged: {error}")))
    };
    let value: Value = serde_json::from_str(document.get()).map_err(|error| damaged(&error))?;
    let rows = SearchRows::of(&value).map_err(|error| damaged(&error))?;
    Ok(conditions.iter().all(|condition| condition.matches(&rows)))
}

/// Of more entities than this a condition is decided by the index and not by their documents.
const BY_DOCUMENT: usize = 100;

/// Entities by their canonical refs, in that order.
pub(crate) async fn by_refs(
    db: &Db,
    access: &Access,
    refs: &[String],
    filter: Option<&Predicate>,
    fields: &[String],
) -> Result<Vec<Option<Document>>, Error> {
    if refs.len() > REFS {
        return Err(Error::Input(format!("{} refs are too many at once: at most {REFS}", refs.len())));
    }
    let fields = Fields::parse(fields)?;
    let sql = documents::select(|sql| {
        let possible = refs.iter().filter(|name| !name.contains('\0'));
        sql.push(" AND r.ref IN ").list(possible.cloned());
    });
    let is_free = filter.is_none() && *access == Access::All;
    let mut documents: HashMap<String, Document> = HashMap::new();
    if is_free || refs.len() <= BY_DOCUMENT {
        // What a condition looks at may not be among the fields.
        let whole = if is_free { &fields } else { &Fields::default() };
        for found in documents::read(&db.fetch_all(sql).await?, whole)? {
            if is_meant(&found.document, access, filter)? {
                let document = if is_free { found.document } else { fields.of(found.document)? };
                documents.insert(found.name, document);
            }
        }
    } else {
        let mut tx = db.read().await?;
        let selection = Selection::of(&mut tx, access, filter, None).await?;
        for found in documents::read(&tx.fetch_all(sql).await?, &fields)? {
            if selection.sets.as_ref().is_none_or(|sets| sets.contains(found.id)) && selection.scope.covers(&found.name)
            {
                documents.insert(found.name, found.document);
            }
        }
    }
    // A ref may be asked for twice.
    Ok(refs.iter().map(|name| documents.get(name).cloned()).collect())
}

/// An entity and everything that it comes from, as far as the caller may see it.
pub(crate) async fn ancestry(db: &Db, access: &Access, entity_ref: &EntityRef) -> Result<Ancestry, Error> {
    let root = entity_ref.to_string();
    let missing = || Error::NotFound(format!("No such entity {root}"));
    if root.contains('\0') {
        return Err(missing());
    }
    let mut tx = db.read().await?;
    let rows = tx
        .fetch_all(query(
            "WITH RECURSIVE root(id) AS (SELECT id FROM ref WHERE ref = $1), \
             up(child_id, parent_id) AS (SELECT r.child_id, r.parent_id FROM reference r JOIN root ON r.child_id = root.id \
             UNION SELECT r.child_id, r.parent_id FROM reference r JOIN up ON r.child_id = up.parent_id) \
             SELECT NULL, id FROM root UNION ALL SELECT child_id, parent_id FROM up",
            args![&root],
        ))
        .await?;
    let mut parents: HashMap<i64, Vec<i64>> = HashMap::new();
    let (mut id, mut ids) = (None, Vec::new());
    for row in &rows {
        let (child, parent): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
        ids.push(parent);
        match child {
            Some(child) => parents.entry(child).or_default().push(parent),
            None => id = Some(parent),
        }
    }
    let id = id.ok_or_else(missing)?;
    ids.sort_unstable();
    ids.dedup();
    let mut visible: HashMap<i64, (String, Document)> = HashMap::new();
    for found in documents::fetch(&mut tx, &ids, &Fields::default()).await? {
        if is_meant(&found.document, access, None)? {
            visible.insert(found.id, (found.name, found.document));
        }
    }
    if !visible.contains_key(&id) {
        return Err(missing());
    }
    let (mut todo, mut seen, mut items) = (vec![id], HashSet::from([id]), Vec::new());
    while let Some(id) = todo.pop() {
        let above = parents.get(&id).into_iter().flatten();
        let above: BTreeMap<&str, i64> = above.filter_map(|id| Some((visible.get(id)?.0.as_str(), *id))).collect();
        if let Some((_, entity)) = visible.get(&id) {
            let parent_entity_refs = above.keys().map(|name| (*name).to_owned()).collect();
            items.push(AncestryItem { entity: entity.clone(), parent_entity_refs });
        }
        todo.extend(above.into_values().rev().filter(|id| seen.insert(*id)));
    }
    Ok(Ancestry { root_entity_ref: root, items })
}
