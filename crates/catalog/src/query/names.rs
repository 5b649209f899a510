//! What ids are called. An id means the same for as long as the database lives, so that a process may remember it: the
//! relations of an entity are then read as ids alone, without a look at the ref of each.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use callboard_store::{Db, Error, Row, Sql, Tx, args, query};
use quick_cache::sync::Cache;

use crate::limits::{REMEMBERED_AT_ONCE, REMEMBERED_REFS};

/// From where rows are read.
pub(super) enum Source<'a> {
    /// In a statement of its own.
    Alone(&'a Db),
    /// In a transaction that only reads.
    Within(&'a mut Tx),
    /// In a transaction that may have given ids which nobody else has seen, and which another gets if it is not kept.
    Writing(&'a mut Tx),
}

impl Source<'_> {
    pub(super) async fn fetch_all(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        match self {
            Source::Alone(db) => db.fetch_all(sql).await,
            Source::Within(tx) | Source::Writing(tx) => tx.fetch_all(sql).await,
        }
    }
}

/// What a relation type is called, from its two ends. The second is empty where it is not one there.
pub(super) type Type = [Arc<str>; 2];

/// What has been looked up so far.
pub(crate) struct Names {
    refs: Cache<i64, Arc<str>>,
    types: RwLock<Arc<HashMap<i64, Type>>>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names { refs: Cache::new(REMEMBERED_REFS), types: RwLock::default() }
    }

    /// The ref of each id. One that is missing is of a relation that went since its row was read.
    pub(super) async fn refs(&self, source: &mut Source<'_>, ids: &[i64]) -> Result<Vec<Option<Arc<str>>>, Error> {
        let mut refs: Vec<Option<Arc<str>>> = ids.iter().map(|id| self.refs.get(id)).collect();
        let unknown: BTreeSet<i64> =
            ids.iter().zip(&refs).filter(|(_, name)| name.is_none()).map(|(id, _)| *id).collect();
        if unknown.is_empty() {
            return Ok(refs);
        }
        let mut found = HashMap::with_capacity(unknown.len());
        let is_remembered = unknown.len() <= REMEMBERED_AT_ONCE && !matches!(source, Source::Writing(_));
        let mut sql = Sql::new();
        sql.push("SELECT id, ref FROM ref WHERE id IN ").ids(unknown);
        for row in source.fetch_all(sql).await? {
            let (id, name) = (row.get(0)?, Arc::<str>::from(row.get::<String>(1)?));
            if is_remembered {
                self.refs.insert(id, Arc::clone(&name));
            }
            found.insert(id, name);
        }
        for (id, name) in ids.iter().zip(&mut refs).filter(|(_, name)| name.is_none()) {
            *name = found.get(id).cloned();
        }
        Ok(refs)
    }

    /// The relation types, among them these.
    pub(super) async fn types(
        &self,
        source: &mut Source<'_>,
        ids: &BTreeSet<i64>,
    ) -> Result<Arc<HashMap<i64, Type>>, Error> {
        let known = Arc::clone(&self.types.read().unwrap_or_else(PoisonError::into_inner));
        if ids.iter().all(|id| known.contains_key(id)) {
            return Ok(known);
        }
        let mut types = HashMap::new();
        for row in source.fetch_all(query("SELECT id, name, inverse FROM relation_type", args![])).await? {
            types.insert(row.get(0)?, [row.get::<String>(1)?.into(), row.get::<String>(2)?.into()]);
        }
        let types = Arc::new(types);
        if !matches!(source, Source::Writing(_)) {
            *self.types.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&types);
        }
        Ok(types)
    }
}
