//! The document of an entity: how it is stored, and how it goes out.

use std::collections::HashMap;

use callboard_model::entity::Entity;
use callboard_model::filter::{SearchRow, search_rows};
use callboard_model::stable_json;
use callboard_store::limits::ROWS_PER_STATEMENT;
use callboard_store::{Error, Sql, Tx, args};
use serde::Serialize;
use serde_json::Value;

use super::told;
use crate::index::changes::Changes;
use crate::index::extract::Entries;
use crate::limits::DOCUMENT_BYTES;
use crate::process::ProcessingError;

/// Says that nothing names the entity any more.
pub(crate) const ORPHAN: &str = "backstage.io/orphan";

/// A document as it is stored: JSON text that ends with `metadata`, so that what is joined when it is read can be
/// added at its end without parsing it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) text: String,
    pub(crate) hash: String,
    entries: Entries,
}

/// Makes the document of a processed entity.
pub(crate) fn make(entity: &Entity, uid: &str, orphan: bool) -> Result<Stored, ProcessingError> {
    let mut entity = entity.clone();
    if orphan {
        entity.set_annotation(ORPHAN, "true");
    } else {
        entity.remove_annotation(ORPHAN);
    }
    let mut value = entity.into_value();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("uid".to_owned(), Value::from(uid));
    }
    let hash = stable_json::sha1_hex(&value);
    let rows = search_rows(&value).map_err(ProcessingError::input)?;
    let holds_nul =
        |row: &&SearchRow| row.key.contains('\0') || row.value.as_ref().is_some_and(|text| text.contains('\0'));
    if let Some(row) = rows.iter().find(holds_nul) {
        // PostgreSQL's texts cannot, and on SQLite some functions end there.
        let message = format!("{:?} holds a NUL character, which the catalog cannot keep", row.key);
        return Err(ProcessingError::input(message));
    }
    let metadata = value.as_object_mut().and_then(|root| root.remove("metadata")).unwrap_or_default();
    let mut text = value.to_string();
    text.pop();
    text.push_str(",\"metadata\":");
    text.push_str(&metadata.to_string());
    text.push('}');
    if text.len() > DOCUMENT_BYTES {
        let message = format!(
            "the entity has {} bytes with its placeholders resolved, and may have {DOCUMENT_BYTES}",
            text.len()
        );
        return Err(ProcessingError::input(message));
    }
    Ok(Stored { text, hash, entries: Entries::of(rows) })
}

/// Stores documents, in place of earlier ones, and notes what that changes of the index. Each comes with whether there
/// is an earlier one.
pub(crate) async fn store(tx: &mut Tx, changes: &mut Changes, documents: &[(i64, &Stored, bool)]) -> Result<(), Error> {
    let known: Vec<i64> = documents.iter().filter(|(.., known)| *known).map(|(id, ..)| *id).collect();
    let mut before = HashMap::new();
    if !known.is_empty() {
        let mut sql = Sql::new();
        sql.push("SELECT entity_id, document FROM document WHERE entity_id IN ").ids(known);
        for row in tx.fetch_all(sql).await? {
            before.insert(row.get::<i64>(0)?, Entries::of_document(&row.get::<String>(1)?)?);
        }
    }
    for (id, stored, _) in documents {
        changes.replace(*id, before.get(id), &stored.entries);
    }
    for chunk in documents.chunks(ROWS_PER_STATEMENT) {
        let mut sql = Sql::new();
        sql.push("INSERT INTO document(entity_id, document) VALUES ");
        sql.rows(chunk.iter().map(|(id, stored, _)| args![*id, &stored.text]));
        sql.push(" ON CONFLICT(entity_id) DO UPDATE SET document = excluded.document");
        tx.execute(sql).await?;
    }
    told::stored(tx, documents.iter().map(|(id, stored, known)| (*id, (stored.hash.as_str(), *known))).collect()).await
}

