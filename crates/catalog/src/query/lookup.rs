//! Single entities, and what they come from.

use std::collections::{HashMap, HashSet};

use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_store::{Db, Sql, Tx};

use super::compile::visible;
use super::documents;
use super::fields::Fields;
use super::{Ancestry, AncestryItem};
use crate::limits::REFS;
use crate::{Document, Error};

/// An entity by its ref.
pub(crate) async fn by_ref(db: &Db, access: &Access, entity_ref: &EntityRef) -> Result<Option<Document>, Error> {
    let mut tx = db.read().await?;
    let id = id_of(&mut tx, access, &entity_ref.to_string()).await?;
    one(&mut tx, id).await
}

/// An entity by its uid.
pub(crate) async fn by_uid(db: &Db, access: &Access, uid: &str) -> Result<Option<Document>, Error> {
    let mut tx = db.read().await?;
    let id = id_of_uid(&mut tx, access, uid).await?;
    one(&mut tx, id).await
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of(tx: &mut Tx, access: &Access, entity_ref: &str) -> Result<Option<i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT e.id FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = ").bind(entity_ref).push(" AND ");
    visible(&mut sql, access, None);
    Ok(tx.fetch_optional(sql).await?.map(|row| row.get(0)).transpose()?)
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of_uid(tx: &mut Tx, access: &Access, uid: &str) -> Result<Option<i64>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT e.id FROM entity e WHERE e.uid = ").bind(uid).push(" AND ");
    visible(&mut sql, access, None);
    Ok(tx.fetch_optional(sql).await?.map(|row| row.get(0)).transpose()?)
}

async fn one(tx: &mut Tx, id: Option<i64>) -> Result<Option<Document>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(documents::fetch(tx, &[id], &Fields::default()).await?.remove(&id))
}

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
    let mut tx = db.read().await?;
    let mut sql = Sql::new();
    sql.push("SELECT r.ref, e.id FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref IN ").list(refs).push(" AND ");
    visible(&mut sql, access, filter);
    let rows = tx.fetch_all(sql).await?;
    let ids: HashMap<String, i64> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, callboard_store::Error>>()?;
    let all: Vec<i64> = ids.values().copied().collect();
    let documents = documents::fetch(&mut tx, &all, &fields).await?;
    // A ref may be asked for twice.
    Ok(refs.iter().map(|name| ids.get(name).and_then(|id| documents.get(id)).cloned()).collect())
}

/// An entity and everything that it comes from, as far as the caller may see it.
pub(crate) async fn ancestry(db: &Db, access: &Access, entity_ref: &EntityRef) -> Result<Ancestry, Error> {
    let root = entity_ref.to_string();
    let mut tx = db.read().await?;
    let Some(id) = id_of(&mut tx, access, &root).await? else {
        return Err(Error::NotFound(format!("No such entity {root}")));
    };
    let (mut todo, mut seen, mut items) = (vec![(id, root.clone())], HashSet::from([id]), Vec::new());
    while let Some((id, _)) = todo.pop() {
        let mut sql = Sql::new();
        sql.push("SELECT e.id, r.ref FROM reference p JOIN entity e ON e.id = p.parent_id JOIN ref r ON r.id = e.id ");
        sql.push("WHERE p.child_id = ").bind(id).push(" AND ");
        visible(&mut sql, access, None);
        sql.push(" ORDER BY r.ref");
        let parents: Vec<(i64, String)> = tx
            .fetch_all(sql)
            .await?
            .iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect::<Result<_, callboard_store::Error>>()?;
        if let Some(entity) = one(&mut tx, Some(id)).await? {
            let parent_entity_refs = parents.iter().map(|(_, name)| name.clone()).collect();
            items.push(AncestryItem { entity, parent_entity_refs });
        }
        todo.extend(parents.into_iter().rev().filter(|(id, _)| seen.insert(*id)));
    }
    Ok(Ancestry { root_entity_ref: root, items })
}
