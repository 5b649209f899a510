//! `cargo xtask plugin build [ID]`: the bundled plugins as components, in target/plugins/.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::progress::Progress;
use crate::{prerequisites, project, tool};

pub(crate) fn run(id: Option<&str>) -> Result<()> {
    let mut progress = Progress::new();
    let built = progress.step("Plugins", "each one a WebAssembly component", || build(id))?;
    for file in built {
        println!("{}", project::shown(&file));
    }
    Ok(())
}

/// Builds one plugin, or all of them in one cargo call, and returns the components.
pub(crate) fn build(id: Option<&str>) -> Result<Vec<PathBuf>> {
    prerequisites::rust_targets(&[project::PLUGIN_TARGET])?;
    let ids = match id {
        Some(id) => vec![id.to_owned()],
        None => ids()?,
    };
    let mut command = project::cargo();
    command.args(["build", "--lib", "--target", project::PLUGIN_TARGET, "--profile", "plugin"]);
    for id in &ids {
        if !project::root().join("plugins").join(id).join("Cargo.toml").is_file() {
            bail!("there is no plugin plugins/{id}; there are: {}", self::ids()?.join(", "));
        }
        command.args(["--package", &package(id)]);
    }
    let artifacts = tool::cargo_build(&mut command)?;
    let folder = project::plugins();
    std::fs::create_dir_all(&folder)?;
    let mut built = Vec::new();
    for id in &ids {
        let component = artifacts
            .iter()
            .filter(|artifact| artifact.package == package(id))
            .find_map(|artifact| artifact.file("wasm"))
            .with_context(|| format!("plugins/{id} built no component: its Cargo.toml needs crate-type \"cdylib\""))?;
        let to = folder.join(format!("{id}.wasm"));
        copy_if_changed(&component, &to)?;
        built.push(to);
    }
    Ok(built)
}

/// The folders of plugins/.
pub(crate) fn ids() -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(project::root().join("plugins")).context("plugins/ cannot be read")? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            ids.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

/// Copies only what differs, so that a file's time says when it last changed.
pub(crate) fn copy_if_changed(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    if std::fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    std::fs::write(to, bytes).with_context(|| format!("{} cannot be written", to.display()))
}

fn package(id: &str) -> String {
    format!("callboard-plugin-{id}")
}
