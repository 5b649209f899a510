//! `cargo xtask soak`: what is too long for every change. Run it before calling something done.

use anyhow::Result;

use crate::progress::Progress;
use crate::{fuzz, guests, plugin, project, tool, web};

pub(crate) fn run(fuzz_minutes: u32) -> Result<()> {
    let mut progress = Progress::new();
    progress.step("Web UI", "the server serves it", web::build)?;
    progress.step("Plugins", "the real ones", || plugin::build(None))?;
    progress.step("Guests", "the hostile ones", guests::build)?;
    let server = progress.step("Server", "optimised, as it is shipped; ten minutes the first time", || {
        let artifacts = tool::cargo_build(project::cargo().args(["build", "--release", "--package", "callboard"]))?;
        tool::executable(&artifacts, "callboard")
    })?;
    progress.step("Soak", "a bucket of 100,000 objects, restarts, hostile plugins; about half an hour", || {
        let artifacts = tool::cargo_build(project::cargo().args(["build", "--workspace", "--bin", "soak"]))?;
        tool::run(
            std::process::Command::new(tool::executable(&artifacts, "soak")?)
                .current_dir(project::root())
                .env("CALLBOARD_SERVER", &server)
                .env("CALLBOARD_PLUGINS", project::plugins())
                .env("CALLBOARD_GUESTS", project::guests())
                .env("CALLBOARD_CACHE", project::target("test-cache")),
        )
    })?;
    if fuzz_minutes > 0 {
        progress.step("Fuzzing", "what strangers may send to the parsers", || fuzz::run(fuzz_minutes, &[]))?;
    }
    println!("\n{}", progress.table());
    Ok(())
}
