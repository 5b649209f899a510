//! Which entities a question is about: conditions joined on sets.
//!
//! The caller's filter and what the caller may see go through the same function into the same sets, so that no item,
//! count or facet can be of an entity that the caller may not see.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::access::Access;
use callboard_model::filter::Predicate;
use callboard_store::{Error, Sql, Tx};

use super::leaf::{self, Answers, Asked, Scope};
use super::names::Source;
use super::relations;
use crate::index::posting;
use crate::index::sets::Sets;

/// Text that is looked for in some fields.
pub(super) struct Text<'a> {
    pub(super) term: &'a str,
    pub(super) fields: Vec<String>,
}

/// The entities that a question is about.
#[derive(Debug)]
pub(super) struct Selection {
    /// Nothing else is meant.
    pub(super) scope: Scope,
    /// None for all of the scope that can be seen, of which there may be very many.
    pub(super) sets: Option<Sets>,
}

impl Selection {
    /// What is meant and may be seen.
    pub(super) async fn of(
        tx: &mut Tx,
        access: &Access,
        filter: Option<&Predicate>,
        text: Option<&Text<'_>>,
    ) -> Result<Selection, Error> {
        let mut conditions: Vec<&Predicate> = filter.into_iter().collect();
        match access {
            Access::All => {}
            Access::Where(predicate) => conditions.push(predicate),
            Access::None => return Ok(Selection { scope: Scope::default(), sets: Some(Sets::default()) }),
        }
        let scope = Scope(all_kinds(conditions.iter().copied()));
        if scope.0.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(Selection { scope, sets: Some(Sets::default()) });
        }
        let mut asked = BTreeMap::new();
        for condition in &conditions {
            ask(condition, &scope, &mut asked);
        }
        let looked_for: Vec<(String, Asked)> = text.into_iter().flat_map(Text::asked).collect();
        for (key, wanted) in &looked_for {
            asked.entry(key.clone()).or_insert_with(BTreeSet::new).insert(wanted.clone());
        }
        let answers = leaf::fetch(tx, &scope, &asked).await?;
        let mut result =
            conditions.iter().fold(Meant::all(), |meant, condition| meant.and(evaluate(condition, &scope, &answers)));
        if text.is_some() {
            let found = looked_for.iter().filter_map(|wanted| answers.get(wanted));
            result = result.and(Meant::these(union(found)));
        }
        let unseen = asked.iter().any(|(key, asked)| relations::may_be_unseen(key, asked));
        let sets = match result {
            Meant { sets, others: true } if sets.is_empty() => None,
            Meant { sets, others: true } => {
                let mut rest = visible(tx, &scope).await?;
                rest.subtract(&sets);
                Some(rest)
            }
            Meant { mut sets, others: false } => {
                if unseen && !sets.is_empty() {
                    sets.intersect(&visible(tx, &scope).await?);
                }
                Some(sets)
            }
        };
        Ok(Selection { scope, sets })
    }

    /// How many there are.
    pub(super) async fn len(&self, tx: &mut Tx) -> Result<u64, Error> {
        match &self.sets {
            Some(sets) => Ok(sets.len()),
            None => count(&mut Source::Within(tx), &self.scope, None).await,
        }
    }

    /// The set, fetched where it is not known yet.
    pub(super) async fn sets(&mut self, tx: &mut Tx) -> Result<&mut Sets, Error> {
        let sets = match self.sets.take() {
            Some(sets) => sets,
            None => visible(tx, &self.scope).await?,
        };
        Ok(self.sets.insert(sets))
    }
}

/// The kinds of which everything is meant and may be seen; none where it is not that simple.
pub(super) fn everything(access: &Access, filter: Option<&Predicate>) -> Option<Scope> {
    let scope = Scope(filter.and_then(kinds));
    let mut asked = BTreeMap::new();
    let mut meant = Meant::all();
    if let Some(filter) = filter {
        ask(filter, &scope, &mut asked);
        meant = evaluate(filter, &scope, &Answers::new());
    }
    (*access == Access::All && asked.is_empty() && meant.others && meant.sets.is_empty()).then_some(scope)
}

impl Text<'_> {
    pub(super) fn asked(&self) -> Vec<(String, Asked)> {
        let term = self.term.to_lowercase();
        self.fields.iter().map(|field| (field.to_lowercase(), Asked::Holds(term.clone()))).collect()
    }
}

/// How many entities of the scope can be seen, or have a value under the key.
pub(super) async fn count(source: &mut Source<'_>, scope: &Scope, key: Option<&str>) -> Result<u64, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT CAST(coalesce(sum(f.n), 0) AS BIGINT) FROM facet_count f WHERE ");
    match key {
        None => sql.push("f.key_id = 0 AND f.term_id = 0"),
        Some(key) => {
            sql.push("f.key_id = (SELECT id FROM key WHERE name = ").bind(key);
            sql.push(") AND f.term_id = (SELECT -2 * id FROM key WHERE name = ").bind(key).push(")")
        }
    };
    match &scope.0 {
        None => {
            sql.push(" AND f.kind_id = 0");
        }
        Some(_) => scope.restrict(&mut sql, "f.kind_id"),
    }
    source.fetch_all(sql).await?.first().map_or(Ok(0), |row| row.get(0))
}

/// Everything of the scope that can be seen.
async fn visible(tx: &mut Tx, scope: &Scope) -> Result<Sets, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT p.kind_id, p.numbers FROM posting p WHERE p.term_id = ").bind(posting::VISIBLE);
    scope.restrict(&mut sql, "p.kind_id");
    let mut sets = Sets::default();
    for row in tx.fetch_all(sql).await? {
        leaf::add(&mut sets, &row, 0)?;
    }
    Ok(sets)
}

