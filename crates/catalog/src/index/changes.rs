//! What a transaction changes of the index, put together so that it is written at once.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::mem;

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, Value, args};
use foldhash::HashMap;
use roaring::RoaringBitmap;

use super::extract::{self, Entries, LONG, Term, WIDE, Wide};
use super::{id, names, posting};

/// The changes of one transaction. What is not flushed is lost: [`Changes::flush`] is the last thing before the commit,
/// and comes before anything that reads the index.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Which entities come into the posting or leave it, one after the other; the same for the next three.
    terms: HashMap<Term, Vec<(i64, bool)>>,
    valued: HashMap<String, Vec<(i64, bool)>>,
    null: HashMap<String, Vec<(i64, bool)>>,
    visible: Vec<(i64, bool)>,
    /// By key, value and entity: the row that shall be there.
    wide: BTreeMap<Place, Wide>,
    /// The rows that shall not, or not as they are.
    stale: BTreeSet<Place>,
    /// Entities whose result has to be made anew, whatever the transaction stores of them yet: they lost a ref that is
    /// free now. Not of the index, but a part of what a transaction does to entities that it goes on with.
    pub(crate) forgotten: BTreeSet<i64>,
}

/// The statements of a table with a row per value. Both tables have the same columns.
struct Table {
    name: &'static str,
    insert: &'static str,
    delete: &'static str,
    these_on_sqlite: &'static str,
    these_on_postgres: &'static str,
}

const TABLES: [Table; 2] = [
    Table {
        name: WIDE,
        insert: "INSERT INTO wide(key_id, kind_id, value, entity_id, original, flags) VALUES ",
        delete: "DELETE FROM wide WHERE (key_id, kind_id, value, entity_id) IN (VALUES ",
        these_on_sqlite: ")",
        these_on_postgres: ")",
    },
    Table {
        name: LONG,
        insert: "INSERT INTO long(key_id, kind_id, value, entity_id, original, flags) VALUES ",
        delete: "WITH w(key_id, kind_id, value, entity_id) AS (VALUES ",
        these_on_sqlite: ") DELETE FROM long WHERE (key_id, kind_id, value, entity_id) IN (SELECT * FROM w)",
        these_on_postgres: ") DELETE FROM long x USING w WHERE x.key_id = w.key_id AND x.kind_id = w.kind_id \
             AND hashtext(x.value) = hashtext(w.value) AND x.value = w.value AND x.entity_id = w.entity_id",
    },
];

/// A key, a value and an entity.
type Place = (String, String, i64);

/// The postings of one chunk: by term, the numbers that shall be there or not.
type Chunk = BTreeMap<i64, Vec<(u32, bool)>>;

impl Changes {
    /// An entity has other entries than before. Only what differs is written.
    pub(crate) fn replace(&mut self, id: i64, before: Option<&Entries>, after: &Entries) {
        let nothing = Entries::default();
        if before.is_none() {
            self.visible.push((id, true));
        }
        self.differ(id, before.unwrap_or(&nothing), after);
    }

    /// An entity is gone.
    pub(crate) fn remove(&mut self, id: i64, before: &Entries) {
        self.visible.push((id, false));
        self.differ(id, before, &Entries::default());
    }

    fn differ(&mut self, id: i64, before: &Entries, after: &Entries) {
        for (from, to, wanted) in [(before, after, false), (after, before, true)] {
            for term in from.terms.difference(&to.terms) {
                note(&mut self.terms, term, (id, wanted));
            }
            for key in from.valued.difference(&to.valued) {
                note(&mut self.valued, key, (id, wanted));
            }
            for key in from.null.difference(&to.null) {
                note(&mut self.null, key, (id, wanted));
            }
        }
        for (place, wide) in &before.wide {
            if after.wide.get(place) != Some(wide) {
                let place = (place.0.clone(), place.1.clone(), id);
                self.wide.remove(&place);
                self.stale.insert(place);
            }
        }
        for (place, wide) in &after.wide {
            if before.wide.get(place) != Some(wide) {
                self.wide.insert((place.0.clone(), place.1.clone(), id), wide.clone());
            }
        }
    }

    /// Writes everything.
    pub(crate) async fn flush(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let forgotten = mem::take(&mut self.forgotten);
        let changes = mem::take(self);
        self.forgotten = forgotten;
        let mut names: BTreeSet<&str> = changes.terms.keys().map(|term| term.key.as_str()).collect();
        names.extend(changes.valued.keys().chain(changes.null.keys()).map(String::as_str));
        names.extend(changes.wide.keys().chain(&changes.stale).map(|(key, ..)| key.as_str()));
        if names.is_empty() && changes.visible.is_empty() {
            return Ok(());
        }
        let keys = names::key_ids(tx, &names).await?;
        let key_id =
            |name: &str| keys.get(name).copied().ok_or_else(|| Error::Failed(format!("the key {name} has no id")));
        let terms = names::term_ids(tx, changes.terms.keys(), &keys).await?;
        let mut postings = Postings::default();
        postings.add(0, posting::VISIBLE, &changes.visible);
        for (term, numbers) in &changes.terms {
            let term_id = *terms.get(term).ok_or_else(|| Error::Failed("a term has no id".to_owned()))?;
            postings.add(key_id(&term.key)?, term_id, numbers);
        }
        for (key, numbers) in &changes.valued {
            postings.add(key_id(key)?, posting::valued(key_id(key)?), numbers);
        }
        for (key, numbers) in &changes.null {
            postings.add(key_id(key)?, posting::null(key_id(key)?), numbers);
        }
        postings.write(tx).await?;
        // Those that go come first: one that is different from before is both.
        for table in TABLES {
            let of_table = |place: &&Place| extract::table(&place.0) == table.name;
            let gone = changes.stale.iter().filter(of_table);
            let gone = gone.map(|(key, value, id)| Ok(args![key_id(key)?, id::kind(*id), value, *id]));
            for chunk in gone.collect::<Result<Vec<_>, Error>>()?.chunks(ROWS_PER_STATEMENT) {
                let mut sql = Sql::new();
                sql.push(table.delete).rows(chunk.iter().cloned());
                sql.push_on(table.these_on_sqlite, table.these_on_postgres);
                tx.execute(sql).await?;
            }
            let rows = changes.wide.iter().filter(|(place, _)| of_table(place));
            let rows = rows.map(|((key, value, id), wide)| {
                Ok(args![key_id(key)?, id::kind(*id), value, *id, wide.original.clone(), wide.flags])
            });
            insert(tx, table.insert, rows.collect::<Result<_, Error>>()?, "").await?;
        }
        Ok(())
    }
}

