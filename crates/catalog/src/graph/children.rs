//! What entities brought: the children of all results of a transaction, in a few statements for all of them.

use std::collections::{BTreeMap, BTreeSet};

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, Value, args};
use foldhash::{HashMap, HashSet};

use super::refs::{self, ref_ids};
use super::source::pack;
use super::{enqueue, remove, source_hash};
use crate::index::changes::Changes;
use crate::index::id;
use crate::limits::PROBLEMS;
use crate::process::{Child, ProcessingError};
use crate::settings::Strategy;

/// A child with what is stored of it. Both are made beside the transaction.
#[derive(Debug)]
pub(crate) struct Brought {
    child: Child,
    hash: String,
    /// Packed, where it is likely to be new.
    source: Option<Vec<u8>>,
}

impl Brought {
    /// `is_new` where its parent had none before.
    pub(super) fn new(child: Child, is_new: bool) -> Brought {
        let hash = source_hash(&child.entity, child.version.as_deref(), &BTreeMap::new());
        let source = is_new.then(|| pack(&child.entity));
        Brought { child, hash, source }
    }

    fn packed(&self) -> Vec<u8> {
        self.source.clone().unwrap_or_else(|| pack(&self.child.entity))
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// Entities that nothing brings any more, where those go.
    pub(super) gone: HashSet<i64>,
    /// Parents of which a child cannot be kept: of theirs, nothing was changed.
    pub(super) refused: HashMap<i64, ProcessingError>,
    /// What parents named that others have, and who.
    pub(super) lost: HashMap<i64, Vec<ProcessingError>>,
}

/// Sets what each of these parents brought: inserts and changes children, and lets go of those that it no longer brings.
///
/// The parents have their turn one after the other, as far as who comes first to a ref is concerned. What one of them
/// lets go of goes after all had their turn, so that it stays where another has come to bring it.
pub(super) async fn set(
    tx: &mut Tx,
    changes: &mut Changes,
    brought: &[(i64, Vec<Brought>)],
    orphans: Strategy,
    now: i64,
) -> Result<Set, Error> {
    let mut set = Set::default();
    if brought.is_empty() {
        return Ok(set);
    }
    let names: Vec<Vec<String>> = brought
        .iter()
        .map(|(_, children)| children.iter().map(|one| one.child.entity.entity_ref().to_string()).collect())
        .collect();
    let ids = ref_ids(tx, names.iter().flatten().map(String::as_str)).await?;
    let mut turns = Vec::new();
    for ((parent, children), names) in brought.iter().zip(&names) {
        match names.iter().find(|name| !ids.contains_key(*name)) {
            Some(name) => {
                let name: String = name.chars().take(100).collect();
                set.refused.insert(*parent, ProcessingError::input(format!("{name:?}: {}", refs::REFUSED)));
            }
            None => {
                let children = names.iter().zip(children).filter_map(|(name, one)| Some((*ids.get(name)?, one)));
                turns.push((*parent, children.collect::<Vec<_>>()));
            }
        }
    }
    let mut state = State::read(tx, &turns).await?;
    let mut all = Differences::default();
    for (parent, children) in &turns {
        let lost = state.turn(*parent, children, &mut all);
        if !lost.is_empty() {
            set.lost.insert(*parent, lost);
        }
    }
    let (dropped, returned) = all.write(tx, &state, now, orphans).await?;
    // The result of one that is among the results of this very transaction is made anew as well.
    changes.forgotten.extend(returned);
    set.gone.extend(remove::orphaned(tx, changes, &dropped, orphans, now).await?);
    Ok(set)
}

/// A parent with what it brought, by id.
type Turn<'a> = (i64, Vec<(i64, &'a Brought)>);

struct Known {
    location_key: Option<String>,
    source_hash: String,
}

impl Known {
    fn is_of_another(&self, child: &Child) -> bool {
        self.location_key.as_ref().is_some_and(|key| *key != child.location_key)
    }
}

/// What there is, as the turns change it.
#[derive(Default)]
struct State {
    known: HashMap<i64, Known>,
    /// By parent, those that it brought before.
    children: HashMap<i64, HashSet<i64>>,
    /// Who brings what is contested: a parent, or none for a provider.
    bringers: HashMap<i64, HashSet<Option<i64>>>,
    /// Who did not get which ref: `(ref, parent)`.
    contenders: BTreeSet<(i64, i64)>,
}

