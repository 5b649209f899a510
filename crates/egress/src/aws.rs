//! Credentials for AWS and for services that speak the protocol of S3.

pub(crate) mod bucket;
mod keys;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use url::Url;

pub(crate) use self::{bucket::BucketUrl, keys::Keys};
use crate::{
    AwsAccount, AwsAccounts, AwsS3Integration, Credential, Error, Secret, Settings,
    credential::{Scope, Signing},
};
use keys::{Recipe, Sdk};

/// The region of requests to a bucket of which nobody said where it is.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// Which bucket a credential is for, and whose keys sign for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct S3Binding {
    /// The bucket.
    pub bucket: String,
    /// Its region; if absent, the one in the URL of each request, or else that of the integration, or `us-east-1`.
    pub region: Option<String>,
    /// The account of `aws.accounts` whose keys sign; those of the integration if absent.
    pub account_id: Option<String>,
    /// The endpoint of the service; that of the first entry of `integrations.awsS3` if absent, AWS if there is none.
    pub endpoint: Option<Url>,
}

/// Finds the keys that the configuration names, and keeps one session for each.
pub(crate) struct Aws {
    integrations: Vec<AwsS3Integration>,
    accounts: AwsAccounts,
    sdk: Sdk,
    /// Nobody may be asked for keys, and nothing is sent that they would sign.
    stands_in: bool,
    sessions: Mutex<HashMap<Recipe, Arc<Keys>>>,
    /// What the host asked for by bucket, for the reader to follow.
    bound: Mutex<HashMap<String, Vec<Bound>>>,
}

#[derive(Clone)]
struct Bound {
    scope: Scope,
    region: Option<String>,
    keys: Arc<Keys>,
}

impl Aws {
    pub(crate) fn new(settings: &Settings, stands_in: bool) -> Self {
        Self {
            integrations: settings.integrations.aws_s3.clone(),
            accounts: settings.aws_accounts.clone(),
            sdk: Sdk::new(settings.aws_accounts.sts_endpoint.clone()),
            stands_in,
            sessions: Mutex::default(),
            bound: Mutex::default(),
        }
    }

    /// A credential for what the binding names.
    pub(crate) async fn credential(&self, binding: S3Binding) -> Result<Credential, Error> {
        if !bucket::is_name(&binding.bucket) {
            return Err(Error::Credential(format!(
                "'{}' is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
                binding.bucket
            )));
        }
        let integration = match &binding.endpoint {
            // A provider without an endpoint of its own uses the first integration, whatever that is.
            None => self.integrations.first().cloned().unwrap_or_default(),
            endpoint => self.integration_for(endpoint.as_ref()),
        };
        let region = binding.region.or_else(|| integration.region.clone());
        let keys = match &binding.account_id {
            Some(account) => self.keys_of_account(account).await?,
            None => self.keys_of_integration(&integration, region.as_deref())?,
        };
        let endpoint = binding.endpoint.or_else(|| integration.endpoint.clone());
        let scope = scope(endpoint.as_ref(), &binding.bucket, integration.s3_force_path_style);
        let bound = Bound { scope: scope.clone(), region: region.clone(), keys: keys.clone() };
        let mut by_bucket = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        let known = by_bucket.entry(binding.bucket).or_default();
        known.retain(|other| other.scope != scope);
        known.push(bound);
        Ok(Credential::sigv4(scope, Signing::new(keys, region, DEFAULT_REGION)))
    }

    /// Whether the URL belongs to an S3 service that is configured; AWS always is.
    pub(crate) fn locate(&self, url: &Url) -> Option<BucketUrl> {
        let own = self.integrations.iter().filter_map(|integration| {
            let endpoint = integration.endpoint.as_ref().filter(|endpoint| !bucket::is_aws(endpoint))?;
            BucketUrl::on_endpoint(url, endpoint, integration.s3_force_path_style)
        });
        own.chain(BucketUrl::on_aws(url)).next()
    }

    /// The credential that the reader uses for a URL that [`locate`](Self::locate) found.
    pub(crate) fn credential_to_read(&self, at: &BucketUrl, region: Option<&str>) -> Result<Credential, Error> {
        let bound = {
            let by_bucket = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
            let known = by_bucket.get(&at.bucket).map(Vec::as_slice).unwrap_or_default();
            known.iter().find(|bound| bound.scope.covers(&at.url)).cloned()
        };
        let integration = self.integration_for(at.endpoint.as_ref());
        let configured =
            || bound.as_ref().and_then(|bound| bound.region.clone()).or_else(|| integration.region.clone());
        let region = region.map(str::to_owned).or_else(|| at.region.clone()).or_else(configured);
        let keys = match &bound {
            Some(bound) => bound.keys.clone(),
            None => self.keys_of_integration(&integration, region.as_deref())?,
        };
        let scope = match &bound {
            Some(bound) => bound.scope.clone(),
            None => scope(at.endpoint.as_ref(), &at.bucket, integration.s3_force_path_style),
        };
        Ok(Credential::sigv4(scope, Signing::new(keys, region, DEFAULT_REGION)))
    }

