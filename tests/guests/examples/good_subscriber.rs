//! Is not hostile: it keeps what it is told. What it may, the hostile subscriber must be able to do as well.

use callboard_sdk::event_subscriber::{self, CATALOG_ENTITY, EntityChange, Event};
use callboard_sdk::{Context, EntityRef, Error, EventSubscriber, catalog, kv, log};
use serde_json::Value;

struct Good;

impl EventSubscriber for Good {
    fn on_event(context: &Context, event: &Event) -> Result<(), Error> {
        if context.user.is_some() {
            return Err(Error::Invalid("an event is for nobody".to_owned()));
        }
        match event.topic.as_str() {
            CATALOG_ENTITY => change(event),
            "hook" | "token" => webhook(event),
            other => Err(Error::Invalid(format!("nobody asked for {other}"))),
        }
    }
}

callboard_sdk::export!(manifest: "examples/good_subscriber.yaml", event_subscriber: Good);

/// Keeps what became of an entity, and whether it can be read.
fn change(event: &Event) -> Result<(), Error> {
    let EntityChange { change, entity_ref, uid, version } = event_subscriber::payload(event)?;
    let parsed = EntityRef::parse(&entity_ref, None, None).map_err(|error| Error::Invalid(error.to_string()))?;
    let readable = match catalog::get(&[parsed]) {
        Ok(found) => found.iter().flatten().count().to_string(),
        Err(Error::Denied(_)) => "denied".to_owned(),
        Err(error) => return Err(error),
    };
    log::info(&format!("{entity_ref}: {change:?}"));
    append(&format!("entity {entity_ref}"), &format!("{change:?} {uid} {} {readable}", version.is_some()))
}

/// Keeps what was sent: under its delivery id, so that it is seen when it comes again.
fn webhook(event: &Event) -> Result<(), Error> {
    let word = event.payload.get("word").and_then(Value::as_str).unwrap_or_default();
    match word {
        "later" if event.attempt < 3 => return Err(Error::Unavailable(format!("attempt {}", event.attempt))),
        "never" => return Err(Error::Unavailable("not today, either".to_owned())),
        "broken" => return Err(Error::Invalid("nobody could take this".to_owned())),
        _ => {}
    }
    let headers: Vec<String> = event.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    append(&format!("webhook {}", event.delivery_id), &format!("{} {word} {}", event.topic, headers.join(",")))
}

fn append(key: &str, line: &str) -> Result<(), Error> {
    let mut lines = kv::get(key)?.unwrap_or_default();
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
    kv::set(key, &lines)
}
