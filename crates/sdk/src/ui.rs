//! The extension point `ui`: the trait [`Ui`], and what it renders. Every node of a tree is a [`Node`], made by the type
//! of its own name: `new` takes what it cannot do without, a method for each other field sets that, and a text may
//! stand for a paragraph.
//!
//! ```
//! use callboard_sdk::ui::{Button, Card, KeyValues, Level, Stat, Status, Tree};
//!
//! let tree = Tree::of(
//!     Card::new("Deployment")
//!         .child(KeyValues::new().item("State", Status::new(Level::Ok, "Running")).item("Version", "1.4.2"))
//!         .child(Stat::new("Replicas", "3").trend([1.0, 2.0, 2.0, 3.0]))
//!         .child(Button::new("Restart", "restart").confirm("All replicas restart, one after the other.")),
//! )
//! .poll_after(5_000);
//! assert!(tree.check().is_ok());
//! ```

use std::marker::PhantomData;

use crate::bindings::host::types;
use crate::bindings::ui::wit;
use crate::entity_provider::to_json;
use crate::{Context, Error};

pub use callboard_model::ui::{
    Alert, Avatar, Badge, BarChart, Button, Bytes, Card, Code, Column, Cost, Delta, Diff, Direction, Drawer, Duration,
    EmptyState, EntityLink, ErrorState, FieldError, Form, Gauge, Graph, GraphEdge, GraphNode, Grid, Heatmap,
    HeatmapRow, Image, ImageData, ImageError, Input, KeyValue, KeyValues, Level, LineChart, Link, LinkTo, List,
    ListItem, Log, Markdown, Menu, Node, Outcome, Paragraph, PieChart, Poll, Progress, Row, Section, Series, Skeleton,
    Slice, Sort, Sparkline, Stack, StaleSince, Stat, Status, Tab, Table, TableState, Tabs, Text, Time, Timeline,
    TimelineItem, Tree, TreeError, TreeItem, TreeView, UserChip, VERSION,
};

/// Shows something in the portal. Where each extension is attached, and to which entities, is in `plugin.yaml`.
///
/// ```
/// use callboard_sdk::ui::{Input, Tree};
/// use callboard_sdk::{Context, Error, Ui};
///
/// struct Greeting;
///
/// impl Ui for Greeting {
///     fn render(context: &Context, _extension: &str, _input: &Input) -> Result<Tree, Error> {
///         let name = context.user.as_deref().unwrap_or("stranger");
///         Ok(Tree::of(format!("Hello, {name}")))
///     }
/// }
///
/// callboard_sdk::export!(ui: Greeting);
/// # fn main() {}
/// ```
pub trait Ui {
    /// Renders an extension of `plugin.yaml`.
    ///
    /// # Errors
    /// There is nothing to show. The text shows in the extension's place.
    fn render(context: &Context, extension: &str, input: &Input) -> Result<Tree, Error>;

    /// Carries out what a button or a form of a tree named. A plugin without either leaves it as it is.
    ///
    /// # Errors
    /// It was not carried out. The text shows as a message.
    fn act(_context: &Context, extension: &str, action: &str, _input: &Input) -> Result<Outcome, Error> {
        Err(Error::NotFound(format!("the extension `{extension}` has no action `{action}`")))
    }
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: Ui> wit::Guest for Glue<T> {
    fn render(context: types::Context, extension: String, input: String) -> Result<String, types::Error> {
        let input = read_input(&input)?;
        to_json(&T::render(&context.into(), &extension, &input)?)
    }

    fn act(context: types::Context, extension: String, action: String, input: String) -> Result<String, types::Error> {
        let input = read_input(&input)?;
        to_json(&T::act(&context.into(), &extension, &action, &input)?)
    }
}

fn read_input(json: &str) -> Result<Input, types::Error> {
    serde_json::from_str(json).map_err(|error| types::Error::Invalid(format!("the host's input: {error}")))
}
