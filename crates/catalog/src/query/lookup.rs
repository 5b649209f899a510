//! Single entities, and what they come from.

use std::collections::{BTreeMap, HashMap, HashSet};

use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::{Predicate, SearchRows};
use callboard_store::{Db, Seen, Sql, Tx};
use serde_json::Value;

use super::fields::Fields;
use super::names::{Names, Source};
use super::select::Selection;
use super::{Ancestry, AncestryItem};
use super::{documents, leaf};
use crate::engine::Shared;
use crate::index::id;
use crate::limits::REFS;
use crate::{Document, Error};

/// An entity by its ref.
pub(crate) async fn by_ref(
    shared: &Shared,
    access: &Access,
    entity_ref: &EntityRef,
) -> Result<Option<Document>, Error> {
    one(&shared.db, &shared.names, access, Only::of_ref(&entity_ref.to_string())).await
}

/// An entity by its ref, in a catalog that this process does not run: for commands beside a portal.
///
/// # Errors
/// The database fails.
pub async fn look_up(db: &Db, entity_ref: &EntityRef) -> Result<Option<Document>, Error> {
    one(db, &Names::new(), &Access::All, Only::of_ref(&entity_ref.to_string())).await
}

/// An entity by its uid.
pub(crate) async fn by_uid(shared: &Shared, access: &Access, uid: &str) -> Result<Option<Document>, Error> {
    one(&shared.db, &shared.names, access, Only::of_uid(uid)).await
}

async fn one(db: &Db, names: &Names, access: &Access, only: Option<Only<'_>>) -> Result<Option<Document>, Error> {
    let Some(only) = only else { return Ok(None) };
    let mut source = Source::Alone(db);
    let found = documents::read(&mut source, names, only.documents(), &Fields::default()).await?;
    let Some(found) = found.into_iter().next() else { return Ok(None) };
    Ok(is_meant(&found.document, access, None)?.then_some(found.document))
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of(tx: &mut Tx, names: &Names, access: &Access, entity_ref: &str) -> Result<Option<i64>, Error> {
    only(tx, names, access, Only::of_ref(entity_ref)).await
}

/// The id of an entity that the caller may see.
pub(crate) async fn id_of_uid(tx: &mut Tx, names: &Names, access: &Access, uid: &str) -> Result<Option<i64>, Error> {
    only(tx, names, access, Only::of_uid(uid)).await
}

async fn only(tx: &mut Tx, names: &Names, access: &Access, only: Option<Only<'_>>) -> Result<Option<i64>, Error> {
    let Some(only) = only else { return Ok(None) };
    if *access == Access::All {
        return Ok(tx.fetch_optional(only.id()).await?.map(|row| row.get(0)).transpose()?);
    }
    let found = documents::read(&mut Source::Writing(tx), names, only.documents(), &Fields::default()).await?;
    let Some(found) = found.first() else { return Ok(None) };
    Ok(is_meant(&found.document, access, None)?.then_some(found.id))
}

/// Which single entity is meant.
enum Only<'a> {
    Ref(&'a str),
    /// A uid of ours says which entity it is of. One that was brought along is looked up by its index.
    Uid(&'a str),
}

impl Only<'_> {
    /// None where nothing can have such a ref.
    fn of_ref(name: &str) -> Option<Only<'_>> {
        (!name.contains('\0')).then_some(Only::Ref(name))
    }

    fn of_uid(uid: &str) -> Option<Only<'_>> {
        (!uid.contains('\0')).then_some(Only::Uid(uid))
    }

    fn documents(&self) -> Sql {
        documents::select(|sql| self.restrict(sql))
    }

    fn id(&self) -> Sql {
        let mut sql = Sql::new();
        sql.push("SELECT e.id FROM ref r JOIN entity e ON e.id = r.id WHERE e.hash IS NOT NULL");
        self.restrict(&mut sql);
        sql
    }

    fn restrict(&self, sql: &mut Sql) {
        match self {
            Only::Ref(name) => {
                sql.push(" AND r.ref = ").bind(*name);
            }
            Only::Uid(uid) => {
                sql.push(" AND ");
                let id = id::of_uid(uid);
                if let Some(id) = id {
                    sql.push("(e.id = ").bind(id).push(" OR ");
                }
                sql.push("e.id = (SELECT id FROM entity WHERE foreign_uid = 1 AND uid = ").bind(*uid).push(")");
                if id.is_some() {
                    sql.push(") AND e.uid = ").bind(*uid);
                }
            }
        }
    }
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
    shared: &Shared,
    access: &Access,
    refs: &[String],
    filter: Option<&Predicate>,
    fields: &[String],
) -> Result<Vec<Option<Document>>, Error> {
    if refs.len() > REFS {
        return Err(Error::Input(format!("{} refs are too many at once: at most {REFS}", refs.len())));
    }
    let fields = Fields::parse(fields)?;
    if refs.len() <= BY_DOCUMENT || filter.is_none() && *access == Access::All {
        let found = whole(shared, refs).await?.into_iter();
        return found.map(|document| shown(document, access, filter, &fields)).collect();
    }
    let mut tx = shared.db.read().await?;
    let selection = Selection::of(&mut tx, access, filter, None).await?;
    let mut documents: HashMap<String, Document> = HashMap::new();
    for found in documents::read(&mut Source::Within(&mut tx), &shared.names, of_refs(refs), &fields).await? {
        if selection.sets.as_ref().is_none_or(|sets| sets.contains(found.id)) && selection.scope.covers(&found.name) {
            documents.insert(found.name, found.document);
        }
    }
    // A ref may be asked for twice.
    Ok(refs.iter().map(|name| documents.get(name).cloned()).collect())
}

