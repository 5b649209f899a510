//! The UI tree: what a plugin's `ui` export hands to the page. A closed set of nodes, plain data, no markup.
//!
//! The version of this set is [`VERSION`]; a manifest says which it needs. A node that the page's code does not know
//! is [`Node::Unknown`] and shows as "needs a newer portal"; unknown fields are ignored.

mod check;

use serde::{Deserialize, Serialize};

pub use check::{MAX_BYTES, MAX_COLUMNS, MAX_DEPTH, MAX_NODES, MAX_ROWS, TreeError};

use crate::safe_url::SafeUrl;

/// The version of the set of nodes, checked like a WIT package's.
pub const VERSION: semver::Version = semver::Version::new(1, 0, 0);

/// What an extension renders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    /// The node that everything is in.
    pub root: Node,
    /// Asks the page to render again after a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
}

/// When and from where to render again.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The entity whose page this is, as the calling user may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<serde_json::Value>,
    /// From [`Poll::cursor`] or [`Node::Table`]'s `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// What the button carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Shown as a toast.
    pub message: String,
    /// Whether the page should render the extension again.
    #[serde(default)]
    pub refresh: bool,
}

/// How good or bad something is. Shown as icon and text, never by colour alone.
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

/// One node. `type` names it, in kebab-case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Node {
    /// Children one below the other, or side by side.
    Stack {
        /// The children.
        children: Vec<Node>,
        /// Side by side, wrapping.
        #[serde(default)]
        horizontal: bool,
    },
    /// Children in columns of equal width, fewer where there is no room.
    Grid {
        /// 1 to 4.
        columns: u8,
        /// The children.
        children: Vec<Node>,
    },
    /// A titled box.
    Card {
        /// Its heading.
        title: String,
        /// What is in it.
        children: Vec<Node>,
    },
    /// A paragraph of plain text.
    Text {
        /// Never parsed.
        text: String,
    },
    /// A subset of Markdown: paragraphs, emphasis, lists, code, links. No HTML, no images.
    Markdown {
        /// The source.
        text: String,
    },
    /// Source code, or the like.
    Code {
        /// For example `yaml`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The code.
        text: String,
    },
    /// Lines of a log, oldest first.
    Log {
        /// The lines.
        lines: Vec<String>,
    },
    /// Names with values.
    KeyValues {
        /// In the order in which they show.
        items: Vec<KeyValue>,
    },
    /// Rows of data. At most 500 rows at once; `next` asks for more.
    Table {
        /// Read to people who cannot see it; always shown to them, so say what the rows are.
        caption: String,
        /// Headings.
        columns: Vec<String>,
        /// Each as long as `columns`.
        rows: Vec<Vec<Node>>,
        /// Handed back as [`Input::cursor`] when the reader asks for more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// What happened, newest first.
    Timeline {
        /// The events.
        items: Vec<TimelineItem>,
    },
    /// A state in a word or two.
    Status {
        /// How good or bad.
        level: Level,
        /// The words.
        text: String,
    },
    /// A word on a chip.
    Badge {
        /// The word.
        text: String,
    },
    /// Part of a whole.
    Progress {
        /// What advances.
        label: String,
        /// From 0 to `max`.
        value: f64,
        /// The whole.
        max: f64,
    },
    /// One number that matters.
    Stat {
        /// What it counts.
        label: String,
        /// The number, written out.
        value: String,
        /// Where it comes from, or how it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A point in time, shown relative to now with the exact one at hand.
    Time {
        /// RFC 3339.
        at: String,
    },
    /// A size, shown in a readable unit with the exact one at hand.
    Bytes {
        /// Bytes.
        size: u64,
    },
    /// A link out of the portal, or to a path of it.
    Link {
        /// The words.
        text: String,
        /// Where to.
        href: SafeUrl,
    },
    /// A link to an entity's page.
    EntityLink {
        /// `kind:namespace/name`.
        entity_ref: String,
    },
    /// Names an action of the plugin.
    Button {
        /// The words.
        label: String,
        /// Handed to `act`.
        action: String,
        /// Handed to `act` as [`Input::value`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<serde_json::Value>,
        /// Asked before the action is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirm: Option<String>,
        /// Whether it destroys something.
        #[serde(default)]
        destructive: bool,
    },
    /// A message that stands out.
    Alert {
        /// How good or bad.
        level: Level,
        /// In a few words.
        title: String,
        /// In a sentence or two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// There is nothing here: why, and what to do about it.
    EmptyState {
        /// In a few words.
        title: String,
        /// In a sentence or two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Where to go from here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkTo>,
    },
    /// A node of a newer portal.
    #[serde(other)]
    Unknown,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyValue {
    /// The name.
    pub key: String,
    /// Its value: text, link, time, bytes, status …
    pub value: Node,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineItem {
    /// RFC 3339.
    pub at: String,
    /// In a few words.
    pub title: String,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How good or bad.
    #[serde(default)]
    pub level: Level,
}

/// Words and where they lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkTo {
    /// The words.
    pub text: String,
    /// Where to.
    pub href: SafeUrl,
}
