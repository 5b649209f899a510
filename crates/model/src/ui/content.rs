//! What is read at length: `text`, `markdown`, `code`, `diff`, `log`, `image`.

use serde::{Deserialize, Serialize};

use super::Text;
use super::builder::node;

/// A paragraph of plain text.
///
/// ```
/// use callboard_model::ui::{Node, Paragraph};
///
/// assert_eq!(Node::from("Hello"), Node::from(Paragraph::new("Hello")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paragraph {
    /// Never parsed.
    pub text: Text,
}

impl Paragraph {
    /// With these words.
    pub fn new(text: impl Into<Text>) -> Self {
        Self { text: text.into() }
    }
}

node!(Paragraph in Text {});

/// A subset of Markdown: paragraphs, emphasis, lists, code, links. No HTML, no images.
///
/// ```
/// use callboard_model::ui::Markdown;
///
/// assert_eq!(Markdown::new("Some **words**").text.to_string(), "Some **words**");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Markdown {
    /// The source.
    pub text: Text,
}

impl Markdown {
    /// From this source.
    pub fn new(text: impl Into<Text>) -> Self {
        Self { text: text.into() }
    }
}

node!(Markdown in Markdown {});

/// Source code, or the like.
///
/// ```
/// use callboard_model::ui::Code;
///
/// assert_eq!(Code::new("a: 1").language("yaml").language.as_deref(), Some("yaml"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// For example `yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The code.
    pub text: String,
}

impl Code {
    /// This code.
    pub fn new(text: impl Into<String>) -> Self {
        Self { language: None, text: text.into() }
    }
}

node!(Code in Code { optional language: String, });

/// What changed, line by line.
///
/// ```
/// use callboard_model::ui::Diff;
///
/// let diff = Diff::new("@@ -1 +1 @@\n-replicas: 1\n+replicas: 2").label("deployment.yaml");
/// assert_eq!(diff.text.lines().count(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// What changed: a file's name, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
    /// In the unified format of `diff -u`: each line begins with `+`, `-`, a space or `@@`.
    pub text: String,
}

impl Diff {
    /// From a unified diff.
    pub fn new(text: impl Into<String>) -> Self {
        Self { label: None, text: text.into() }
    }
}

node!(Diff in Diff { optional label: Text, });

/// Lines of a log, oldest first. With [`Tree::poll`](super::Tree::poll) it grows by itself.
///
/// ```
/// use callboard_model::ui::Log;
///
/// let log = Log::new(["fetching", "building"]).label("Build 17").follow();
/// assert!(log.follow);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// Whose log it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
    /// The lines.
    pub lines: Vec<String>,
    /// Keeps its end in sight while it grows, and has new lines read out.
    #[serde(default)]
    pub follow: bool,
}

impl Log {
    /// With these lines.
    pub fn new<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Self {
        Self { lines: lines.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

node!(Log in Log { optional label: Text, flag follow, });
