//! Gets a plugin from where it is.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use callboard_egress::Request;
use http::StatusCode;
use semver::{Version, VersionReq};
use tokio::io::AsyncReadExt as _;
use url::Url;

use crate::{
    Digest, Locked, Resolved, Source, Wanted, highest,
    limits::{BUNDLE_BYTES, COMPONENT_BYTES, REQUEST_TIME, STALL, TRANSFER_TIME},
    oci::{FoundBundles, Manifest, Reaching, Registries, RegistryError, Repository, receive},
    source::shown,
    version_of,
};

pub use crate::oci::Progress;

/// A plugin, whole and checked.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The component.
    pub bytes: Bytes,
    /// Its digest.
    pub digest: Digest,
    /// The version that its tag says. Of a file, an address and a tag such as `latest` only the component knows it.
    pub version: Option<Version>,
    /// The manifest that names the component, where it comes from a registry. A signature is then for the manifest.
    pub manifest: Option<Manifest>,
    /// The sigstore bundles that lie beside it.
    pub bundles: FoundBundles,
}

/// Gets plugins. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    registries: Registries,
}

/// Why a plugin could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is too large.
    #[error("{path} is larger than {COMPONENT_BYTES} bytes, and no more are taken")]
    LargeFile {
        /// The file.
        path: String,
    },
    /// A request failed, or a rule of this side refused it.
    #[error("{0}")]
    Request(#[from] callboard_egress::Error),
    /// An address answered with something else.
    #[error("{url} was answered with {status}: check the address")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// A registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No tag satisfies the requirement.
    #[error("{repository} has no version that satisfies {requirement}{}", Seen(.there))]
    NoVersion {
        /// The repository.
        repository: Repository,
        /// The requirement.
        requirement: VersionReq,
        /// Its highest versions, highest first.
        there: Vec<Version>,
    },
    /// It is not what was approved.
    #[error(
        "{from} has the digest {got} now, and {pinned} was approved in callboard.lock. It was changed; if that is \
         what you expect, look at it with `callboard plugin inspect` and approve it with `callboard plugin update`"
    )]
    NotPinned {
        /// The source.
        from: String,
        /// The digest that was approved.
        pinned: Digest,
        /// The one that came.
        got: Digest,
    },
}

/// How many versions a message names.
const SHOWN_VERSIONS: usize = 5;

struct Seen<'a>(&'a [Version]);

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str(": none of its tags is a version");
        }
        let versions: Vec<_> = self.0.iter().map(Version::to_string).collect();
        write!(f, "; its highest are {}", versions.join(", "))?;
        if self.0.iter().any(|version| !version.pre.is_empty()) {
            f.write_str(" (a pre-release must be asked for by its name, such as ^2.0.0-rc)")?;
        }
        Ok(())
    }
}

impl Fetcher {
    /// Gets plugins from these registries, and from addresses through the same egress.
    #[must_use]
    pub fn new(registries: Registries) -> Self {
        Self { registries }
    }

    /// The registries.
    #[must_use]
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    /// Gets what a source stands for now.
    ///
    /// # Errors
    /// It cannot be had, or is not a plugin.
    pub async fn fetch(&self, source: &Source, progress: Progress<'_>) -> Result<Fetched, FetchError> {
        match source {
            Source::File(path) => file(path).await,
            Source::Url(url) => self.address(url, progress).await,
            Source::Oci(repository, wanted) => {
                let resolved = self.resolve(repository, wanted).await?;
                self.component(repository, resolved, progress).await
            }
        }
    }

    /// Gets exactly what was approved, whatever the source stands for now.
    ///
    /// # Errors
    /// It cannot be had, or is not what was approved.
    pub async fn fetch_pinned(
        &self,
        source: &Source,
        locked: &Locked,
        progress: Progress<'_>,
    ) -> Result<Fetched, FetchError> {
        let fetched = match (source, locked.manifest) {
            (Source::Oci(repository, _), Some(manifest)) => {
                let wanted = Wanted::Exactly(manifest, None);
                let resolved = self.resolve(repository, &wanted).await?;
                check(source, locked, resolved.component.digest)?;
                self.component(repository, resolved, progress).await?
            }
            _ => self.fetch(source, progress).await?,
        };
        check(source, locked, fetched.digest)?;
        Ok(Fetched { version: Some(locked.version.clone()), ..fetched })
    }

    /// What is wanted of a repository, without the component itself.
    ///
    /// # Errors
    /// It is not there, or is not a plugin.
    pub async fn resolve(&self, repository: &Repository, wanted: &Wanted) -> Result<Resolved, FetchError> {
        let registry = self.registries.of(repository)?;
        let (manifest, tag) = match wanted {
            Wanted::Exactly(digest, tag) => (registry.exactly(repository, digest).await?, tag.clone()),
            Wanted::Tagged(tag) => (registry.tagged(repository, tag).await?, Some(tag.clone())),
            Wanted::Matching(requirement) => {
                let tags = registry.tags(repository).await?;
                let Some((_, tag)) = highest(tags.iter().map(String::as_str), requirement) else {
                    let (repository, requirement) = (repository.clone(), requirement.clone());
                    let there = versions_of(&tags).into_iter().take(SHOWN_VERSIONS).collect();
                    return Err(FetchError::NoVersion { repository, requirement, there });
                };
                (registry.tagged(repository, tag).await?, Some(tag.to_owned()))
            }
        };
        let what = match &tag {
            Some(tag) => format!("{repository}:{tag}"),
            None => format!("{repository}@{}", manifest.digest),
        };
        let component = manifest.component().map_err(|reason| RegistryError::Layout { what, reason })?;
        Ok(Resolved { version: tag.as_deref().and_then(version_of), tag, manifest, component })
    }

