//! Registered locations by what they are: `POST /locations/by-query`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callboard_model::api::{LocationPage, PageInfo, RegisteredLocation};
use callboard_model::filter::Predicate;
use callboard_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{LocationQuery, registry};
use crate::Error;

/// How many locations a page has where nobody says.
const DEFAULT_LIMIT: u64 = 1_000;

/// What a location may be asked for, in lower case.
const FIELDS: [&str; 4] = ["id", "type", "target", "entityref"];

/// Where a list is, and what it is of.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    limit: u64,
    after_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<Value>,
}

/// A page of locations, by id.
pub(crate) async fn page(tx: &mut Tx, asked: &LocationQuery) -> Result<LocationPage, Error> {
    let cursor = asked.cursor.as_deref().map(decode).transpose()?;
    let query = cursor.as_ref().map_or(&asked.query, |cursor| &cursor.query);
    let limit = asked.limit.or(cursor.as_ref().map(|cursor| cursor.limit)).unwrap_or(DEFAULT_LIMIT);
    if limit == 0 {
        return Err(Error::Input("Invalid limit, must be greater than zero".to_owned()));
    }
    let predicate = query.as_ref().map(parse).transpose()?;
    // There are as many as somebody registered by hand, so that a look at each costs less than a statement per query.
    let mut items = registry::all(tx).await?;
    items.retain(|location| predicate.as_ref().is_none_or(|predicate| holds(predicate, location)));
    let total_items = u64::try_from(items.len()).unwrap_or(u64::MAX);
    if let Some(cursor) = &cursor {
        items.retain(|location| location.id > cursor.after_id);
    }
    let more = u64::try_from(items.len()).unwrap_or(u64::MAX) > limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = items.last().filter(|_| more).map(|last| {
        let cursor = Cursor { limit, after_id: last.id.clone(), query: query.clone() };
        STANDARD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    });
    Ok(LocationPage { items, total_items, page_info: PageInfo { next_cursor, prev_cursor: None } })
}

fn decode(text: &str) -> Result<Cursor, Error> {
    let malformed = |reason: &dyn std::fmt::Display| Error::Input(format!("Malformed cursor: {reason}"));
    let bytes = STANDARD.decode(text).map_err(|_| malformed(&"it is not base64"))?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(&error))
}

fn parse(query: &Value) -> Result<Predicate, Error> {
    let query = fitted(query)?;
    Predicate::from_value(&query).map_err(|error| Error::Input(error.to_string()))
}

/// Brings what means something else of a location than of an entity into a form that means it of both, and refuses fields
/// that no location has. What is not a predicate at all is left for whoever reads it.
fn fitted(query: &Value) -> Result<Value, Error> {
    let Value::Object(map) = query else { return Ok(query.clone()) };
    if map.is_empty() {
        return Ok(json!({ "$not": { "$any": [] } }));
    }
    let mut out = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            // Of no condition at all, neither all nor any hold.
            ("$all" | "$any", Value::Array(items)) if items.is_empty() && map.len() == 1 => {
                return Ok(json!({ "$any": [] }));
            }
            ("$all" | "$any", Value::Array(items)) => Value::Array(items.iter().map(fitted).collect::<Result<_, _>>()?),
            ("$not", value) => fitted(value)?,
            (operator, value) if operator.starts_with('$') => value.clone(),
            (field, _) if !FIELDS.contains(&field.to_lowercase().as_str()) => {
                return Err(Error::Input(format!(
                    "Invalid query: locations have no field '{}', only id, type, target and entityRef",
                    field.escape_default()
                )));
            }
            (_, Value::Object(operator)) if operator.len() == 1 && operator.contains_key("$contains") => {
                json!({ "$in": [] })
            }
            (_, value) => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Ok(Value::Object(out))
}

fn holds(predicate: &Predicate, location: &RegisteredLocation) -> bool {
    let field = |key: &str| match key {
        "id" => location.id.to_lowercase(),
        "type" => location.kind.to_lowercase(),
        "target" => location.target.to_lowercase(),
        _ => location.entity_ref.to_lowercase(),
    };
    match predicate {
        Predicate::All(all) => all.iter().all(|predicate| holds(predicate, location)),
        Predicate::Any(any) => any.iter().any(|predicate| holds(predicate, location)),
        Predicate::Not(predicate) => !holds(predicate, location),
        Predicate::Exists { .. } => true,
        Predicate::Equals { key, value } => field(key) == *value,
        Predicate::In { key, values } => values.contains(&field(key)),
        Predicate::HasPrefix { key, value } => field(key).starts_with(value.as_str()),
        Predicate::Related { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location() -> RegisteredLocation {
        RegisteredLocation {
            id: "0A".to_owned(),
            kind: "url".to_owned(),
            target: "https://x.example/A_%.yaml".to_owned(),
            entity_ref: "location:default/generated-1".to_owned(),
        }
    }

    #[test]
    fn predicates() {
        fn check(query: Value, expected: bool) {
            assert_eq!(holds(&parse(&query).unwrap(), &location()), expected, "{query}");
        }
        check(json!({}), true);
        check(json!({"type": "URL"}), true);
        check(json!({"TYPE": "url", "id": "0a"}), true);
        check(json!({"type": "url", "id": "1"}), false);
        check(json!({"target": {"$hasPrefix": "HTTPS://x.example/a_%"}}), true);
        check(json!({"target": {"$hasPrefix": "https://x.example/%"}}), false);
        check(json!({"entityRef": {"$in": ["a", "location:default/generated-1"]}}), true);
        check(json!({"entityRef": {"$in": []}}), false);
        check(json!({"id": {"$exists": true}}), true);
        check(json!({"id": {"$exists": false}}), false);
        check(json!({"target": {"$contains": "https://x.example/A_%.yaml"}}), false);
        check(json!({"$all": []}), false);
        check(json!({"$any": []}), false);
        check(json!({"$not": {"$all": []}}), true);
        check(json!({"$any": [{}, {"id": "1"}]}), true);
        check(json!({"$all": [{"type": "url"}, {"$not": {"id": "1"}}]}), true);
    }

    #[test]
    fn refused() {
        fn check(query: Value, expected: &str) {
            let error = parse(&query).unwrap_err().to_string();
            assert!(error.starts_with("Invalid query") && error.contains(expected), "{query}: {error}");
        }
        check(json!({"kind": "url"}), "no field 'kind'");
        check(json!({"$any": [{"metadata.name": "x"}]}), "no field 'metadata.name'");
        check(json!({"$nope": 1}), "$nope");
        check(json!({"id": {"$like": "x"}}), "$like");
        check(json!({"$all": [], "id": "x"}), "beside");
        check(json!([]), "expected an object");
        check(json!({"id": {"$all": []}}), "unknown operator");
    }

    #[test]
    fn cursors() {
        fn check(text: &str) {
            assert!(decode(text).is_err_and(|error| error.to_string().starts_with("Malformed cursor")), "{text}");
        }
        check("%");
        check(&STANDARD.encode("{}"));
        check(&STANDARD.encode(r#"{"limit": -1, "afterId": "x"}"#));
        let cursor = decode(&STANDARD.encode(r#"{"limit": 1, "afterId": "x", "query": {}}"#)).unwrap();
        assert_eq!((cursor.limit, cursor.after_id.as_str(), cursor.query), (1, "x", Some(json!({}))));
    }
}
