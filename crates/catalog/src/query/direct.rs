//! Pages of everything, or of a kind, by id or by a value that nearly every entity has of its own, were it with a text in
//! it. One statement answers each, so that there is one way to the database and nothing that has to be of the same moment,
//! and it ends as soon as the page is full.

use callboard_model::access::Access;
use callboard_model::filter::Predicate;

use super::documents::{self, Found};
use super::fields::Fields;
use super::leaf::{Asked, Scope, accepted, of_kinds};
use super::names::{Names, Source};
use super::order::{Part, Place};
use super::select::{Text, count, everything};
use crate::engine::Shared;
use crate::index::extract::{WIDE, is_wide, table};
use crate::{Document, Error};

/// What lists are ordered by, unless somebody says otherwise.
const NAME: &str = "metadata.name";

/// What such a page is of.
pub(super) struct Direct {
    /// All kinds, or one.
    scope: Scope,
    /// By which values, and whether of several the smallest counts; by id where there are none.
    key: Option<(String, bool)>,
    /// What the values hold.
    holds: Option<Asked>,
    /// Whether to say how many there are on all pages.
    is_counted: bool,
}

impl Direct {
    /// None where there is more to look at.
    pub(super) fn of(
        access: &Access,
        filter: Option<&Predicate>,
        text: Option<&Text<'_>>,
        key: Option<(&str, bool)>,
        is_counted: bool,
    ) -> Option<Direct> {
        let scope = everything(access, filter)?;
        let holds = match (text.map(Text::asked).as_deref(), key) {
            (None, _) => None,
            // Of a value that is the entity's only one.
            (Some([(field, asked)]), Some((NAME, _))) if field == NAME && asked.is_possible() => Some(asked.clone()),
            _ => return None,
        };
        let possible = match (&scope.0, &key) {
            (None, None) => true,
            (Some(kinds), None) => kinds.len() == 1,
            (kinds, Some((key, _))) => {
                is_wide(key) && table(key) == WIDE && kinds.as_ref().is_some_and(|kinds| kinds.len() == 1)
            }
        };
        // To count those that hold a text takes a look at each.
        let possible = possible && !(is_counted && holds.is_some());
        let key = key.map(|(key, smallest)| (key.to_owned(), smallest));
        possible.then_some(Direct { scope, key, holds, is_counted })
    }

    /// How many there are, where that is asked for, and a part of them. Both are of one moment.
    pub(super) async fn read(
        &self,
        shared: &Shared,
        part: Option<&Part>,
        fields: &Fields,
    ) -> Result<(Option<u64>, Vec<(Place, Document)>), Error> {
        let mut tx = None;
        let mut source = match self.is_counted && part.is_some() {
            true => Source::Within(tx.insert(shared.db.read().await?)),
            false => Source::Alone(&shared.db),
        };
        let total = match self.is_counted {
            true => Some(count(&mut source, &self.scope, self.key.as_ref().map(|(key, _)| key.as_str())).await?),
            false => None,
        };
        let found = match part {
            Some(part) => self.part(&mut source, &shared.names, part, fields).await?,
            None => Vec::new(),
        };
        Ok((total, found))
    }

    /// A part of them.
    async fn part(
        &self,
        source: &mut Source<'_>,
        names: &Names,
        part: &Part,
        fields: &Fields,
    ) -> Result<Vec<(Place, Document)>, Error> {
        let sql = match &self.key {
            None => documents::select(|sql| {
                of_kinds(sql, &self.scope, "e.id");
                if let Some(after) = &part.after {
                    sql.push(if part.descending { " AND e.id < " } else { " AND e.id > " }).bind(after.id);
                }
                sql.push(if part.descending { " ORDER BY e.id DESC" } else { " ORDER BY e.id" }).limit(part.limit);
            }),
            Some((key, smallest)) => documents::select_beside(|sql| {
                sql.push("SELECT x.entity_id AS id, x.value AS beside FROM wide x WHERE x.key_id = ");
                sql.push("(SELECT id FROM key WHERE name = ").bind(key).push(") AND x.kind_id = ");
                sql.push("(SELECT id FROM kind WHERE name IN ").list(self.scope.0.iter().flatten()).push(")");
                if let Some(Place { value: Some(value), id }) = &part.after {
                    sql.push(" AND (x.value, x.entity_id)").push(if part.descending { " < (" } else { " > (" });
                    sql.bind(value).push(", ").bind(*id).push(")");
                }
                if let Some(asked) = &self.holds {
                    accepted(sql, "x.value", asked);
                }
                // A name has no other beside it, and the index alone answers then.
                if key != NAME {
                    sql.push(if *smallest { " AND (x.flags & 1) <> 0" } else { " AND (x.flags & 2) <> 0" });
                }
                sql.push(if part.descending {
                    " ORDER BY x.value DESC, x.entity_id DESC"
                } else {
                    " ORDER BY x.value, x.entity_id"
                });
                sql.limit(part.limit);
            }),
        };
        let found = documents::read(source, names, sql, fields).await?;
        let place = |found: Found| (Place { value: found.beside, id: found.id }, found.document);
        let mut places: Vec<(Place, Document)> = found.into_iter().map(place).collect();
        // Nothing says that a join keeps the order of what it begins with.
        places.sort_by(|(a, _), (b, _)| if part.descending { b.cmp(a) } else { a.cmp(b) });
        Ok(places)
    }
}
