//! Charts: inline SVG of this portal's own making, in its own colours, each with its numbers as a table.
//!
//! What is written stands beside the drawing and not in it, so that it keeps its size however wide the drawing is. Series
//! are told apart by dashes and their place, too, and not by colour alone.

mod bar;
mod line;
mod pie;
mod scale;

use callboard_model::ui::{Heatmap, Series, Sparkline, Text};
use leptos::prelude::*;

use super::data;
use crate::format;
use crate::messages::{Msg, t};
use scale::bounds;

pub(super) use bar::bar;
pub(super) use line::line;
pub(super) use pie::pie;

/// A chart with its heading, and its numbers as a table for whoever asks for them.
fn figure(label: &str, drawing: AnyView, table: AnyView) -> AnyView {
    view! {
        <figure class="chart">
            <figcaption class="chart__label break" dir="auto">{label.to_owned()}</figcaption>
            {drawing}
            <details class="chart__table">
                <summary>{t(Msg::ShowAsTable)}<span class="visually-hidden">": " {label.to_owned()}</span></summary>
                {table}
            </details>
        </figure>
    }
    .into_any()
}

/// Where there is nothing to draw.
fn empty(label: &str) -> AnyView {
    view! {
        <figure class="chart">
            <figcaption class="chart__label break" dir="auto">{label.to_owned()}</figcaption>
            {data::nothing(Msg::ChartEmpty)}
        </figure>
    }
    .into_any()
}

/// What a drawing says to those who do not see it.
fn summary(label: &str, values: &[f64], unit: Option<&Text>) -> String {
    let (least, most) = bounds(values.iter().copied()).unwrap_or_default();
    let with_unit = |value: f64| measured(value, unit);
    let filled = Msg::ChartOf.count(values.len() as u64);
    // `count` fills in the number, and the rest is filled in here, the label last: it may hold anything.
    filled.replace("{least}", &with_unit(least)).replace("{most}", &with_unit(most)).replacen("{label}", label, 1)
}

fn measured(value: f64, unit: Option<&Text>) -> String {
    match unit {
        Some(unit) => format!("{} {unit}", format::decimal(value)),
        None => format::decimal(value),
    }
}

/// The numbers of a chart: a row for each point, a column for each series.
fn table(label: &str, heading: Msg, points: &[Text], series: &[Series], unit: Option<&Text>) -> AnyView {
    let heads = series
        .iter()
        .map(|series| view! { <th scope="col" class="table__number">{series.name.to_string()}</th> })
        .collect_view();
    let rows = points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let cells = series
                .iter()
                .map(|series| {
                    let value = series.values.get(index).copied().flatten();
                    let text = value.map_or_else(|| "–".to_owned(), |value| measured(value, unit));
                    view! { <td class="table__number">{text}</td> }
                })
                .collect_view();
            view! { <tr><th scope="row">{point.to_string()}</th>{cells}</tr> }
        })
        .collect_view();
    boxed(
        label,
        view! { <thead><tr><th scope="col">{t(heading)}</th>{heads}</tr></thead><tbody>{rows}</tbody> }.into_any(),
    )
}

fn boxed(label: &str, rows: AnyView) -> AnyView {
    view! {
        <div class="table-scroll" tabindex="0" role="group" aria-label=label.to_owned()>
            <table class="table">
                <caption class="visually-hidden">{label.to_owned()}</caption>
                {rows}
            </table>
        </div>
    }
    .into_any()
}

/// A line through a swatch. An element whose attributes are all literals is made of its text, and below an `svg` with
/// other attributes it would be none of SVG's.
const LINE: &str = "M0 5H20";
/// Of a swatch that is full, likewise.
const SIDE: &str = "10";

/// How the line of a series looks.
fn line_swatch(index: usize) -> AnyView {
    view! {
        <svg class=format!("swatch series series--{}", index % 8) viewBox="0 0 20 10" aria-hidden="true" focusable="false">
            <path d=LINE />
        </svg>
    }
    .into_any()
}

