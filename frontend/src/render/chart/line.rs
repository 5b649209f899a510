//! `line-chart`.

use callboard_model::ui::{LineChart, Text};
use leptos::prelude::*;

use super::{bounds, empty, figure, legend, line_swatch, measured, scale, summary, table};
use crate::messages::Msg;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 180.0;
const MARGIN: f64 = 4.0;

pub(crate) fn line(chart: LineChart) -> AnyView {
    let LineChart { label, points, series, unit, area } = chart;
    let label = label.to_string();
    let values: Vec<f64> = series.iter().flat_map(|series| series.values.iter().flatten().copied()).collect();
    let Some((least, most)) = bounds(values.iter().copied()) else { return empty(&label) };
    let (low, high) = scale::axis(least, most);
    let lines = series
        .iter()
        .enumerate()
        .map(|(index, series)| {
            let path = scale::path(&series.values, low, high, WIDTH, HEIGHT, MARGIN);
            let class = format!("series series--{}", index % 8);
            let whole = series.values.iter().all(Option::is_some) && series.values.len() > 1;
            let fill = (area && whole).then(|| {
                let ground = scale::height(0.0, low, high, HEIGHT, MARGIN);
                view! { <path class="series__area" d=format!("{path}L{WIDTH} {ground:.1}L0 {ground:.1}Z") /> }
            });
            view! { <g class=class>{fill}<path d=path vector-effect="non-scaling-stroke" /></g> }
        })
        .collect_view();
    let said = summary(&label, &values, unit.as_ref());
    let names = series.iter().map(|series| series.name.to_string());
    let key = (series.len() > 1).then(|| legend(line_swatch, names));
    let drawing = plot((low, high), unit.as_ref(), &points, said, lines.into_any());
    let drawing = view! { <div class="chart__drawing">{drawing}{key}</div> };
    figure(&label, drawing.into_any(), table(&label, Msg::ChartPoint, &points, &series, unit.as_ref()))
}

/// The drawing between its axes.
pub(super) fn plot(
    (low, high): (f64, f64),
    unit: Option<&Text>,
    points: &[Text],
    said: String,
    lines: AnyView,
) -> AnyView {
    let middle = f64::midpoint(low, high);
    let marks = [high, middle, low].map(|value| view! { <span>{measured(value, unit)}</span> });
    let rules = [low, middle, high].map(|value| {
        let y = scale::height(value, low, high, HEIGHT, MARGIN);
        view! { <path class="plot__rule" d=format!("M0 {y:.1}H{WIDTH}") vector-effect="non-scaling-stroke" /> }
    });
    view! {
        <div class="plot">
            <div class="plot__marks" aria-hidden="true">{marks}</div>
            <svg class="plot__drawing" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=said>
                {rules}
                {lines}
            </svg>
            <div class="plot__points" aria-hidden="true">{ends(points)}</div>
        </div>
    }
    .into_any()
}

/// The first point, one in the middle, and the last: what fits however narrow the drawing is.
fn ends(points: &[Text]) -> Vec<AnyView> {
    let chosen: Vec<&Text> = match points {
        [] => Vec::new(),
        [only] => vec![only],
        [first, last] => vec![first, last],
        [first, .., last] => {
            // An odd number has a point in its very middle; elsewhere a word there would be beside its place.
            let middle = points.get(points.len() / 2).filter(|_| points.len() % 2 == 1);
            std::iter::once(first).chain(middle).chain([last]).collect()
        }
    };
    chosen.into_iter().map(|point| view! { <span dir="auto">{point.to_string()}</span> }.into_any()).collect()
}
