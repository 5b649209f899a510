//! `aws`: credentials by account, in the shape that Backstage's AWS integration reads.

use serde::{Deserialize, de::Error as _};
use url::Url;

use super::lenient;
use crate::Secret;

/// The `aws` block of app-config.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsAccounts {
    /// Where requests that name no account go, and the identity that assumes roles; the standard chain if absent.
    pub main_account: Option<AwsAccount>,
    /// For accounts that `accounts` does not list.
    pub account_defaults: Option<AwsAccount>,
    /// Accounts with settings of their own.
    #[serde(deserialize_with = "accounts")]
    pub accounts: Vec<AwsAccount>,
    /// Where the Security Token Service is, if not where AWS has it. Not a key of app-config: `AWS_ENDPOINT_URL_STS` is
    /// the operator's way to say it.
    #[serde(skip)]
    pub sts_endpoint: Option<Url>,
}

/// How to obtain credentials for one account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsAccount {
    /// The twelve digits of the account.
    #[serde(deserialize_with = "lenient::text")]
    pub account_id: Option<String>,
    /// A static key's id.
    #[serde(deserialize_with = "lenient::text")]
    pub access_key_id: Option<String>,
    /// The static key.
    #[serde(deserialize_with = "lenient::secret")]
    pub secret_access_key: Option<Secret>,
    /// The name, without path and account, of a role to assume.
    #[serde(deserialize_with = "lenient::text")]
    pub role_name: Option<String>,
    /// The external id that the role asks for.
    #[serde(deserialize_with = "lenient::text")]
    pub external_id: Option<String>,
    /// `aws` if absent; `aws-cn` and `aws-us-gov` are others.
    #[serde(deserialize_with = "lenient::text")]
    pub partition: Option<String>,
    /// The region whose token service is asked; `us-east-1` if absent.
    #[serde(deserialize_with = "lenient::text")]
    pub region: Option<String>,
    /// A profile of the AWS configuration files.
    #[serde(deserialize_with = "lenient::text")]
    pub profile: Option<String>,
}

impl AwsAccount {
    /// The static key, when both halves are there.
    pub(crate) fn static_key(&self) -> Option<(&str, &Secret)> {
        Some((self.access_key_id.as_deref()?, self.secret_access_key.as_ref()?))
    }
}

fn accounts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<AwsAccount>, D::Error> {
    let accounts: Vec<AwsAccount> = lenient::one_or_many(deserializer)?;
    for (index, account) in accounts.iter().enumerate() {
        if account.account_id.is_none() {
            return Err(D::Error::custom(format!("accounts[{index}] needs an accountId")));
        }
        if account.access_key_id.is_some() != account.secret_access_key.is_some() {
            return Err(D::Error::custom(format!(
                "accounts[{index}] has only one of accessKeyId and secretAccessKey; give both, or neither"
            )));
        }
    }
    Ok(accounts)
}
