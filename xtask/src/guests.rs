//! The hostile guests of the tests: one crate, one `cdylib` example each, all built in one cargo call.

use anyhow::{Context, Result};

use crate::plugin::copy_if_changed;
use crate::{prerequisites, project, tool};

/// Builds them into target/guests/, and removes there what has no source any more.
pub(crate) fn build() -> Result<()> {
    prerequisites::rust_targets(&[project::PLUGIN_TARGET])?;
    let mut command = project::cargo();
    command.args(["build", "--package", "callboard-guests", "--examples"]);
    command.args(["--target", project::PLUGIN_TARGET, "--profile", "guest"]);
    let artifacts = tool::cargo_build(&mut command)?;
    let folder = project::guests();
    std::fs::create_dir_all(&folder)?;
    let mut built = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| artifact.package == "callboard-guests") {
        if let Some(component) = artifact.file("wasm") {
            let name = format!("{}.wasm", artifact.target);
            copy_if_changed(&component, &folder.join(&name))?;
            built.push(name);
        }
    }
    for entry in std::fs::read_dir(&folder).context("target/guests/ cannot be read")? {
        let entry = entry?;
        if !built.contains(&entry.file_name().to_string_lossy().into_owned()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
