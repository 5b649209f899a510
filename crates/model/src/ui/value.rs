//! One thing that is known: `status`, `badge`, `progress`, `gauge`, `stat`, `time`, `duration`, `bytes`, `cost`.

use serde::{Deserialize, Serialize};

use super::builder::{node, part};
use super::{Level, Text};

/// A state in a word or two.
///
/// ```
/// use callboard_model::ui::{Level, Status};
///
/// assert_eq!(Status::new(Level::Ok, "Deployed").level, Level::Ok);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// How good or bad.
    pub level: Level,
    /// The words.
    pub text: Text,
}

impl Status {
    /// So good or bad, in these words.
    pub fn new(level: Level, text: impl Into<Text>) -> Self {
        Self { level, text: text.into() }
    }
}

node!(Status in Status {});

/// A word on a chip.
///
/// ```
/// use callboard_model::ui::{Badge, Level};
///
/// assert_eq!(Badge::new("beta").level(Level::Warning).level, Level::Warning);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Badge {
    /// The word.
    pub text: Text,
    /// How good or bad; with an icon, where it is not neutral.
    #[serde(default, skip_serializing_if = "Level::is_neutral")]
    pub level: Level,
}

impl Badge {
    /// With this word.
    pub fn new(text: impl Into<Text>) -> Self {
        Self { text: text.into(), level: Level::Neutral }
    }
}

node!(Badge in Badge { plain level: Level, });

/// Part of a whole.
///
/// ```
/// use callboard_model::ui::Progress;
///
/// assert_eq!(Progress::new("Steps", 3.0, 4.0).max, 4.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What advances.
    pub label: Text,
    /// From 0 to `max`.
    pub value: f64,
    /// The whole.
    pub max: f64,
}

impl Progress {
    /// So much of the whole.
    pub fn new(label: impl Into<Text>, value: f64, max: f64) -> Self {
        Self { label: label.into(), value, max }
    }
}

node!(Progress in Progress {});

/// A measure between two bounds, which is good up to somewhere.
///
/// ```
/// use callboard_model::ui::{Gauge, Level};
///
/// let gauge = Gauge::new("Memory", 58.0, 64.0).unit("MiB").warning(48.0).error(60.0);
/// assert_eq!(gauge.level(), Level::Warning);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gauge {
    /// What is measured.
    pub label: Text,
    /// From `min` to `max`.
    pub value: f64,
    /// 0 where it is left out.
    #[serde(default)]
    pub min: f64,
    /// The most that there can be.
    pub max: f64,
    /// What stands behind the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// From here on somebody should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<f64>,
    /// From here on it is too much. Below `warning`, both count downwards: too little is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
}

impl Gauge {
    /// So much of what there can be.
    pub fn new(label: impl Into<Text>, value: f64, max: f64) -> Self {
        Self { label: label.into(), value, max, ..Self::default() }
    }

    /// How good or bad the value is.
    pub fn level(&self) -> Level {
        if self.warning.is_none() && self.error.is_none() {
            return Level::Neutral;
        }
        let downwards = matches!((self.warning, self.error), (Some(warning), Some(error)) if error < warning);
        let reaches = |bound: Option<f64>| {
            bound.is_some_and(|bound| if downwards { self.value <= bound } else { self.value >= bound })
        };
        if reaches(self.error) {
            Level::Error
        } else if reaches(self.warning) {
            Level::Warning
        } else {
            Level::Ok
        }
    }
}

node!(Gauge in Gauge { optional unit: Text, optional warning: f64, optional error: f64, plain min: f64, });

/// One number that matters.
///
/// ```
/// use callboard_model::ui::{Delta, Direction, Level, Stat};
///
/// let stat = Stat::new("Deployments", "12")
///     .note("in the last 7 days")
///     .delta(Delta::new(Direction::Up, "3 more").level(Level::Ok))
///     .trend([3.0, 1.0, 4.0, 4.0]);
/// assert_eq!(stat.trend.len(), 4);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stat {
    /// What it counts.
    pub label: Text,
    /// The number, written out.
    pub value: Text,
    /// Where it comes from, or what it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// How it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
    /// What it was before, oldest first: a small curve without a scale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trend: Vec<f64>,
}

