//! Events: what a subscriber is handed, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The topic of what becomes of entities; the payload is an [`EntityChange`].
pub const CATALOG_ENTITY: &str = "catalog.entity";

/// What the portal itself tells of. Every other topic is that of a webhook.
pub const TOPICS: [&str; 1] = [CATALOG_ENTITY];

/// Whether a text can be the topic of a webhook, which is a part of its URL: words of lower-case letters, digits and
/// dashes with dots between them, up to 100 characters, and none that the portal tells of itself.
pub fn is_webhook_topic(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-')
    };
    text.len() <= 100 && text.split('.').all(is_word) && text.split('.').next() != Some("catalog")
}

/// Something that happened: an item of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The same each time that this is handed over, and never that of another event. Whoever must not do a thing twice
    /// remembers it.
    pub delivery_id: String,
    /// What it is about: one of the [`TOPICS`], or that of a webhook.
    pub topic: String,
    /// How often it has been handed over, this time included, as far as the portal knows.
    pub attempt: u32,
    /// When it happened, or came in: RFC 3339.
    pub time: String,
    /// Of a webhook, the headers that the manifest names, in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What happened. Of a webhook, the body that was sent.
    pub payload: Value,
}

/// What became of an entity that can be seen: the payload of [`CATALOG_ENTITY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityChange {
    /// What became of it.
    pub change: Change,
    /// `kind:namespace/name`, in lower case.
    pub entity_ref: String,
    /// Another one where an entity went and one of the same name came.
    pub uid: String,
    /// Changes with the entity's own content, and with nothing else. It is not the `etag` of the catalog's answers, which
    /// changes with the entity's relations and errors as well. Absent where the entity is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is another than before.
    Changed,
    /// It is gone.
    Removed,
}

/// What came of one event: `"ok"`, `{"retry": {"reason": "…"}}` or `{"dead": {"reason": "…"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventOutcome {
    /// It was taken, and does not come again.
    Ok,
    /// It could not be taken now, and comes again.
    Retry(Retry),
    /// It will never be taken. It is put aside for the operator to look at.
    Dead(Dead),
}

/// Why an event could not be taken now, and when to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Retry {
    /// For the operator.
    pub reason: String,
    /// In so many milliseconds at the earliest; absent where the portal may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

/// Why an event will never be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dead {
    /// For the operator.
    pub reason: String,
}

impl EventOutcome {
    /// It could not be taken now; the portal chooses when to try again.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry(Retry { reason: reason.into(), after_ms: None })
    }

    /// It will never be taken.
    pub fn dead(reason: impl Into<String>) -> Self {
        Self::Dead(Dead { reason: reason.into() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outcomes() {
        let check = |value: Value, outcome: EventOutcome| {
            assert_eq!(serde_json::to_value(&outcome).unwrap(), value);
            assert_eq!(serde_json::from_value::<EventOutcome>(value).unwrap(), outcome);
        };
        check(json!("ok"), EventOutcome::Ok);
        check(json!({"retry": {"reason": "away"}}), EventOutcome::retry("away"));
        check(
            json!({"retry": {"reason": "away", "afterMs": 5}}),
            EventOutcome::Retry(Retry { reason: "away".to_owned(), after_ms: Some(5) }),
        );
        check(json!({"dead": {"reason": "no"}}), EventOutcome::dead("no"));
        for value in [json!("dead"), json!("fine"), json!({"retry": {"reason": "x", "after": 5}}), json!({"dead": {}})]
        {
            serde_json::from_value::<EventOutcome>(value.clone()).expect_err(&value.to_string());
        }
    }

    #[test]
    fn topics_of_webhooks() {
        for text in ["github", "github.push", "a-1.b2"] {
            assert!(is_webhook_topic(text), "{text}");
        }
        for text in [
            "",
            ".",
            "a.",
            "A",
            "a/b",
            "a b",
            "1a",
            "-a",
            "catalog",
            CATALOG_ENTITY,
            "catalog.other",
            "a%2f",
            &"a".repeat(101),
        ] {
            assert!(!is_webhook_topic(text), "{text}");
        }
    }
}
