//! The readers of URLs, as the catalog's [`Reader`].

use async_trait::async_trait;
use callboard_catalog::{ReadFailure, Reader, Reading};
use callboard_egress::{Read, ReadError, UrlReader, Validator};
use url::Url;

/// Reads what `integrations` and `backend.reading.allow` permit.
pub struct CatalogReader(pub UrlReader);

#[async_trait]
impl Reader for CatalogReader {
    async fn read(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure> {
        let known = known.map(|known| Validator(known.to_owned()));
        match self.0.read(url, known.as_ref()).await {
            Ok(Read::Unchanged) => Ok(Reading::Unchanged),
            Ok(Read::Content(content)) => Ok(Reading::Content {
                body: content.body.to_vec(),
                validator: content.validator.map(|validator| validator.0),
            }),
            Err(error) => {
                Err(ReadFailure { not_found: matches!(error, ReadError::NotFound { .. }), message: error.to_string() })
            }
        }
    }

    fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        self.0.resolve(base, relative).map_err(|error| error.to_string())
    }
}
