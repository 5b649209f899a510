//! The hostile guests of the tests: one crate, one `cdylib` example each, all built in one cargo call.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::plugin::copy_if_changed;
use crate::{prerequisites, project, tool};

/// Builds them into target/guests/, and removes there what has no source any more.
pub(crate) fn build() -> Result<()> {
    build_into(&project::guests(), "guest", &["--examples"])
}

/// Builds some as plugins are shipped, which is how they are measured, and returns their folder.
pub(crate) fn build_as_shipped(names: &[&str]) -> Result<PathBuf> {
    let folder = project::target("bench").join("guests");
    let examples: Vec<&str> = names.iter().flat_map(|name| ["--example", name]).collect();
    build_into(&folder, "plugin", &examples)?;
    Ok(folder)
}

fn build_into(folder: &Path, profile: &str, examples: &[&str]) -> Result<()> {
    prerequisites::rust_targets(&[project::PLUGIN_TARGET])?;
    let mut command = project::cargo();
    command.args(["build", "--package", "callboard-guests"]).args(examples);
    command.args(["--target", project::PLUGIN_TARGET, "--profile", profile]);
    let artifacts = tool::cargo_build(&mut command)?;
    std::fs::create_dir_all(folder)?;
    let mut built = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| artifact.package == "callboard-guests") {
        if let Some(component) = artifact.file("wasm") {
            let name = format!("{}.wasm", artifact.target);
            copy_if_changed(&component, &folder.join(&name))?;
            built.push(name);
        }
    }
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if !built.contains(&entry.file_name().to_string_lossy().into_owned()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
