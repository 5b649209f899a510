//! `pie-chart`.

use callboard_model::ui::{PieChart, Slice};
use leptos::prelude::*;

use super::{empty, full_swatch, measured, summary};
use crate::format;
use crate::messages::{Msg, t};

/// A ring, and its parts with their shares beside it: that list is a table already.
pub(crate) fn pie(chart: &PieChart) -> AnyView {
    let label = chart.label.to_string();
    let unit = chart.unit.as_ref();
    let whole: f64 = chart.slices.iter().map(|slice| slice.value).sum();
    if whole <= 0.0 {
        return empty(&label);
    }
    let values: Vec<f64> = chart.slices.iter().map(|slice| slice.value).collect();
    let share = |slice: &Slice| slice.value / whole * 100.0;
    let mut before = 0.0;
    let parts = chart
        .slices
        .iter()
        .enumerate()
        .map(|(index, slice)| {
            let length = share(slice);
            let (dashes, offset) = (format!("{length:.3} {:.3}", 100.0 - length), format!("{:.3}", -before));
            before += length;
            view! {
                <circle
                    class=format!("slice series--{}", index % 8)
                    cx="21"
                    cy="21"
                    r="15.915"
                    stroke-dasharray=dashes
                    stroke-dashoffset=offset
                />
            }
        })
        .collect_view();
    let rows = chart
        .slices
        .iter()
        .enumerate()
        .map(|(index, slice)| {
            view! {
                <tr>
                    <th scope="row">
                        {full_swatch(index)}
                        <span class="break" dir="auto">{slice.label.to_string()}</span>
                    </th>
                    <td class="table__number">{measured(slice.value, unit)}</td>
                    <td class="table__number">{format!("{} %", format::decimal((share(slice) * 10.0).round() / 10.0))}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <figure class="chart">
            <figcaption class="chart__label break" dir="auto">{label.clone()}</figcaption>
            <div class="pie">
                <svg class="pie__ring" viewBox="0 0 42 42" role="img" aria-label=summary(&label, &values, unit)>{parts}</svg>
                <table class="pie__parts">
                    <caption class="visually-hidden">{label}</caption>
                    <thead class="visually-hidden">
                        <tr>
                            <th scope="col">{t(Msg::Name)}</th>
                            <th scope="col">{t(Msg::ChartValue)}</th>
                            <th scope="col">{t(Msg::ChartShare)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </figure>
    }
    .into_any()
}
