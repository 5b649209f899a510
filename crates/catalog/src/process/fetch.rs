//! Reading for one entity, with a note of everything that was read.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use callboard_egress::{Found, Search};
use callboard_model::stable_json::sha1_hex_of;
use tokio::task::spawn_blocking;
use url::Url;

use super::{Inner, ProcessingError};
use crate::files::{FileError, Files};
use crate::{ReadFailure, Reading};

/// What a dependency on all files that a URL with wildcards stands for begins with; the rest is the URL.
pub(crate) const SEARCH: &str = "search:";

/// Reads for one entity.
pub(crate) struct Fetch {
    inner: Arc<Inner>,
    /// What was read already, while looking for changes or for another placeholder.
    bodies: HashMap<String, Arc<[u8]>>,
    /// What was found already, by pattern.
    found: HashMap<String, Found>,
    /// What was read, with what tells whether it changed.
    pub(crate) dependencies: BTreeMap<String, Option<String>>,
    /// What was read anew, is what it was, and has another validator.
    pub(super) renewed: BTreeMap<String, String>,
    /// Whether something could not be read that may well be there the next time.
    pub(crate) read_failed: bool,
}

/// Why something was not read.
#[derive(Debug)]
pub(crate) struct NotRead {
    pub(crate) message: String,
    pub(crate) not_found: bool,
}

impl Fetch {
    pub(super) fn new(inner: Arc<Inner>) -> Fetch {
        Fetch {
            inner,
            bodies: HashMap::new(),
            found: HashMap::new(),
            dependencies: BTreeMap::new(),
            renewed: BTreeMap::new(),
            read_failed: false,
        }
    }

    pub(crate) fn files(&self) -> &Files {
        &self.inner.files
    }

    pub(super) fn steps(&self) -> super::Steps {
        self.inner.steps
    }

    pub(crate) fn resolve(&self, base: &Url, relative: &str) -> Result<Url, String> {
        self.inner.reader.resolve(base, relative)
    }

    /// The repository that a URL of a file belongs to, where its host is a known git host.
    pub(crate) fn repository(&self, url: &Url) -> Option<String> {
        self.inner.hosts.repository(url)
    }

    /// Whether everything is still what these validators stand for. Asks only as far as the first change.
    pub(super) async fn all_unchanged(&mut self, dependencies: &BTreeMap<String, Option<String>>) -> bool {
        for (key, validator) in dependencies {
            // What is not read: whoever refreshes a key says so, and how long a result holds is looked at before.
            if key.starts_with("key:") || key == super::FRESH {
                continue;
            }
            let Some(validator) = validator else { return false };
            let unchanged = match key.split_once(':').map(|(kind, url)| (kind, Url::parse(url))) {
                Some(("url", Ok(url))) => self.is_unchanged(key, &url, validator).await,
                Some(("search", Ok(pattern))) => match self.list(&pattern, Some(validator)).await {
                    Ok(Search::Unchanged) => true,
                    Ok(Search::Found(found)) => {
                        self.found.insert(key.clone(), found);
                        false
                    }
                    Err(_) => false,
                },
                Some(("url" | "search", Err(_))) => false,
                _ => self.stamp(key).await.as_deref() == Some(validator),
            };
            if !unchanged {
                return false;
            }
        }
        true
    }

    /// Whether the content at a URL is the same, whatever its server says of it.
    async fn is_unchanged(&mut self, key: &str, url: &Url, known: &str) -> bool {
        let known = Version::parse(known);
        match self.request(url, known.validator.as_deref()).await {
            Ok(Reading::Unchanged) => true,
            Ok(Reading::Content { body, validator }) => {
                let version = Version::of(&body, validator);
                if version.sha1 != known.sha1 {
                    self.keep(key, body, Some(version.to_string()));
                    return false;
                }
                if version != known {
                    self.renewed.insert(key.to_owned(), version.to_string());
                }
                true
            }
            // Reading it once more says why.
            Err(_) => false,
        }
    }

    /// The content at a URL.
    pub(crate) async fn url(&mut self, url: &Url) -> Result<Arc<[u8]>, NotRead> {
        let key = format!("url:{url}");
        if let Some(body) = self.bodies.get(&key) {
            return Ok(Arc::clone(body));
        }
        match self.request(url, None).await {
            Ok(Reading::Content { body, validator }) => {
                let version = Version::of(&body, validator);
                Ok(self.keep(&key, body, Some(version.to_string())))
            }
            Ok(Reading::Unchanged) => Err(self.unasked(url)),
            Err(failure) => Err(self.failed(key, failure)),
        }
    }

    /// The files that a URL with wildcards stands for.
    pub(crate) async fn search(&mut self, pattern: &Url) -> Result<Found, NotRead> {
        let key = format!("{SEARCH}{pattern}");
        let found = match self.found.remove(&key) {
            Some(found) => found,
            None => match self.list(pattern, None).await {
                Ok(Search::Found(found)) => found,
                Ok(Search::Unchanged) => return Err(self.unasked(pattern)),
                Err(failure) => return Err(self.failed(key, failure)),
            },
        };
        self.dependencies.insert(key, Some(found.validator.0.clone()));
        // What is not there yet may come.
        self.read_failed |= found.files.is_empty();
        Ok(found)
    }

