//! What conditions ask of the index, fetched: one statement for everything of a sort, whatever a filter's length.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Row, Sql, Tx, Value, args};

use super::relations;
use crate::index::extract::{LONG, WIDE, as_member, is_wide, spelled, table};
use crate::index::posting;
use crate::index::sets::Sets;

/// The longest value that the index keeps, in UTF-16 code units: a longer one equals nothing.
const MAX_VALUE: usize = 200;

/// What is asked of the values under a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asked {
    /// That there is anything, were it null.
    Anything,
    /// That it is one of them.
    Is(String),
    /// That one of them begins so.
    Begins(String),
    /// That it is in one of them.
    Holds(String),
}

impl Asked {
    fn accepts(&self, value: &str) -> bool {
        match self {
            Asked::Anything => true,
            Asked::Is(wanted) => wanted == value,
            Asked::Begins(wanted) => value.starts_with(wanted.as_str()),
            Asked::Holds(wanted) => value.contains(wanted.as_str()),
        }
    }

    /// Whether any value can be so at all.
    pub(super) fn is_possible(&self) -> bool {
        match self {
            Asked::Anything => true,
            Asked::Is(text) | Asked::Begins(text) | Asked::Holds(text) => is_kept(text) && !text.contains('\0'),
        }
    }
}

/// Whether a text is short enough to be a value.
pub(super) fn is_kept(text: &str) -> bool {
    text.encode_utf16().nth(MAX_VALUE).is_none()
}

/// The kinds that are looked at, in lower case; none for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope(pub(super) Option<BTreeSet<String>>);

impl Scope {
    /// Adds that a column is the id of one of the kinds.
    pub(super) fn restrict(&self, sql: &mut Sql, column: &'static str) {
        if let Some(names) = &self.0 {
            sql.push(" AND ").push(column).push(" IN (SELECT id FROM kind WHERE name IN ").list(names).push(")");
        }
    }

    /// Whether an entity with this ref is of one of the kinds.
    pub(super) fn covers(&self, name: &str) -> bool {
        let kind = name.split_once(':').map_or(name, |(kind, _)| kind);
        self.0.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }

    /// Adds a subquery of the kinds' ids.
    fn kinds(&self, sql: &mut Sql) {
        match &self.0 {
            Some(names) => sql.push("(SELECT id FROM kind WHERE name IN ").list(names).push(")"),
            None => {
                sql.push("(SELECT kind_id AS id FROM facet_count WHERE key_id = 0 AND kind_id > 0 AND term_id = 0)")
            }
        };
    }
}

/// What was asked, with the entities of which it holds.
pub(super) type Answers = HashMap<(String, Asked), Sets>;

/// Fetches everything that is asked, by key. What is not in the answer holds of none. Of relations,
/// [`relations::may_be_unseen`] says whether there may be entities in the answer that cannot be seen.
pub(super) async fn fetch(
    tx: &mut Tx,
    scope: &Scope,
    asked: &BTreeMap<String, BTreeSet<Asked>>,
) -> Result<Answers, Error> {
    let mut answers = Answers::new();
    let mut wants = Wants::default();
    for (key, asked) in asked.iter().filter(|(key, _)| !key.contains('\0')) {
        let asked: BTreeSet<&Asked> = asked.iter().filter(|asked| asked.is_possible()).collect();
        if key.starts_with("relations.") {
            relations::fetch(tx, scope, key, &asked, &mut answers).await?;
            continue;
        }
        let wide = is_wide(key);
        for asked in &asked {
            match asked {
                Asked::Anything => wants.anything.push(args![key]),
                Asked::Is(value) if wide && table(key) == LONG => wants.long.push(args![key, value]),
                Asked::Is(value) if wide => wants.wide.push(args![key, value]),
                Asked::Is(value) => wants.terms.push(args![key, value]),
                Asked::Begins(_) | Asked::Holds(_) => {
                    let sets = some(tx, scope, key, asked).await?;
                    answers.entry((key.clone(), (*asked).clone())).or_default().union(&sets);
                }
            }
        }
        if asked.iter().any(|asked| asked.accepts("true")) {
            let sets = members(tx, scope, key).await?;
            for asked in asked.iter().filter(|asked| asked.accepts("true")) {
                answers.entry((key.clone(), (*asked).clone())).or_default().union(&sets);
            }
        }
    }
    wants.fetch(tx, scope, &mut answers).await?;
    Ok(answers)
}

