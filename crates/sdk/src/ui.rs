//! The extension point `ui`: the trait [`Ui`], and what it renders. Every node of a tree is a [`Node`].

use std::marker::PhantomData;

use crate::bindings::host::types;
use crate::bindings::ui::wit;
use crate::entity_provider::to_json;
use crate::{Context, Error};

pub use callboard_model::ui::{Input, KeyValue, Level, LinkTo, Node, Outcome, Poll, TimelineItem, Tree, VERSION};

/// Shows something in the portal. Where each extension is attached, and to which entities, is in `plugin.yaml`.
///
/// ```
/// use callboard_sdk::ui::{Input, Node, Tree};
/// use callboard_sdk::{Context, Error, Ui};
///
/// struct Greeting;
///
/// impl Ui for Greeting {
///     fn render(context: &Context, _extension: &str, _input: &Input) -> Result<Tree, Error> {
///         let name = context.user.as_deref().unwrap_or("stranger");
///         Ok(Tree { root: Node::Text { text: format!("Hello, {name}") }, poll: None })
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

    /// Carries out what a button of a tree named. A plugin without buttons leaves it as it is.
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
