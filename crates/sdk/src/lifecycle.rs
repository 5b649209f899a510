//! The extension point `lifecycle`.

use std::marker::PhantomData;

use crate::bindings::host::types;
use crate::bindings::lifecycle::wit;
use crate::{Context, Error};

/// Has a say when a version of the plugin takes over from another one.
///
/// `plugin.yaml` has `lifecycle: {}` below `contributes`.
///
/// ```
/// use callboard_sdk::{Context, Error, Lifecycle, kv};
///
/// struct Notes;
///
/// impl Lifecycle for Notes {
///     /// Version 2 keeps its notes below `notes/`.
///     fn migrate(_: &Context, version: &str) -> Result<(), Error> {
///         if version.starts_with("1.") {
///             for key in kv::keys("", None)? {
///                 if let Some(note) = kv::get(&key)? {
///                     kv::set(&format!("notes/{key}"), &note)?;
///                     kv::delete(&key)?;
///                 }
///             }
///         }
///         Ok(())
///     }
/// }
///
/// callboard_sdk::export!(lifecycle: Notes);
/// # fn main() {}
/// ```
pub trait Lifecycle {
    /// Makes what another version of the plugin kept in [`kv`](crate::kv) into what this one wants. `version` is that
    /// version: an older one as a rule, a newer one where the operator wants an older plugin, or the same one of another
    /// build.
    ///
    /// It works on a copy, before anything else of this version is called, and has a minute.
    ///
    /// # Errors
    /// This version can do nothing with what is there. The copy is thrown away, and the other version goes on.
    fn migrate(context: &Context, version: &str) -> Result<(), Error> {
        let _ = (context, version);
        Ok(())
    }

    /// Whether this version can work. Called before it takes over, and every ten seconds of the ten minutes after.
    ///
    /// # Errors
    /// It cannot, and the version before should go on. An upstream that does not answer is no reason: the version before
    /// would not reach it either.
    fn check(context: &Context) -> Result<(), Error> {
        let _ = context;
        Ok(())
    }
}

/// Between the trait and the component's export.
#[doc(hidden)]
pub struct Glue<T>(PhantomData<T>);

impl<T: Lifecycle> wit::Guest for Glue<T> {
    fn migrate(context: types::Context, version: String) -> Result<(), types::Error> {
        Ok(T::migrate(&context.into(), &version)?)
    }

    fn check(context: types::Context) -> Result<(), types::Error> {
        Ok(T::check(&context.into())?)
    }
}
