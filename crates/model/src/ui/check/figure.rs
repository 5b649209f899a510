//! The bounds of charts and graphs: what can be told apart, and what fits together.

use std::collections::BTreeSet;

use super::super::chart::{MAX_CELLS, MAX_POINTS, MAX_SERIES, MAX_SLICES};
use super::super::graph::{MAX_GRAPH_EDGES, MAX_GRAPH_NODES};
use super::super::{Graph, Heatmap, Node, PieChart, Series, Text};
use super::TreeError;

pub(super) fn check(node: &Node) -> Result<(), TreeError> {
    let (kind, label, problem) = match node {
        Node::Sparkline(chart) => ("sparkline", &chart.label, most("values", chart.values.len(), MAX_POINTS)),
        Node::LineChart(chart) => ("line-chart", &chart.label, series(&chart.series, chart.points.len())),
        Node::BarChart(chart) => ("bar-chart", &chart.label, series(&chart.series, chart.categories.len())),
        Node::PieChart(chart) => ("pie-chart", &chart.label, pie(chart)),
        Node::Heatmap(map) => ("heatmap", &map.label, heatmap(map)),
        Node::Graph(graph) => ("graph", &graph.label, self::graph(graph)),
        Node::Stat(stat) => ("stat", &stat.label, most("values", stat.trend.len(), MAX_POINTS)),
        _ => return Ok(()),
    };
    problem.map_err(|problem| TreeError::Figure { kind, label: Text::to_string(label), problem })
}

fn most(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count > most { Err(format!("has {count} {what}; {most} are allowed")) } else { Ok(()) }
}

fn series(series: &[Series], points: usize) -> Result<(), String> {
    most("series", series.len(), MAX_SERIES)?;
    most("points", points, MAX_POINTS)?;
    match series.iter().find(|series| series.values.len() != points) {
        None => Ok(()),
        Some(series) => Err(format!("has {points} points, but \"{}\" has {} values", series.name, series.values.len())),
    }
}

fn pie(chart: &PieChart) -> Result<(), String> {
    most("slices", chart.slices.len(), MAX_SLICES)?;
    match chart.slices.iter().find(|slice| slice.value < 0.0) {
        None => Ok(()),
        Some(slice) => Err(format!("has the slice \"{}\" below 0", slice.label)),
    }
}

fn heatmap(map: &Heatmap) -> Result<(), String> {
    most("columns", map.columns.len(), MAX_POINTS)?;
    most("cells", map.columns.len().max(1) * map.rows.len(), MAX_CELLS)?;
    match map.rows.iter().find(|row| row.values.len() != map.columns.len()) {
        None => Ok(()),
        Some(row) => Err(format!(
            "has {} columns, but the row \"{}\" has {} values",
            map.columns.len(),
            row.label,
            row.values.len()
        )),
    }
}

fn graph(graph: &Graph) -> Result<(), String> {
    most("nodes", graph.nodes.len(), MAX_GRAPH_NODES)?;
    most("edges", graph.edges.len(), MAX_GRAPH_EDGES)?;
    let mut ids = BTreeSet::new();
    if let Some(node) = graph.nodes.iter().find(|node| !ids.insert(node.id.as_str())) {
        return Err(format!("has two nodes with the id \"{}\"", node.id));
    }
    let ends = graph.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
    match ends.into_iter().find(|end| !ids.contains(end.as_str())) {
        None => Ok(()),
        Some(end) => Err(format!("has an edge to \"{end}\", which is none of its nodes")),
    }
}