/// How the area of a series looks.
fn full_swatch(index: usize) -> AnyView {
    view! {
        <svg class=format!("swatch swatch--full series--{}", index % 8) viewBox="0 0 10 10" aria-hidden="true" focusable="false">
            <rect x="0" y="0" width=SIDE height=SIDE rx="2" />
        </svg>
    }
    .into_any()
}

/// Which series is which: a swatch that is drawn as the series is.
fn legend(swatch: fn(usize) -> AnyView, names: impl Iterator<Item = String>) -> AnyView {
    let items = names
        .enumerate()
        .map(|(index, name)| {
            view! {
                <li>
                    {swatch(index)}
                    <span class="break" dir="auto">{name}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="legend">{items}</ul> }.into_any()
}

pub(super) fn sparkline(chart: &Sparkline) -> AnyView {
    let label = chart.label.to_string();
    if chart.values.is_empty() {
        return empty(&label);
    }
    let last = chart.values.last().copied().map(|last| measured(last, chart.unit.as_ref()));
    let points: Vec<Text> = (1..=chart.values.len()).map(|index| index.to_string().into()).collect();
    let series = [Series::new(chart.label.clone(), chart.values.iter().copied())];
    let drawing = view! {
        <p class="sparkline">{drawn(&label, &chart.values, chart.unit.as_ref())}<span class="sparkline__last">{last}</span></p>
    };
    figure(&label, drawing.into_any(), table(&label, Msg::ChartPoint, &points, &series, chart.unit.as_ref()))
}

/// A small curve without a scale; the numbers stand elsewhere.
pub(super) fn curve(label: &str, values: &[f64]) -> AnyView {
    drawn(label, values, None)
}

fn drawn(label: &str, values: &[f64], unit: Option<&Text>) -> AnyView {
    let (least, most) = bounds(values.iter().copied()).unwrap_or_default();
    let points: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
    let path = scale::path(&points, least, most, 100.0, 24.0, 2.0);
    view! {
        <svg class="curve series series--0" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=summary(label, values, unit)>
            <path d=path vector-effect="non-scaling-stroke" />
        </svg>
    }
    .into_any()
}

/// A table already: each number stands in its cell, and the cell is the darker the larger it is.
pub(super) fn heatmap(map: Heatmap) -> AnyView {
    const SHADES: f64 = 5.0;
    let label = map.label.to_string();
    let values: Vec<f64> = map.rows.iter().flat_map(|row| row.values.iter().flatten().copied()).collect();
    let Some((least, most)) = bounds(values.iter().copied()) else { return empty(&label) };
    let shade = |value: f64| {
        let share = if most > least { (value - least) / (most - least) } else { 0.0 };
        (share * (SHADES - 1.0)).round()
    };
    let heads = map
        .columns
        .iter()
        .map(|column| view! { <th scope="col" class="break" dir="auto">{column.to_string()}</th> })
        .collect_view();
    let rows = map
        .rows
        .iter()
        .map(|row| {
            let cells = row
                .values
                .iter()
                .map(|value| match value {
                    Some(value) => {
                        view! { <td class=format!("heat heat--{:.0}", shade(*value))>{format::decimal(*value)}</td> }
                            .into_any()
                    }
                    None => view! { <td class="heat">"–"</td> }.into_any(),
                })
                .collect_view();
            view! { <tr><th scope="row" class="break" dir="auto">{row.label.to_string()}</th>{cells}</tr> }
        })
        .collect_view();
    let unit = map.unit.as_ref().map(|unit| format!(" ({unit})")).unwrap_or_default();
    let (heading, name) = (format!("{label}{unit}"), label.clone());
    view! {
        <figure class="chart">
            <figcaption class="chart__label break" dir="auto">{heading}</figcaption>
            <div class="table-scroll" tabindex="0" role="group" aria-label=name>
                <table class="heatmap">
                    <caption class="visually-hidden">{label}</caption>
                    <thead><tr><td></td>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </figure>
    }
    .into_any()
}
