//! A plugin's event subscriber as a subscriber of the store's outbox.

use std::time::Duration;

use callboard_host::limits::EVENT_RETRY_MOST;
use callboard_host::{Acting, ErrorKind, Limits, Plugin, PluginError, topics};
use callboard_model::events::{Event, EventOutcome};
use callboard_model::rights;
use callboard_store::outbox::{Delivery, DeliveryName, Settled, Subscription};
use chrono::{DateTime, SecondsFormat, Utc};
use rand::Rng as _;

use crate::plugins::PluginSet;

/// The shortest pause before an event is tried again, whatever the plugin asks for: it must not become a loop.
const RETRY_LEAST: Duration = Duration::from_millis(100);

/// How long an event waits whose plugin had no room for another call.
const BUSY: Duration = Duration::from_secs(1);

/// What the plugins of app-config want to be told of and may be, whether they run or not: what happens while one does not
/// is told when it does. Of one whose file cannot be read, `known` says what it wanted the last time.
pub(crate) fn subscriptions(plugins: &PluginSet, known: &[Subscription]) -> Vec<Subscription> {
    let mut all = Vec::new();
    for listed in plugins.all() {
        let Some(manifest) = listed.outcome.manifest() else {
            all.extend(known.iter().filter(|one| one.subscriber == listed.id).cloned());
            continue;
        };
        let effective = rights::intersect(&manifest.rights, &listed.granted);
        all.extend(topics(manifest, &effective).into_iter().map(|topic| Subscription {
            subscriber: listed.id.clone(),
            topic: topic.topic,
            groups: topic.kinds,
        }));
    }
    all
}

/// Hands deliveries to a plugin, and says what came of each.
pub(crate) async fn deliver(plugin: &Plugin, acting: &Acting, deliveries: &[Delivery]) -> Vec<(DeliveryName, Settled)> {
    let mut outcomes = Vec::with_capacity(deliveries.len());
    let (mut handed, mut events) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        match event(delivery) {
            Ok(event) => {
                handed.push(delivery);
                events.push(event);
            }
            Err(error) => {
                let error = format!("what the database has of it is damaged: {error}");
                outcomes.push((delivery.name, Settled::Dead { error }));
            }
        }
    }
    if events.is_empty() {
        return outcomes;
    }
    let answer = plugin.on_events(acting, &events).await;
    let (limits, now) = (plugin.limits(), Utc::now());
    match answer {
        Ok(answered) => {
            let settled = handed
                .iter()
                .zip(answered)
                .map(|(delivery, outcome)| (delivery.name, settled(outcome, delivery.attempts, limits, now)));
            outcomes.extend(settled);
        }
        Err(error) => {
            tracing::warn!(plugin = plugin.id(), events = events.len(), kind = ?error.kind, "{error}");
            let is_alone = events.len() == 1;
            let failed =
                |delivery: &&Delivery| (delivery.name, failed(&error, is_alone, delivery.attempts, limits, now));
            outcomes.extend(handed.iter().map(failed));
        }
    }
    outcomes
}

fn event(delivery: &Delivery) -> Result<Event, serde_json::Error> {
    Ok(Event {
        delivery_id: delivery.name.to_string(),
        topic: delivery.topic.clone(),
        attempt: delivery.attempts.saturating_add(1),
        time: delivery.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        headers: delivery.headers.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default(),
        payload: serde_json::from_str(&delivery.payload)?,
    })
}

/// What the plugin says of one event.
fn settled(outcome: EventOutcome, attempts: u32, limits: &Limits, now: DateTime<Utc>) -> Settled {
    match outcome {
        EventOutcome::Ok => Settled::Delivered,
        EventOutcome::Retry(retry) => {
            again(retry.reason, attempts, retry.after_ms.map(Duration::from_millis), limits, now)
        }
        EventOutcome::Dead(dead) => Settled::Dead { error: format!("the plugin will never take it: {}", dead.reason) },
    }
}