impl Stat {
    /// This number, of what the label says.
    pub fn new(label: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }
}

node!(Stat in Stat { optional note: Text, optional delta: Delta, plain trend: Vec<f64>, });

/// How a [`Stat`] changed.
///
/// ```
/// use callboard_model::ui::{Delta, Direction};
///
/// assert_eq!(Delta::new(Direction::Down, "8 %").direction, Direction::Down);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// Up or down: an arrow.
    pub direction: Direction,
    /// By how much.
    pub text: Text,
    /// Whether that is good; up is not always.
    #[serde(default)]
    pub level: Level,
}

impl Delta {
    /// By so much.
    pub fn new(direction: Direction, text: impl Into<Text>) -> Self {
        Self { direction, text: text.into(), level: Level::Neutral }
    }
}

part!(Delta { plain level: Level, });

/// Where a number goes.
///
/// ```
/// use callboard_model::ui::Direction;
///
/// assert_eq!(serde_json::to_value(Direction::Same).unwrap(), "same");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More.
    Up,
    /// Less.
    Down,
    /// Neither.
    #[default]
    Same,
}

/// A point in time, shown relative to now with the exact one at hand.
///
/// ```
/// use callboard_model::ui::Time;
///
/// assert_eq!(Time::new("2026-05-01T12:00:00Z").at, "2026-05-01T12:00:00Z");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Time {
    /// RFC 3339.
    pub at: String,
}

impl Time {
    /// At this time, as RFC 3339 writes it.
    pub fn new(at: impl Into<String>) -> Self {
        Self { at: at.into() }
    }
}

node!(Time in Time {});

/// How long something took.
///
/// ```
/// use callboard_model::ui::Duration;
///
/// assert_eq!(Duration::new(90_500).ms, 90_500);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duration {
    /// Milliseconds.
    pub ms: u64,
}

impl Duration {
    /// So many milliseconds.
    pub fn new(ms: u64) -> Self {
        Self { ms }
    }
}

node!(Duration in Duration {});

/// A size, shown in a readable unit with the exact one at hand.
///
/// ```
/// use callboard_model::ui::Bytes;
///
/// assert_eq!(Bytes::new(2048).size, 2048);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bytes {
    /// Bytes.
    pub size: u64,
}

impl Bytes {
    /// So many bytes.
    pub fn new(size: u64) -> Self {
        Self { size }
    }
}

node!(Bytes in Bytes {});

/// An amount of money, written as the reader's language does.
///
/// ```
/// use callboard_model::ui::Cost;
///
/// assert_eq!(Cost::new(1234.5, "EUR").per("month").currency, "EUR");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// In whole units of the currency.
    pub amount: f64,
    /// ISO 4217: three letters.
    pub currency: String,
    /// For what time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Text>,
}

impl Cost {
    /// So much of a currency.
    pub fn new(amount: f64, currency: impl Into<String>) -> Self {
        Self { amount, currency: currency.into(), per: None }
    }
}

node!(Cost in Cost { optional per: Text, });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_as_bad_as_its_bounds_say() {
        let check = |value: f64, warning: Option<f64>, error: Option<f64>, expected: Level| {
            let gauge = Gauge { value, max: 100.0, warning, error, ..Gauge::default() };
            assert_eq!(gauge.level(), expected, "{gauge:?}");
        };
        check(50.0, None, None, Level::Neutral);
        check(50.0, Some(60.0), Some(80.0), Level::Ok);
        check(60.0, Some(60.0), Some(80.0), Level::Warning);
        check(80.0, Some(60.0), Some(80.0), Level::Error);
        check(90.0, None, Some(80.0), Level::Error);
        check(50.0, Some(40.0), Some(20.0), Level::Ok);
        check(30.0, Some(40.0), Some(20.0), Level::Warning);
        check(10.0, Some(40.0), Some(20.0), Level::Error);
    }
}
