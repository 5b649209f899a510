//! Where things stand: `stack`, `grid`, `tabs`, `card`, `section`, `drawer`.

use serde::{Deserialize, Serialize};

use super::builder::{node, parent};
use super::{Node, Text};

/// Children one below the other, or side by side.
///
/// ```
/// use callboard_model::ui::{Badge, Stack};
///
/// let row = Stack::row().child("Stored as").child(Badge::new("STANDARD"));
/// assert_eq!(row.children.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The children.
    pub children: Vec<Node>,
    /// Side by side, wrapping.
    #[serde(default)]
    pub horizontal: bool,
}

impl Stack {
    /// One below the other.
    pub fn new() -> Self {
        Self::default()
    }

    /// Side by side.
    pub fn row() -> Self {
        Self { horizontal: true, ..Self::default() }
    }
}

node!(Stack in Stack {});
parent!(Stack);

/// Children in columns of equal width, fewer where there is no room.
///
/// ```
/// use callboard_model::ui::{Grid, Stat};
///
/// let grid = Grid::new(2).child(Stat::new("Objects", "12,345")).child(Stat::new("Buckets", "7"));
/// assert_eq!(grid.columns, 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grid {
    /// 1 to 4.
    pub columns: u8,
    /// The children.
    pub children: Vec<Node>,
}

impl Grid {
    /// With so many columns, 1 to 4.
    pub fn new(columns: u8) -> Self {
        Self { columns, children: Vec::new() }
    }
}

node!(Grid in Grid {});
parent!(Grid);

/// Views of one thing, of which one shows at a time.
///
/// ```
/// use callboard_model::ui::{Tab, Tabs};
///
/// let tabs = Tabs::new("The bucket").tab(Tab::new("Objects").child("…")).tab(Tab::new("Rules").child("…"));
/// assert_eq!(tabs.tabs.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tabs {
    /// What they are views of; read to people who cannot see them.
    pub label: Text,
    /// The views; the first shows first.
    pub tabs: Vec<Tab>,
}

impl Tabs {
    /// Views of what the label says.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), tabs: Vec::new() }
    }

    /// Adds a view.
    #[must_use]
    pub fn tab(mut self, tab: Tab) -> Self {
        self.tabs.push(tab);
        self
    }
}

node!(Tabs in Tabs {});

/// One view of [`Tabs`].
///
/// ```
/// use callboard_model::ui::Tab;
///
/// assert_eq!(Tab::new("Objects").child("There are none.").children.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tab {
    /// In a word or two.
    pub title: Text,
    /// What it shows.
    pub children: Vec<Node>,
}

impl Tab {
    /// With this title.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), children: Vec::new() }
    }
}

parent!(Tab);

/// A titled box.
///
/// ```
/// use callboard_model::ui::{Bytes, Card};
///
/// let card = Card::new("S3 object").child(Bytes::new(2048));
/// assert_eq!(card.title.to_string(), "S3 object");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Its heading.
    pub title: Text,
    /// What is in it.
    pub children: Vec<Node>,
}

impl Card {
    /// With this heading.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), children: Vec::new() }
    }
}

node!(Card in Card {});
parent!(Card);

/// A heading, and what stands below it, without a box.
///
/// ```
/// use callboard_model::ui::Section;
///
/// let details = Section::new("Details").collapsed(true).child("Seldom of interest.");
/// assert_eq!(details.collapsed, Some(true));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// Its heading.
    pub title: Text,
    /// What stands below it.
    pub children: Vec<Node>,
    /// Whether it begins folded up; none: it cannot be folded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapsed: Option<bool>,
}

impl Section {
    /// With this heading.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

node!(Section in Section { optional collapsed: bool, });
parent!(Section);

/// A button that opens a panel over the page, for what is seldom wanted.
///
/// ```
/// use callboard_model::ui::{Drawer, Log};
///
/// let drawer = Drawer::new("Show the log").child(Log::new(["begin", "end"]));
/// assert_eq!(drawer.label.to_string(), "Show the log");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drawer {
    /// The button's words.
    pub label: Text,
    /// The panel's heading; the button's words where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// What is in it.
    pub children: Vec<Node>,
}

impl Drawer {
    /// Behind a button with these words.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }
}

node!(Drawer in Drawer { optional title: Text, });
parent!(Drawer);
