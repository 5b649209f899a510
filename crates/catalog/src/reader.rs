//! What the catalog needs of whoever reads URLs.

use async_trait::async_trait;
use url::Url;

/// Reads URLs for the catalog, within what the operator allows.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The content at a URL, unless it is what `known` (a validator of an earlier answer) stands for.
    ///
    /// # Errors
    /// There is none, or it may not or cannot be read.
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure>;

    /// A URL that is written relative to another. A host may have rules of its own for it.
    ///
    /// # Errors
    /// Why there is no such URL.
    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String>;
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// What `known` stands for.
    Unchanged,
    /// Something else.
    Content {
        /// The bytes.
        body: Vec<u8>,
        /// What to hand over the next time, as `known`.
        validator: Option<String>,
    },
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadFailure {
    /// In words, for the operator and for whoever wrote the URL.
    pub message: String,
    /// Whether nothing is there.
    pub not_found: bool,
}
