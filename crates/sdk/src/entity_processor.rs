//! The extension point `entity-processor`: the trait [`EntityProcessor`], what it is handed and what it answers.

use std::marker::PhantomData;

use crate::bindings::entity_processor::wit;
use crate::bindings::host::types;
use crate::{Context, Error};

pub use callboard_model::location_ref::Presence;
pub use callboard_model::processing::{
    EmittedError, EmittedLocation, EmittedRelation, Hook, ProcessFailure, ProcessInput, ProcessOutcome, ProcessOutput,
};

/// Has a say in what becomes of entities, on their way from their source into the catalog.
///
/// Which processors there are, which entities each is for and when it runs is in `plugin.yaml`. Only what the portal
/// can rely on saves work: a result is kept until the entity, the plugin, its config or its grants change. So the same
/// entity must come to the same result, unless the plugin asked somebody else (with [`http`](crate::http),
/// [`kv`](crate::kv) or [`catalog`](crate::catalog)) or the clock: then [`ProcessOutput::fresh_for_ms`] says how long the result holds.
///
/// ```
/// use callboard_sdk::entity_processor::{EmittedRelation, Hook, ProcessInput, ProcessOutput};
/// use callboard_sdk::{Context, EntityProcessor, EntityRef, Error};
///
/// /// `plugin.yaml` has
/// ///
/// ///     contributes:
/// ///       entity-processor:
/// ///         - id: database
/// ///           hooks: [ post-process ]
/// ///           filter: { metadata.annotations.example.com/database: { $exists: true } }
/// struct Databases;
///
/// impl EntityProcessor for Databases {
///     fn process(_: &Context, _processor: &str, _: Hook, input: ProcessInput) -> Result<ProcessOutput, Error> {
///         let Some(database) = input.entity.annotation("example.com/database") else {
///             return Ok(ProcessOutput::default());
///         };
///         let this = input.entity.entity_ref();
///         let other = EntityRef::new("Resource", this.namespace(), database);
///         Ok(ProcessOutput {
///             relations: vec![
///                 EmittedRelation::to("dependsOn", other.clone()),
///                 EmittedRelation::from("dependencyOf", other, this),
///             ],
///             ..ProcessOutput::default()
///         })
///     }
/// }
///
/// callboard_sdk::export!(entity_processor: Databases);
/// # fn main() {}
/// ```
pub trait EntityProcessor {
    /// Processes one entity. `processor` is the id in `plugin.yaml`, for a plugin with several.
    ///
    /// The entity's kind, namespace and name must stay. What it leads to is only emitted in [`Hook::PostProcess`], when
    /// the entity is known to be valid.
    ///
    /// # Errors
    /// The entity cannot be processed. Its last good version stays, the text shows beside it, and it is tried again
    /// later. What is wrong with the entity itself belongs into [`ProcessOutput::errors`].
    fn process(context: &Context, processor: &str, hook: Hook, input: ProcessInput) -> Result<ProcessOutput, Error>;

    /// Processes a batch, which is what one call of the plugin is for: one result for each, in their order. Left as it
    /// is, it goes from one to the next; a plugin that asks an upstream may ask about all of them at once.
    ///
    /// # Errors
    /// None of them can be processed.
    fn process_all(
        context: &Context,
        processor: &str,
        hook: Hook,
        inputs: Vec<ProcessInput>,
    ) -> Result<Vec<Result<ProcessOutput, Error>>, Error> {
        Ok(inputs.into_iter().map(|input| Self::process(context, processor, hook, input)).collect())
    }
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: EntityProcessor> wit::Guest for Glue<T> {
    fn process(
        context: types::Context,
        processor: String,
        hook: wit::Hook,
        items: String,
    ) -> Result<String, types::Error> {
        let hook = match hook {
            wit::Hook::PreProcess => Hook::PreProcess,
            wit::Hook::PostProcess => Hook::PostProcess,
        };
        let inputs: Vec<ProcessInput> = serde_json::from_str(&items)
            .map_err(|error| types::Error::Invalid(format!("the host's items: {error}")))?;
        let outputs = T::process_all(&context.into(), &processor, hook, inputs)?;
        let outcomes: Vec<_> = outputs.into_iter().map(outcome).collect();
        // About as long as what came.
        let mut json = Vec::with_capacity(items.len() + items.len() / 4);
        serde_json::to_writer(&mut json, &outcomes).map_err(|error| types::Error::Invalid(error.to_string()))?;
        // The instance ends with this call, and all of its memory at once.
        std::mem::forget((items, outcomes));
        String::from_utf8(json).map_err(|error| types::Error::Invalid(error.to_string()))
    }
}

fn outcome(result: Result<ProcessOutput, Error>) -> ProcessOutcome {
    let (code, message) = match result {
        Ok(output) => return ProcessOutcome::Output(Box::new(output)),
        Err(Error::Denied(message)) => ("denied".to_owned(), message),
        Err(Error::Invalid(message)) => ("invalid".to_owned(), message),
        Err(Error::NotFound(message)) => ("not-found".to_owned(), message),
        Err(Error::Unavailable(message)) => ("unavailable".to_owned(), message),
        Err(Error::Throttled(message)) => ("throttled".to_owned(), message),
        Err(Error::TooLarge(message)) => ("too-large".to_owned(), message),
        Err(Error::Other { code, message }) => (code, message),
    };
    ProcessOutcome::Failed(ProcessFailure { code, message })
}
