//! `bar-chart`.

use callboard_model::ui::{BarChart, Series, Text};
use leptos::prelude::*;

use super::{bounds, empty, figure, full_swatch, legend, measured, scale, summary, table};
use crate::messages::Msg;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 180.0;
const MARGIN: f64 = 4.0;
/// Of a category's width, what stays free.
const GAP: f64 = 0.3;
/// So many names fit below the bars; beyond that, the table has them.
const NAMED: usize = 12;

pub(crate) fn bar(chart: BarChart) -> AnyView {
    let BarChart { label, categories, series, unit, stacked } = chart;
    let label = label.to_string();
    let values: Vec<f64> = series.iter().flat_map(|series| series.values.iter().flatten().copied()).collect();
    let ends = if stacked { stacks(&series, categories.len()) } else { values.clone() };
    let Some((least, most)) = bounds(ends.into_iter()) else { return empty(&label) };
    let (low, high) = scale::axis(least, most);
    let bars = drawn(&series, categories.len(), stacked, low, high);
    let said = summary(&label, &values, unit.as_ref());
    let names = series.iter().map(|series| series.name.to_string());
    let key = (series.len() > 1).then(|| legend(full_swatch, names));
    let drawing = view! {
        <div class="chart__drawing">{plot((low, high), unit.as_ref(), &categories, said, bars)}{key}</div>
    };
    figure(&label, drawing.into_any(), table(&label, Msg::ChartPoint, &categories, &series, unit.as_ref()))
}

/// How high, and how low, the stacks reach.
fn stacks(series: &[Series], categories: usize) -> Vec<f64> {
    let sum = |index: usize, is_wanted: fn(f64) -> bool| -> f64 {
        series
            .iter()
            .filter_map(|series| series.values.get(index).copied().flatten())
            .filter(|value| is_wanted(*value))
            .sum()
    };
    (0..categories).flat_map(|index| [sum(index, |value| value > 0.0), sum(index, |value| value < 0.0)]).collect()
}

fn drawn(series: &[Series], categories: usize, stacked: bool, low: f64, high: f64) -> AnyView {
    let width = WIDTH / categories.max(1) as f64;
    let room = width * (1.0 - GAP);
    let each = if stacked { room } else { room / series.len().max(1) as f64 };
    let y = |value: f64| scale::height(value, low, high, HEIGHT, MARGIN);
    let mut bars = Vec::new();
    for category in 0..categories {
        let (mut above, mut below) = (0.0, 0.0);
        for (index, series) in series.iter().enumerate() {
            let Some(value) = series.values.get(category).copied().flatten() else { continue };
            let (from, to) = match (stacked, value < 0.0) {
                (false, _) => (0.0, value),
                (true, true) => (below, below + value),
                (true, false) => (above, above + value),
            };
            (above, below) = if value < 0.0 { (above, below + value) } else { (above + value, below) };
            let left = category as f64 * width + width * GAP / 2.0 + if stacked { 0.0 } else { index as f64 * each };
            let (top, bottom) = (y(from.max(to)), y(from.min(to)));
            bars.push(view! {
                <rect
                    class=format!("bar series--{}", index % 8)
                    x=format!("{left:.1}")
                    y=format!("{top:.1}")
                    width=format!("{:.1}", (each - 1.5).max(0.5))
                    height=format!("{:.1}", (bottom - top).max(0.0))
                />
            });
        }
    }
    bars.into_any()
}

fn plot((low, high): (f64, f64), unit: Option<&Text>, categories: &[Text], said: String, bars: AnyView) -> AnyView {
    let marks = [high, f64::midpoint(low, high), low].map(|value| view! { <span>{measured(value, unit)}</span> });
    let ground = scale::height(0.0, low, high, HEIGHT, MARGIN);
    let shown = if categories.len() > NAMED { &[] } else { categories };
    let names =
        shown.iter().map(|name| view! { <span class="plot__name" dir="auto">{name.to_string()}</span> }).collect_view();
    view! {
        <div class="plot">
            <div class="plot__marks" aria-hidden="true">{marks}</div>
            <svg class="plot__drawing" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=said>
                {bars}
                <path class="plot__rule plot__rule--ground" d=format!("M0 {ground:.1}H{WIDTH}") vector-effect="non-scaling-stroke" />
            </svg>
            <div class="plot__names" aria-hidden="true">{names}</div>
        </div>
    }
    .into_any()
}