    fn unasked(&mut self, url: &Url) -> NotRead {
        self.read_failed = true;
        NotRead { message: format!("{url} says that it is unchanged, though nobody asked"), not_found: false }
    }

    fn failed(&mut self, key: String, failure: ReadFailure) -> NotRead {
        self.dependencies.insert(key, None);
        self.read_failed |= failure.transient || failure.not_found;
        NotRead { message: failure.message, not_found: failure.not_found }
    }

    /// The content of a file.
    pub(crate) async fn file(&mut self, path: &Path) -> Result<Arc<[u8]>, NotRead> {
        let key = format!("file:{}", path.display());
        if let Some(body) = self.bodies.get(&key) {
            return Ok(Arc::clone(body));
        }
        // Older than the attempt to read: a file that comes in between is found by the next look.
        let stamp = self.stamp(&key).await;
        let (inner, owned) = (Arc::clone(&self.inner), path.to_owned());
        let read = blocking(move || inner.files.read(&owned)).await;
        match read {
            Ok(content) => Ok(self.keep(&key, content.body, Some(content.stamp))),
            Err(error) => {
                // Noted all the same: the file may come.
                self.dependencies.insert(key, stamp);
                Err(NotRead { not_found: matches!(error, FileError::NotFound(_)), message: error.to_string() })
            }
        }
    }

    /// The files that a path or pattern stands for. The pattern becomes a dependency, its files then need not.
    pub(crate) async fn expand(&mut self, path: &Path) -> Result<Vec<PathBuf>, NotRead> {
        let key = format!("file:{}", path.display());
        let stamp = self.stamp(&key).await;
        self.dependencies.insert(key, stamp);
        let (inner, owned) = (Arc::clone(&self.inner), path.to_owned());
        blocking(move || inner.files.expand(&owned))
            .await
            .map_err(|error| NotRead { not_found: matches!(error, FileError::NotFound(_)), message: error.to_string() })
    }

    fn keep(&mut self, key: &str, body: Vec<u8>, validator: Option<String>) -> Arc<[u8]> {
        let body: Arc<[u8]> = body.into();
        self.bodies.insert(key.to_owned(), Arc::clone(&body));
        self.dependencies.insert(key.to_owned(), validator);
        body
    }

    async fn request(&self, url: &Url, known: Option<&str>) -> Result<Reading, ReadFailure> {
        let permit = self.inner.reads.acquire().await;
        let read = self.inner.reader.read(url, known).await;
        drop(permit);
        read
    }

    async fn list(&self, pattern: &Url, known: Option<&str>) -> Result<Search, ReadFailure> {
        let permit = self.inner.reads.acquire().await;
        let listed = self.inner.reader.search(pattern, known).await;
        drop(permit);
        listed
    }

    async fn stamp(&self, key: &str) -> Option<String> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        spawn_blocking(move || stamp_of(&inner.files, &key)).await.ok().flatten()
    }
}

/// Which content of a URL an entity was made from. As text, the hash and, after a space, the validator.
#[derive(Debug, PartialEq)]
struct Version {
    /// Of the content. None where an earlier version of this program did not note it.
    sha1: Option<String>,
    /// What the server is told the next time, where it said something.
    validator: Option<String>,
}

impl Version {
    fn of(content: &[u8], validator: Option<String>) -> Version {
        Version { sha1: Some(sha1_hex_of(content)), validator }
    }

    fn parse(text: &str) -> Version {
        let (first, rest) = text.split_once(' ').map_or((text, None), |(first, rest)| (first, Some(rest.to_owned())));
        match first.len() == 40 && first.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Version { sha1: Some(first.to_owned()), validator: rest },
            false => Version { sha1: None, validator: Some(text.to_owned()) },
        }
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.sha1.as_deref().unwrap_or_default())?;
        self.validator.as_ref().map_or(Ok(()), |validator| write!(f, " {validator}"))
    }
}

/// What tells whether the files of a dependency changed; none for one that is no file. Blocks.
pub(crate) fn stamp_of(files: &Files, key: &str) -> Option<String> {
    key.strip_prefix("file:").map(|path| files.stamp(Path::new(path)))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(FileError::Failed { path: String::new(), reason: error.to_string() }),
    }
}

impl From<NotRead> for ProcessingError {
    fn from(failure: NotRead) -> Self {
        let name = if failure.not_found { "NotFoundError" } else { "Error" };
        ProcessingError::new(name, failure.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let check = |text: &str, hash: Option<&str>, validator: Option<&str>| {
            let version = Version { sha1: hash.map(str::to_owned), validator: validator.map(str::to_owned) };
            assert_eq!(Version::parse(text), version, "{text}");
        };
        check(sha1, Some(sha1), None);
        check(&format!("{sha1} W/\"a b\""), Some(sha1), Some("W/\"a b\""));
        // As it was kept before there was a hash.
        check("\"etag\"", None, Some("\"etag\""));
        check("Sat, 21 Nov 2026 19:00:00 GMT", None, Some("Sat, 21 Nov 2026 19:00:00 GMT"));
        let version = Version::of(b"", Some("v".to_owned()));
        assert_eq!(version.to_string(), format!("{sha1} v"));
        assert_eq!(Version::parse(&version.to_string()), version);
    }
}
