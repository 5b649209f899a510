//! Staging: what a run has brought so far, kept in the database so that a restart goes on where it was.

use std::collections::{BTreeMap, HashMap, HashSet};

use callboard_model::entity::Entity;
use callboard_model::provided::ProvidedItem;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args};

use crate::graph::{refs, source, source_hash};

/// An entity on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) entity: Entity,
    pub(crate) location_key: String,
    pub(crate) version: Option<String>,
    pub(crate) facts: BTreeMap<String, String>,
}

impl Incoming {
    fn hash(&self) -> String {
        source_hash(&self.entity, self.version.as_deref(), &self.facts)
    }
}

/// What a page says of one entity.
#[derive(Clone, Debug)]
pub(crate) enum Staged {
    Same(String),
    Gone(String),
    Entity(Box<Incoming>),
}

impl Staged {
    /// An item of a provider's page. The provider's name is what tells its entities from others of the same ref.
    pub(crate) fn of(item: ProvidedItem, provider: &str) -> Staged {
        match item {
            ProvidedItem::Unchanged { unchanged } => Staged::Same(unchanged),
            ProvidedItem::Removed { removed } => Staged::Gone(removed),
            ProvidedItem::Entity(provided) => Staged::Entity(Box::new(Incoming {
                entity: provided.entity,
                location_key: provider.to_owned(),
                version: provided.version,
                facts: provided.facts,
            })),
        }
    }

    fn name(&self) -> String {
        match self {
            Staged::Same(name) | Staged::Gone(name) => name.clone(),
            Staged::Entity(incoming) => incoming.entity.entity_ref().to_string(),
        }
    }
}

/// The ids of a page's entities, where the catalog has each of them from this source just as the page has it; none where
/// there is anything new.
pub(crate) async fn unchanged(tx: &mut Tx, source_id: i64, items: &[Staged]) -> Result<Option<Vec<i64>>, Error> {
    let mut ids = Vec::with_capacity(items.len());
    for chunk in items.chunks(ROWS_PER_STATEMENT) {
        let refs: Vec<String> = chunk.iter().map(Staged::name).collect();
        let known = known(tx, source_id, &refs).await?;
        for (item, name) in chunk.iter().zip(&refs) {
            let is_same = |hash: &String| match item {
                Staged::Same(_) => true,
                Staged::Gone(_) => false,
                Staged::Entity(incoming) => *hash == incoming.hash(),
            };
            match known.get(name) {
                Some((id, hash)) if is_same(hash) => ids.push(*id),
                _ => return Ok(None),
            }
        }
    }
    Ok(Some(ids))
}

/// Adds what a run found to be unchanged before it found something else.
pub(crate) async fn add_unchanged(tx: &mut Tx, run: &str, ids: &HashSet<i64>) -> Result<(), Error> {
    let mut sql = Sql::new();
    sql.push("INSERT INTO staged(run, ref) SELECT ").bind(run).push(", r.ref FROM ref r WHERE r.id IN ");
    sql.ids(ids.iter().copied()).push(" ON CONFLICT(run, ref) DO NOTHING");
    tx.execute(sql).await?;
    Ok(())
}

/// Adds to a run. What comes twice counts once, the first time.
pub(crate) async fn add(tx: &mut Tx, source_id: i64, run: &str, items: &[Staged]) -> Result<(), Error> {
    for chunk in items.chunks(ROWS_PER_STATEMENT) {
        let refs: Vec<String> = chunk.iter().map(Staged::name).collect();
        let known = known(tx, source_id, &refs).await?;
        let mut rows = Vec::new();
        for (item, name) in chunk.iter().zip(&refs) {
            if !refs::is_possible(name) {
                let name: String = name.chars().take(100).collect();
                tracing::warn!(entity = name, reason = refs::REFUSED, "an entity was not taken");
                continue;
            }
            rows.push(match item {
                Staged::Same(_) => same(run, name),
                Staged::Gone(_) => gone(run, name),
                Staged::Entity(incoming) => row(run, name, incoming, known.get(name).map(|(_, hash)| hash))?,
            });
        }
        if rows.is_empty() {
            continue;
        }
        let mut sql = Sql::new();
        sql.push("INSERT INTO staged(run, ref, location_key, source_hash, source, version, facts) VALUES ");
        sql.rows(rows).push(" ON CONFLICT(run, ref) DO NOTHING");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// What a staged row has for a source's hash where the entity is to go. A hash is longer.
pub(crate) const GONE: &str = "gone";

fn gone(run: &str, name: &str) -> Vec<callboard_store::Value> {
    let none = None::<String>;
    args![run, name, none.clone(), GONE, none.clone(), none.clone(), none]
}

fn same(run: &str, name: &str) -> Vec<callboard_store::Value> {
    let none = None::<String>;
    args![run, name, none.clone(), none.clone(), none.clone(), none.clone(), none]
}

fn row(
    run: &str,
    name: &str,
    incoming: &Incoming,
    current: Option<&String>,
) -> Result<Vec<callboard_store::Value>, Error> {
    let hash = incoming.hash();
    if current == Some(&hash) {
        return Ok(same(run, name));
    }
    let facts = if incoming.facts.is_empty() {
        None
    } else {
        Some(serde_json::to_string(&incoming.facts).map_err(|error| Error::Failed(error.to_string()))?)
    };
    let source = source::pack(&incoming.entity);
    Ok(args![run, name, &incoming.location_key, hash, source, incoming.version.clone(), facts])
}

/// What the catalog has of this provider's: by ref, the id and the source's hash.
async fn known(tx: &mut Tx, source_id: i64, refs: &[String]) -> Result<HashMap<String, (i64, String)>, Error> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT r.ref, e.id, e.source_hash FROM ref r JOIN entity e ON e.id = r.id \
         JOIN provided p ON p.entity_id = e.id AND p.source_id = ",
    );
    sql.bind(source_id).push(" WHERE r.ref IN ").list(refs);
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).collect()
}
