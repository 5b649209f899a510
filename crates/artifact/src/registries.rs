//! What app-config says about registries.

use callboard_egress::Secret;
use serde::Deserialize;
use url::Url;

/// `plugins.registries`, one of them.
///
/// A registry that is asked without a name needs no entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RegistrySettings {
    /// Its host, with the port where it is not the usual one: as in `oci://<host>/…`.
    pub host: String,
    /// Who asks.
    #[serde(default)]
    pub username: Option<String>,
    /// Their password or token.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Other places that belong to the registry: the server that hands out its tokens, and the storage that it redirects
    /// to. Only there and to the registry itself the password is sent, and only there a private address may be behind the
    /// name.
    #[serde(default)]
    pub origins: Vec<Url>,
}
