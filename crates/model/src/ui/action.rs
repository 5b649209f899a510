//! What one can do: `button`, `menu`. A [`form`](super::form) has a file of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Text;
use super::builder::node;

/// Names an action of the plugin, which the portal sends to `act` when it is pressed.
///
/// ```
/// use callboard_model::ui::Button;
///
/// let delete = Button::new("Delete", "delete").value("a.yaml").confirm("Delete a.yaml for good?").destructive();
/// assert!(delete.destructive);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// The words.
    pub label: Text,
    /// Handed to `act`.
    pub action: String,
    /// Handed to `act` as [`Input::value`](super::Input::value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Asked before the action is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Text>,
    /// Whether it destroys something: it looks like it, and is asked about in any case.
    #[serde(default)]
    pub destructive: bool,
    /// The one thing to do here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
}

impl Button {
    /// With these words, for this action.
    pub fn new(label: impl Into<Text>, action: impl Into<String>) -> Self {
        Self { label: label.into(), action: action.into(), ..Self::default() }
    }
}

node!(Button in Button { optional value: Value, optional confirm: Text, flag destructive, flag primary, });

/// A button that opens a list of actions.
///
/// ```
/// use callboard_model::ui::{Button, Menu};
///
/// let menu = Menu::new("More").item(Button::new("Restart", "restart")).item(Button::new("Stop", "stop").destructive());
/// assert_eq!(menu.items.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Menu {
    /// The button's words.
    pub label: Text,
    /// What there is to do.
    pub items: Vec<Button>,
}

impl Menu {
    /// Behind a button with these words.
    pub fn new(label: impl Into<Text>) -> Self {
        Self { label: label.into(), items: Vec::new() }
    }

    /// Adds something to do.
    #[must_use]
    pub fn item(mut self, item: Button) -> Self {
        self.items.push(item);
        self
    }
}

node!(Menu in Menu {});
