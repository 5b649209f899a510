//! The extension point `event-subscriber`: the trait [`EventSubscriber`], what it is handed and what it answers.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::event_subscriber::wit;
use crate::bindings::host::types;
use crate::entity_provider::to_json;
use crate::{Context, Error};

pub use callboard_model::events::{CATALOG_ENTITY, Change, Dead, EntityChange, Event, EventOutcome, Retry};

/// Is told of what happens: of what becomes of entities, and of what other services send to the plugin's webhooks.
///
/// What it is told of is in `plugin.yaml`. Each event comes at least once: it comes again where the portal cannot know that
/// it was taken, because somebody pulled the plug, and then it has the same [`Event::delivery_id`]. Write what you do so
/// that doing it twice is doing it once, or remember the id in [`kv`](crate::kv).
///
/// ```
/// use callboard_sdk::event_subscriber::{self, CATALOG_ENTITY, EntityChange, Event};
/// use callboard_sdk::{Context, Error, EventSubscriber, kv, log};
///
/// /// `plugin.yaml` has
/// ///
/// ///     rights:
/// ///       kv: true
/// ///       log: true
/// ///       catalog: { kinds: [ API ] }
/// ///       event-subscriber: { topics: [ catalog.entity ] }
/// ///     contributes:
/// ///       event-subscriber:
/// ///         topics: [ { topic: catalog.entity } ]
/// struct LastSeen;
///
/// impl EventSubscriber for LastSeen {
///     fn on_event(_: &Context, event: &Event) -> Result<(), Error> {
///         if event.topic == CATALOG_ENTITY {
///             let EntityChange { change, entity_ref, .. } = event_subscriber::payload(event)?;
///             log::info(&format!("{entity_ref}: {change:?}"));
///             kv::set(&entity_ref, event.time.as_bytes())?;
///         }
///         Ok(())
///     }
/// }
///
/// callboard_sdk::export!(event_subscriber: LastSeen);
/// # fn main() {}
/// ```
pub trait EventSubscriber {
    /// Takes one event.
    ///
    /// # Errors
    /// The event could not be taken. With [`Error::Invalid`] it never will be, and is put aside for the operator to look
    /// at; with any other it comes again, each time after a longer pause, until the portal gives it up.
    fn on_event(context: &Context, event: &Event) -> Result<(), Error>;

    /// Takes a batch, which is what one call of the plugin is for: one outcome for each, in their order. Left as it is, it
    /// goes from one to the next; a plugin that tells an upstream may tell it of all of them at once.
    ///
    /// # Errors
    /// None of them could be taken, and all come again.
    fn on_events(context: &Context, events: &[Event]) -> Result<Vec<EventOutcome>, Error> {
        let outcome = |event| match Self::on_event(context, event) {
            Ok(()) => EventOutcome::Ok,
            Err(Error::Invalid(reason)) => EventOutcome::dead(reason),
            Err(error) => EventOutcome::retry(error.to_string()),
        };
        Ok(events.iter().map(outcome).collect())
    }
}

/// The payload of an event, as a type.
///
/// # Errors
/// [`Error::Invalid`], where it is not one: it would not be the next time, either.
pub fn payload<T: DeserializeOwned>(event: &Event) -> Result<T, Error> {
    T::deserialize(&event.payload).map_err(|error| {
        Error::Invalid(format!("the payload of {} ({}) is not as expected: {error}", event.delivery_id, event.topic))
    })
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: EventSubscriber> wit::Guest for Glue<T> {
    fn on_events(context: types::Context, events: String) -> Result<String, types::Error> {
        let events: Vec<Event> = serde_json::from_str(&events)
            .map_err(|error| types::Error::Invalid(format!("the host's events: {error}")))?;
        to_json(&T::on_events(&context.into(), &events)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Picky;

    impl EventSubscriber for Picky {
        fn on_event(_: &Context, event: &Event) -> Result<(), Error> {
            match payload::<u32>(event)? {
                0 => Err(Error::Unavailable("not now".to_owned())),
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn errors_become_outcomes() {
        let context = Context {
            plugin_id: "picky".to_owned(),
            request_id: String::new(),
            user: None,
            time: std::time::Duration::from_secs(1),
        };
        let event = |payload: serde_json::Value| Event {
            delivery_id: "1-2".to_owned(),
            topic: "x".to_owned(),
            attempt: 1,
            time: "2026-11-21T10:00:00Z".to_owned(),
            headers: Default::default(),
            payload,
        };
        let outcomes = Picky::on_events(&context, &[event(json!(1)), event(json!(0)), event(json!("x"))]).unwrap();
        let [EventOutcome::Ok, EventOutcome::Retry(retry), EventOutcome::Dead(dead)] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        assert!(retry.reason.contains("not now"), "{retry:?}");
        assert!(dead.reason.contains("1-2 (x)"), "{dead:?}");
    }
}
