//! The UI tree: what a plugin's `ui` export hands to the page. A closed set of nodes, plain data, no markup.
//!
//! The version of this set is [`VERSION`]; a manifest says which it needs. A node that the page's code does not know
//! is [`Node::Unknown`] and shows as "needs a newer portal"; unknown fields are ignored.
//!
//! Each node is a struct with public fields, made by `new` with what it cannot do without; a method for each other field
//! sets that. Where a node is wanted, a text may stand for a paragraph.
//!
//! ```
//! use callboard_model::ui::{Card, KeyValues, Level, Status, Table, Tree};
//!
//! let card = Card::new("Deployment")
//!     .child(KeyValues::new().item("State", Status::new(Level::Ok, "Running")).item("Replicas", "3"))
//!     .child(Table::new("Pods", ["Name", "Restarts"]).row(vec!["web-1".into(), "0".into()]));
//! let tree = Tree::of(card).poll_after(5_000);
//! assert_eq!(tree.check(), Ok(()));
//! ```

mod action;
mod builder;
mod chart;
mod check;
mod content;
mod data;
mod form;
mod graph;
mod image;
mod layout;
mod link;
mod state;
mod table;
mod text;
mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use action::{Button, Menu};
pub use chart::{
    BarChart, Heatmap, HeatmapRow, LineChart, MAX_CELLS, MAX_POINTS, MAX_SERIES, MAX_SLICES, PieChart, Series, Slice,
    Sparkline,
};
pub use check::{MAX_BYTES, MAX_COLUMNS, MAX_DEPTH, MAX_NODES, MAX_ROWS, MAX_TABS, TreeError};
pub use content::{Code, Diff, Log, Markdown, Paragraph};
pub use data::{KeyValue, KeyValues, List, ListItem, Timeline, TimelineItem, TreeItem, TreeView};
pub use form::{
    Choice, Entry, Field, FieldKind, FieldProblem, Form, MAX_CHOICES, MAX_FIELD_DEPTH, MAX_FIELDS, assemble,
};
pub use graph::{Graph, GraphEdge, GraphNode, MAX_GRAPH_EDGES, MAX_GRAPH_NODES};
pub use image::{Image, ImageData, ImageError, MAX_IMAGE_BYTES};
pub use layout::{Card, Drawer, Grid, Section, Stack, Tab, Tabs};
pub use link::{Avatar, EntityLink, Link, UserChip};
pub use state::{Alert, EmptyState, ErrorState, LinkTo, Skeleton, StaleSince};
pub use table::{Column, Row, Sort, Table, TableState};
pub use text::Text;
pub use value::{Badge, Bytes, Cost, Delta, Direction, Duration, Gauge, Progress, Stat, Status, Time};

/// The version of the set of nodes, checked like a WIT package's.
pub const VERSION: semver::Version = semver::Version::new(1, 1, 0);

/// What an extension renders.
///
/// ```
/// use callboard_model::ui::{Stat, Tree};
///
/// let tree = Tree::of(Stat::new("Objects", "12,345")).poll_after(5_000);
/// assert_eq!(tree.poll.map(|poll| poll.after_ms), Some(5_000));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    /// The node that everything is in.
    pub root: Node,
    /// Asks the page to render again after a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
}

impl Tree {
    /// A tree of this node, rendered once.
    pub fn of(root: impl Into<Node>) -> Self {
        Self { root: root.into(), poll: None }
    }

    /// Asks the page to render again after so many milliseconds.
    #[must_use]
    pub fn poll_after(mut self, after_ms: u32) -> Self {
        self.poll = Some(Poll { after_ms, cursor: None });
        self
    }
}

/// When and from where to render again.
///
/// ```
/// use callboard_model::ui::Poll;
///
/// let poll = Poll { after_ms: 2_000, cursor: Some("line-80".into()) };
/// assert_eq!(serde_json::to_value(&poll)?["afterMs"], 2_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Milliseconds; the page waits at least 1,000.
    pub after_ms: u32,
    /// Handed back as [`Input::cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What `render` and `act` are given.
///
/// ```
/// use callboard_model::ui::Input;
///
/// let input: Input = serde_json::from_str(r#"{ "value": { "replicas": 3 } }"#)?;
/// assert_eq!(input.value.and_then(|value| value["replicas"].as_u64()), Some(3));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The entity whose page this is, as the calling user may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<serde_json::Value>,
    /// From [`Poll::cursor`], or [`Table::next`] of a table without an `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// What the button carried, or the form's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// What the reader did to tables, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, TableState>,
}

impl Input {
    /// What the reader did to the table with this id.
    pub fn table(&self, id: &str) -> TableState {
        self.tables.get(id).cloned().unwrap_or_default()
    }
}

/// What became of an action.
///
/// ```
/// use callboard_model::ui::Outcome;
///
/// let done = Outcome::new("Scaled to 3 replicas.").refresh();
/// let refused = Outcome::new("Nothing was changed.").error("/replicas", "20 are the most that the quota allows");
/// assert!(done.refresh && refused.errors.len() == 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Shown as a toast.
    pub message: String,
    /// Whether the page should render the extension again.
    #[serde(default)]
    pub refresh: bool,
    /// What is wrong with a form's value; with any of them, nothing was done and the form keeps what was typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Outcome {
    /// With this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Sets [`Outcome::refresh`].
    #[must_use]
    pub fn refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// Says what is wrong with a field, by its JSON Pointer.
    #[must_use]
    pub fn error(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }
}

