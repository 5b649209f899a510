//! When scheduled work is due. All times are UTC, cron expressions included.

use std::str::FromStr;

use callboard_model::schedule::{Frequency, Schedule};
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;

/// A schedule that names no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cron expression \"{expression}\" does not work: {reason}. Write five fields, minute to weekday, such as \"*/5 * * * *\""
)]
pub struct ScheduleError {
    /// As it was written.
    pub expression: String,
    /// What is wrong with it.
    pub reason: String,
}

/// When the first run begins, for a portal that starts `now`; none where somebody must ask for it.
///
/// # Errors
/// A cron expression that cannot be read, or never comes.
pub fn first(schedule: &Schedule, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ScheduleError> {
    let start = later(now, schedule.initial_delay.unwrap_or_default());
    match &schedule.frequency {
        Frequency::Every(_) => Ok(Some(start)),
        Frequency::Cron(expression) => occurrence(expression, start).map(Some),
        Frequency::Manual => Ok(None),
    }
}

/// When the run after one that began at `last` begins: never before `now`, and once however many were missed.
///
/// # Errors
/// A cron expression that cannot be read, or never comes.
pub fn next_after(
    schedule: &Schedule,
    last: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ScheduleError> {
    match &schedule.frequency {
        Frequency::Every(interval) => Ok(Some(later(last, *interval).max(now))),
        Frequency::Cron(expression) => occurrence(expression, now.max(last)).map(Some),
        Frequency::Manual => Ok(None),
    }
}

fn occurrence(expression: &str, after: DateTime<Utc>) -> Result<DateTime<Utc>, ScheduleError> {
    Cron::from_str(expression)
        .and_then(|cron| cron.find_next_occurrence(&after, false))
        .map_err(|error| ScheduleError { expression: expression.to_owned(), reason: error.to_string() })
}

fn later(time: DateTime<Utc>, by: std::time::Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(frequency: &Value, delay: Option<&str>) -> Schedule {
        let mut value = json!({"frequency": frequency, "timeout": "PT1M"});
        if let Some(delay) = delay {
            value["initialDelay"] = json!(delay);
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn first_run() {
        fn check(frequency: Value, delay: Option<&str>, expected: Option<&str>) {
            let found = first(&schedule(&frequency, delay), at("2026-11-20T10:07:30Z")).unwrap();
            assert_eq!(found, expected.map(at), "{frequency} {delay:?}");
        }
        check(json!({"minutes": 2}), None, Some("2026-11-20T10:07:30Z"));
        check(json!({"minutes": 2}), Some("PT30S"), Some("2026-11-20T10:08:00Z"));
        check(json!({"cron": "*/5 * * * *"}), None, Some("2026-11-20T10:10:00Z"));
        check(json!({"cron": "*/5 * * * *"}), Some("PT3M"), Some("2026-11-20T10:15:00Z"));
        check(json!({"trigger": "manual"}), None, None);
    }

    #[test]
    fn next_run() {
        fn check(frequency: Value, last: &str, now: &str, expected: Option<&str>) {
            let found = next_after(&schedule(&frequency, None), at(last), at(now)).unwrap();
            assert_eq!(found, expected.map(at), "{frequency} {last} {now}");
        }
        let two = json!({"minutes": 2});
        check(two.clone(), "2026-11-20T10:00:00Z", "2026-11-20T10:00:10Z", Some("2026-11-20T10:02:00Z"));
        // A run that took longer than the interval is followed by the next at once, and by one only.
        check(two, "2026-11-20T10:00:00Z", "2026-11-20T10:07:00Z", Some("2026-11-20T10:07:00Z"));
        let daily = json!({"cron": "0 3 * * *"});
        check(daily.clone(), "2026-11-20T03:00:00Z", "2026-11-20T03:00:09Z", Some("2026-11-21T03:00:00Z"));
        check(daily, "2026-11-20T03:00:00Z", "2026-11-25T04:00:00Z", Some("2026-11-26T03:00:00Z"));
        check(json!({"trigger": "manual"}), "2026-11-20T03:00:00Z", "2026-11-25T04:00:00Z", None);
    }

    #[test]
    fn never() {
        fn check(expression: &str) {
            let schedule = schedule(&json!({"cron": expression}), None);
            let Err(error) = first(&schedule, at("2026-11-20T10:00:00Z")) else {
                // The model may have refused it earlier; here it must not name a time.
                unreachable!("{expression} names a time")
            };
            assert!(error.to_string().contains(expression), "{error}");
        }
        // The 30th of February.
        check("0 0 30 2 *");
    }
}
