//! Many things that are known: `key-values`, `list`, `tree`, `timeline`. [`table`](super::table) has a file of its own.

use serde::{Deserialize, Serialize};

use super::builder::{node, part};
use super::{Level, Node, Text};
use crate::safe_url::SafeUrl;

/// Names with values.
///
/// ```
/// use callboard_model::ui::{Bytes, KeyValues};
///
/// let facts = KeyValues::new().item("Bucket", "releases").item("Size", Bytes::new(2048));
/// assert_eq!(facts.items.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyValues {
    /// In the order in which they show.
    pub items: Vec<KeyValue>,
}

impl KeyValues {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name with its value.
    #[must_use]
    pub fn item(mut self, key: impl Into<Text>, value: impl Into<Node>) -> Self {
        self.items.push(KeyValue { key: key.into(), value: value.into() });
        self
    }
}

node!(KeyValues in KeyValues {});

/// A name and its value.
///
/// ```
/// use callboard_model::ui::{KeyValue, KeyValues};
///
/// let facts = KeyValues { items: vec![KeyValue { key: "Bucket".into(), value: "releases".into() }] };
/// assert_eq!(facts, KeyValues::new().item("Bucket", "releases"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyValue {
    /// The name.
    pub key: Text,
    /// Its value: text, link, time, bytes, status …
    pub value: Node,
}

/// Things one below the other, each with a title.
///
/// ```
/// use callboard_model::ui::{Level, List, ListItem};
///
/// let list = List::new().item(ListItem::new("No owner").text("Name one in the file.").level(Level::Warning));
/// assert_eq!(list.items.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    /// The things.
    pub items: Vec<ListItem>,
    /// Numbered.
    #[serde(default)]
    pub ordered: bool,
}

impl List {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing.
    #[must_use]
    pub fn item(mut self, item: impl Into<ListItem>) -> Self {
        self.items.push(item.into());
        self
    }
}

node!(List in List { flag ordered, });

/// One thing of a [`List`].
///
/// ```
/// use callboard_model::ui::{Button, ListItem};
///
/// let item = ListItem::new("Key of 2024").text("Expires soon").value(Button::new("Rotate", "rotate"));
/// assert!(item.value.is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListItem {
    /// In a few words.
    pub title: Text,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Where the title leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<SafeUrl>,
    /// How good or bad: an icon before the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// At the end of the line: a time, a badge, a button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<Node>>,
}

impl ListItem {
    /// With this title.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Sets [`ListItem::value`].
    #[must_use]
    pub fn value(mut self, value: impl Into<Node>) -> Self {
        self.value = Some(Box::new(value.into()));
        self
    }
}

part!(ListItem { optional text: Text, optional href: SafeUrl, optional level: Level, });

impl From<&str> for ListItem {
    fn from(title: &str) -> Self {
        Self::new(title)
    }
}

/// Things within things, which fold up.
///
/// ```
/// use callboard_model::ui::{TreeItem, TreeView};
///
/// let files = TreeView::new("Files").item(TreeItem::new("src").open().item("lib.rs").item("main.rs"));
/// assert_eq!(files.items[0].items.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeView {
    /// What the things are; read to people who cannot see them.
    pub label: Text,
    /// The outermost.
    pub items: Vec<TreeItem>,
}

impl TreeView {
    /// Of what the label says.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), items: Vec::new() }
    }

    /// Adds one of the outermost.
    #[must_use]
    pub fn item(mut self, item: impl Into<TreeItem>) -> Self {
        self.items.push(item.into());
        self
    }
}

node!(TreeView in Tree {});

/// A thing of a [`TreeView`], and what is in it.
///
/// ```
/// use callboard_model::ui::{Level, TreeItem};
///
/// let item = TreeItem::new("pod/web-1").level(Level::Error).note("restarted 4 times");
/// assert_eq!(item.level, Some(Level::Error));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeItem {
    /// In a few words.
    pub label: Text,
    /// Beside the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// Where the label leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<SafeUrl>,
    /// How good or bad: an icon before the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Self>,
    /// Begins unfolded.
    #[serde(default)]
    pub open: bool,
}

impl TreeItem {
    /// With this label.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Adds a thing within it.
    #[must_use]
    pub fn item(mut self, item: impl Into<Self>) -> Self {
        self.items.push(item.into());
        self
    }
}

part!(TreeItem { optional note: Text, optional href: SafeUrl, optional level: Level, flag open, });

impl From<&str> for TreeItem {
    fn from(label: &str) -> Self {
        Self::new(label)
    }
}

/// What happened, newest first.
///
/// ```
/// use callboard_model::ui::{Level, Timeline, TimelineItem};
///
/// let item = TimelineItem::new("2026-05-01T12:00:00Z", "Rolled out").level(Level::Ok);
/// assert_eq!(Timeline::new([item]).items.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The events.
    pub items: Vec<TimelineItem>,
}

impl Timeline {
    /// Of these events, newest first.
    pub fn new(items: impl IntoIterator<Item = TimelineItem>) -> Self {
        Self { items: items.into_iter().collect() }
    }
}

node!(Timeline in Timeline {});

/// Something that happened.
///
/// ```
/// use callboard_model::ui::TimelineItem;
///
/// let item = TimelineItem::new("2026-05-01T12:00:00Z", "Paused").text("Ada asked for it.");
/// assert_eq!(item.title.to_string(), "Paused");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineItem {
    /// RFC 3339.
    pub at: String,
    /// In a few words.
    pub title: Text,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// How good or bad.
    #[serde(default)]
    pub level: Level,
}

impl TimelineItem {
    /// This, at a time as RFC 3339 writes it.
    pub fn new(at: impl Into<String>, title: impl Into<Text>) -> Self {
        Self { at: at.into(), title: title.into(), ..Self::default() }
    }
}

part!(TimelineItem { optional text: Text, plain level: Level, });