/// What is wrong with a field of a form.
///
/// ```
/// use callboard_model::ui::{FieldError, Outcome};
///
/// let error = FieldError { field: "/replicas".into(), message: "too many".into() };
/// assert_eq!(Outcome::new("").error("/replicas", "too many").errors, [error]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Where its value stands in the form's: a JSON Pointer such as `/replicas`.
    pub field: String,
    /// In a sentence.
    pub message: String,
}

/// How good or bad something is. Shown as icon and text, never by colour alone.
///
/// ```
/// use callboard_model::ui::Level;
///
/// assert_eq!(serde_json::to_value(Level::Warning).unwrap(), "warning");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No judgement.
    #[default]
    Neutral,
    /// Worth knowing.
    Info,
    /// As it should be.
    Ok,
    /// Somebody should look.
    Warning,
    /// Broken.
    Error,
    /// Under way.
    Running,
}

impl Level {
    /// Whether there is no judgement.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub fn is_neutral(&self) -> bool {
        *self == Self::Neutral
    }
}

macro_rules! nodes {
    ($($(#[$doc:meta])* $name:ident($content:ident) $type:literal)*) => {
        /// One node. `type` names it, in kebab-case.
        ///
        /// ```
        /// use callboard_model::ui::{Node, Stat};
        ///
        /// let node: Node = serde_json::from_str(r#"{ "type": "stat", "label": "Objects", "value": "7" }"#)?;
        /// assert_eq!(node, Stat::new("Objects", "7").into());
        /// assert_eq!(serde_json::from_str::<Node>(r#"{ "type": "hologram" }"#)?, Node::Unknown);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Node {
            $($(#[$doc])* #[serde(rename = $type)] $name($content),)*
            /// A node of a newer portal.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl Node {
            /// The `type` of every node, in the order of the documentation.
            pub const TYPES: &[&str] = &[$($type),*];
        }
    };
}

nodes! {
    /// See [`Stack`].
    Stack(Stack) "stack"
    /// See [`Grid`].
    Grid(Grid) "grid"
    /// See [`Tabs`].
    Tabs(Tabs) "tabs"
    /// See [`Card`].
    Card(Card) "card"
    /// See [`Section`].
    Section(Section) "section"
    /// See [`Drawer`].
    Drawer(Drawer) "drawer"
    /// See [`Paragraph`].
    Text(Paragraph) "text"
    /// See [`Markdown`].
    Markdown(Markdown) "markdown"
    /// See [`Code`].
    Code(Code) "code"
    /// See [`Diff`].
    Diff(Diff) "diff"
    /// See [`Log`].
    Log(Log) "log"
    /// See [`Image`].
    Image(Image) "image"
    /// See [`KeyValues`].
    KeyValues(KeyValues) "key-values"
    /// See [`Table`].
    Table(Table) "table"
    /// See [`List`].
    List(List) "list"
    /// See [`TreeView`].
    Tree(TreeView) "tree"
    /// See [`Timeline`].
    Timeline(Timeline) "timeline"
    /// See [`Status`].
    Status(Status) "status"
    /// See [`Badge`].
    Badge(Badge) "badge"
    /// See [`Progress`].
    Progress(Progress) "progress"
    /// See [`Gauge`].
    Gauge(Gauge) "gauge"
    /// See [`Stat`].
    Stat(Stat) "stat"
    /// See [`Time`].
    Time(Time) "time"
    /// See [`Duration`].
    Duration(Duration) "duration"
    /// See [`Bytes`].
    Bytes(Bytes) "bytes"
    /// See [`Cost`].
    Cost(Cost) "cost"
    /// See [`Sparkline`].
    Sparkline(Sparkline) "sparkline"
    /// See [`LineChart`].
    LineChart(LineChart) "line-chart"
    /// See [`BarChart`].
    BarChart(BarChart) "bar-chart"
    /// See [`PieChart`].
    PieChart(PieChart) "pie-chart"
    /// See [`Heatmap`].
    Heatmap(Heatmap) "heatmap"
    /// See [`Graph`].
    Graph(Graph) "graph"
    /// See [`Link`].
    Link(Link) "link"
    /// See [`EntityLink`].
    EntityLink(EntityLink) "entity-link"
    /// See [`UserChip`].
    UserChip(UserChip) "user-chip"
    /// See [`Avatar`].
    Avatar(Avatar) "avatar"
    /// See [`Button`].
    Button(Button) "button"
    /// See [`Menu`].
    Menu(Menu) "menu"
    /// See [`Form`].
    Form(Form) "form"
    /// See [`Alert`].
    Alert(Alert) "alert"
    /// See [`EmptyState`].
    EmptyState(EmptyState) "empty-state"
    /// See [`Skeleton`].
    Skeleton(Skeleton) "skeleton"
    /// See [`ErrorState`].
    Error(ErrorState) "error"
    /// See [`StaleSince`].
    StaleSince(StaleSince) "stale-since"
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Paragraph::new(text).into()
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Paragraph::new(text).into()
    }
}

impl From<Text> for Node {
    fn from(text: Text) -> Self {
        Paragraph { text }.into()
    }
}
