//! Durations in the three forms of app-config.

use std::time::Duration;

use serde_json::{Map, Value};

use super::ScheduleError;

/// The longest duration that is accepted: 100 years.
pub const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * DAY);

const DAY: u64 = 24 * 60 * 60;

/// The units with their lengths in milliseconds, longest first, and the words for them in human durations.
///
/// A year counts as 365 days and a month as 30: a duration has no place in a calendar.
const UNITS: [Unit; 8] = [
    Unit { name: "years", millis: 365 * DAY * 1000, words: &["y", "yr", "yrs", "year", "years"] },
    Unit { name: "months", millis: 30 * DAY * 1000, words: &["mo", "month", "months"] },
    Unit { name: "weeks", millis: 7 * DAY * 1000, words: &["w", "week", "weeks"] },
    Unit { name: "days", millis: DAY * 1000, words: &["d", "day", "days"] },
    Unit { name: "hours", millis: 60 * 60 * 1000, words: &["h", "hr", "hrs", "hour", "hours"] },
    Unit { name: "minutes", millis: 60 * 1000, words: &["m", "min", "mins", "minute", "minutes"] },
    Unit { name: "seconds", millis: 1000, words: &["s", "sec", "secs", "second", "seconds"] },
    Unit { name: "milliseconds", millis: 1, words: &["ms", "msec", "msecs", "millisecond", "milliseconds"] },
];

struct Unit {
    name: &'static str,
    millis: u64,
    words: &'static [&'static str],
}

/// Reads an object such as `{minutes: 30}`, an ISO 8601 duration such as `PT30M`, or a number with a unit such as
/// `30 minutes`. At most [`MAX_DURATION`]; a year counts as 365 days and a month as 30.
pub fn parse_duration(value: &Value) -> Result<Duration, ScheduleError> {
    match value {
        Value::Object(map) => from_object(map),
        Value::String(text) if text.trim().starts_with('P') => from_iso(text.trim()),
        Value::String(text) => from_words(text.trim()),
        _ => Err(ScheduleError::new(format!("{value} is no duration; {FORMS}"))),
    }
}

const FORMS: &str = "write { minutes: 30 }, PT30M or '30 minutes'";

fn from_object(map: &Map<String, Value>) -> Result<Duration, ScheduleError> {
    if map.is_empty() {
        return Err(ScheduleError::new(format!("a duration needs a unit; {FORMS}")));
    }
    let mut millis = 0.0;
    for (key, value) in map {
        let unit = UNITS.iter().find(|unit| unit.name == key).ok_or_else(|| {
            let names: Vec<_> = UNITS.iter().map(|unit| unit.name).collect();
            ScheduleError::new(format!("\"{key}\" is no unit; there are {}", names.join(", ")))
        })?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => decimal(text.trim()),
            _ => None,
        };
        let number = number.ok_or_else(|| ScheduleError::new(format!("{key}: {value} is no number")))?;
        if number < 0.0 {
            return Err(ScheduleError::new(format!("{key}: {value} is negative")));
        }
        millis += number * millis_of(unit);
    }
    from_millis(millis)
}

/// `P[nY][nM][nW][nD][T[nH][nM][nS]]`
fn from_iso(text: &str) -> Result<Duration, ScheduleError> {
    let wrong =
        || ScheduleError::new(format!("\"{text}\" is no ISO 8601 duration; write for example PT30M or P1DT12H"));
    let rest = text.strip_prefix('P').ok_or_else(wrong)?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return Err(wrong()),
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if rest.is_empty() {
        return Err(wrong());
    }
    let date = iso_part(date, &[('Y', "years"), ('M', "months"), ('W', "weeks"), ('D', "days")]).ok_or_else(wrong)?;
    let time = iso_part(time, &[('H', "hours"), ('M', "minutes"), ('S', "seconds")]).ok_or_else(wrong)?;
    from_millis(date + time)
}

/// The milliseconds of `text`, whose units must come in the order of `units`, each at most once.
fn iso_part(text: &str, units: &[(char, &str)]) -> Option<f64> {
    let mut millis = 0.0;
    let mut rest = text;
    let mut units = units.iter();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at_checked(end)?;
        let letter = tail.chars().next()?;
        let (_, name) = units.find(|(unit, _)| *unit == letter)?;
        let unit = UNITS.iter().find(|unit| unit.name == *name)?;
        millis += decimal(&number.replace(',', "."))? * millis_of(unit);
        rest = tail.strip_prefix(letter)?;
    }
    Some(millis)
}

/// A number and a unit, such as `30m` or `2 hours`.
fn from_words(text: &str) -> Result<Duration, ScheduleError> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, word) = text.split_at_checked(end).unwrap_or((text, ""));
    let word = word.trim_start().to_ascii_lowercase();
    let unit = UNITS.iter().find(|unit| unit.words.contains(&word.as_str()));
    match (decimal(number), unit) {
        (Some(number), Some(unit)) => from_millis(number * millis_of(unit)),
        (Some(_), None) if word.is_empty() => Err(ScheduleError::new(format!("\"{text}\" lacks a unit; {FORMS}"))),
        _ => Err(ScheduleError::new(format!("\"{text}\" is no duration; {FORMS}"))),
    }
}