/// Rows of what is looked up by its exact value.
#[derive(Default)]
struct Wants {
    anything: Vec<Vec<Value>>,
    terms: Vec<Vec<Value>>,
    wide: Vec<Vec<Value>>,
    long: Vec<Vec<Value>>,
}

impl Wants {
    async fn fetch(self, tx: &mut Tx, scope: &Scope, answers: &mut Answers) -> Result<(), Error> {
        // CROSS JOIN keeps SQLite to this order of the loops; to PostgreSQL it means nothing.
        for chunk in self.anything.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new();
            sql.push("WITH w(key) AS (VALUES ").rows(chunk.iter().cloned());
            sql.push(
                ") SELECT w.key, p.kind_id, p.numbers FROM w CROSS JOIN key k CROSS JOIN posting p \
                 WHERE k.name = w.key AND p.term_id IN (-2 * k.id, -2 * k.id - 1)",
            );
            scope.restrict(&mut sql, "p.kind_id");
            for row in tx.fetch_all(sql).await? {
                add(answers.entry((row.get(0)?, Asked::Anything)).or_default(), &row, 1)?;
            }
        }
        for chunk in self.terms.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new();
            sql.push("WITH w(key, value) AS (VALUES ").rows(chunk.iter().cloned());
            sql.push(
                ") SELECT w.key, w.value, p.kind_id, p.numbers FROM w CROSS JOIN key k CROSS JOIN term t \
                 CROSS JOIN posting p WHERE k.name = w.key AND t.key_id = k.id AND t.value = w.value \
                 AND p.term_id = t.id",
            );
            scope.restrict(&mut sql, "p.kind_id");
            for row in tx.fetch_all(sql).await? {
                add(answers.entry((row.get(0)?, Asked::Is(row.get(1)?))).or_default(), &row, 2)?;
            }
        }
        for (rows, table) in [(&self.wide, WIDE), (&self.long, LONG)] {
            for chunk in rows.chunks(ROWS_PER_STATEMENT) {
                let mut sql = Sql::new();
                sql.push("WITH w(key, value) AS (VALUES ").rows(chunk.iter().cloned());
                sql.push(") SELECT w.key, w.value, x.entity_id ");
                exactly(&mut sql, scope, table);
                for row in tx.fetch_all(sql).await? {
                    answers.entry((row.get(0)?, Asked::Is(row.get(1)?))).or_default().insert(row.get(2)?);
                }
            }
        }
        Ok(())
    }
}

/// Adds where the rows `x` of a table come from that have just the keys and values of `w`.
fn exactly(sql: &mut Sql, scope: &Scope, table: &'static str) {
    sql.push("FROM w CROSS JOIN key k CROSS JOIN ");
    scope.kinds(sql);
    sql.push(" n CROSS JOIN ").push(table).push(" x WHERE k.name = w.key AND x.key_id = k.id AND x.kind_id = n.id");
    if table == LONG {
        sql.push_on("", " AND hashtext(x.value) = hashtext(w.value)");
    }
    sql.push(" AND x.value = w.value");
}

/// Adds the numbers of a row whose kind is in a column and whose bitmap is in the next.
pub(super) fn add(sets: &mut Sets, row: &Row, column: usize) -> Result<(), Error> {
    sets.add(row.get(column)?, posting::decode(&row.get::<Vec<u8>>(column + 1)?)?);
    Ok(())
}

