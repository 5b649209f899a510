//! A real S3 server over a folder: `s3s` checks the signatures, `s3s-fs` keeps the objects, and what both lack is
//! added here: ETags in listings, conditional reads, and the faults of a bucket that is far away.

mod faults;
mod objects;
mod serve;

pub use faults::{Faults, Requests};

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

use objects::Objects;
use serve::Serving;

/// The key id that [`Bucket::start`] and the example bucket accept.
pub const ACCESS_KEY_ID: &str = "callboard-example";
/// Its secret, which tests also look for where it must not be.
pub const SECRET_ACCESS_KEY: &str = "callboard-example-secret";
/// The bucket's name where a test does not care.
pub const NAME: &str = "callboard-tests";

/// A bucket and the server that has it.
pub struct Bucket {
    name: String,
    objects: PathBuf,
    address: SocketAddr,
    service: S3Service,
    serving: Option<Serving>,
    faults: Arc<Faults>,
    _state: Option<TempDir>,
}

/// What a bucket's server is made of.
pub struct Options<'a> {
    /// The bucket's name.
    pub name: &'a str,
    /// The folder that holds its objects.
    pub objects: &'a Path,
    /// Where `s3s-fs` keeps what it knows of them, so that it is not among them.
    pub state: &'a Path,
    /// The key id that is accepted, and its secret.
    pub credentials: (&'a str, &'a str),
    /// Port 0 lets the system choose.
    pub listen: SocketAddr,
}

impl Bucket {
    /// An empty bucket in a folder of its own, on a port of its own.
    pub async fn start() -> Result<Self> {
        let state = tempfile::tempdir().context("a folder for the bucket")?;
        let objects = state.path().join("objects");
        std::fs::create_dir(&objects)?;
        let mut bucket = Self::open(&Options {
            name: NAME,
            objects: &objects,
            state: &state.path().join("state"),
            credentials: (ACCESS_KEY_ID, SECRET_ACCESS_KEY),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        })
        .await?;
        bucket._state = Some(state);
        Ok(bucket)
    }

    /// A bucket over a folder that exists.
    pub async fn open(options: &Options<'_>) -> Result<Self> {
        std::fs::create_dir_all(options.state).context("the bucket's state folder")?;
        let link = options.state.join(options.name);
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link).context("the old link to the bucket's objects")?;
        }
        let objects = options
            .objects
            .canonicalize()
            .with_context(|| format!("{} cannot be served as a bucket", options.objects.display()))?;
        std::os::unix::fs::symlink(&objects, &link).context("the link to the bucket's objects")?;

        let files =
            FileSystem::new(options.state).map_err(|error| anyhow::anyhow!("s3s-fs cannot start: {error:?}"))?;
        let faults = Arc::new(Faults::default());
        let mut builder = S3ServiceBuilder::new(Objects::new(files, options.state.to_owned(), Arc::clone(&faults)));
        builder.set_auth(SimpleAuth::from_single(options.credentials.0, options.credentials.1));
        builder.set_access(faults::Gate(Arc::clone(&faults)));
        let service = builder.build();

        let serving = Serving::start(options.listen, service.clone()).await?;
        Ok(Self {
            name: options.name.to_owned(),
            objects,
            address: serving.address(),
            service,
            serving: Some(serving),
            faults,
            _state: None,
        })
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the server listens: `http://127.0.0.1:<port>`, for path-style requests.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An object's address: its key is percent-encoded, except for `/`.
    #[must_use]
    pub fn url(&self, key: &str) -> String {
        format!("{}/{}/{}", self.endpoint(), self.name, objects::percent_encoded(key))
    }

    /// Uploads an object, or another version of it.
    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(key)?;
        std::fs::write(&path, content).with_context(|| format!("{key} cannot be written"))
    }

    /// Uploads zeroes without holding them.
    pub fn put_zeroes(&self, key: &str, size: u64) -> Result<()> {
        Ok(std::fs::File::create(self.path(key)?)?.set_len(size)?)
    }

    /// Sets when an object was last modified.
    pub fn set_modified(&self, key: &str, time: SystemTime) -> Result<()> {
        Ok(std::fs::File::options().write(true).open(self.path(key)?)?.set_modified(time)?)
    }

    /// Deletes an object.
    pub fn delete(&self, key: &str) -> Result<()> {
        std::fs::remove_file(self.path(key)?).with_context(|| format!("{key} cannot be deleted"))
    }

    /// What goes wrong, and what was asked.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Stops listening and drops every connection.
    pub fn go_down(&mut self) {
        self.serving = None;
    }

    /// Listens again at the same address.
    pub async fn come_back(&mut self) -> Result<()> {
        self.serving = Some(Serving::start(self.address, self.service.clone()).await?);
        Ok(())
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        let path = self.objects.join(key);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("the folder of {key}"))?;
        }
        Ok(path)
    }
}