/// Digits with at most one point; none of the other things that `f64` reads.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.') && text.contains(|c: char| c.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn from_millis(millis: f64) -> Result<Duration, ScheduleError> {
    let duration = Duration::try_from_secs_f64((millis / 1000.0 * 1e6).round() / 1e6).ok();
    duration
        .filter(|duration| *duration <= MAX_DURATION)
        .ok_or_else(|| ScheduleError::new("it is longer than 100 years"))
}

#[expect(clippy::cast_precision_loss, reason = "the longest unit has eleven digits")]
fn millis_of(unit: &Unit) -> f64 {
    unit.millis as f64
}

/// The units that a duration is written in again. Weeks and longer ones would hide how many days there are.
fn parts(duration: Duration) -> Vec<(&'static str, u128)> {
    let mut rest = duration.as_millis();
    let mut parts = Vec::new();
    for unit in UNITS.iter().filter(|unit| unit.millis <= DAY * 1000) {
        let millis = u128::from(unit.millis);
        if rest >= millis {
            parts.push((unit.name, rest / millis));
            rest %= millis;
        }
    }
    parts
}

/// The object form, which [`parse_duration`] reads. Less than a millisecond is lost.
pub(super) fn to_value(duration: Duration) -> Value {
    let parts = parts(duration);
    if parts.is_empty() {
        return serde_json::json!({ "milliseconds": 0 });
    }
    let number = |count: u128| Value::from(u64::try_from(count).unwrap_or(u64::MAX));
    Value::Object(parts.into_iter().map(|(name, count)| (name.to_owned(), number(count))).collect())
}

/// For people: "2 minutes", "1 hour and 30 minutes".
pub(super) fn in_words(duration: Duration) -> String {
    let parts: Vec<_> = parts(duration)
        .into_iter()
        .map(|(name, count)| match count {
            1 => format!("1 {}", name.trim_end_matches('s')),
            _ => format!("{count} {name}"),
        })
        .collect();
    match parts.split_last() {
        None => "0 seconds".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations() {
        fn check(value: Value, millis: u64) {
            let found = parse_duration(&value).unwrap_or_else(|error| panic!("{value}: {error}"));
            assert_eq!(found, Duration::from_millis(millis), "{value}");
            assert_eq!(parse_duration(&to_value(found)), Ok(found));
        }
        check(json!({"minutes": 30}), 1_800_000);
        check(json!({"minutes": "30"}), 1_800_000);
        check(json!({"minutes": 1.5}), 90_000);
        check(json!({"hours": 1, "seconds": 1, "milliseconds": 1}), 3_601_001);
        check(json!({"weeks": 1}), 604_800_000);
        check(json!({"months": 1}), 30 * 86_400_000);
        check(json!({"years": 1}), 365 * 86_400_000);
        check(json!({"seconds": 0}), 0);
        check(json!("PT30M"), 1_800_000);
        check(json!("P1DT12H"), 129_600_000);
        check(json!("P1Y2M3W4D"), (365 + 60 + 21 + 4) * 86_400_000);
        check(json!("PT0.5S"), 500);
        check(json!("PT1,5S"), 1_500);
        check(json!("30m"), 1_800_000);
        check(json!("30 minutes"), 1_800_000);
        check(json!("2 Hours"), 7_200_000);
        check(json!("1d"), 86_400_000);
        check(json!("1.5h"), 5_400_000);
        check(json!("250ms"), 250);
        check(json!(" 1 week "), 604_800_000);
    }

    #[test]
    fn refused() {
        fn check(value: Value, expected: &str) {
            assert_eq!(parse_duration(&value).unwrap_err().to_string(), expected, "{value}");
        }
        check(json!({}), "a duration needs a unit; write { minutes: 30 }, PT30M or '30 minutes'");
        check(
            json!({"minute": 1}),
            "\"minute\" is no unit; there are years, months, weeks, days, hours, minutes, seconds, milliseconds",
        );
        check(json!({"minutes": -1}), "minutes: -1 is negative");
        check(json!({"minutes": "-1"}), "minutes: \"-1\" is no number");
        check(json!({"minutes": "1e3"}), "minutes: \"1e3\" is no number");
        check(json!({"minutes": true}), "minutes: true is no number");
        check(json!({"years": 101}), "it is longer than 100 years");
        check(json!({"years": 1e300}), "it is longer than 100 years");
        check(json!(30), "30 is no duration; write { minutes: 30 }, PT30M or '30 minutes'");
        check(json!("30"), "\"30\" lacks a unit; write { minutes: 30 }, PT30M or '30 minutes'");
        for text in ["", "-5m", "5 parsecs", "m", "1.2.3s", "5m5s", "inf s", "NaNs"] {
            check(json!(text), &format!("\"{text}\" is no duration; write {{ minutes: 30 }}, PT30M or '30 minutes'"));
        }
        for text in ["P", "PT", "P1", "PT1D", "P1H", "PT1M1H", "P-1D", "PT1S ago", "P1DT", "P1D1D"] {
            check(json!(text), &format!("\"{text}\" is no ISO 8601 duration; write for example PT30M or P1DT12H"));
        }
    }
}
