//! `graph`: things, and what leads from one to another.

use serde::{Deserialize, Serialize};

use super::builder::{node, part};
use super::{Level, Text};
use crate::safe_url::SafeUrl;

/// Things of a graph: more cannot be taken in.
pub const MAX_GRAPH_NODES: usize = 200;
/// Edges of a graph.
pub const MAX_GRAPH_EDGES: usize = 500;

/// Things, and what leads from one to another, in layers from left to right.
///
/// ```
/// use callboard_model::ui::{Graph, GraphNode};
///
/// let graph = Graph::new("The pipeline")
///     .node(GraphNode::new("build", "Build"))
///     .node(GraphNode::new("test", "Test"))
///     .edge("build", "test");
/// assert_eq!(graph.edges.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    /// What it shows.
    pub label: Text,
    /// The things.
    pub nodes: Vec<GraphNode>,
    /// What leads from one to another.
    pub edges: Vec<GraphEdge>,
}

impl Graph {
    /// Without anything yet.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Adds a thing.
    #[must_use]
    pub fn node(mut self, node: GraphNode) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds an edge between two things, by their ids.
    #[must_use]
    pub fn edge(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.edges.push(GraphEdge { from: from.into(), to: to.into(), label: None });
        self
    }
}

node!(Graph in Graph {});

/// A thing of a [`Graph`].
///
/// ```
/// use callboard_model::ui::{GraphNode, Level};
///
/// assert_eq!(GraphNode::new("test", "Test").level(Level::Error).level, Level::Error);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphNode {
    /// Unique in the graph.
    pub id: String,
    /// In a few words.
    pub label: Text,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<SafeUrl>,
    /// How good or bad.
    #[serde(default, skip_serializing_if = "Level::is_neutral")]
    pub level: Level,
}

impl GraphNode {
    /// With this id and label.
    pub fn new(id: impl Into<String>, label: impl Into<Text>) -> Self {
        Self { id: id.into(), label: label.into(), ..Self::default() }
    }
}

part!(GraphNode { optional href: SafeUrl, plain level: Level, });

/// What leads from one thing of a [`Graph`] to another.
///
/// ```
/// use callboard_model::ui::GraphEdge;
///
/// let edge = GraphEdge { from: "build".into(), to: "test".into(), label: Some("passes the binary".into()) };
/// assert!(edge.label.is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphEdge {
    /// A [`GraphNode::id`].
    pub from: String,
    /// A [`GraphNode::id`].
    pub to: String,
    /// In a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
}
