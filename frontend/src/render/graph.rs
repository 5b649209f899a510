//! `graph`: things in layers from left to right, and what leads from one to another. The same as a table below it.

mod layers;

use std::collections::BTreeMap;

use callboard_model::ui::{Graph, GraphNode};
use leptos::prelude::*;

use super::data;
use crate::messages::{Msg, t};
use crate::ui::{ExternalLink, Icon, status};

/// Pixels.
const WIDE: usize = 160;
const TALL: usize = 36;
const GAP_X: usize = 56;
const GAP_Y: usize = 16;

pub(super) fn graph(graph: Graph) -> AnyView {
    let label = graph.label.to_string();
    if graph.nodes.is_empty() {
        return view! {
            <figure class="chart">
                <figcaption class="chart__label break" dir="auto">{label}</figcaption>
                {data::nothing(Msg::GraphEmpty)}
            </figure>
        }
        .into_any();
    }
    let ids: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    let ends: Vec<(&str, &str)> = graph.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str())).collect();
    let places = layers::places(&ids, &ends);
    let corner = |id: &str| {
        let (layer, row) = places.get(id).copied().unwrap_or_default();
        (layer * (WIDE + GAP_X), row * (TALL + GAP_Y))
    };
    let columns = places.values().map(|(layer, _)| layer + 1).max().unwrap_or(1);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(1);
    let (width, height) = (columns * (WIDE + GAP_X) - GAP_X, rows * (TALL + GAP_Y) - GAP_Y);
    let lines = graph
        .edges
        .iter()
        .map(|edge| view! { <path class="graph__edge" d=curve(corner(&edge.from), corner(&edge.to)) /> })
        .collect_view();
    let boxes = graph.nodes.iter().map(|node| shown(node, corner(&node.id))).collect_view();
    let said = Msg::GraphOf.count(graph.nodes.len() as u64).replacen("{label}", &label, 1);
    view! {
        <figure class="chart">
            <figcaption class="chart__label break" dir="auto">{label.clone()}</figcaption>
            <div class="graph" tabindex="0" role="group" aria-label=said>
                <div class="graph__room" style:width=format!("{width}px") style:height=format!("{height}px")>
                    <svg class="graph__edges" viewBox=format!("0 0 {width} {height}") aria-hidden="true" focusable="false">{lines}</svg>
                    {boxes}
                </div>
            </div>
            {(!graph.edges.is_empty()).then(|| view! {
                <details class="chart__table">
                    <summary>{t(Msg::ShowAsTable)}<span class="visually-hidden">": " {label.clone()}</span></summary>
                    {table(&graph, &label)}
                </details>
            })}
        </figure>
    }
    .into_any()
}

/// From the right edge of one box to the left edge of the other; where that leads back, around below.
fn curve((from_x, from_y): (usize, usize), (to_x, to_y): (usize, usize)) -> String {
    let (x1, y1, x2, y2) = (from_x + WIDE, from_y + TALL / 2, to_x, to_y + TALL / 2);
    if to_x > from_x {
        let middle = usize::midpoint(x1, x2);
        return format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}");
    }
    let (start, end) = (from_x + WIDE / 2, to_x + WIDE / 2);
    let low = from_y.max(to_y) + TALL + GAP_Y - 3;
    format!("M{start} {}C{start} {low} {end} {low} {end} {}", from_y + TALL, to_y + TALL)
}

fn shown(node: &GraphNode, (x, y): (usize, usize)) -> AnyView {
    let label = node.label.to_string();
    let words = match node.href.clone() {
        Some(href) => view! { <ExternalLink href=href text=label.clone() /> }.into_any(),
        None => view! { <span>{label.clone()}</span> }.into_any(),
    };
    let level = (!node.level.is_neutral()).then(|| {
        view! {
            <span class=format!("status status--{}", status::name(node.level))>
                <Icon glyph=status::glyph(node.level) />
                <span class="visually-hidden">{status::word(node.level)} ": "</span>
            </span>
        }
    });
    view! {
        <div class="graph__node" title=label style:left=format!("{x}px") style:top=format!("{y}px") style:width=format!("{WIDE}px") style:height=format!("{TALL}px")>
            {level}
            <span class="graph__words" dir="auto">{words}</span>
        </div>
    }
    .into_any()
}

fn table(graph: &Graph, label: &str) -> AnyView {
    let names: BTreeMap<&str, String> =
        graph.nodes.iter().map(|node| (node.id.as_str(), node.label.to_string())).collect();
    let name = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let rows = graph
        .edges
        .iter()
        .map(|edge| {
            let words = edge.label.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
            view! { <tr><th scope="row">{name(&edge.from)}</th><td>{name(&edge.to)}</td><td>{words}</td></tr> }
        })
        .collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="group" aria-label=label.to_owned()>
            <table class="table">
                <caption class="visually-hidden">{label.to_owned()}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(Msg::GraphFrom)}</th>
                        <th scope="col">{t(Msg::GraphTo)}</th>
                        <th scope="col">{t(Msg::GraphEdge)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
