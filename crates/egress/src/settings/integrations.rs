//! `integrations`: the systems that are read with credentials of their own.

use serde::{Deserialize, de::Error as _};
use url::Url;

use super::lenient;
use crate::Secret;

/// The `integrations` block of app-config, as far as this crate reads it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Integrations {
    /// S3 and services that speak its protocol. AWS itself is always among them, with the standard credential chain.
    #[serde(deserialize_with = "aws_s3")]
    pub aws_s3: Vec<AwsS3Integration>,
    /// GitHub hosts; `github.com` is one without being listed.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub github: Vec<GitHost>,
    /// GitLab hosts; `gitlab.com` is one without being listed.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub gitlab: Vec<GitHost>,
    /// Bitbucket Server hosts.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub bitbucket_server: Vec<GitHost>,
    /// Gitea hosts.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub gitea: Vec<GitHost>,
}

/// A host whose URLs point into git repositories.
#[derive(Clone, Debug, Deserialize)]
pub struct GitHost {
    /// The host, with its port where that is not the default one.
    #[serde(default)]
    pub host: String,
}

/// One S3 service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsS3Integration {
    /// The service's own URL, without a path; AWS if absent.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Option<Url>,
    /// Whether the bucket stands in the path instead of in the host.
    #[serde(deserialize_with = "lenient::boolean")]
    pub s3_force_path_style: bool,
    /// A static key's id.
    #[serde(deserialize_with = "lenient::text")]
    pub access_key_id: Option<String>,
    /// The static key.
    #[serde(deserialize_with = "lenient::secret")]
    pub secret_access_key: Option<Secret>,
    /// A role to assume.
    #[serde(deserialize_with = "lenient::text")]
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    #[serde(deserialize_with = "lenient::text")]
    pub external_id: Option<String>,
    /// The region that requests are signed for, where the URL does not say; `us-east-1` if absent.
    #[serde(deserialize_with = "lenient::text")]
    pub region: Option<String>,
}

impl AwsS3Integration {
    /// The static key, when both halves are there.
    pub(crate) fn static_key(&self) -> Option<(&str, &Secret)> {
        Some((self.access_key_id.as_deref()?, self.secret_access_key.as_ref()?))
    }
}

fn endpoint<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = lenient::text(deserializer)? else { return Ok(None) };
    let url = Url::parse(&text)
        .map_err(|error| D::Error::custom(format!("the endpoint is not a URL ({error}); write https://host[:port]")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(D::Error::custom("the endpoint must start with http:// or https://"));
    }
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(D::Error::custom("the endpoint must have no path, query or user; write https://host[:port]"));
    }
    Ok(Some(url))
}

fn aws_s3<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<AwsS3Integration>, D::Error> {
    let integrations: Vec<AwsS3Integration> = lenient::one_or_many(deserializer)
        .map_err(|error| D::Error::custom(format!("awsS3 (endpoint, accessKeyId, secretAccessKey, …): {error}")))?;
    for integration in &integrations {
        if integration.access_key_id.is_some() != integration.secret_access_key.is_some() {
            return Err(D::Error::custom(
                "awsS3 has only one of accessKeyId and secretAccessKey; give both, or neither for the standard chain",
            ));
        }
        if integration.external_id.is_some() && integration.role_arn.is_none() {
            return Err(D::Error::custom("awsS3 has an externalId without the roleArn that it is for"));
        }
    }
    Ok(integrations)
}
