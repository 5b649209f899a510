//! Numbers as pictures: `sparkline`, `line-chart`, `bar-chart`, `pie-chart`, `heatmap`.
//!
//! The page draws them in its own colours, and shows each as a table to whoever asks for it or does not see it.

use serde::{Deserialize, Serialize};

use super::Text;
use super::builder::node;

/// Series of one chart: more cannot be told apart.
pub const MAX_SERIES: usize = 8;
/// Points of a series, columns of a heatmap.
pub const MAX_POINTS: usize = 1_000;
/// Slices of a pie: more cannot be told apart; add up the rest.
pub const MAX_SLICES: usize = 12;
/// Cells of a heatmap.
pub const MAX_CELLS: usize = 5_000;

/// A small curve without a scale.
///
/// ```
/// use callboard_model::ui::Sparkline;
///
/// assert_eq!(Sparkline::new("Builds a day", [3.0, 1.0, 4.0]).values.len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sparkline {
    /// What it shows.
    pub label: Text,
    /// Oldest first.
    pub values: Vec<f64>,
    /// What stands behind the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

impl Sparkline {
    /// Of these numbers, oldest first.
    pub fn new(label: impl Into<Text>, values: impl IntoIterator<Item = f64>) -> Self {
        Self { label: label.into(), values: values.into_iter().collect(), unit: None }
    }
}

node!(Sparkline in Sparkline { optional unit: Text, });

/// Curves over a common axis.
///
/// ```
/// use callboard_model::ui::{LineChart, Series};
///
/// let chart = LineChart::new("Requests a minute", ["10:00", "10:01", "10:02"])
///     .series(Series::new("web-1", [12.0, 15.0, 9.0]))
///     .series(Series::new("web-2", [10.0, 11.0, 14.0]))
///     .unit("req/min");
/// assert_eq!(chart.series.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineChart {
    /// What it shows.
    pub label: Text,
    /// The points of the axis, from left to right.
    pub points: Vec<Text>,
    /// The curves.
    pub series: Vec<Series>,
    /// What stands behind the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// Filled below the curves.
    #[serde(default)]
    pub area: bool,
}

impl LineChart {
    /// Over these points, without a curve yet.
    pub fn new<P: Into<Text>>(label: impl Into<Text>, points: impl IntoIterator<Item = P>) -> Self {
        let points = points.into_iter().map(Into::into).collect();
        Self { label: label.into(), points, ..Self::default() }
    }

    /// Adds a curve.
    #[must_use]
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }
}

node!(LineChart in LineChart { optional unit: Text, flag area, });

/// A row of numbers.
///
/// ```
/// use callboard_model::ui::Series;
///
/// let series = Series { name: "web-1".into(), values: vec![Some(1.0), None, Some(3.0)] };
/// assert_eq!(series.values.iter().flatten().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// What it is called.
    pub name: Text,
    /// A number for each point or category; null where there is none.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// A number for each point.
    pub fn new(name: impl Into<Text>, values: impl IntoIterator<Item = f64>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Some).collect() }
    }
}

/// Bars side by side, or on top of each other.
///
/// ```
/// use callboard_model::ui::{BarChart, Series};
///
/// let chart = BarChart::new("Findings by team", ["web", "data"])
///     .series(Series::new("high", [1.0, 0.0]))
///     .series(Series::new("low", [7.0, 3.0]))
///     .stacked();
/// assert!(chart.stacked);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BarChart {
    /// What it shows.
    pub label: Text,
    /// What there is a bar for.
    pub categories: Vec<Text>,
    /// A number for each category.
    pub series: Vec<Series>,
    /// What stands behind the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// The series on top of each other.
    #[serde(default)]
    pub stacked: bool,
}

impl BarChart {
    /// With these categories, without a number yet.
    pub fn new<C: Into<Text>>(label: impl Into<Text>, categories: impl IntoIterator<Item = C>) -> Self {
        let categories = categories.into_iter().map(Into::into).collect();
        Self { label: label.into(), categories, ..Self::default() }
    }

    /// Adds a number for each category.
    #[must_use]
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }
}

node!(BarChart in BarChart { optional unit: Text, flag stacked, });

/// Parts of a whole.
///
/// ```
/// use callboard_model::ui::PieChart;
///
/// let chart = PieChart::new("Languages").slice("Rust", 71.0).slice("CSS", 9.0).unit("%");
/// assert_eq!(chart.slices.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PieChart {
    /// What the whole is.
    pub label: Text,
    /// The parts, none below 0.
    pub slices: Vec<Slice>,
    /// What stands behind the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

impl PieChart {
    /// Without a part yet.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Adds a part.
    #[must_use]
    pub fn slice(mut self, label: impl Into<Text>, value: f64) -> Self {
        self.slices.push(Slice { label: label.into(), value });
        self
    }
}

node!(PieChart in PieChart { optional unit: Text, });

/// A part of a [`PieChart`].
///
/// ```
/// use callboard_model::ui::{PieChart, Slice};
///
/// let chart = PieChart { slices: vec![Slice { label: "Rust".into(), value: 71.0 }], ..PieChart::new("Languages") };
/// assert_eq!(chart, PieChart::new("Languages").slice("Rust", 71.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// What it is.
    pub label: Text,
    /// How large.
    pub value: f64,
}

/// Numbers in rows and columns, each as dark as it is large.
///
/// ```
/// use callboard_model::ui::Heatmap;
///
/// let map = Heatmap::new("Incidents", ["Mon", "Tue"]).row("night", [Some(3.0), None]).row("day", [Some(0.0), Some(1.0)]);
/// assert_eq!(map.rows.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heatmap {
    /// What it shows.
    pub label: Text,
    /// What the columns are.
    pub columns: Vec<Text>,
    /// The rows.
    pub rows: Vec<HeatmapRow>,
    /// What stands behind the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

impl Heatmap {
    /// With these columns, without a row yet.
    pub fn new<C: Into<Text>>(label: impl Into<Text>, columns: impl IntoIterator<Item = C>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { label: label.into(), columns, ..Self::default() }
    }

    /// Adds a row.
    #[must_use]
    pub fn row(mut self, label: impl Into<Text>, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.rows.push(HeatmapRow { label: label.into(), values: values.into_iter().collect() });
        self
    }
}

node!(Heatmap in Heatmap { optional unit: Text, });

/// A row of a [`Heatmap`].
///
/// ```
/// use callboard_model::ui::HeatmapRow;
///
/// let row = HeatmapRow { label: "night".into(), values: vec![Some(3.0), None] };
/// assert_eq!(row.values.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeatmapRow {
    /// What it is.
    pub label: Text,
    /// A number for each column; null where there is none.
    pub values: Vec<Option<f64>>,
}
