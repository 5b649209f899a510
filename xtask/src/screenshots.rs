//! `cargo xtask screenshots`: a picture of each page, light and dark, 1440 by 900 and 390 by 844.

use std::path::Path;

use anyhow::Result;

use crate::progress::Progress;
use crate::{plugin, prerequisites, project, tool, web};

pub(crate) fn run(out: &Path) -> Result<()> {
    let out = project::root().join(out);
    let mut progress = Progress::new();
    progress.step("Machine", "chromium and its driver", prerequisites::browser_programs)?;
    progress.step("Web UI", "what is to be seen", web::build)?;
    progress.step("Plugins", "what contributes to it", || plugin::build(None))?;
    progress.step("Pictures", "a portal over the example organisation and bucket, page by page", || {
        let artifacts = tool::cargo_build(project::cargo().args([
            "build",
            "--workspace",
            "--bin",
            "screenshots",
            "--bin",
            "callboard",
        ]))?;
        tool::run(
            std::process::Command::new(tool::executable(&artifacts, "screenshots")?)
                .current_dir(project::root())
                .arg("--out")
                .arg(&out)
                // It compiles plugins in a process of its own.
                .env("CALLBOARD_SERVER", tool::executable(&artifacts, "callboard")?)
                .env("CALLBOARD_PLUGINS", project::plugins())
                .env("CALLBOARD_CACHE", project::target("test-cache")),
        )
    })?;
    println!("\n{}", project::shown(&out));
    Ok(())
}
