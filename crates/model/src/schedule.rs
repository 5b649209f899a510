//! When something that repeats is run.

mod duration;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

pub use duration::{MAX_DURATION, parse_duration};

/// When a task runs and how long it may take, as app-config's `schedule` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// How long one run may take.
    pub timeout: Duration,
    /// How long after the start the first run waits.
    pub initial_delay: Option<Duration>,
    /// Whether every replica runs it.
    pub scope: Scope,
}

/// How often a task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// From the start of one run to the start of the next.
    Every(Duration),
    /// A cron expression of five or six fields, in UTC.
    Cron(String),
    /// Only when somebody asks.
    Manual,
}

/// Whether every replica runs a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One replica at a time does.
    #[default]
    Global,
    /// Each does.
    Local,
}

impl Schedule {
    /// Every so often.
    pub fn every(frequency: Duration, timeout: Duration) -> Self {
        Self { frequency: Frequency::Every(frequency), timeout, initial_delay: None, scope: Scope::Global }
    }

    /// Reads the forms of app-config: `frequency` is a duration, `{cron}` or `{trigger: manual}`; `timeout` and
    /// `initialDelay` are durations; `scope` is `global` or `local`.
    pub fn from_value(value: &Value) -> Result<Self, ScheduleError> {
        let Value::Object(map) = value else {
            return Err(ScheduleError::new(
                "a schedule needs frequency and timeout: { frequency: { minutes: 30 }, timeout: { minutes: 3 } }",
            ));
        };
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ScheduleError::new(format!("unknown key \"{key}\"; there are {}", KEYS.join(", "))));
        }
        let required = |key: &str| {
            map.get(key)
                .ok_or_else(|| ScheduleError::new(format!("{key} is missing, for example {key}: {{ minutes: 3 }}")))
        };
        let scope = map.get("scope").map_or(Ok(Scope::Global), Scope::deserialize);
        Ok(Self {
            frequency: frequency(required("frequency")?).map_err(|error| error.at("frequency"))?,
            timeout: positive(required("timeout")?).map_err(|error| error.at("timeout"))?,
            initial_delay: match map.get("initialDelay") {
                None | Some(Value::Null) => None,
                Some(value) => Some(parse_duration(value).map_err(|error| error.at("initialDelay"))?),
            },
            scope: scope.map_err(|_| ScheduleError::new("scope: expected global or local"))?,
        })
    }
}

const KEYS: [&str; 4] = ["frequency", "timeout", "initialDelay", "scope"];

fn frequency(value: &Value) -> Result<Frequency, ScheduleError> {
    let only = |key: &str| value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(key));
    if let Some(cron) = only("cron") {
        return match cron.as_str().map(str::trim) {
            Some(text) if is_cron(text) => Ok(Frequency::Cron(text.to_owned())),
            _ => Err(ScheduleError::new("cron: expected five or six fields, for example '0 */2 * * *'")),
        };
    }
    if let Some(trigger) = only("trigger") {
        return match trigger.as_str() {
            Some("manual") => Ok(Frequency::Manual),
            _ => Err(ScheduleError::new("trigger: the only one is manual")),
        };
    }
    positive(value).map(Frequency::Every)
}

/// Only the outline: whether every field is in range is known to the one who computes the times.
fn is_cron(text: &str) -> bool {
    let fields = text.split_whitespace().count();
    matches!(fields, 5 | 6) || (fields == 1 && text.starts_with('@'))
}

fn positive(value: &Value) -> Result<Duration, ScheduleError> {
    match parse_duration(value)? {
        Duration::ZERO => Err(ScheduleError::new("it must be longer than nothing")),
        duration => Ok(duration),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frequency.fmt(f)
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(every) => match duration::in_words(*every) {
                // "1 hour" is "every hour".
                words if !words.contains(" and ") && words.starts_with("1 ") => {
                    write!(f, "every {}", words.trim_start_matches("1 "))
                }
                words => write!(f, "every {words}"),
            },
            Self::Cron(text) => write!(f, "at {text} (cron, UTC)"),
            Self::Manual => f.write_str("only when asked for"),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frequency = match &self.frequency {
            Frequency::Every(every) => duration::to_value(*every),
            Frequency::Cron(text) => json!({ "cron": text }),
            Frequency::Manual => json!({ "trigger": "manual" }),
        };
        let mut value = json!({ "frequency": frequency, "timeout": duration::to_value(self.timeout) });
        if let Some(map) = value.as_object_mut() {
            if let Some(delay) = self.initial_delay {
                map.insert("initialDelay".to_owned(), duration::to_value(delay));
            }
            if self.scope == Scope::Local {
                map.insert("scope".to_owned(), json!("local"));
            }
        }
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a schedule or a duration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError(String);

impl ScheduleError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn at(self, key: &str) -> Self {
        Self(format!("{key}: {}", self.0))
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read() {
        fn check(value: Value, words: &str) {
            let schedule = Schedule::from_value(&value).unwrap_or_else(|error| panic!("{value}: {error}"));
            assert_eq!(schedule.to_string(), words, "{value}");
            let written = serde_json::to_value(&schedule).unwrap();
            assert_eq!(Schedule::from_value(&written).as_ref(), Ok(&schedule), "{written}");
        }
        let every = |frequency: Value| json!({"frequency": frequency, "timeout": {"minutes": 3}});
        check(every(json!({"minutes": 2})), "every 2 minutes");
        check(every(json!({"hours": 1})), "every hour");
        check(every(json!({"hours": 1, "minutes": 30})), "every 1 hour and 30 minutes");
        check(every(json!("PT30M")), "every 30 minutes");
        check(every(json!("P1D")), "every day");
        check(every(json!("30 minutes")), "every 30 minutes");
        check(every(json!("5s")), "every 5 seconds");
        check(every(json!({"milliseconds": 1500})), "every 1 second and 500 milliseconds");
        check(every(json!({"cron": "0 */2 * * *"})), "at 0 */2 * * * (cron, UTC)");
        check(every(json!({"cron": "*/10 * * * * *"})), "at */10 * * * * * (cron, UTC)");
        check(every(json!({"trigger": "manual"})), "only when asked for");
        check(
            json!({"frequency": "1d", "timeout": "PT1H", "initialDelay": {"seconds": 15}, "scope": "local"}),
            "every day",
        );
    }

    #[test]
    fn refused() {
        fn check(value: Value, expected: &str) {
            assert_eq!(Schedule::from_value(&value).unwrap_err().to_string(), expected, "{value}");
        }
        let timed = |frequency: Value| json!({"frequency": frequency, "timeout": "1m"});
        check(json!({"frequency": "1h"}), "timeout is missing, for example timeout: { minutes: 3 }");
        check(json!({"timeout": "1h"}), "frequency is missing, for example frequency: { minutes: 3 }");
        check(
            json!({"frequency": "1h", "timeout": "1m", "initialdelay": "1s"}),
            "unknown key \"initialdelay\"; there are frequency, timeout, initialDelay, scope",
        );
        check(timed(json!({"minutes": 0})), "frequency: it must be longer than nothing");
        check(
            timed(json!({"cron": "hourly"})),
            "frequency: cron: expected five or six fields, for example '0 */2 * * *'",
        );
        check(timed(json!({"trigger": "auto"})), "frequency: trigger: the only one is manual");
        check(json!({"frequency": "1h", "timeout": "1m", "scope": "world"}), "scope: expected global or local");
        assert!(Schedule::from_value(&json!("1h")).is_err());
    }
}