/// A document as it goes out. `relations` are pairs of type and ref, in order; `errors` is what the table has.
pub(crate) fn render(
    text: &str,
    hash: &str,
    relations: &[(&str, &str)],
    errors: Option<&str>,
) -> Result<crate::Document, serde_json::Error> {
    let relations: Vec<RelationText<'_>> =
        relations.iter().map(|&(kind, target)| RelationText { target_ref: target, kind }).collect();
    let relations = serde_json::to_string(&relations)?;
    let errors: Vec<ProcessingError> = errors.map(serde_json::from_str).transpose()?.unwrap_or_default();
    let items: Vec<Value> = errors
        .iter()
        .map(|error| {
            serde_json::json!({
                "type": "backstage.io/catalog-processing",
                "level": error.level,
                "message": format!("{}: {}", error.name, error.message),
                "error": { "name": error.name, "message": error.message },
            })
        })
        .collect();
    let status = Value::Array(items).to_string();
    let etag = stable_json::sha1_hex_of(format!("{hash}\n{relations}\n{status}").as_bytes());
    // Both closing braces are ours: `make` wrote them.
    let head = text.strip_suffix("}}").unwrap_or(text);
    let mut out = String::with_capacity(text.len() + relations.len() + 100);
    out.push_str(head);
    if !has_own_etag(text) {
        out.push_str(&format!(",\"etag\":\"{etag}\""));
    }
    out.push_str("},\"relations\":");
    out.push_str(&relations);
    if !errors.is_empty() {
        out.push_str(&format!(",\"status\":{{\"items\":{status}}}"));
    }
    out.push('}');
    Ok(serde_json::value::RawValue::from_string(out)?.into())
}

#[derive(Serialize)]
struct RelationText<'a> {
    #[serde(rename = "targetRef")]
    target_ref: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// Whether the author wrote an etag of his own, which then stays. Only a text that has the word at all is parsed.
fn has_own_etag(text: &str) -> bool {
    text.contains("\"etag\"")
        && serde_json::from_str::<Value>(text)
            .is_ok_and(|value| value.get("metadata").is_some_and(|metadata| metadata.get("etag").is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stored_and_rendered() {
        fn check(metadata: Value, orphan: bool, errors: Option<&str>, expected: Value) {
            let entity = json!({"apiVersion": "v1", "kind": "API", "metadata": metadata, "spec": {"a": {"b": {}}}});
            let stored = make(&Entity::from_value(entity).unwrap(), "u-1", orphan).unwrap();
            let relations = [("ownedBy", "group:default/a")];
            let document = render(&stored.text, &stored.hash, &relations, errors).unwrap();
            let mut found: Value = serde_json::from_str(document.get()).unwrap();
            if metadata.get("etag").is_none() {
                let etag = found["metadata"].as_object_mut().unwrap().remove("etag").unwrap();
                assert_eq!(etag.as_str().unwrap().len(), 40);
            }
            assert_eq!(found["relations"], json!([{"type": "ownedBy", "targetRef": "group:default/a"}]));
            assert_eq!(found["metadata"], expected);
            assert_eq!(found["spec"], json!({"a": {"b": {}}}));
            assert_eq!(found.get("status").is_some(), errors.is_some());
            if errors.is_some() {
                let item = |level: &str, message: &str| {
                    let error = json!({"name": "InputError", "message": message});
                    let message = format!("InputError: {message}");
                    json!({"type": "backstage.io/catalog-processing", "level": level, "message": message, "error": error})
                };
                assert_eq!(found["status"]["items"], json!([item("error", "no"), item("warning", "hm")]));
            }
        }
        check(json!({"name": "a"}), false, None, json!({"name": "a", "uid": "u-1"}));
        check(json!({"name": "a", "uid": "mine"}), false, None, json!({"name": "a", "uid": "u-1"}));
        check(json!({"name": "a", "etag": "own"}), false, None, json!({"name": "a", "etag": "own", "uid": "u-1"}));
        check(
            json!({"name": "a"}),
            true,
            Some(
                r#"[{"name": "InputError", "message": "no"}, {"name": "InputError", "message": "hm", "level": "warning"}]"#,
            ),
            json!({"name": "a", "uid": "u-1", "annotations": {ORPHAN: "true"}}),
        );
    }
}
