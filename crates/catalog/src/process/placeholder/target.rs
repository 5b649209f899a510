//! Files that placeholders name, and that API descriptions refer to.

use std::path::{Path, PathBuf};

use callboard_model::location_ref::LocationRef;
use url::Url;

use crate::files::normalised;
use crate::process::fetch::Fetch;

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    /// By URL.
    Url(Url),
    /// By an absolute path. A deliberate extension: next to a file that the catalog may read, others may be named.
    File(PathBuf),
}

impl Target {
    /// What an entity from `location` means by a text.
    pub(super) fn of(text: &str, location: &LocationRef, fetch: &Fetch) -> Result<Target, String> {
        if let Some(url) = absolute(text)? {
            return Ok(Target::Url(url));
        }
        match location.kind.as_str() {
            "url" => {
                let base = Url::parse(&location.target)
                    .map_err(|error| format!("could not form a URL out of {}: {error}", location.target))?;
                Target::Url(base).resolve(text, fetch)
            }
            "file" => Target::File(fetch.files().absolute(&location.target)).resolve(text, fetch),
            _ => Err(format!("could not form a URL out of {location} and {text}")),
        }
    }

    /// What this file means by a text.
    pub(super) fn resolve(&self, text: &str, fetch: &Fetch) -> Result<Target, String> {
        if let Some(url) = absolute(text)? {
            return Ok(Target::Url(url));
        }
        match self {
            Target::Url(base) => fetch
                .resolve(base, text)
                .map(Target::Url)
                .map_err(|reason| format!("could not form a URL out of {base} and {text}: {reason}")),
            Target::File(own) => {
                let relative = Path::new(text);
                if text.is_empty() || relative.is_absolute() {
                    return Err(format!(
                        "could not read location {text}: write a path that is relative to the entity's file, such as \
                         ./openapi.yaml"
                    ));
                }
                let folder = own.parent().unwrap_or(own);
                Ok(Target::File(normalised(&folder.join(relative))))
            }
        }
    }

    /// Its content, which the entity from `location` then depends on. `name` is what was written.
    pub(super) async fn text(&self, name: &str, location: &LocationRef, fetch: &mut Fetch) -> Result<String, String> {
        let body = match self {
            Target::Url(url) => {
                if let Ok(base) = Url::parse(&location.target)
                    && let (Some(from), Some(to)) = (fetch.repository(&base), fetch.repository(url))
                    && from != to
                {
                    return Err(format!(
                        "may only reference files from the same repository as the entity: {url} is in {to}, the entity \
                         in {from}"
                    ));
                }
                let read = fetch.url(url).await;
                read.map_err(|failure| format!("could not read location {url}, {}", failure.message))?
            }
            Target::File(path) => {
                let read = fetch.file(path).await;
                read.map_err(|failure| format!("could not read location {name}, {}", failure.message))?
            }
        };
        String::from_utf8(body.to_vec()).map_err(|_| format!("{name} is not UTF-8 text"))
    }
}

/// A text that is a URL by itself.
fn absolute(text: &str) -> Result<Option<Url>, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
        Ok(url) => Err(format!("could not read location {url}: only http and https URLs and relative paths are read")),
        Err(_) => Ok(None),
    }
}
