//! What `cargo xtask test` prepares before the tests and hands over by environment.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The component of a bundled plugin.
pub fn plugin(id: &str) -> Result<PathBuf> {
    component("CALLBOARD_PLUGINS", id)
}

/// The folder of the bundled plugins' components.
pub fn plugins() -> Result<PathBuf> {
    prepared("CALLBOARD_PLUGINS")
}

/// The folder of the hostile guests of Rust.
pub fn guests() -> Result<PathBuf> {
    prepared("CALLBOARD_GUESTS")
}

/// The component of a hostile guest: an example of tests/guests.
pub fn guest(name: &str) -> Result<PathBuf> {
    component("CALLBOARD_GUESTS", name)
}

/// The text of axe-core.
pub fn axe() -> Result<String> {
    let path = prepared("CALLBOARD_AXE")?;
    std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The script that starts the OIDC provider, beside the packages that it needs.
pub fn oidc() -> Result<PathBuf> {
    prepared("CALLBOARD_OIDC")
}

/// Where compiled components are kept, so that each is compiled once a run.
pub fn cache() -> Result<PathBuf> {
    prepared("CALLBOARD_CACHE")
}

/// The portal's program, for what needs it as a process of its own.
pub fn server() -> Result<PathBuf> {
    prepared("CALLBOARD_SERVER")
}

/// The folder of the clone, which holds the example organisation and bucket.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn component(variable: &str, name: &str) -> Result<PathBuf> {
    let path = prepared(variable)?.join(format!("{name}.wasm"));
    anyhow::ensure!(path.is_file(), "{} is not there: `cargo xtask test` builds it", path.display());
    Ok(path)
}

fn prepared(variable: &str) -> Result<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} is not set: run `cargo xtask test`, which prepares what the tests need"))
}
