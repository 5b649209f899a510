//! Credentials that a plugin may use and never sees.

use callboard_egress::{Credential, Egress, S3Binding, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::guest_config::{at, texts_at};

/// What a schema's `x-credential` says: which kind of credential the leaf is, and where it is valid.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Marker {
    /// The leaf is a token.
    Bearer { origin: String },
    /// The leaf is an object with `username` and `password`.
    Basic { origin: String },
    /// The leaf is the value of a header of that name.
    Header { origin: String, header: String },
    /// There is no leaf: the object around it names a bucket, and the credential chain has the key.
    Sigv4 { service: Service },
    /// The leaf is what senders of a webhook sign with. A plugin could do nothing with a handle to it, and gets none.
    Webhook {},
}

/// The services that requests are signed for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    S3,
}

/// A credential, bound to where it is valid.
#[derive(Debug)]
pub(crate) enum Binding {
    /// Made from a leaf of app-config.
    Fixed(Credential),
    /// Made when it is used: the credential chain may have to ask, and its answers expire.
    Bucket(S3Binding),
}

impl Marker {
    pub(crate) fn read(marker: &Value) -> Result<Marker, String> {
        Marker::deserialize(marker).map_err(|error| {
            format!(
                "`x-credential` must be {{ kind: bearer | basic, origin }}, {{ kind: header, header, origin }}, \
                 {{ kind: sigv4, service: s3 }} or {{ kind: webhook }}: {error}"
            )
        })
    }

    /// Takes the secret out of app-config and binds it to its origin.
    pub(crate) fn bind(&self, path: &str, leaf: &Value, config: &Value) -> Result<Option<Binding>, String> {
        let text = |value: Option<&Value>, what: &str| -> Result<Secret, String> {
            let text = value.and_then(Value::as_str).ok_or_else(|| format!("{path} in app-config must be {what}"))?;
            Ok(Secret::new(text))
        };
        let credential = match self {
            Marker::Sigv4 { service: Service::S3 } | Marker::Webhook {} => return Ok(None),
            Marker::Bearer { origin } => {
                Credential::bearer(&self::origin(path, origin, config)?, &text(Some(leaf), "a text")?)
            }
            Marker::Basic { origin } => {
                let what = "an object with username and password";
                let user = leaf.get("username").and_then(Value::as_str);
                let user = user.ok_or_else(|| format!("{path} in app-config must be {what}"))?;
                Credential::basic(&self::origin(path, origin, config)?, user, &text(leaf.get("password"), what)?)
            }
            Marker::Header { origin, header } => {
                let name = header.parse().map_err(|_| format!("{path}: `{header}` is no name of a header"))?;
                Credential::header(&self::origin(path, origin, config)?, name, &text(Some(leaf), "a text")?)
            }
        };
        credential.map(Binding::Fixed).map(Some).map_err(|error| format!("{path} in app-config: {error}"))
    }
}

impl Binding {
    /// The credential for a bucket, from the object of app-config that names it.
    pub(crate) fn of_bucket(object: &Map<String, Value>, config: &Value) -> Result<Option<Binding>, String> {
        let text = |name: &str| match object.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let Some(bucket) = text("bucketName") else { return Ok(None) };
        Ok(Some(Binding::Bucket(S3Binding {
            bucket,
            region: text("region"),
            account_id: text("accountId"),
            endpoint: first_endpoint(config)?,
        })))
    }

    /// The credential itself, which only egress can open.
    pub(crate) async fn credential(&self, egress: &Egress) -> Result<Credential, callboard_egress::Error> {
        match self {
            Binding::Fixed(credential) => Ok(credential.clone()),
            Binding::Bucket(binding) => egress.sigv4_credential(binding.clone()).await,
        }
    }
}

/// The first entry of `integrations.awsS3` counts for discovery, whatever the others are.
fn first_endpoint(config: &Value) -> Result<Option<Url>, String> {
    let Some(integrations) = at(config, "integrations.awsS3") else { return Ok(None) };
    let first = integrations.as_array().map_or(Some(integrations), |list| list.first());
    let endpoint = first.and_then(|first| first.get("endpoint")).and_then(Value::as_str);
    let parsed = endpoint.map(str::parse).transpose();
    parsed.map_err(|error| format!("integrations.awsS3.endpoint in app-config is no URL: {error}"))
}

/// A literal origin, or `config:` and the path of one.
fn origin(path: &str, origin: &str, config: &Value) -> Result<Url, String> {
    let text = match origin.strip_prefix("config:") {
        None => origin.to_owned(),
        Some(place) => texts_at(config, place).into_iter().next().ok_or_else(|| {
            format!("{path} in app-config is a credential for {place}, which app-config does not have")
        })?,
    };
    // Without what app-config has there: a value in the wrong place may be a secret.
    text.parse().map_err(|error| format!("{path} in app-config is a credential for {origin}, which is no URL: {error}"))
}
