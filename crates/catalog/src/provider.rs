//! Entity providers: what brings entities in from outside.

use async_trait::async_trait;
use callboard_model::provided::ProvidedItem;
use callboard_model::schedule::Schedule;

pub(crate) mod apply;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod stage;
pub(crate) mod status;

/// Reads one source into the catalog, page by page, on a schedule.
///
/// Pages are staged and applied together with the last one. A run that fails changes nothing; one that is cut off by a
/// restart goes on from the last page that was staged.
#[async_trait]
pub trait EntityProvider: Send + Sync {
    /// Stable, and unique within the portal: entities belong to it. For example `awsS3-provider:default`.
    fn name(&self) -> &str;

    /// Who offers it, such as a plugin's id: see [`crate::Catalog::set_providers_keeping`].
    fn owner(&self) -> &str {
        ""
    }

    /// Changes with what it reads, such as with its configuration. A run that was cut off is then begun anew, because its
    /// cursor belongs to something else.
    fn fingerprint(&self) -> &str {
        ""
    }

    /// When it runs, and how long a whole run may take.
    fn schedule(&self) -> &Schedule;

    /// One page. None is the first page; otherwise the cursor is the last page's `next`.
    ///
    /// # Errors
    /// Why there is no such page, for the operator. The run ends, and what earlier runs brought stays.
    async fn read(&self, cursor: Option<String>) -> Result<ProviderPage, ProviderError>;
}

/// What one call of a provider brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderPage {
    /// Entities, in most cases Locations.
    pub items: Vec<ProvidedItem>,
    /// Where the next page begins; none when this was the last of the run.
    pub next: Option<String>,
    /// The same for every page of a run.
    pub mode: Mode,
    /// When to go on.
    pub again: Again,
}

/// What becomes of that which a run does not bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is removed.
    #[default]
    Full,
    /// It stays.
    Delta,
}

/// When a provider is called again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// With `next` for the run's next page; without it, when the schedule says so.
    #[default]
    Scheduled,
    /// This page ends the run, and the next run begins at once with `next` as its cursor: for providers that wait for
    /// changes within one long call.
    Now,
}

/// Why a provider could not read its source, for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// In words.
    pub message: String,
}

impl ProviderError {
    /// With a message in words.
    pub fn new(message: impl Into<String>) -> ProviderError {
        ProviderError { message: message.into() }
    }
}
