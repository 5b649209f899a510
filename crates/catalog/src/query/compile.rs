//! Conditions as SQL over an entity `e`.
//!
//! The caller's filter and what the caller may see go through the same function into the same statement, so that no
//! item, count or facet can be of an entity that the caller may not see.

use callboard_model::access::Access;
use callboard_model::filter::Predicate;
use callboard_store::Sql;

/// The longest value that the search rows keep, in UTF-16 code units: a longer one equals nothing.
const MAX_VALUE: usize = 200;

/// Adds the condition that an entity is to be seen: processed once, covered by `access`, and meant by `filter`.
pub(super) fn visible(sql: &mut Sql, access: &Access, filter: Option<&Predicate>) {
    sql.push("e.hash IS NOT NULL");
    match access {
        Access::All => {}
        Access::None => {
            sql.push(" AND 1 = 0");
        }
        Access::Where(predicate) => {
            sql.push(" AND ");
            condition(sql, predicate);
        }
    }
    if let Some(filter) = filter {
        sql.push(" AND ");
        condition(sql, filter);
    }
}

fn condition(sql: &mut Sql, predicate: &Predicate) {
    match predicate {
        Predicate::All(all) => join(sql, all, " AND ", "1 = 1"),
        Predicate::Any(any) => join(sql, any, " OR ", "1 = 0"),
        Predicate::Not(not) => {
            sql.push("NOT (");
            condition(sql, not);
            sql.push(")");
        }
        Predicate::Exists { key } => matching(sql, key, &Wanted::Anything),
        Predicate::Equals { key, value } => matching(sql, key, &Wanted::OneOf(std::slice::from_ref(value))),
        Predicate::In { key, values } => matching(sql, key, &Wanted::OneOf(values)),
        Predicate::HasPrefix { key, value } => matching(sql, key, &Wanted::Prefix(value)),
        Predicate::Related { kind, targets } => {
            let key = format!("relations.{kind}");
            match targets {
                None => matching(sql, &key, &Wanted::Anything),
                Some(targets) => matching(sql, &key, &Wanted::OneOf(targets)),
            }
        }
    }
}

/// Halves a long list again and again: databases limit how deep an expression may be, and `a OR b OR c` is a chain.
fn join(sql: &mut Sql, parts: &[Predicate], word: &'static str, empty: &'static str) {
    match parts {
        [] => {
            sql.push(empty);
        }
        [one] => condition(sql, one),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            sql.push("(");
            join(sql, left, word, empty);
            sql.push(word);
            join(sql, right, word, empty);
            sql.push(")");
        }
    }
}

enum Wanted<'a> {
    Anything,
    OneOf(&'a [String]),
    Prefix(&'a str),
}

fn matching(sql: &mut Sql, key: &str, wanted: &Wanted<'_>) {
    let relation = is_relation(key);
    let value = if relation {
        sql.push(
            "e.id IN (SELECT x.source_id FROM relation x JOIN relation_type t ON t.id = x.type_id \
             JOIN ref v ON v.id = x.target_id WHERE t.search_key = ",
        );
        sql.bind(key);
        "v.ref"
    } else {
        sql.push(
            "e.id IN (SELECT x.entity_id FROM search x WHERE x.key_id = (SELECT k.id FROM search_key k WHERE k.name = ",
        );
        sql.bind(key).push(")");
        "x.value"
    };
    match wanted {
        Wanted::Anything => {}
        Wanted::OneOf(values) => {
            let values: Vec<&String> =
                values.iter().filter(|value| value.encode_utf16().count() <= MAX_VALUE).collect();
            sql.push(" AND ").push(value);
            match values.as_slice() {
                [one] => sql.push(" = ").bind(*one),
                many => sql.push(" IN ").list(many.iter().map(|value| (*value).clone())),
            };
        }
        Wanted::Prefix(prefix) => {
            // Not LIKE: no character of a prefix means anything.
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            sql.push(" AND ").push(value).push(" >= ").bind(*prefix);
            sql.push(" AND substr(").push(value).push(", 1, ").bind(length).push(") = ").bind(*prefix);
            if relation {
                sql.push(" AND length(v.ref) <= 200");
            }
        }
    }
    sql.push(")");
}

/// Adds a subquery of `(entity_id, value, original)`: everything that entities have under a key.
pub(super) fn values_of(sql: &mut Sql, key: &str) {
    if is_relation(key) {
        sql.push(
            "(SELECT DISTINCT x.source_id AS entity_id, v.ref AS value, v.ref AS original FROM relation x \
             JOIN relation_type t ON t.id = x.type_id JOIN ref v ON v.id = x.target_id WHERE t.search_key = ",
        );
        sql.bind(key).push(")");
    } else {
        sql.push(
            "(SELECT x.entity_id, x.value, coalesce(x.original, x.value) AS original FROM search x \
             WHERE x.value IS NOT NULL AND x.key_id = (SELECT k.id FROM search_key k WHERE k.name = ",
        );
        sql.bind(key).push("))");
    }
}

fn is_relation(key: &str) -> bool {
    key.starts_with("relations.")
}

/// Adds the condition that one of the fields holds the term.
pub(super) fn full_text(sql: &mut Sql, term: &str, fields: &[String]) {
    let pattern: String = term
        .to_lowercase()
        .chars()
        .flat_map(|c| {
            // LIKE's own characters stand for themselves.
            let escape = matches!(c, '%' | '_' | '\\').then_some('\\');
            escape.into_iter().chain([c])
        })
        .collect();
    let pattern = format!("%{pattern}%");
    sql.push(" AND (");
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            sql.push(" OR ");
        }
        sql.push("e.id IN (SELECT w.entity_id FROM ");
        values_of(sql, &field.to_lowercase());
        sql.push(" w WHERE w.value LIKE ").bind(&pattern).push(" ESCAPE '\\')");
    }
    sql.push(")");
}