/// What somebody gets of a whole document.
fn shown(
    document: Option<Document>,
    access: &Access,
    filter: Option<&Predicate>,
    fields: &Fields,
) -> Result<Option<Document>, Error> {
    match document {
        Some(document) if is_meant(&document, access, filter)? => fields.of(document).map(Some),
        _ => Ok(None),
    }
}

fn of_refs<'a>(refs: impl IntoIterator<Item = &'a String>) -> Sql {
    documents::select(|sql| {
        let possible = refs.into_iter().filter(|name| !name.contains('\0'));
        sql.push(" AND r.ref IN ").list(possible.cloned());
    })
}

/// The whole documents of entities in the order of their refs, whoever may see them.
async fn whole(shared: &Shared, refs: &[String]) -> Result<Vec<Option<Document>>, Error> {
    let memo = &shared.documents;
    let seen = Seen::now(&shared.db).await?;
    let known: Vec<_> = refs.iter().map(|name| memo.at(&seen, name)).collect();
    let unknown: HashSet<&String> =
        refs.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(name, _)| name).collect();
    let mut read = HashMap::with_capacity(unknown.len());
    if !unknown.is_empty() {
        let sql = of_refs(unknown.iter().copied());
        for found in documents::read(&mut Source::Alone(&shared.db), &shared.names, sql, &Fields::default()).await? {
            read.insert(found.name, found.document);
        }
    }
    for name in unknown {
        memo.keep(name.clone(), seen.clone(), read.get(name).cloned());
    }
    let whole = refs.iter().zip(known).map(|(name, known)| known.unwrap_or_else(|| read.get(name).cloned()));
    Ok(whole.collect())
}

/// An entity and everything that it comes from, as far as the caller may see it.
pub(crate) async fn ancestry(shared: &Shared, access: &Access, entity_ref: &EntityRef) -> Result<Ancestry, Error> {
    let root = entity_ref.to_string();
    let missing = || Error::NotFound(format!("No such entity {root}"));
    if root.contains('\0') {
        return Err(missing());
    }
    let sql = documents::select_beside(|sql| {
        sql.push("WITH RECURSIVE up(id) AS (SELECT id FROM ref WHERE ref = ").bind(&root);
        sql.push(
            " UNION SELECT r.parent_id FROM reference r JOIN up ON r.child_id = up.id) SELECT up.id, \
             (SELECT string_agg(r.parent_id || '', ' ') FROM reference r WHERE r.child_id = up.id) AS beside FROM up",
        );
    });
    let mut source = Source::Alone(&shared.db);
    let mut parents: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut visible: HashMap<i64, (String, Document)> = HashMap::new();
    let mut id = None;
    for found in documents::read(&mut source, &shared.names, sql, &Fields::default()).await? {
        if is_meant(&found.document, access, None)? {
            if found.name == root {
                id = Some(found.id);
            }
            let above = leaf::listed(found.beside.as_deref().unwrap_or_default());
            parents.insert(found.id, above.collect::<Result<_, _>>()?);
            visible.insert(found.id, (found.name, found.document));
        }
    }
    let id = id.ok_or_else(missing)?;
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
