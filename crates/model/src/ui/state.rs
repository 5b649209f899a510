//! How it stands with what should be here: `alert`, `empty-state`, `skeleton`, `error`, `stale-since`.

use serde::{Deserialize, Serialize};

use super::builder::node;
use super::{Level, Text};
use crate::safe_url::SafeUrl;

/// A message that stands out.
///
/// ```
/// use callboard_model::ui::{Alert, Level};
///
/// assert!(Alert::new(Level::Warning, "The bucket is public").text("Anybody can read it.").text.is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// How good or bad.
    pub level: Level,
    /// In a few words.
    pub title: Text,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

impl Alert {
    /// So good or bad, in these words.
    pub fn new(level: Level, title: impl Into<Text>) -> Self {
        Self { level, title: title.into(), text: None }
    }
}

node!(Alert in Alert { optional text: Text, });

/// There is nothing here: why, and what to do about it.
///
/// ```
/// use callboard_model::ui::EmptyState;
///
/// assert_eq!(EmptyState::new("No versions").text("The bucket keeps none.").link, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmptyState {
    /// In a few words.
    pub title: Text,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Where to go from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkTo>,
}

impl EmptyState {
    /// In these words.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

node!(EmptyState in EmptyState { optional text: Text, optional link: LinkTo, });

/// Words and where they lead.
///
/// ```
/// use callboard_model::safe_url::SafeUrl;
/// use callboard_model::ui::{EmptyState, LinkTo};
///
/// let link = LinkTo { text: "How to keep versions".into(), href: SafeUrl::parse("https://example.com/versions")? };
/// assert!(EmptyState::new("No versions").link(link).link.is_some());
/// # Ok::<(), callboard_model::safe_url::UnsafeUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkTo {
    /// The words.
    pub text: Text,
    /// Where to.
    pub href: SafeUrl,
}

/// Stands in for what is still to come, in a tree that [polls](super::Poll).
///
/// ```
/// use callboard_model::ui::Skeleton;
///
/// assert_eq!(Skeleton::new(3).lines, 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skeleton {
    /// How many lines will stand here, 1 to 20.
    #[serde(default = "four")]
    pub lines: u8,
}

fn four() -> u8 {
    4
}

impl Skeleton {
    /// So many lines.
    pub fn new(lines: u8) -> Self {
        Self { lines }
    }
}

node!(Skeleton in Skeleton {});

/// Part of a tree could not be made; the rest of it shows.
///
/// ```
/// use callboard_model::ui::ErrorState;
///
/// assert!(ErrorState::new("No metrics").text("The metrics server does not answer.").retry().retry);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorState {
    /// In a few words.
    pub title: Text,
    /// In a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Whether it may help to try again: a button renders anew.
    #[serde(default)]
    pub retry: bool,
}

impl ErrorState {
    /// In these words.
    pub fn new(title: impl Into<Text>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

node!(ErrorState in Error { optional text: Text, flag retry, });

/// What shows is of an earlier time, because a newer one cannot be had.
///
/// ```
/// use callboard_model::ui::StaleSince;
///
/// assert!(StaleSince::new("2026-05-01T12:00:00Z").text("The upstream does not answer.").text.is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaleSince {
    /// RFC 3339: when what shows was true.
    pub at: String,
    /// Why there is nothing newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

impl StaleSince {
    /// As of this time, as RFC 3339 writes it.
    pub fn new(at: impl Into<String>) -> Self {
        Self { at: at.into(), text: None }
    }
}

node!(StaleSince in StaleSince { optional text: Text, });