    /// The integration for an endpoint; for AWS the one without an endpoint of its own. A key is never used for another
    /// service than the one that it was configured for.
    fn integration_for(&self, endpoint: Option<&Url>) -> AwsS3Integration {
        let endpoint = endpoint.filter(|endpoint| !bucket::is_aws(endpoint));
        let fits = |own: Option<&Url>| match (endpoint, own.filter(|own| !bucket::is_aws(own))) {
            (None, None) => true,
            (Some(endpoint), Some(own)) => own.origin() == endpoint.origin(),
            _ => false,
        };
        self.integrations.iter().find(|one| fits(one.endpoint.as_ref())).cloned().unwrap_or_default()
    }

    fn keys_of_integration(&self, integration: &AwsS3Integration, region: Option<&str>) -> Result<Arc<Keys>, Error> {
        let base = match integration.static_key() {
            Some((id, secret)) => self.session(Recipe::Static { id: id.to_owned() }, |sdk, recipe| {
                Ok(Keys::fixed(sdk, recipe, id, secret))
            })?,
            None => self.main_keys()?,
        };
        match &integration.role_arn {
            None => Ok(base),
            Some(arn) => self.role(arn, integration.external_id.as_deref(), region, &base),
        }
    }

    /// As Backstage's credential manager chooses: the account's own entry, then the defaults, then the main account if it
    /// is the one that was asked for.
    async fn keys_of_account(&self, account_id: &str) -> Result<Arc<Keys>, Error> {
        let own = self.accounts.accounts.iter().find(|one| one.account_id.as_deref() == Some(account_id));
        if let Some(account) = own {
            return self.keys_by(account, account_id);
        }
        if let Some(defaults) = self.accounts.account_defaults.as_ref().filter(|one| one.role_name.is_some()) {
            return self.keys_by(defaults, account_id);
        }
        let main = self.main_keys()?;
        if self.stands_in || main.account_id().await? == account_id {
            return Ok(main);
        }
        Err(Error::Credential(format!(
            "no credentials are configured for the AWS account {account_id}; add `- accountId: '{account_id}'` with a \
             `roleName` (or `accessKeyId` and `secretAccessKey`, or `profile`) to `aws.accounts` in app-config.yaml"
        )))
    }

    fn keys_by(&self, account: &AwsAccount, account_id: &str) -> Result<Arc<Keys>, Error> {
        let base = match (account.static_key(), &account.profile) {
            (Some((id, secret)), _) => self.session(Recipe::Static { id: id.to_owned() }, |sdk, recipe| {
                Ok(Keys::fixed(sdk, recipe, id, secret))
            })?,
            (None, Some(profile)) => self.chain(Some(profile))?,
            (None, None) if account.role_name.is_some() => self.main_keys()?,
            (None, None) => self.chain(None)?,
        };
        let Some(role) = &account.role_name else { return Ok(base) };
        let partition = account.partition.as_deref().unwrap_or("aws");
        let arn = format!("arn:{partition}:iam::{account_id}:role/{role}");
        self.role(&arn, account.external_id.as_deref(), account.region.as_deref(), &base)
    }

    fn main_keys(&self) -> Result<Arc<Keys>, Error> {
        match &self.accounts.main_account {
            None => self.chain(None),
            Some(main) => match (main.static_key(), &main.profile) {
                (Some((id, secret)), _) => self.session(Recipe::Static { id: id.to_owned() }, |sdk, recipe| {
                    Ok(Keys::fixed(sdk, recipe, id, secret))
                }),
                (None, profile) => self.chain(profile.as_deref()),
            },
        }
    }

    fn chain(&self, profile: Option<&str>) -> Result<Arc<Keys>, Error> {
        let recipe = Recipe::Chain { profile: profile.map(str::to_owned) };
        self.session(recipe, |sdk, recipe| Ok(Keys::chain(sdk, recipe)))
    }

    fn role(
        &self,
        arn: &str,
        external_id: Option<&str>,
        region: Option<&str>,
        base: &Arc<Keys>,
    ) -> Result<Arc<Keys>, Error> {
        let recipe = Recipe::Role {
            arn: arn.to_owned(),
            external_id: external_id.map(str::to_owned),
            region: region.unwrap_or(DEFAULT_REGION).to_owned(),
            base: Box::new(base.recipe().clone()),
        };
        self.session(recipe, |sdk, recipe| Ok(Keys::role(sdk, recipe, base.clone())))
    }

    /// The session of a recipe: everyone who asks for the same one shares it.
    fn session(
        &self,
        recipe: Recipe,
        make: impl FnOnce(&Sdk, Recipe) -> Result<Keys, Error>,
    ) -> Result<Arc<Keys>, Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = sessions.get(&recipe) {
            return Ok(keys.clone());
        }
        let keys = match self.stands_in {
            true => Keys::fixed(&self.sdk, recipe.clone(), "stand-in", &Secret::new("stand-in")),
            false => make(&self.sdk, recipe.clone())?,
        };
        let keys = Arc::new(keys);
        sessions.insert(recipe, keys.clone());
        Ok(keys)
    }
}

/// Where the credential for a bucket is valid.
fn scope(endpoint: Option<&Url>, bucket: &str, force_path_style: bool) -> Scope {
    let bucket = bucket.to_owned();
    match endpoint.filter(|endpoint| !bucket::is_aws(endpoint)) {
        None => Scope::AwsBucket(bucket),
        Some(endpoint) => Scope::Bucket { endpoint: endpoint.clone(), bucket, force_path_style },
    }
}
