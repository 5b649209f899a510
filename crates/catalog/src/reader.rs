//! What the catalog needs of whoever reads URLs.

use async_trait::async_trait;
use callboard_egress::{Read, ReadError, Search, UrlReader, Validator};
use url::Url;

/// Reads URLs for the catalog, within what the operator allows.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The content at a URL, unless it is what `known` (a validator of an earlier answer) stands for.
    ///
    /// # Errors
    /// There is none, or it may not or cannot be read.
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure>;

    /// The files that a URL with wildcards stands for, unless they are what `known` (a validator of an earlier answer)
    /// stands for. Where nothing can be listed, that is an error.
    ///
    /// # Errors
    /// They may not or cannot be listed.
    async fn search(&self, pattern: &Url, _known: Option<&str>) -> Result<Search, ReadFailure> {
        let message = format!("{pattern} is a pattern, and nothing says which files there are");
        Err(ReadFailure { message, not_found: false, transient: false })
    }

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
    /// Whether another attempt may help, without anyone changing anything.
    pub transient: bool,
}

#[async_trait]
impl Reader for UrlReader {
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure> {
        let known = known.map(|known| Validator(known.to_owned()));
        match UrlReader::read(self, url, known.as_ref()).await {
            Ok(Read::Unchanged) => Ok(Reading::Unchanged),
            Ok(Read::Content(content)) => Ok(Reading::Content {
                body: content.body.to_vec(),
                validator: content.validator.map(|validator| validator.0),
            }),
            Err(error) => Err(ReadFailure::from(error)),
        }
    }

    async fn search(&self, pattern: &Url, known: Option<&str>) -> Result<Search, ReadFailure> {
        let known = known.map(|known| Validator(known.to_owned()));
        Ok(UrlReader::search(self, pattern, known.as_ref()).await?)
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        UrlReader::resolve(self, base, relative).map_err(|error| error.to_string())
    }
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        ReadFailure {
            message: error.to_string(),
            not_found: matches!(error, ReadError::NotFound { .. }),
            transient: error.is_transient(),
        }
    }
}
