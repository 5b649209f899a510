//! The granted part of app-config (`callboard:host/config`).

use serde::de::DeserializeOwned;

use crate::Error;
use crate::bindings::host::config;

/// The value at a path of `rights.config` in `plugin.yaml`; none where app-config has none. Only what `configSchema`
/// describes is there, and a leaf with `x-credential` is a handle for [`http::Request::credential`].
///
/// ```no_run
/// let name: Option<String> = callboard_sdk::config::get("organization.name")?;
/// # Ok::<(), callboard_sdk::Error>(())
/// ```
///
/// [`http::Request::credential`]: crate::http::Request::credential
///
/// # Errors
/// The path is not granted, or the value is not a `T`.
pub fn get<T: DeserializeOwned>(path: &str) -> Result<Option<T>, Error> {
    match config::get(path)? {
        None => Ok(None),
        Some(json) => serde_json::from_str(&json)
            .map(Some)
            .map_err(|error| Error::Invalid(format!("`{path}` in app-config: {error}"))),
    }
}

/// Like [`get`], where there is no going on without the value.
///
/// # Errors
/// As [`get`], and where app-config has no such value.
pub fn require<T: DeserializeOwned>(path: &str) -> Result<T, Error> {
    get(path)?.ok_or_else(|| Error::Invalid(format!("app-config has no `{path}`; this plugin needs it")))
}
