//! `form`: fields by a JSON Schema, whose value goes to an action of the plugin.

mod entry;
mod field;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Text;
use super::builder::node;

pub use entry::{Entry, FieldProblem, assemble};
pub use field::{Choice, Field, FieldKind, MAX_CHOICES, MAX_FIELD_DEPTH, MAX_FIELDS};

/// Fields by a JSON Schema. What was typed is handed to `act` as [`Input::value`](super::Input::value); what is wrong
/// with it comes back as [`Outcome::errors`](super::Outcome::errors) and shows beside the fields.
///
/// The schema is an object's. Its properties may be strings (with `enum`, `minLength`, `maxLength`, `format` `email`,
/// `uri`, `date`; with `"ui:widget": "textarea"` of several lines), numbers and integers (with `minimum`, `maximum`),
/// booleans, arrays of an `enum`, and objects of these. `title`, `description`, `default` and `required` mean what they
/// say; `ui:order` names the properties in the order in which they show. Everything else is for the plugin to check:
/// the page checks for comfort, and a plugin trusts no value.
///
/// ```
/// use callboard_model::ui::Form;
///
/// let form = Form::new("scale", serde_json::json!({
///     "type": "object",
///     "required": ["replicas"],
///     "properties": { "replicas": { "type": "integer", "title": "Replicas", "minimum": 0, "maximum": 20 } },
/// }))
/// .value(serde_json::json!({ "replicas": 2 }))
/// .submit("Scale");
/// assert_eq!(form.fields()?.len(), 1);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// Handed to `act`.
    pub action: String,
    /// A JSON Schema.
    pub schema: Value,
    /// What the fields begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The button's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<Text>,
    /// Asked before the action is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Text>,
    /// Whether it destroys something.
    #[serde(default)]
    pub destructive: bool,
}

impl Form {
    /// For this action, with fields by this schema.
    pub fn new(action: impl Into<String>, schema: Value) -> Self {
        Self { action: action.into(), schema, ..Self::default() }
    }

    /// The fields.
    ///
    /// # Errors
    /// The schema uses what no form is made of; the text names the place.
    pub fn fields(&self) -> Result<Vec<Field>, String> {
        field::of(&self.schema)
    }
}

node!(Form in Form { optional value: Value, optional submit: Text, optional confirm: Text, flag destructive, });
