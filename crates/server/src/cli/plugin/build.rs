//! Builds the plugin of a folder, with cargo and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cli::Failure;

/// What plugins are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// A line of cargo's, as far as it says what was made.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds the crate of a folder as a component with a profile of cargo's, and answers where the file is. What cargo says
/// goes to the terminal.
pub(super) fn build(folder: &Path, profile: &str) -> Result<PathBuf, Failure> {
    let fail = |message: String| Failure::File { file: folder.display().to_string(), message };
    let manifest = folder.join("Cargo.toml").canonicalize().map_err(|error| {
        fail(format!("Cargo.toml: {error}; name the folder of a plugin, or a built one with --component FILE"))
    })?;
    // The cargo that runs us, where one does, knows which toolchain it is of.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(&cargo)
        .args(["build", "--lib", "--target", TARGET, "--profile", profile])
        .args(["--message-format=json-render-diagnostics", "--manifest-path"])
        .arg(&manifest)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| fail(format!("{} did not start: {error}", cargo.display())))?;
    if !built.status.success() {
        return Err(fail(format!("cargo could not build it; where {TARGET} is missing: rustup target add {TARGET}")));
    }
    let messages = built.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let own = messages.filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest);
    let is_component = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "wasm");
    let component = own.flat_map(|message| message.filenames).find(is_component);
    component
        .ok_or_else(|| fail("it built no component: its Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`".to_owned()))
}