/// The ids of a list, with blanks between them. A row for each would take several times as long: there may be thousands,
/// and each row crosses to the process by itself.
pub(super) fn listed(list: &str) -> impl Iterator<Item = Result<i64, Error>> {
    let damaged = |id: &str| Error::Failed(format!("{id} in a list of ids is damaged"));
    list.split_ascii_whitespace().map(move |id| id.parse().map_err(|_| damaged(id)))
}

/// Inserts the ids that a column lists.
pub(super) fn insert_listed(sets: &mut Sets, row: &Row, column: usize) -> Result<(), Error> {
    for id in listed(&row.get::<Option<String>>(column)?.unwrap_or_default()) {
        sets.insert(id?);
    }
    Ok(())
}

/// The entities of which `key` is true because `key` is an array and one of its strings.
pub(super) async fn members(tx: &mut Tx, scope: &Scope, key: &str) -> Result<Sets, Error> {
    let mut sets = Sets::default();
    let (rows, terms): (Vec<_>, Vec<_>) = as_member(key).into_iter().partition(|(array, _)| is_wide(array));
    if !terms.is_empty() {
        let mut sql = Sql::new();
        sql.push("WITH w(key, value) AS (VALUES ").rows(terms.iter().map(|(array, value)| args![*array, *value]));
        sql.push(
            ") SELECT p.kind_id, p.numbers FROM w CROSS JOIN key k CROSS JOIN term t CROSS JOIN posting p \
             WHERE k.name = w.key AND t.key_id = k.id AND t.value = w.value AND t.member = 1 AND p.term_id = t.id",
        );
        scope.restrict(&mut sql, "p.kind_id");
        for row in tx.fetch_all(sql).await? {
            add(&mut sets, &row, 0)?;
        }
    }
    for name in [WIDE, LONG] {
        let these: Vec<_> = rows.iter().filter(|(array, _)| table(array) == name).copied().collect();
        if these.is_empty() {
            continue;
        }
        let mut sql = Sql::new();
        sql.push("WITH w(key, value) AS (VALUES ").rows(these.into_iter().map(|(array, value)| args![array, value]));
        sql.push(") SELECT x.entity_id ");
        exactly(&mut sql, scope, name);
        sql.push(" AND (x.flags & 4) <> 0");
        for row in tx.fetch_all(sql).await? {
            sets.insert(row.get(0)?);
        }
    }
    Ok(sets)
}

/// The entities with a value that begins so, or holds it.
async fn some(tx: &mut Tx, scope: &Scope, key: &str, asked: &Asked) -> Result<Sets, Error> {
    let mut sets = Sets::default();
    let mut sql = Sql::new();
    if is_wide(key) {
        sql.push("SELECT string_agg(x.entity_id || '', ' ') FROM key k CROSS JOIN ");
        scope.kinds(&mut sql);
        sql.push(" n CROSS JOIN ").push(table(key));
        sql.push(" x WHERE x.key_id = k.id AND x.kind_id = n.id AND k.name = ").bind(key);
        accepted(&mut sql, "x.value", asked);
        for row in tx.fetch_all(sql).await? {
            insert_listed(&mut sets, &row, 0)?;
        }
    } else {
        sql.push("SELECT p.kind_id, p.numbers FROM key k CROSS JOIN term t CROSS JOIN posting p ");
        sql.push("WHERE t.key_id = k.id AND p.term_id = t.id AND k.name = ").bind(key);
        accepted(&mut sql, "t.value", asked);
        scope.restrict(&mut sql, "p.kind_id");
        for row in tx.fetch_all(sql).await? {
            add(&mut sets, &row, 0)?;
        }
    }
    Ok(sets)
}

