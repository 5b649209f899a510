//! `cargo xtask test`: every check and every test of the project.

use anyhow::{Context, Result};

use crate::progress::Progress;
use crate::{axe, guests, oidc, plugin, postgres, prerequisites, project, tidy, tool, web};

pub(crate) fn run(filters: &[String]) -> Result<()> {
    let mut progress = Progress::new();
    let result = steps(&mut progress, filters);
    println!("\n{}", progress.table());
    result
}

fn steps(progress: &mut Progress, filters: &[String]) -> Result<()> {
    progress.step("Machine", "compiler targets; PostgreSQL, chromium, Node.js and npm for the tests", || {
        prerequisites::rust_targets(&[project::PLUGIN_TARGET, project::WEB_TARGET])?;
        prerequisites::test_programs()
    })?;
    if filters.is_empty() {
        progress.step("Format", "cargo fmt", || tool::run(project::cargo().args(["fmt", "--all", "--check"])))?;
        progress.step("Tidy", "the rules that no compiler checks", tidy::run)?;
    }
    // Before clippy: the server embeds what the web step makes.
    progress.step("Web UI", "the browser tests drive it", web::build)?;
    progress.step("Plugins", "the portal tests load the real ones", || plugin::build(None))?;
    progress.step("Guests", "plugins that try what a plugin must not be able to do", guests::build)?;
    let axe = progress.step("axe-core", "checks each page's accessibility", axe::fetch)?;
    let oidc = progress.step("OIDC provider", "the sign-in tests sign in with it", oidc::fetch)?;
    if filters.is_empty() {
        progress.step("Lints", "clippy for the server side", || clippy(&["--workspace", "--all-targets"]))?;
        progress.step("Lints of the web UI", "clippy for the browser", || {
            clippy(&["--package", "callboard-frontend", "--target", project::WEB_TARGET])
        })?;
        progress.step("Lints of the plugins", "clippy for the sandbox", || {
            let mut arguments = vec!["--target", project::PLUGIN_TARGET, "--package", "callboard-guests", "--examples"];
            let plugins = plugin::ids()?.iter().map(|id| format!("callboard-plugin-{id}")).collect::<Vec<_>>();
            arguments.extend(plugins.iter().flat_map(|plugin| ["--package", plugin]));
            clippy(&arguments)
        })?;
    }
    let server = progress.step("Build", "the tests, and the server that some of them start as a process", || {
        let mut command = project::cargo();
        match filters {
            [] => command.args(["test", "--no-run", "--workspace"]),
            _ => command.arg("build").args(PORTAL).args(["--bin", "callboard"]),
        };
        let artifacts = tool::cargo_build(&mut command)?;
        tool::executable(&artifacts, "callboard")
    })?;
    let database = progress.step("PostgreSQL", "a private server, for as long as the tests run", database)?;
    progress.step("Tests", "everything that a test can prove; some minutes", || {
        let mut command = project::cargo();
        command.args(["test", "--no-fail-fast"]);
        match filters {
            [] => command.arg("--workspace"),
            filters => command.args(PORTAL).arg("--").args(filters),
        };
        if let Some(database) = &database {
            database.tell(&mut command);
        }
        tool::run(
            command
                .env("CALLBOARD_PLUGINS", project::plugins())
                .env("CALLBOARD_GUESTS", project::guests())
                .env("CALLBOARD_SERVER", &server)
                .env("CALLBOARD_AXE", &axe)
                .env("CALLBOARD_OIDC", &oidc)
                .env("CALLBOARD_CACHE", project::target("test-cache")),
        )
    })
}

/// The tests of the whole portal. The workspace is named because with fewer packages cargo selects fewer features of
/// what they depend on, and compiles all of that a second time.
const PORTAL: [&str; 3] = ["--workspace", "--test", "portal"];

/// A server for the tests; none where somebody named one, which cargo then inherits.
fn database() -> Result<Option<postgres::Server>> {
    match std::env::var_os(postgres::VARIABLE) {
        Some(_) => Ok(None),
        None => postgres::Server::start(postgres::FOR_TESTS).map(Some),
    }
}

fn clippy(arguments: &[&str]) -> Result<()> {
    tool::run(project::cargo().arg("clippy").args(arguments).args(["--", "--deny", "warnings"]))
        .context("clippy, which is part of the pinned toolchain (rust-toolchain.toml), has something to say")
}