/// What becomes of one event of a call that failed.
fn failed(error: &PluginError, is_alone: bool, attempts: u32, limits: &Limits, now: DateTime<Utc>) -> Settled {
    match &error.kind {
        // It did not even come to it.
        ErrorKind::Busy => Settled::Back { due: now + BUSY, alone: false },
        ErrorKind::Suspended { remaining } => Settled::Back { due: now + *remaining, alone: false },
        // One of them is to blame, and each shows by itself whether it is the one.
        kind if !is_alone && (kind.is_fault() || *kind == ErrorKind::Input) => Settled::Back { due: now, alone: true },
        _ => again(error.message.clone(), attempts, None, limits, now),
    }
}

fn again(reason: String, attempts: u32, after: Option<Duration>, limits: &Limits, now: DateTime<Utc>) -> Settled {
    let attempts = attempts.saturating_add(1);
    if attempts >= limits.event_attempts {
        return Settled::Dead { error: format!("it failed {attempts} times; the last time: {reason}") };
    }
    let pause = match after {
        Some(after) => after.clamp(RETRY_LEAST, EVENT_RETRY_MOST),
        None => pause(attempts, limits.event_retry, rand::rng().random_range(0.75..1.25)),
    };
    Settled::Again { due: now + pause, error: reason }
}

/// How long to wait after so many failures. `jitter` keeps what failed together from coming back together.
fn pause(attempts: u32, first: Duration, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    doubled.min(EVENT_RETRY_MOST).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind) -> PluginError {
        let (plugin, message) = ("a".to_owned(), "no".to_owned());
        PluginError { plugin, extension_point: "event-subscriber", function: "on-events", kind, message }
    }

    #[test]
    fn pauses_grow_and_end() {
        let first = Duration::from_secs(5);
        let check = |attempts: u32, seconds: u64| assert_eq!(pause(attempts, first, 1.0), Duration::from_secs(seconds));
        check(1, 5);
        check(2, 10);
        check(10, 2_560);
        check(11, 3_600);
        check(u32::MAX, 3_600);
        assert_eq!(pause(2, first, 0.75), Duration::from_millis(7_500));
    }

    #[test]
    fn what_becomes_of_an_event() {
        let (limits, now) = (Limits { event_attempts: 3, ..Limits::default() }, Utc::now());
        assert_eq!(settled(EventOutcome::Ok, 0, &limits, now), Settled::Delivered);
        let dead = settled(EventOutcome::dead("broken"), 0, &limits, now);
        assert!(matches!(&dead, Settled::Dead { error } if error.contains("broken")), "{dead:?}");
        let after = |ms: u64, attempts: u32| {
            let retry = callboard_model::events::Retry { reason: "away".to_owned(), after_ms: Some(ms) };
            settled(EventOutcome::Retry(retry), attempts, &limits, now)
        };
        let due = |ms: i64| Settled::Again { due: now + chrono::TimeDelta::milliseconds(ms), error: "away".to_owned() };
        assert_eq!(after(60_000, 0), due(60_000));
        assert_eq!(after(0, 1), due(100));
        assert_eq!(after(u64::MAX, 1), due(3_600_000));
        let given_up = after(1, 2);
        assert!(
            matches!(&given_up, Settled::Dead { error } if error == "it failed 3 times; the last time: away"),
            "{given_up:?}"
        );
        let Settled::Again { due, .. } = settled(EventOutcome::retry("away"), 0, &limits, now) else { panic!() };
        assert!(due > now + limits.event_retry / 2 && due < now + limits.event_retry * 2);
    }

    #[test]
    fn whose_fault_it_is() {
        let (limits, now) = (Limits { event_attempts: 3, ..Limits::default() }, Utc::now());
        let remaining = Duration::from_secs(7);
        let suspended = failed(&error(ErrorKind::Suspended { remaining }), true, 2, &limits, now);
        assert_eq!(suspended, Settled::Back { due: now + remaining, alone: false }, "it was never called");
        assert_eq!(failed(&error(ErrorKind::Trap), false, 2, &limits, now), Settled::Back { due: now, alone: true });
        assert!(matches!(failed(&error(ErrorKind::Trap), true, 1, &limits, now), Settled::Again { .. }));
        assert!(matches!(failed(&error(ErrorKind::Trap), true, 2, &limits, now), Settled::Dead { .. }));
        let guest = ErrorKind::Guest(callboard_host::GuestError::Unavailable);
        assert!(matches!(failed(&error(guest), false, 0, &limits, now), Settled::Again { .. }), "it speaks for all");
    }
}
