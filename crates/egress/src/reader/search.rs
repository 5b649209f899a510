//! Finds the files that a pattern stands for.
//!
//! A kind of reader that can list what it reads has a function like `search_s3`: from a [`UrlPattern`] it makes the files
//! that match, each with what tells one version of it from the next. Everything else is done here, once.

use sha2::{Digest as _, Sha256};
use url::Url;

use super::{ReadError, UrlPattern, UrlReader, Validator};
use crate::target;

/// What a search came to.
#[derive(Clone, Debug)]
pub enum Search {
    /// The files, and their versions, are those that the known validator stands for.
    Unchanged,
    /// The files.
    Found(Found),
}

/// The files that a pattern stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In the order of their URLs. There may be none.
    pub files: Vec<FoundFile>,
    /// Changes with any of them.
    pub validator: Validator,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Where to read it. It has no wildcards.
    pub url: Url,
    /// Changes with its content.
    pub version: String,
}

impl UrlReader {
    /// Finds the files that a URL with wildcards stands for, or that they are still those whose validator is known.
    ///
    /// Only what can be listed can be searched; of a plain web server nobody knows what it has.
    pub async fn search(&self, url: &Url, known: Option<&Validator>) -> Result<Search, ReadError> {
        let url = target::prepare(url.clone()).map_err(ReadError::from)?;
        let failed =
            |reason: String, transient: bool| ReadError::Failed { url: target::shown(&url), reason, transient };
        let pattern = UrlPattern::new(&url).map_err(|error| failed(error.to_string(), false))?;
        let Some(at) = self.egress.inner.aws.locate(&url) else {
            return Err(ReadError::NotSearchable { host: target::authority(&url), url: target::shown(&url) });
        };
        let time = self.egress.inner.settings.limits.search_timeout;
        let search = tokio::time::timeout(time, self.search_s3(&pattern, &at)).await;
        let mut files =
            search.map_err(|_| failed(format!("its listing took longer than {} s", time.as_secs()), true))??;
        files.sort_unstable();
        files.dedup_by(|one, other| one.url == other.url);
        let mut digest = Sha256::new();
        for file in &files {
            digest.update(format!("{}\n{}\n", file.url, file.version));
        }
        let validator = Validator(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        if known == Some(&validator) {
            return Ok(Search::Unchanged);
        }
        Ok(Search::Found(Found { files, validator }))
    }
}
