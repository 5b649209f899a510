//! `callboard:plugin/event-subscriber`: is told of what happens.

use callboard_model::events::{Event, EventOutcome};
use callboard_model::manifest::{Manifest, TopicSubscription};
use callboard_model::rights::Rights;

use crate::acting::Acting;
use crate::call::{Target, output};
use crate::error::{ErrorKind, PluginError};
use crate::limits::{BATCH_BYTES, EVENT_REASON_CHARACTERS};
use crate::plugin::Plugin;

pub(crate) mod webhook;

use webhook::{Refusal, Verified};

/// As in WIT.
const POINT: &str = "event-subscriber";

/// What a plugin wants to be told of by the portal itself, as far as it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// One of the [topics](callboard_model::events::TOPICS).
    pub topic: String,
    /// Which kinds of entities, in lower case.
    pub kinds: Vec<String>,
}

/// What a plugin with this manifest wants to be told of by the portal itself and may be, with the rights that are left of
/// what it declares and is granted. It is only told of kinds that it may read. Nothing of the plugin runs, so it can be
/// said of one that does not.
pub fn topics(manifest: &Manifest, effective: &Rights) -> Vec<Topic> {
    let subscribed = manifest.contributes.event_subscriber.iter().flat_map(|contributed| &contributed.topics);
    let granted = subscribed.filter(|one| effective.event_subscriber.topics.contains(&one.topic));
    let topics = granted.map(|TopicSubscription { topic, kinds }| {
        let readable = effective.catalog.kinds.iter().map(|kind| kind.to_lowercase());
        let is_wanted =
            |kind: &String| kinds.is_empty() || kinds.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind));
        Topic { topic: topic.clone(), kinds: readable.filter(is_wanted).collect() }
    });
    topics.filter(|topic| !topic.kinds.is_empty()).collect()
}

impl Plugin {
    /// Whether it has a webhook of this topic that it may be told of.
    pub fn has_webhook(&self, topic: &str) -> bool {
        self.inner.webhooks.iter().any(|webhook| webhook.topic == topic)
    }

    /// Finds out whether a request to a webhook comes from who it should. Nothing of the plugin runs, and the secret stays
    /// here.
    ///
    /// # Errors
    /// Why not, for the operator. The sender is not to be told.
    pub fn verify_webhook(
        &self,
        topic: &str,
        headers: &http::HeaderMap,
        body: &[u8],
        unix_seconds: i64,
    ) -> Result<Verified, Refusal> {
        let webhook = self.inner.webhooks.iter().find(|webhook| webhook.topic == topic);
        webhook.ok_or(Refusal::NotThere)?.verify(headers, body, unix_seconds)
    }

    /// Hands events over: one outcome for each, in their order. They must fit into one call together.
    ///
    /// # Errors
    /// The guest failed, answered with an error, or with something else than outcomes: that is about all of them.
    pub async fn on_events(&self, acting: &Acting, events: &[Event]) -> Result<Vec<EventOutcome>, PluginError> {
        let limit = self.inner.limits.event_deadline;
        let target = Target { extension_point: POINT, function: "on-events", acting, limit };
        let Some(indices) = self.inner.event_subscriber.clone() else {
            return Err(self.error(&target, ErrorKind::NotThere, format!("it does not export `{POINT}`")));
        };
        let json = serde_json::to_string(events).map_err(|error| error.to_string()).and_then(|json| match json.len() {
            0..=BATCH_BYTES => Ok(json),
            bytes => Err(format!("the events have {bytes} bytes, but at most {BATCH_BYTES} cross at once")),
        });
        let json = json.map_err(|message| self.error(&target, ErrorKind::Input, message))?;
        let expected = events.len();
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_on_events(store, &context, &json).await
                })
            },
            move |json| outcomes(&json, expected),
        )
        .await
    }
}

fn outcomes(json: &str, expected: usize) -> Result<Vec<EventOutcome>, String> {
    if json.len() > BATCH_BYTES {
        return Err(format!("its outcomes have {} bytes, but may have at most {BATCH_BYTES}", json.len()));
    }
    let outcomes: Vec<EventOutcome> = serde_json::from_str(json).map_err(|error| {
        format!("its answer is not a JSON list of outcomes: {}", output::clean(&error.to_string(), 300))
    })?;
    if outcomes.len() != expected {
        return Err(format!("it was handed {expected} events and answered with {} outcomes", outcomes.len()));
    }
    let shown = |outcome| match outcome {
        EventOutcome::Ok => EventOutcome::Ok,
        EventOutcome::Retry(mut retry) => {
            retry.reason = output::clean(&retry.reason, EVENT_REASON_CHARACTERS);
            EventOutcome::Retry(retry)
        }
        EventOutcome::Dead(mut dead) => {
            dead.reason = output::clean(&dead.reason, EVENT_REASON_CHARACTERS);
            EventOutcome::Dead(dead)
        }
    };
    Ok(outcomes.into_iter().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers() {
        fn check(json: &str, expected: Result<&[EventOutcome], &str>) {
            match (outcomes(json, 2), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
                (found, _) => panic!("{json}: {found:?}"),
            }
        }
        check(r#"["ok","ok"]"#, Ok(&[EventOutcome::Ok, EventOutcome::Ok]));
        check(
            r#"[{"retry":{"reason":"a\u001b[31mb","afterMs":5}},{"dead":{"reason":"c"}}]"#,
            Ok(&[
                EventOutcome::Retry(callboard_model::events::Retry {
                    reason: output::clean("a\u{1b}[31mb", 100),
                    after_ms: Some(5),
                }),
                EventOutcome::dead("c"),
            ]),
        );
        check(r#"["ok"]"#, Err("handed 2 events and answered with 1"));
        check(r#"["ok","fine"]"#, Err("not a JSON list of outcomes"));
        check("{", Err("not a JSON list"));
        check(&"[".repeat(10_000), Err("not a JSON list"));
        check(&" ".repeat(BATCH_BYTES + 1), Err("at most 4194304"));
    }

    #[test]
    fn told_of_what_both_sides_name() {
        let check = |topics: serde_json::Value, rights: serde_json::Value, expected: &[&[&str]]| {
            let manifest = json!({
                "format": 1, "id": "a", "name": "A", "version": "1.0.0", "needs": {"host": "^0.1", "plugin": "^0.1"},
                "contributes": {"event-subscriber": {"topics": topics}},
            });
            let manifest: Manifest = serde_json::from_value(manifest).unwrap();
            let found = super::topics(&manifest, &serde_json::from_value(rights.clone()).unwrap());
            let kinds: Vec<Vec<&str>> =
                found.iter().map(|topic| topic.kinds.iter().map(String::as_str).collect()).collect();
            assert_eq!(kinds, expected, "{rights}");
        };
        let all = json!([{"topic": "catalog.entity"}]);
        let right =
            |kinds: &[&str]| json!({"catalog": {"kinds": kinds}, "event-subscriber": {"topics": ["catalog.entity"]}});
        check(all.clone(), right(&["API", "Group"]), &[&["api", "group"]]);
        check(all.clone(), right(&[]), &[]);
        check(all, json!({"catalog": {"kinds": ["API"]}}), &[]);
        let some = json!([{"topic": "catalog.entity", "kinds": ["group", "User"]}]);
        check(some.clone(), right(&["API", "Group"]), &[&["group"]]);
        check(some, right(&["API"]), &[]);
    }
}
