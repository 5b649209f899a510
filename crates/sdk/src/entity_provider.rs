//! The extension point `entity-provider`.

use std::marker::PhantomData;

use callboard_model::provided::ProvidedItem;
use callboard_model::schedule::Schedule;

use crate::bindings::entity_provider::wit;
use crate::bindings::host::types;
use crate::{Context, Error};

/// Brings entities into the catalog.
///
/// Each call gets a fresh instance of the plugin: what must last goes into the cursor, or into [`kv`](crate::kv).
pub trait EntityProvider {
    /// What app-config asks this plugin to read. Called when the portal starts; a change needs a restart.
    ///
    /// # Errors
    /// app-config says something that makes no sense.
    fn providers(context: &Context) -> Result<Vec<Provider>, Error>;

    /// One page of a provider's run; the first without a cursor, each further one with [`Page::next`] of the one
    /// before. The portal applies a run's pages together, with the last one.
    ///
    /// # Errors
    /// The upstream cannot be read. The run ends, what was there before stays, and the text shows on the plugin's
    /// page.
    fn read(context: &Context, provider: &str, cursor: Option<&str>) -> Result<Page, Error>;
}

/// One thing that is read on its own schedule, such as a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Stable, and unique within the portal: entities belong to it. For example `awsS3-provider:default`.
    pub name: String,
    /// When to read.
    pub schedule: Schedule,
}

/// What a call of [`EntityProvider::read`] brings. Its items, as JSON, have at most 4 MiB.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What is there.
    pub items: Vec<ProvidedItem>,
    /// Where the next page begins; none when this was the last of the run.
    pub next: Option<String>,
    /// What a run means for what it does not bring.
    pub mode: Mode,
    /// When to read again.
    pub again: Again,
}

impl Page {
    /// The last page of a run, or its only one.
    pub fn last(items: Vec<ProvidedItem>, mode: Mode) -> Page {
        Page { items, next: None, mode, again: Again::Scheduled }
    }
}

/// What a run means for what it does not bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is removed.
    Full,
    /// It stays.
    Delta,
}

/// When to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// At the next time that the schedule names.
    Scheduled,
    /// At once, with [`Page::next`] as the cursor.
    Now,
}

/// Between the trait and the component's export.
pub struct Glue<T>(PhantomData<T>);

impl<T: EntityProvider> wit::Guest for Glue<T> {
    fn providers(context: types::Context) -> Result<Vec<wit::Provider>, types::Error> {
        let providers = T::providers(&context.into())?;
        providers
            .into_iter()
            .map(|provider| Ok(wit::Provider { name: provider.name, schedule: to_json(&provider.schedule)? }))
            .collect()
    }

    fn read(context: types::Context, provider: String, cursor: Option<String>) -> Result<wit::Page, types::Error> {
        let page = T::read(&context.into(), &provider, cursor.as_deref())?;
        Ok(wit::Page {
            items: to_json(&page.items)?,
            next: page.next,
            mode: match page.mode {
                Mode::Full => wit::Mode::Full,
                Mode::Delta => wit::Mode::Delta,
            },
            again: match page.again {
                Again::Scheduled => wit::Again::Scheduled,
                Again::Now => wit::Again::Now,
            },
        })
    }
}

pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, types::Error> {
    serde_json::to_string(value).map_err(|error| types::Error::Invalid(error.to_string()))
}
