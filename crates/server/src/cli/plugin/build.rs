//! Building the plugin of a folder, with the author's own cargo.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::cli::Failure;

/// What plugins are built for.
const TARGET: &str = "wasm32-wasip2";

/// Builds the plugin of a folder with one of its profiles, such as `release`, and returns its component. What cargo has to say goes to standard error as it is;
/// with `quiet` that is warnings and errors alone.
pub(super) async fn build(folder: &Path, profile: &str, quiet: bool) -> Result<PathBuf, Failure> {
    let fail = |message: String| Failure::File { file: folder.display().to_string(), message };
    let manifest = folder.join("Cargo.toml").canonicalize().map_err(|_| {
        fail("there is no Cargo.toml here, so no plugin to build; `callboard plugin new NAME` makes one".to_owned())
    })?;
    let mut cargo = Command::new(cargo());
    cargo.current_dir(folder).args(["build", "--lib", "--target", TARGET, "--profile", profile]);
    cargo.arg("--message-format=json-render-diagnostics");
    if quiet {
        cargo.arg("--quiet");
    }
    let built = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let built = built.map_err(|error| {
        fail(format!("cargo did not start: {error}. Plugins are built with Rust, which https://rustup.rs installs"))
    })?;
    let built = built.wait_with_output().await?;
    if !built.status.success() {
        let reason = match has_target(folder).await {
            false => format!("the compiler cannot build for {TARGET}. Add that with `rustup target add {TARGET}`"),
            true => "it does not build; cargo says above what is wrong".to_owned(),
        };
        return Err(fail(reason));
    }
    component(&built.stdout, &manifest).ok_or_else(|| {
        fail(
            "it builds no component. Its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`"
                .to_owned(),
        )
    })
}

/// The one that runs us, where one does.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The component among what cargo says it made for the package with this manifest.
fn component(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().map_while(Result::ok);
    let made = messages.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let ours = made.filter(|message| {
        message.get("reason").is_some_and(|reason| reason == "compiler-artifact")
            && message.get("manifest_path").and_then(Value::as_str).map(Path::new) == Some(manifest)
    });
    let files = ours.filter_map(|message| message.get("filenames")?.as_array().cloned()).flatten();
    files
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|it| it == "wasm"))
}

/// Whether the compiler that builds this folder has what the target needs; yes where that cannot be told.
async fn has_target(folder: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]).stderr(Stdio::null());
    match rustc.output().await {
        Ok(output) if output.status.success() => Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_among_what_cargo_made() {
        let line = |manifest: &str, file: &str| serde_json::json!({ "reason": "compiler-artifact", "manifest_path": manifest, "filenames": ["/t/a.rlib", file] });
        let messages = format!(
            "{}\n{}\n{}\n",
            line("/sdk/Cargo.toml", "/t/sdk.wasm"),
            line("/notes/Cargo.toml", "/t/notes.wasm"),
            serde_json::json!({ "reason": "build-finished", "success": true })
        );
        let found = |manifest: &str| component(messages.as_bytes(), Path::new(manifest));
        assert_eq!(found("/notes/Cargo.toml"), Some(PathBuf::from("/t/notes.wasm")));
        assert_eq!(found("/other/Cargo.toml"), None);
    }
}