/// The entities with a value under a key.
pub(super) async fn valued(tx: &mut Tx, scope: &Scope, key: &str) -> Result<Sets, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT p.kind_id, p.numbers FROM posting p WHERE p.term_id = ");
    sql.push("(SELECT -2 * id FROM key WHERE name = ").bind(key).push(")");
    scope.restrict(&mut sql, "p.kind_id");
    let mut sets = Sets::default();
    for row in tx.fetch_all(sql).await? {
        leaf::add(&mut sets, &row, 0)?;
    }
    Ok(sets)
}

fn union<'a>(all: impl IntoIterator<Item = &'a Sets>) -> Sets {
    let mut sets = Sets::default();
    for one in all {
        sets.union(one);
    }
    sets
}

/// These entities, or all but these: what a condition means before it is known what there is.
struct Meant {
    sets: Sets,
    others: bool,
}

impl Meant {
    fn all() -> Meant {
        Meant { sets: Sets::default(), others: true }
    }

    fn these(sets: Sets) -> Meant {
        Meant { sets, others: false }
    }

    fn not(self) -> Meant {
        Meant { others: !self.others, ..self }
    }

    fn and(mut self, mut other: Meant) -> Meant {
        match (self.others, other.others) {
            (false, false) => self.sets.intersect(&other.sets),
            (false, true) => self.sets.subtract(&other.sets),
            (true, false) => {
                other.sets.subtract(&self.sets);
                return other;
            }
            (true, true) => self.sets.union(&other.sets),
        }
        self
    }

    fn or(self, other: Meant) -> Meant {
        self.not().and(other.not()).not()
    }
}

/// The kinds of which every condition allows an entity to be; none where they do not say.
fn all_kinds<'a>(conditions: impl Iterator<Item = &'a Predicate>) -> Option<BTreeSet<String>> {
    conditions.filter_map(kinds).reduce(|some, others| some.intersection(&others).cloned().collect())
}

fn kinds(predicate: &Predicate) -> Option<BTreeSet<String>> {
    match predicate {
        Predicate::All(all) => all_kinds(all.iter()),
        Predicate::Any(any) => any.iter().map(kinds).try_fold(BTreeSet::new(), |mut all, some| {
            all.extend(some?);
            Some(all)
        }),
        Predicate::Equals { key, value } if key == "kind" => Some(BTreeSet::from([value.clone()])),
        Predicate::In { key, values } if key == "kind" => Some(values.iter().cloned().collect()),
        _ => None,
    }
    .map(|kinds| kinds.into_iter().filter(|kind| !kind.contains('\0')).collect())
}

/// Whether a condition on the kind says nothing that the scope does not.
fn is_scope(scope: &Scope, key: &str, values: &[String]) -> bool {
    key == "kind" && scope.0.as_ref().is_some_and(|scope| scope.iter().all(|kind| values.contains(kind)))
}

/// Collects what has to be fetched for a condition.
fn ask(predicate: &Predicate, scope: &Scope, asked: &mut BTreeMap<String, BTreeSet<Asked>>) {
    let mut add = |key: &str, wanted: Asked| {
        asked.entry(key.to_owned()).or_default().insert(wanted);
    };
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => {
            for part in parts {
                ask(part, scope, asked);
            }
        }
        Predicate::Not(not) => ask(not, scope, asked),
        Predicate::Exists { key } => add(key, Asked::Anything),
        Predicate::Equals { key, value } => {
            if !is_scope(scope, key, std::slice::from_ref(value)) {
                add(key, Asked::Is(value.clone()));
            }
        }
        Predicate::In { key, values } => {
            if !is_scope(scope, key, values) {
                for value in values {
                    add(key, Asked::Is(value.clone()));
                }
            }
        }
        Predicate::HasPrefix { key, value } => add(key, Asked::Begins(value.clone())),
        Predicate::Related { kind, targets } => {
            let key = format!("relations.{kind}");
            match targets {
                None => add(&key, Asked::Anything),
                Some(targets) => {
                    for target in targets {
                        add(&key, Asked::Is(target.clone()));
                    }
                }
            }
        }
    }
}

fn evaluate(predicate: &Predicate, scope: &Scope, answers: &Answers) -> Meant {
    let one =
        |key: &str, asked: Asked| Meant::these(answers.get(&(key.to_owned(), asked)).cloned().unwrap_or_default());
    let any = |key: &str, values: &[String]| {
        let found = values.iter().filter_map(|value| answers.get(&(key.to_owned(), Asked::Is(value.clone()))));
        Meant::these(union(found))
    };
    match predicate {
        Predicate::All(all) => all.iter().fold(Meant::all(), |meant, part| meant.and(evaluate(part, scope, answers))),
        Predicate::Any(any) => {
            any.iter().fold(Meant::all().not(), |meant, part| meant.or(evaluate(part, scope, answers)))
        }
        Predicate::Not(not) => evaluate(not, scope, answers).not(),
        Predicate::Exists { key } => one(key, Asked::Anything),
        Predicate::Equals { key, value } if is_scope(scope, key, std::slice::from_ref(value)) => Meant::all(),
        Predicate::Equals { key, value } => one(key, Asked::Is(value.clone())),
        Predicate::In { key, values } if is_scope(scope, key, values) => Meant::all(),
        Predicate::In { key, values } => any(key, values),
        Predicate::HasPrefix { key, value } => one(key, Asked::Begins(value.clone())),
        Predicate::Related { kind, targets } => {
            let key = format!("relations.{kind}");
            match targets {
                None => one(&key, Asked::Anything),
                Some(targets) => any(&key, targets),
            }
        }
    }
}
