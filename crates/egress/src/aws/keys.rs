//! Keys: where they come from, and how long they are kept.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, sts::AssumeRoleProvider};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use super::DEFAULT_REGION;
use crate::{Error, Secret};

/// A session is renewed this long before it ends, so that no request is signed with keys that end on its way.
const EARLY: Duration = Duration::from_secs(300);

/// Keys without an end are asked for again after this time: a profile file may have been changed.
const RECHECK: Duration = Duration::from_secs(900);

/// The name of assumed sessions, as it stands in the audit log of the account.
const SESSION_NAME: &str = "callboard";

/// Where keys come from; equal recipes share one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Recipe {
    /// A key in the configuration.
    Static { id: String },
    /// The standard chain: environment, profile files, web identity, container, instance; or one profile of the files.
    Chain { profile: Option<String> },
    /// A role that other keys may assume.
    Role { arn: String, external_id: Option<String>, region: String, base: Box<Recipe> },
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Static { .. } => f.write_str("the access key in app-config"),
            Self::Chain { profile: None } => f.write_str("the standard credential chain"),
            Self::Chain { profile: Some(profile) } => write!(f, "the profile '{profile}' of the AWS files"),
            Self::Role { arn, base, .. } => write!(f, "the role {arn}, assumed with {base}"),
        }
    }
}

/// What the AWS libraries are called with.
///
/// Their own requests, to the token service and to the metadata of the machine, are not subject to the address rule:
/// nothing that a plugin or the catalog says can change where they go.
#[derive(Clone, Debug)]
pub(crate) struct Sdk {
    http: SharedHttpClient,
    sts: Option<Url>,
}

impl Sdk {
    pub(crate) fn new(sts: Option<Url>) -> Self {
        Self { http: Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(), sts }
    }

    fn loader(&self, region: &str) -> aws_config::ConfigLoader {
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .region(Region::new(region.to_owned()))
    }

    /// The configuration with which the token service is called.
    async fn for_sts(&self, region: &str, provider: impl ProvideCredentials + 'static) -> SdkConfig {
        let loader = self.loader(region).credentials_provider(provider);
        match &self.sts {
            Some(endpoint) => loader.endpoint_url(endpoint.as_str()).load().await,
            None => loader.load().await,
        }
    }
}

/// Keys from one source, kept while they are good.
pub(crate) struct Keys {
    sdk: Sdk,
    recipe: Recipe,
    source: Source,
    session: Mutex<Option<Session>>,
    account: OnceCell<String>,
}

enum Source {
    Fixed(Credentials),
    Chain(OnceCell<SharedCredentialsProvider>),
    Role { base: Arc<Keys>, provider: Box<OnceCell<AssumeRoleProvider>> },
}

struct Session {
    credentials: Credentials,
    renew_at: SystemTime,
}

impl Keys {
    pub(crate) fn fixed(sdk: &Sdk, recipe: Recipe, id: &str, secret: &Secret) -> Self {
        let credentials = Credentials::new(id, secret.expose(), None, None, "app-config");
        Self::new(sdk, recipe, Source::Fixed(credentials))
    }

    pub(crate) fn chain(sdk: &Sdk, recipe: Recipe) -> Self {
        Self::new(sdk, recipe, Source::Chain(OnceCell::new()))
    }

    pub(crate) fn role(sdk: &Sdk, recipe: Recipe, base: Arc<Keys>) -> Self {
        Self::new(sdk, recipe, Source::Role { base, provider: Box::default() })
    }

    fn new(sdk: &Sdk, recipe: Recipe, source: Source) -> Self {
        Self { sdk: sdk.clone(), recipe, source, session: Mutex::new(None), account: OnceCell::new() }
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Keys that are good now. Whoever comes while they are renewed waits for the same renewal.
    pub(crate) async fn current(&self) -> Result<Credentials, Error> {
        self.current_at(SystemTime::now()).await
    }

    async fn current_at(&self, now: SystemTime) -> Result<Credentials, Error> {
        if let Source::Fixed(credentials) = &self.source {
            return Ok(credentials.clone());
        }
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| now < session.renew_at) {
            return Ok(session.credentials.clone());
        }
        match self.obtain().await {
            Ok(credentials) => {
                let renew_at = renew_at(now, credentials.expiry());
                *session = Some(Session { credentials: credentials.clone(), renew_at });
                Ok(credentials)
            }
            Err(error) => match session.as_mut() {
                Some(old) if old.credentials.expiry().is_some_and(|end| now < end) => {
                    tracing::warn!(source = %self.recipe, error = %chain(&error), "AWS keys could not be renewed yet");
                    Ok(old.credentials.clone())
                }
                _ => Err(self.explain(&error)),
            },
        }
    }

