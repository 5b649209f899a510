//! For whom a plugin is called, and how the catalog is read as them.

use std::sync::Arc;

use async_trait::async_trait;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;

/// For whom a call is made. Handed over with each call, so that one call never acts as two.
#[derive(Clone)]
pub struct Acting {
    /// The entity ref of the user; none where nobody is signed in, and for scheduled work.
    pub user: Option<String>,
    /// Reads the catalog as them and as nobody else.
    pub catalog: Arc<dyn CatalogReader>,
}

/// The catalog as one principal may read it: whoever makes one has decided for whom, and nothing that a plugin says
/// changes that.
///
/// Both functions are told what the plugin is `granted`. What does not satisfy that as well is not there, whatever is
/// asked, and whatever a cursor remembers. What they answer has at most [`BATCH_BYTES`](crate::limits::BATCH_BYTES); they
/// are to see to it before more than that is in memory.
#[async_trait]
pub trait CatalogReader: Send + Sync {
    /// Entities as JSON text, in the order of the refs; none for what is not there.
    ///
    /// # Errors
    /// [`CatalogError`], for the plugin.
    async fn get(&self, granted: &Predicate, refs: &[EntityRef]) -> Result<Vec<Option<String>>, CatalogError>;

    /// A page of entities.
    ///
    /// # Errors
    /// [`CatalogError`], for the plugin.
    async fn query(&self, granted: &Predicate, query: CatalogQuery) -> Result<CatalogPage, CatalogError>;
}

/// What a plugin asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogQuery {
    /// What must hold.
    pub filter: Predicate,
    /// The only parts to answer with, as dotted paths; empty for whole entities.
    pub fields: Vec<String>,
    /// The order; none for the catalog's own.
    pub order: Option<CatalogOrder>,
    /// How many entities make a page, unless they are large; from 1 to [`CATALOG_PAGE`](crate::limits::CATALOG_PAGE).
    pub limit: u32,
    /// [`CatalogPage::next`] of another page. Filter and order are then what it remembers.
    pub cursor: Option<String>,
}

/// What to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogOrder {
    /// A dotted path.
    pub field: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A page of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogPage {
    /// JSON text of an entity each.
    pub entities: Vec<String>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

/// Why the catalog does not answer. The texts are for the plugin's author and its operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// They may read nothing at all, and what would allow it.
    #[error("{0}")]
    Denied(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The entities do not cross together.
    #[error("{0}")]
    TooLarge(String),
    /// The database does not answer; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}
