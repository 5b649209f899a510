//! What the operator configures, in app-config's shape.

pub mod aws;
pub mod host_pattern;
pub mod integrations;
pub mod reading;

mod lenient;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::{
    aws::{AwsAccount, AwsAccounts},
    host_pattern::HostPattern,
    integrations::{AwsS3Integration, Integrations},
    reading::ReadingRule,
};
use crate::Limits;

/// Everything that [`Egress`](crate::Egress) needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `backend.reading.allow`: what may be read besides the integrations.
    pub reading: Vec<ReadingRule>,
    /// `integrations`: the systems that are read with credentials of their own.
    pub integrations: Integrations,
    /// `aws`: credentials by account.
    pub aws_accounts: AwsAccounts,
    /// The limits of requests.
    pub limits: Limits,
    /// The `User-Agent` of every request that does not set one.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reading: Vec::new(),
            integrations: Integrations::default(),
            aws_accounts: AwsAccounts::default(),
            limits: Limits::default(),
            user_agent: concat!("callboard/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Settings {
    /// Reads the values found at `backend.reading`, `integrations` and `aws` of app-config; null where absent.
    ///
    /// Keys that this crate does not know are left alone: to judge them is the configuration's own check.
    pub fn from_values(reading: &Value, integrations: &Value, aws: &Value) -> Result<Self, SettingsError> {
        #[derive(Default, serde::Deserialize)]
        struct Reading {
            #[serde(default)]
            allow: Option<Vec<ReadingRule>>,
        }
        let reading: Option<Reading> = read("backend.reading", reading)?;
        Ok(Self {
            reading: reading.and_then(|reading| reading.allow).unwrap_or_default(),
            integrations: read("integrations", integrations)?.unwrap_or_default(),
            aws_accounts: read("aws", aws)?.unwrap_or_default(),
            ..Self::default()
        })
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SettingsError {
    /// Where it stands in app-config.
    pub path: String,
    /// What is wrong and what is expected.
    pub message: String,
}

fn read<T: DeserializeOwned>(path: &str, value: &Value) -> Result<Option<T>, SettingsError> {
    // From the reference, and without the value in the message: serde quotes what it found, which may be a secret.
    Option::<T>::deserialize(value)
        .map_err(|error| SettingsError { path: path.to_owned(), message: lenient::without_values(&error.to_string()) })
}

use serde::Deserialize;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn app_config_shapes() {
        let settings = Settings::from_values(
            &json!({"allow": [{"host": "example.com"}, {"host": "*.example.org", "paths": ["/a"]}]}),
            &json!({"awsS3": {"endpoint": "http://localhost:9000", "accessKeyId": "id", "secretAccessKey": "top",
                    "s3ForcePathStyle": "true"},
                    "github": [{"host": "ghe.example.com", "token": "x"}]}),
            &json!({"mainAccount": {"profile": "ops"}, "accountDefaults": {"roleName": "read"},
                    "accounts": [{"accountId": 123456789012u64, "roleName": "x", "externalId": "y"}]}),
        )
        .unwrap();
        assert_eq!(settings.reading.len(), 2);
        assert_eq!(settings.integrations.aws_s3.len(), 1);
        assert!(settings.integrations.aws_s3[0].s3_force_path_style);
        assert_eq!(settings.aws_accounts.accounts[0].account_id.as_deref(), Some("123456789012"));
        assert!(!format!("{settings:?}").contains("top"));
        assert!(Settings::from_values(&Value::Null, &Value::Null, &Value::Null).is_ok());
        assert_eq!(
            Settings::from_values(&json!({"allow": null}), &json!({"awsS3": []}), &Value::Null).unwrap().reading.len(),
            0
        );
    }

    #[test]
    fn mistakes_are_named_without_their_values() {
        let check = |reading: Value, integrations: Value, aws: Value, path: &str, part: &str| {
            let error = Settings::from_values(&reading, &integrations, &aws).unwrap_err();
            assert_eq!(error.path, path);
            assert!(error.message.contains(part), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        };
        let null = || Value::Null;
        check(json!({"allow": [{"host": "https://x"}]}), null(), null(), "backend.reading", "without a scheme");
        check(json!({"allow": [{"paths": []}]}), null(), null(), "backend.reading", "host");
        check(null(), json!({"awsS3": [{"secretAccessKey": ["hunter2"]}]}), null(), "integrations", "secretAccessKey");
        check(null(), json!({"awsS3": {"endpoint": "nonsense"}}), null(), "integrations", "not a URL");
        check(null(), json!({"awsS3": {"endpoint": "http://x/base"}}), null(), "integrations", "path");
        check(null(), json!({"awsS3": {"accessKeyId": "a"}}), null(), "integrations", "secretAccessKey");
        check(null(), null(), json!({"accounts": [{"roleName": "x"}]}), "aws", "accountId");
    }
}
