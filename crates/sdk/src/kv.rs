//! What this plugin keeps between calls (`callboard:host/kv`). Nobody else's keys are reachable. A value is at most
//! 1 MiB, a key at most 512 bytes, all of a plugin's at most 64 MiB.

use crate::Error;
use crate::bindings::host::kv;

/// The value of a key; none where there is none.
///
/// # Errors
/// The right is missing, or the portal's database does not answer.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(kv::get(key)?)
}

/// Sets a key, whether or not it was there.
///
/// # Errors
/// As [`get`], and where the value or all of them together are too large.
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    Ok(kv::set(key, value)?)
}

/// Removes a key. That it was not there is no error.
///
/// # Errors
/// As [`get`].
pub fn delete(key: &str) -> Result<(), Error> {
    Ok(kv::delete(key)?)
}

/// The keys that begin with `prefix`, in order, at most 1,000, after the key `after`.
///
/// # Errors
/// As [`get`].
pub fn keys(prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
    Ok(kv::keys(prefix, after)?)
}
