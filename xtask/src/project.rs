//! Where things are in the clone, and how cargo is called for it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The target that plugins and guests are built for.
pub(crate) const PLUGIN_TARGET: &str = "wasm32-wasip2";
/// The target that the web UI is built for.
pub(crate) const WEB_TARGET: &str = "wasm32-unknown-unknown";

/// The folder that the workspace is in.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A path inside the target folder.
pub(crate) fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}

/// The folder of the web UI, which the server reads in debug and embeds in release.
pub(crate) fn web() -> PathBuf {
    target("web")
}

/// The folder of the bundled plugins' components.
pub(crate) fn plugins() -> PathBuf {
    target("plugins")
}

/// The folder of the hostile guests' components.
pub(crate) fn guests() -> PathBuf {
    target("guests")
}

/// A cargo call in the workspace.
///
/// The cargo that runs us is asked for at run time: the path that was known at build time would be the toolchain's own
/// binary, outside rustup, and the next compiler call would choose its toolchain by whatever file is nearest.
/// The target folder is fixed because the server looks for the web UI in it.
/// What cargo told us about our own package is kept from it: build scripts (ring's, for one) run again when those
/// variables change, and then everything above them is compiled again, each time somebody goes from `cargo xtask` to
/// `cargo test` and back.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", root().join("target"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_us) {
            command.env_remove(name);
        }
    }
    // What an incremental build keeps is a third of the target folder, and a machine that builds once never looks at it.
    if is_set("CI") && !is_set("CARGO_INCREMENTAL") {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Whether `cargo run` sets the variable for the program that it runs.
fn is_about_us(variable: &str) -> bool {
    const EXACTLY: &[&str] = &[
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "OUT_DIR",
        "LD_LIBRARY_PATH",
    ];
    variable.starts_with("CARGO_PKG_") || EXACTLY.contains(&variable)
}

/// A path as a person in the clone would write it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_us_is_told_from_what_is_about_the_machine() {
        for (variable, ours) in [
            ("CARGO_PKG_NAME", true),
            ("CARGO_MANIFEST_DIR", true),
            ("CARGO", false),
            ("CARGO_HOME", false),
            ("CARGO_BUILD_JOBS", false),
            ("RUSTUP_TOOLCHAIN", false),
        ] {
            assert_eq!(is_about_us(variable), ours, "{variable}");
        }
    }
}
