//! `cargo xtask soak`: what is too long for every change. Run it before calling something done.

use anyhow::Result;

use crate::progress::Progress;
use crate::{build, fuzz, guests, plugin, project, tool, web};

pub(crate) fn run(fuzz_minutes: u32, only: Option<&str>) -> Result<()> {
    let mut progress = Progress::new();
    progress.step("Web UI", "the server serves it", web::build)?;
    progress.step("Plugins", "the real ones", || plugin::build(None))?;
    progress.step("Guests", "the hostile ones", guests::build)?;
    let (server, soak) =
        progress.step("Programs", "optimised, as they are shipped; ten minutes the first time", || {
            build::measured("soak")
        })?;
    progress.step("Soak", "a bucket of 100,000 objects, restarts, upgrades, hostile plugins; about an hour", || {
        tool::run(
            std::process::Command::new(soak)
                .args(only)
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