/// What the turns change.
#[derive(Default)]
struct Differences<'a> {
    new: BTreeMap<i64, &'a Brought>,
    changed: BTreeMap<i64, &'a Brought>,
    /// `(child, parent)`.
    adopted: Vec<(i64, i64)>,
    dropped: Vec<(i64, i64)>,
    contenders: BTreeSet<(i64, i64)>,
}

impl State {
    async fn read(tx: &mut Tx, turns: &[Turn<'_>]) -> Result<State, Error> {
        let mut state = State::default();
        let ids: BTreeSet<i64> = turns.iter().flat_map(|(_, children)| children.iter().map(|(id, _)| *id)).collect();
        let mut sql = Sql::new();
        sql.push("SELECT id, location_key, source_hash FROM entity WHERE id IN ").ids(ids);
        for row in tx.fetch_all(sql).await? {
            state.known.insert(row.get(0)?, Known { location_key: row.get(1)?, source_hash: row.get(2)? });
        }
        let parents = || turns.iter().map(|(parent, _)| *parent);
        let mut sql = Sql::new();
        sql.push("SELECT 0, child_id, parent_id FROM reference WHERE parent_id IN ").ids(parents());
        sql.push(" UNION ALL SELECT 1, ref_id, parent_id FROM contender WHERE parent_id IN ").ids(parents());
        for row in tx.fetch_all(sql).await? {
            let (contends, id, parent): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if contends {
                state.contenders.insert((id, parent));
            } else {
                state.children.entry(parent).or_default().insert(id);
            }
        }
        let children = turns.iter().flat_map(|(_, children)| children);
        let of_another = |known: &Known, child: &Child| known.location_key.as_ref() != Some(&child.location_key);
        let contested =
            children.filter(|(id, one)| state.known.get(id).is_some_and(|known| of_another(known, &one.child)));
        let contested: BTreeSet<i64> = contested.map(|(id, _)| *id).collect();
        if !contested.is_empty() {
            let mut sql = Sql::new();
            sql.push("SELECT child_id, parent_id FROM reference WHERE child_id IN ").ids(contested.iter().copied());
            sql.push(" UNION ALL SELECT entity_id, NULL FROM provided WHERE entity_id IN ").ids(contested);
            for row in tx.fetch_all(sql).await? {
                state.bringers.entry(row.get(0)?).or_default().insert(row.get(1)?);
            }
        }
        Ok(state)
    }

    /// Answers with what the parent does not get, because others have it.
    fn turn<'a>(
        &mut self,
        parent: i64,
        children: &[(i64, &'a Brought)],
        all: &mut Differences<'a>,
    ) -> Vec<ProcessingError> {
        let before = self.children.remove(&parent).unwrap_or_default();
        let (mut kept, mut lost) = (HashSet::default(), Vec::new());
        for &(id, brought) in children {
            let Brought { child, hash, .. } = brought;
            match self.known.get(&id) {
                None => {
                    all.new.insert(id, brought);
                }
                // Where nothing but this parent brings an entity, it may come from another file than before.
                Some(known)
                    if known.is_of_another(child) && !(before.contains(&id) && self.brings_alone(parent, id)) =>
                {
                    all.contenders.insert((id, parent));
                    // A file that several patterns stand for is the same one: to the second, nothing is lost.
                    if child.version.is_some() {
                        continue;
                    }
                    let (name, second) = (child.entity.entity_ref(), &child.location_key);
                    let first = known.location_key.as_deref().unwrap_or_default();
                    tracing::warn!(entity = %name, first, second, "the entity is in the catalog already");
                    lost.push(format!(
                        "{name} at {second} is in the catalog already, from {first}; one of the two must be renamed"
                    ));
                    continue;
                }
                Some(known) if known.source_hash != *hash => {
                    let found = if all.new.contains_key(&id) { &mut all.new } else { &mut all.changed };
                    found.insert(id, brought);
                }
                Some(_) => {
                    kept.insert(id);
                    continue;
                }
            }
            self.known.insert(id, Known { location_key: Some(child.location_key.clone()), source_hash: hash.clone() });
            kept.insert(id);
        }
        for id in kept.difference(&before) {
            all.adopted.push((*id, parent));
            self.bringers.entry(*id).or_default().insert(Some(parent));
        }
        for id in before.difference(&kept) {
            all.dropped.push((*id, parent));
            self.bringers.entry(*id).or_default().remove(&Some(parent));
        }
        let more = lost.len().saturating_sub(PROBLEMS);
        lost.truncate(PROBLEMS);
        if more > 0 {
            lost.push(format!("{more} more are in the catalog already"));
        }
        lost.into_iter().map(|message| ProcessingError::warning("ConflictError", message)).collect()
    }

    fn brings_alone(&self, parent: i64, id: i64) -> bool {
        self.bringers.get(&id).is_none_or(|bringers| bringers.iter().all(|bringer| *bringer == Some(parent)))
    }
}

impl Differences<'_> {
    /// Writes them. Answers with those that lost a parent, and with those that were there and have found one.
    async fn write(
        self,
        tx: &mut Tx,
        state: &State,
        now: i64,
        orphans: Strategy,
    ) -> Result<(Vec<i64>, Vec<i64>), Error> {
        let pair = |(one, other): &(i64, i64)| args![*one, *other];
        let lost = state.contenders.difference(&self.contenders).map(pair).collect();
        delete(tx, "DELETE FROM contender WHERE (ref_id, parent_id) IN (VALUES ", lost).await?;
        let found: Vec<_> = self.contenders.difference(&state.contenders).map(pair).collect();
        tx.insert("INSERT INTO contender(ref_id, parent_id) VALUES ", found, "").await?;
        self.write_entities(tx).await?;
        let adopted: Vec<_> = self.adopted.iter().map(pair).collect();
        tx.insert("INSERT INTO reference(child_id, parent_id) VALUES ", adopted, "").await?;
        let returned = match orphans {
            // They may say that they are orphans.
            Strategy::Keep => self.adopted.iter().map(|(id, _)| *id).filter(|id| !self.new.contains_key(id)).collect(),
            Strategy::Delete => Vec::new(),
        };
        let due: BTreeSet<i64> = self.new.keys().chain(self.changed.keys()).chain(&returned).copied().collect();
        enqueue(tx, &due.into_iter().collect::<Vec<_>>(), now, false).await?;
        let dropped = self.dropped.iter().map(pair).collect();
        delete(tx, "DELETE FROM reference WHERE (child_id, parent_id) IN (VALUES ", dropped).await?;
        Ok((self.dropped.iter().map(|(id, _)| *id).collect(), returned))
    }

    async fn write_entities(&self, tx: &mut Tx) -> Result<(), Error> {
        let source = |(id, one): (&i64, &&Brought)| args![*id, one.packed()];
        let entity = |(id, one): (&i64, &&Brought)| {
            args![*id, id::new_uid(*id), &one.child.location_key, &one.hash, one.child.version.clone()]
        };
        let rows: Vec<_> = self.new.iter().map(entity).collect();
        tx.insert("INSERT INTO entity(id, uid, location_key, source_hash, version) VALUES ", rows, "").await?;
        let rows: Vec<_> = self.new.iter().map(source).collect();
        tx.insert("INSERT INTO entity_source(entity_id, source) VALUES ", rows, "").await?;
        let changed: Vec<_> = self.changed.iter().collect();
        for chunk in changed.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new();
            sql.push("WITH v(id, hash, location_key, version) AS (VALUES ");
            sql.rows(
                chunk
                    .iter()
                    .map(|(id, one)| args![**id, &one.hash, &one.child.location_key, one.child.version.clone()]),
            );
            sql.push(
                ") UPDATE entity SET source_hash = v.hash, location_key = v.location_key, version = v.version FROM v \
                 WHERE entity.id = v.id",
            );
            tx.execute(sql).await?;
            let mut sql = Sql::new();
            sql.push("WITH v(id, source) AS (VALUES ").rows(chunk.iter().copied().map(source));
            sql.push(") UPDATE entity_source SET source = v.source FROM v WHERE entity_source.entity_id = v.id");
            tx.execute(sql).await?;
        }
        Ok(())
    }
}

async fn delete(tx: &mut Tx, head: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Error> {
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push(head).rows(chunk.iter().cloned()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}