    /// All versions of a repository, highest first.
    ///
    /// # Errors
    /// The repository is not there.
    pub async fn versions(&self, repository: &Repository) -> Result<Vec<Version>, FetchError> {
        Ok(versions_of(&self.registries.of(repository)?.tags(repository).await?))
    }

    async fn component(
        &self,
        repository: &Repository,
        resolved: Resolved,
        progress: Progress<'_>,
    ) -> Result<Fetched, FetchError> {
        let registry = self.registries.of(repository)?;
        let Resolved { version, manifest, component, .. } = resolved;
        let bytes = registry.blob(repository, &component.digest, component.size, COMPONENT_BYTES, progress).await?;
        let bundles = match registry.bundles(repository, &manifest.digest).await {
            Ok(bundles) => bundles,
            // Whoever requires a signature is told why there is none; nobody else needs one.
            Err(error) => FoundBundles { bundles: Vec::new(), passed_over: vec![error.to_string()] },
        };
        Ok(Fetched { bytes, digest: component.digest, version, manifest: Some(manifest), bundles })
    }

    async fn address(&self, url: &Url, progress: Progress<'_>) -> Result<Fetched, FetchError> {
        let reaching = Reaching::address(url);
        let request = |url: Url, max_body, timeout| Request {
            max_body,
            timeout,
            stall: Some(STALL),
            retry: true,
            ..Request::get(url)
        };
        let egress = self.registries.egress();
        let response = egress.send(request(url.clone(), COMPONENT_BYTES, TRANSFER_TIME), &reaching).await?;
        if response.status != StatusCode::OK {
            return Err(FetchError::Status { url: shown(url), status: response.status });
        }
        let received = receive(response, None, progress).await?;
        let mut beside = url.clone();
        beside.set_path(&format!("{}{BESIDE}", url.path()));
        let mut bundles = FoundBundles::default();
        match egress.send(request(beside.clone(), BUNDLE_BYTES, REQUEST_TIME), &reaching).await {
            Ok(response) if response.status == StatusCode::OK => match response.body.collect(BUNDLE_BYTES).await {
                Ok(bundle) => bundles.bundles.push(bundle),
                Err(error) => bundles.passed_over.push(error.to_string()),
            },
            // Some storage says that one may not see what is not there.
            Ok(response) if response.status.is_client_error() => {}
            Ok(response) => {
                bundles.passed_over.push(format!("{} was answered with {}", shown(&beside), response.status));
            }
            Err(error) => bundles.passed_over.push(error.to_string()),
        }
        Ok(Fetched { bytes: received.bytes, digest: received.digest, version: None, manifest: None, bundles })
    }
}

/// What a bundle is called that lies beside what it signs, as `cosign sign-blob --bundle` is told in its manual.
const BESIDE: &str = ".sigstore.json";

async fn file(path: &Path) -> Result<Fetched, FetchError> {
    let large = || FetchError::LargeFile { path: path.display().to_string() };
    let bytes = read(path, COMPONENT_BYTES).await?.ok_or_else(large)?;
    let mut bundles = FoundBundles::default();
    let mut beside = path.as_os_str().to_owned();
    beside.push(BESIDE);
    let beside = PathBuf::from(beside);
    match read(&beside, BUNDLE_BYTES).await {
        Ok(Some(bundle)) => bundles.bundles.push(bundle),
        Ok(None) => bundles.passed_over.push(format!("{} is larger than {BUNDLE_BYTES} bytes", beside.display())),
        Err(FetchError::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => bundles.passed_over.push(error.to_string()),
    }
    Ok(Fetched { digest: Digest::of(&bytes), bytes, version: None, manifest: None, bundles })
}

/// A file's content, or none if it is larger than that.
async fn read(path: &Path, limit: u64) -> Result<Option<Bytes>, FetchError> {
    let failed = |error| FetchError::File { path: path.display().to_string(), error };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    Ok((bytes.len() as u64 <= limit).then(|| bytes.into()))
}

fn check(source: &Source, locked: &Locked, got: Digest) -> Result<(), FetchError> {
    if got == locked.digest {
        return Ok(());
    }
    Err(FetchError::NotPinned { from: source.to_string(), pinned: locked.digest, got })
}

fn versions_of(tags: &[String]) -> Vec<Version> {
    let mut versions: Vec<_> = tags.iter().filter_map(|tag| version_of(tag)).collect();
    versions.sort_unstable();
    versions.dedup();
    versions.reverse();
    versions
}
