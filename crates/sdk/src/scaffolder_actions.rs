//! The extension point `scaffolder-actions`: the trait [`ScaffolderActions`], and what a step brings along.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::host::types;
use crate::bindings::scaffolder_actions::wit;
use crate::entity_provider::to_json;
use crate::{Context, Error};

/// Runs steps of scaffolder templates.
///
/// Which actions there are, with the schemas of their inputs and outputs, is in `plugin.yaml`. The portal checks an input
/// before it calls, and an output before anybody sees it. [`log`](crate::log) writes to the task's log,
/// [`workspace`](crate::workspace) is the task's folder, [`Context::user`] is whose task it is, and [`Context::time`] is
/// how long the step may take.
///
/// ```
/// use callboard_sdk::scaffolder_actions::{Run, read};
/// use callboard_sdk::{Context, Error, ScaffolderActions, log, workspace};
/// use serde_json::{Value, json};
///
/// /// `plugin.yaml` has
/// ///
/// ///     rights:
/// ///       log: true
/// ///       workspace: true
/// ///       scaffolder-actions: { actions: [ "acme:codeowners" ] }
/// ///     contributes:
/// ///       scaffolder-actions:
/// ///         - id: acme:codeowners
/// ///           description: Writes CODEOWNERS.
/// ///           inputSchema:
/// ///             type: object
/// ///             required: [ owner ]
/// ///             properties: { owner: { type: string } }
/// ///           outputSchema: { type: object, properties: { path: { type: string } } }
/// ///           supportsDryRun: true
/// ///           idempotent: true
/// struct Owners;
///
/// #[derive(serde::Deserialize)]
/// struct Input {
///     owner: String,
/// }
///
/// impl ScaffolderActions for Owners {
///     fn run(_: &Context, _action: &str, input: &Value, _: &Run) -> Result<Value, Error> {
///         let input: Input = read(input)?;
///         workspace::write("CODEOWNERS", format!("* @{}\n", input.owner).as_bytes())?;
///         log::info(&format!("{} owns everything", input.owner));
///         Ok(json!({ "path": "CODEOWNERS" }))
///     }
/// }
///
/// callboard_sdk::export!(scaffolder_actions: Owners);
/// # fn main() {}
/// ```
pub trait ScaffolderActions {
    /// Runs a step. `action` is the id in `plugin.yaml`, `input` fits its `inputSchema`, and the result must be an object
    /// that fits its `outputSchema`; `json!({})` where it has none.
    ///
    /// A task that is cancelled ends the call where it is. What must be whole or not at all is for the plugin to see to.
    ///
    /// # Errors
    /// The step failed, and with it the task. The text shows in the task's log.
    fn run(context: &Context, action: &str, input: &Value, run: &Run) -> Result<Value, Error>;
}

/// What a step brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of the task.
    pub task_id: String,
    /// Of the step within the template.
    pub step_id: String,
    /// 1 for the first time that this step is run, 2 when it is run once more after it was cut off, and so on.
    pub attempt: u32,
    /// Whether nothing outside of the workspace may be changed. Only actions with `supportsDryRun` are asked.
    pub is_dry_run: bool,
    /// The names of the task's secrets with handles for [`Request::credential`](crate::http::Request::credential). What is
    /// behind a handle stays with the portal, and is sent to its own origin only.
    pub secrets: Vec<(String, String)>,
}

impl Run {
    /// The handle of a secret.
    ///
    /// # Errors
    /// The task has no such secret.
    pub fn secret(&self, name: &str) -> Result<&str, Error> {
        let found = self.secrets.iter().find(|(each, _)| each == name).map(|(_, handle)| handle.as_str());
        found.ok_or_else(|| Error::NotFound(format!("the task has no secret {name}")))
    }
}

/// An input as a type.
///
/// # Errors
/// It is not a `T`, which an `inputSchema` that says the same never lets happen.
pub fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Error> {
    T::deserialize(input).map_err(|error| Error::Invalid(format!("the input is not what is taken here: {error}")))
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: ScaffolderActions> wit::Guest for Glue<T> {
    fn run(context: types::Context, action: String, input: String, info: wit::RunInfo) -> Result<String, types::Error> {
        let input: Value = serde_json::from_str(&input)
            .map_err(|error| types::Error::Invalid(format!("the host's input: {error}")))?;
        let wit::RunInfo { task_id, step_id, attempt, is_dry_run, secrets } = info;
        let secrets = secrets.into_iter().map(|secret| (secret.name, secret.credential)).collect();
        let run = Run { task_id, step_id, attempt, is_dry_run, secrets };
        to_json(&T::run(&context.into(), &action, &input, &run)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_and_inputs() {
        let run = Run {
            task_id: "t".to_owned(),
            step_id: "s".to_owned(),
            attempt: 1,
            is_dry_run: false,
            secrets: vec![("TOKEN".to_owned(), "secret:1".to_owned())],
        };
        assert_eq!(run.secret("TOKEN"), Ok("secret:1"));
        assert!(matches!(run.secret("OTHER"), Err(Error::NotFound(_))));
        assert_eq!(read::<Vec<u8>>(&json!([1])), Ok(vec![1]));
        assert!(matches!(read::<Vec<u8>>(&json!("x")), Err(Error::Invalid(_))));
    }
}