    async fn obtain(&self) -> Result<Credentials, CredentialsError> {
        match &self.source {
            Source::Fixed(credentials) => Ok(credentials.clone()),
            Source::Chain(provider) => {
                let provider = provider.get_or_try_init(|| self.prepare_chain()).await?;
                provider.provide_credentials().await
            }
            Source::Role { base, provider } => {
                let provider = provider.get_or_init(|| self.prepare_role(base)).await;
                provider.provide_credentials().await
            }
        }
    }

    async fn prepare_chain(&self) -> Result<SharedCredentialsProvider, CredentialsError> {
        let mut loader = self.sdk.loader(DEFAULT_REGION);
        if let Recipe::Chain { profile: Some(profile) } = &self.recipe {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        config.credentials_provider().ok_or_else(|| CredentialsError::not_loaded("there is no credential chain"))
    }

    async fn prepare_role(&self, base: &Arc<Keys>) -> AssumeRoleProvider {
        let (arn, external_id, region) = match &self.recipe {
            Recipe::Role { arn, external_id, region, .. } => (arn.as_str(), external_id.clone(), region.as_str()),
            _ => ("", None, DEFAULT_REGION),
        };
        let config = self.sdk.for_sts(region, Base(base.clone())).await;
        let mut role = AssumeRoleProvider::builder(arn).session_name(SESSION_NAME).configure(&config);
        if let Some(id) = external_id {
            role = role.external_id(id);
        }
        role.build_from_provider(Base(base.clone())).await
    }

    /// The account that the keys belong to, as the token service says.
    pub(crate) async fn account_id(&self) -> Result<String, Error> {
        self.account
            .get_or_try_init(|| async {
                let provider = SharedCredentialsProvider::new(Given(self.current().await?));
                let config = self.sdk.for_sts(DEFAULT_REGION, provider).await;
                let client = aws_sdk_sts::Client::new(&config);
                let identity = client.get_caller_identity().send().await.map_err(|error| {
                    Error::Credential(format!(
                        "the account of {} could not be found out: {}",
                        self.recipe,
                        chain(&error)
                    ))
                })?;
                identity.account.ok_or_else(|| {
                    Error::Credential(format!("the token service does not say which account {} is of", self.recipe))
                })
            })
            .await
            .cloned()
    }

    fn explain(&self, error: &CredentialsError) -> Error {
        let source = &self.recipe;
        let nothing_found = matches!(error, CredentialsError::CredentialsNotLoaded(_));
        Error::Credential(match (&self.source, nothing_found) {
            (Source::Chain(_), true) => format!(
                "{source} holds no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount a profile or a \
                 role, or set `accessKeyId` and `secretAccessKey` under `integrations.awsS3` in app-config.yaml ({})",
                chain(error)
            ),
            _ => format!("no AWS credentials from {source}: {}", chain(error)),
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.recipe)
    }
}

/// When to ask again: well before the end, but not at once where a session is short from the start.
fn renew_at(now: SystemTime, end: Option<SystemTime>) -> SystemTime {
    match end.and_then(|end| end.duration_since(now).ok()) {
        Some(left) if left > EARLY * 2 => now + (left - EARLY).min(RECHECK * 4),
        Some(left) => now + left / 2,
        None if end.is_some() => now,
        None => now + RECHECK,
    }
}

/// The keys that a role is assumed with.
#[derive(Debug)]
struct Base(Arc<Keys>);

impl ProvideCredentials for Base {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        // Boxed by the future type, which also ends the recursion between a role and the role that it is assumed with.
        future::ProvideCredentials::new(async { self.0.current().await.map_err(CredentialsError::provider_error) })
    }
}

/// Keys that are at hand.
#[derive(Debug)]
struct Given(Credentials);

impl ProvideCredentials for Given {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(self.0.clone()))
    }
}

/// The whole chain of an error of the SDK, whose outer messages say little.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let check = |left: Option<i64>, expected: u64| {
            let end = left.map(|left| match u64::try_from(left) {
                Ok(left) => now + Duration::from_secs(left),
                Err(_) => now - Duration::from_secs(left.unsigned_abs()),
            });
            assert_eq!(renew_at(now, end), now + Duration::from_secs(expected), "{left:?}");
        };
        check(Some(3600), 3300);
        check(Some(601), 301);
        check(Some(600), 300);
        check(Some(60), 30);
        check(Some(-5), 0);
        check(Some(12 * 3600), 3600);
        check(None, 900);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let sdk = Sdk::new(None);
        let recipe = Recipe::Static { id: "AKIDEXAMPLE".to_owned() };
        let keys = Keys::fixed(&sdk, recipe, "AKIDEXAMPLE", &Secret::new("hunter2"));
        assert!(!format!("{keys:?}").contains("hunter2"));
        assert!(!format!("{keys:?}").contains("AKID"));
    }
}
