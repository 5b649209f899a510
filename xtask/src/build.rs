//! `cargo xtask build`: a folder that runs on another machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::plugin::copy_if_changed;
use crate::progress::Progress;
use crate::{plugin, project, tool, web};

pub(crate) fn run(out: &Path) -> Result<()> {
    let out = project::root().join(out);
    let mut progress = Progress::new();
    progress.step("Web UI", "goes into the binary", web::build)?;
    let plugins = progress.step("Plugins", "each one a WebAssembly component", || plugin::build(None))?;
    let server = progress.step("Server", "optimised, with the web UI inside; ten minutes the first time", || {
        let artifacts = tool::cargo_build(project::cargo().args(["build", "--release", "--package", "callboard"]))?;
        tool::executable(&artifacts, "callboard")
    })?;

    fs::create_dir_all(out.join("plugins"))?;
    copy(&server, &out.join("callboard"))?;
    for plugin in &plugins {
        copy_if_changed(plugin, &out.join("plugins").join(plugin.file_name().context("a plugin's file has a name")?))?;
    }
    copy(&project::root().join("LICENSE"), &out.join("LICENSE"))?;
    println!("\n{} after {}: `callboard serve --config app-config.yaml`", project::shown(&out), progress.elapsed());
    println!("{}", progress.table());
    Ok(())
}

/// The server and a program that measures it, both optimised. One build for every such program, or cargo would build what
/// they stand on anew for each.
pub(crate) fn measured(program: &str) -> Result<(PathBuf, PathBuf)> {
    let mut command = project::cargo();
    command.args(["build", "--release", "--package", "callboard", "--package", "callboard-tests"]);
    let artifacts = tool::cargo_build(command.args(["--bin", "callboard", "--bin", program]))?;
    Ok((tool::executable(&artifacts, "callboard")?, tool::executable(&artifacts, program)?))
}

/// With its permissions, so that a program stays one.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}
