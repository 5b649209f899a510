//! What must not compile: a route that does not say which permission it needs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn a_route_needs_a_permission() {
    let good = compile("with_permission.rs");
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let bad = compile("without_permission.rs");
    let message = String::from_utf8_lossy(&bad.stderr);
    assert!(!bad.status.success(), "a route without a permission compiles");
    // An argument is missing, and not anything else wrong.
    assert!(message.contains("error[E0061]") && message.contains("Routes::add"), "{message}");
}

/// Compiles a file against this crate, as cargo has just built it.
fn compile(case: &str) -> Output {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let out = tempfile::tempdir().unwrap();
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
        .arg("--out-dir")
        .arg(out.path())
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("--extern")
        .arg(format!("callboard={}", library(&deps).display()))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile").join(case))
        .output()
        .expect("rustc")
}

/// The newest build of this crate's library: cargo has made it for this test.
fn library(deps: &Path) -> PathBuf {
    let built = std::fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libcallboard-") && name.ends_with(".rlib")
    });
    let newest = built.max_by_key(|path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap());
    newest.expect("a build of this crate")
}
