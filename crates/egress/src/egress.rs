//! The one door to the network.

use std::sync::Arc;

use crate::{
    Credential, Error, Policy, Request, Response, S3Binding, Secret, Settings, SettingsError, Upload, UrlReader,
    aws::Aws,
    client::Clients,
    resolver::{Resolve, SystemResolver},
    revalidate::Cache,
    scrub::Pattern,
    tape::{Line, Record, Recorder, Replay},
};

/// Sends every outgoing request. Cheap to clone: clones share connections, caches and credentials.
#[derive(Clone)]
pub struct Egress {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    pub(crate) aws: Aws,
    pub(crate) cache: Cache,
    pub(crate) line: Line,
}

impl Egress {
    /// Prepares connections and credentials; opens nothing yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// As [`new`](Self::new), with another way to resolve names.
    pub fn with_resolver(settings: Settings, resolver: Arc<dyn Resolve>) -> Result<Self, SettingsError> {
        Self::over(Line::Network, settings, resolver)
    }

    /// One that sends nothing: every request is answered by `tape`. Keys of AWS are not looked for, because that is asking
    /// somebody, too; stand-ins sign. No answer is kept for the next request.
    pub fn replaying(settings: Settings, tape: Arc<dyn Replay>) -> Result<Self, SettingsError> {
        Self::over(Line::Replay(tape), without_cache(settings), Arc::new(SystemResolver))
    }

    /// One that has `tape` write down each request and its answer, without what authenticates the request and without
    /// `secrets`, also where they are encoded. No answer is kept for the next request.
    pub fn recording(settings: Settings, tape: Arc<dyn Record>, secrets: &[Secret]) -> Result<Self, SettingsError> {
        let secrets = secrets.iter().map(|secret| Pattern::new(secret.expose())).collect();
        let line = Line::Record(Recorder { to: tape, secrets });
        Self::over(line, without_cache(settings), Arc::new(SystemResolver))
    }

    fn over(line: Line, settings: Settings, resolver: Arc<dyn Resolve>) -> Result<Self, SettingsError> {
        let clients = Clients::new(&settings, resolver)?;
        let aws = Aws::new(&settings, matches!(line, Line::Replay(_)));
        let cache = Cache::new(&settings.limits);
        Ok(Self { inner: Arc::new(Inner { settings, clients, aws, cache, line }) })
    }

    /// Sends a request and follows its redirects, asking the policy for each.
    ///
    /// A response with an error status is a response, not an error.
    pub async fn send(&self, request: Request, policy: &dyn Policy) -> Result<Response, Error> {
        crate::send::send(&self.inner, request, policy).await
    }

    /// Sends one request with a body that is read while it is sent, instead of the request's own. It can be sent once, so
    /// no redirect is followed, nothing is tried again, and no answer is kept.
    ///
    /// A response with an error status is a response, not an error.
    pub async fn pass_on(
        &self,
        request: Request,
        upload: Option<Upload>,
        policy: &dyn Policy,
    ) -> Result<Response, Error> {
        crate::send::pass_on(&self.inner, request, upload, policy).await
    }

    /// Reads URLs as `integrations` and `backend.reading.allow` permit.
    pub fn reader(&self) -> UrlReader {
        UrlReader::new(self.clone())
    }

    /// A credential that signs requests to one bucket, with the keys that the configuration names for it.
    ///
    /// The reader signs its requests to that bucket in the same way from then on, so that the objects of a bucket in
    /// another account are read with the account that listed them.
    pub async fn sigv4_credential(&self, binding: S3Binding) -> Result<Credential, Error> {
        self.inner.aws.credential(binding).await
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

/// Each request of a recording stands for itself: what it is must not depend on those before it.
fn without_cache(mut settings: Settings) -> Settings {
    settings.limits.cache_bytes = 0;
    settings
}