/// Adds to what happens under a key, of which most are there already.
fn note<K: Clone + Eq + Hash>(all: &mut HashMap<K, Vec<(i64, bool)>>, key: &K, happens: (i64, bool)) {
    match all.get_mut(key) {
        Some(known) => known.push(happens),
        None => {
            all.insert(key.clone(), vec![happens]);
        }
    }
}

/// Changes of postings, by where they are.
#[derive(Default)]
struct Postings {
    chunks: BTreeMap<(i64, i64), Chunk>,
    keys: HashMap<i64, i64>,
}

impl Postings {
    fn add(&mut self, key_id: i64, term_id: i64, ids: &[(i64, bool)]) {
        self.keys.insert(term_id, key_id);
        for (id, wanted) in ids {
            let number = id::number(*id);
            let chunk = self.chunks.entry((id::kind(*id), posting::chunk(number))).or_default();
            chunk.entry(term_id).or_default().push((number, *wanted));
        }
    }

    /// The counters follow what really changed of the bitmaps, so that they cannot drift away from them.
    async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        let mut counters: BTreeMap<(i64, i64, i64), i64> = BTreeMap::new();
        let mut rows = Vec::new();
        for ((kind, chunk), terms) in &self.chunks {
            let mut empty = Vec::new();
            let mut before = fetch(tx, *kind, *chunk, terms.keys().copied().collect()).await?;
            for (term, numbers) in terms {
                let known = before.contains_key(term);
                let mut bitmap = before.remove(term).unwrap_or_default();
                let mut delta = 0;
                for (number, wanted) in numbers {
                    if *wanted {
                        delta += i64::from(bitmap.insert(*number));
                    } else {
                        delta -= i64::from(bitmap.remove(*number));
                    }
                }
                if bitmap.is_empty() {
                    if known {
                        empty.push(*term);
                    }
                } else {
                    let count = i64::try_from(bitmap.len()).unwrap_or(i64::MAX);
                    rows.push(args![*term, *kind, *chunk, count, posting::encode(&mut bitmap)?]);
                }
                let key = self.keys.get(term).copied().unwrap_or_default();
                for kind in [0, *kind] {
                    *counters.entry((key, kind, *term)).or_default() += delta;
                }
            }
            if !empty.is_empty() {
                let mut sql = Sql::new();
                sql.push("DELETE FROM posting WHERE kind_id = ").bind(*kind).push(" AND chunk = ").bind(*chunk);
                sql.push(" AND term_id IN ").ids(empty);
                tx.execute(sql).await?;
            }
        }
        insert(
            tx,
            "INSERT INTO posting(term_id, kind_id, chunk, count, numbers) VALUES ",
            rows,
            " ON CONFLICT(term_id, kind_id, chunk) DO UPDATE SET count = excluded.count, numbers = excluded.numbers",
        )
        .await?;
        let less: Vec<_> =
            counters.iter().filter(|(_, n)| **n < 0).map(|((key, kind, term), _)| args![*key, *kind, *term]).collect();
        let rows = counters.iter().filter(|(_, n)| **n != 0);
        let rows = rows.map(|((key, kind, term), n)| args![*key, *kind, *term, *n]).collect();
        insert(
            tx,
            "INSERT INTO facet_count(key_id, kind_id, term_id, n) VALUES ",
            rows,
            " ON CONFLICT(key_id, kind_id, term_id) DO UPDATE SET n = facet_count.n + excluded.n",
        )
        .await?;
        for chunk in less.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new();
            sql.push("DELETE FROM facet_count WHERE n = 0 AND (key_id, kind_id, term_id) IN (VALUES ");
            sql.rows(chunk.iter().cloned()).push(")");
            tx.execute(sql).await?;
        }
        Ok(())
    }
}

async fn fetch(tx: &mut Tx, kind: i64, chunk: i64, terms: Vec<i64>) -> Result<HashMap<i64, RoaringBitmap>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT term_id, numbers FROM posting WHERE kind_id = ").bind(kind);
    sql.push(" AND chunk = ").bind(chunk).push(" AND term_id IN ").ids(terms);
    let rows = tx.fetch_all(sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, posting::decode(&row.get::<Vec<u8>>(1)?)?))).collect()
}

async fn insert(tx: &mut Tx, head: &'static str, rows: Vec<Vec<Value>>, tail: &'static str) -> Result<(), Error> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut sql = Sql::new();
        sql.push(head).rows(rows.by_ref().take(ROWS_PER_STATEMENT).collect::<Vec<_>>()).push(tail);
        tx.execute(sql).await?;
    }
    Ok(())
}