/// Adds that a column is as asked, for what no index looks up exactly.
pub(super) fn accepted(sql: &mut Sql, column: &'static str, asked: &Asked) {
    match asked {
        Asked::Anything => {}
        Asked::Is(text) => {
            sql.push(" AND ").push(column).push(" = ").bind(text);
        }
        Asked::Begins(prefix) => {
            // A range, and not LIKE: no character of a prefix means anything, and the index serves it.
            sql.push(" AND ").push(column).push(" >= ").bind(prefix);
            if let Some(end) = after_all(prefix) {
                sql.push(" AND ").push(column).push(" < ").bind(end);
            }
        }
        Asked::Holds(term) => {
            sql.push_on(" AND instr(", " AND strpos(").push(column).push(", ").bind(term).push(") > 0");
        }
    }
}

/// The first text after all that begin with another; none where there is no such text.
fn after_all(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The step over the surrogates, which are no characters.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Adds that an entity is of one of the kinds.
pub(super) fn of_kinds(sql: &mut Sql, scope: &Scope, column: &'static str) {
    let Some(names) = &scope.0 else { return };
    if let [name] = names.iter().collect::<Vec<_>>().as_slice() {
        // A kind is a range of ids, which an index serves.
        sql.push(" AND ").push(column).push(" >= (SELECT id << 32 FROM kind WHERE name = ").bind(*name).push(")");
        sql.push(" AND ").push(column).push(" < (SELECT (id + 1) << 32 FROM kind WHERE name = ").bind(*name).push(")");
    } else {
        sql.push(" AND (").push(column).push(" >> 32) IN (SELECT id FROM kind WHERE name IN ").list(names).push(")");
    }
}

/// Everything that entities have under a key, each value of an entity once. `sets` leaves out what is not asked for.
pub(super) async fn pairs(tx: &mut Tx, scope: &Scope, key: &str, sets: Option<&Sets>) -> Result<Vec<Pair>, Error> {
    let is_meant = |id: i64| sets.is_none_or(|sets| sets.contains(id));
    let mut pairs = Vec::new();
    if key.contains('\0') {
        return Ok(pairs);
    }
    if key.starts_with("relations.") {
        return relations::pairs(tx, scope, key, is_meant).await;
    }
    let mut sql = Sql::new();
    if is_wide(key) {
        sql.push("SELECT x.entity_id, x.value, x.original, x.flags FROM key k CROSS JOIN ");
        scope.kinds(&mut sql);
        sql.push(" n CROSS JOIN ").push(table(key));
        sql.push(" x WHERE x.key_id = k.id AND x.kind_id = n.id AND k.name = ").bind(key);
        for row in tx.fetch_all(sql).await? {
            let (id, value, original): (i64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if is_meant(id) {
                let original = spelled(value.clone(), original, row.get(3)?);
                pairs.push(Pair { id, original, value });
            }
        }
    } else {
        sql.push("SELECT p.kind_id, p.numbers, t.value, t.original FROM key k CROSS JOIN term t CROSS JOIN posting p ");
        sql.push("WHERE t.key_id = k.id AND p.term_id = t.id AND k.name = ").bind(key);
        scope.restrict(&mut sql, "p.kind_id");
        for row in tx.fetch_all(sql).await? {
            let (value, original): (String, String) = (row.get(2)?, row.get(3)?);
            let original = if original.is_empty() { value.clone() } else { original };
            let mut numbers = Sets::default();
            add(&mut numbers, &row, 0)?;
            let ids = numbers.iter().filter(|id| is_meant(*id));
            pairs.extend(ids.map(|id| Pair { id, value: value.clone(), original: original.clone() }));
        }
    }
    let members = members(tx, scope, key).await?;
    let truth = |id| Pair { id, value: "true".to_owned(), original: "true".to_owned() };
    pairs.extend(members.iter().filter(|id| is_meant(*id)).map(truth));
    Ok(pairs)
}

/// A value of an entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) id: i64,
    pub(super) value: String,
    /// As it is written.
    pub(super) original: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_prefixes() {
        for (prefix, expected) in [
            ("", None),
            ("a", Some("b")),
            ("az", Some("a{")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(after_all(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
