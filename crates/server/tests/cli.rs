//! The binary as it is used: arguments, answers, exit codes.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "the helpers of a test stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn callboard(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
    command.args(arguments).current_dir(root()).env_remove("BACKSTAGE_ENV");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The exit code is the expected one and the answer holds every part, in this order.
fn check(output: &Output, success: bool, parts: &[&str]) {
    let answer = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.success(), success, "{answer}");
    let mut rest = answer.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} (in this place) in:\n{answer}"));
        rest = &rest[at + part.len()..];
    }
}

fn validate(files: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("a file");
    }
    let named = files.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".yaml"));
    let arguments: Vec<&str> = ["entity", "validate"].into_iter().chain(named).collect();
    callboard(&arguments).current_dir(dir.path()).output().expect("an answer")
}

#[test]
fn the_examples_are_valid() {
    let mut files = Vec::new();
    for folder in ["examples/org", "examples/org/shipping", "examples/bucket", "examples/bucket/partners"] {
        for entry in std::fs::read_dir(root().join(folder)).expect(folder) {
            let path = entry.expect("an entry").path();
            if path.is_file() && path.extension().is_none_or(|extension| extension == "yaml") {
                files.push(path.display().to_string());
            }
        }
    }
    let arguments: Vec<&str> = ["entity", "validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    check(&callboard(&arguments).output().expect("an answer"), true, &["45 entities in 9 files: all valid"]);
}

#[test]
fn what_is_wrong_with_a_descriptor_file() {
    let component = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: a\n";
    check(
        &validate(&[(
            "a.yaml",
            &format!("{component}spec:\n  type: service\n  lifecycle: production\n  owner: team-a\n"),
        )]),
        true,
        &["1 entity in 1 file: all valid"],
    );
    check(
        &validate(&[
            (
                "a.yaml",
                &format!(
                    "{component}spec: {{type: service, lifecycle: production, owner: x}}\n---\n{component}  tags:\n    - Not Good\nspec: {{type: service, lifecycle: production, owner: x}}\n"
                ),
            ),
            ("b.yaml", &format!("{component}spec:\n  type: service\n  owner: x\n")),
        ]),
        false,
        &[
            "a.yaml:",
            "document 2: component:default/a: \"tags.0\" is not valid",
            "expected a string that is sequences of",
            "found    \"Not Good\"",
            "b.yaml:",
            "document 1: component:default/a: /spec must have required property 'lifecycle'",
            "field    /spec",
            "3 entities in 2 files: 2 problems",
        ],
    );
    check(
        &validate(&[(
            "a.yaml",
            &format!("{component}spec: {{type: a, lifecycle: b, owner: c, dependsOn: [no-kind]}}\n"),
        )]),
        false,
        &["a.yaml:", "no-kind", "1 entity in 1 file: 1 problem"],
    );
    check(
        &validate(&[("a.yaml", "kind: Component\n")]),
        false,
        &["a.yaml:1: document 1: Malformed envelope", "1 problem"],
    );
    check(&validate(&[("a.yaml", "a: [\n")]), false, &["a.yaml:", "1 problem"]);
    check(
        &callboard(&["entity", "validate", "no-such.yaml"]).output().expect("an answer"),
        false,
        &["no-such.yaml: cannot be read", "0 entities in 1 file: 1 problem"],
    );
    let api = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\nspec: {type: openapi, lifecycle: production, owner: x, definition: {$text: ./a.txt}}\n";
    check(&validate(&[("a.yaml", api), ("a.txt", "openapi: 3.0.3")]), true, &["all valid"]);
    check(
        &validate(&[("a.yaml", api)]),
        false,
        &["api:default/a: Placeholder $text could not read ./a.txt", "1 problem"],
    );
}

#[test]
fn standard_input_is_a_file() {
    let mut child = callboard(&["entity", "validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    child.stdin.take().expect("a pipe").write_all(b"kind: Component\n").expect("written");
    check(&child.wait_with_output().expect("an answer"), false, &["standard input:1: document 1: Malformed envelope"]);
}

#[test]
fn config_check() {
    let check_config = |arguments: &[&str], success: bool, parts: &[&str]| {
        let arguments: Vec<&str> = ["config", "check"].into_iter().chain(arguments.iter().copied()).collect();
        check(&callboard(&arguments).output().expect("an answer"), success, parts);
    };
    check_config(&["--config", "app-config.yaml", "--strict"], true, &["The portal starts with this configuration."]);
    let stock = "crates/server/tests/config/stock/app-config.yaml";
    check_config(&["--config", stock], true, &["backend.cors: would", "The portal starts"]);
    check_config(&["--config", stock, "--strict"], false, &["backend.cors: would", "The portal does not start"]);
    check_config(&["--config", "no-such.yaml"], false, &["there is no such file", "name it with --config FILE"]);
    check_config(&["--config", "https://x.example/app-config.yaml"], false, &["cannot be read from a URL"]);
}

#[test]
fn a_file_that_is_no_plugin() {
    let output = callboard(&["plugin", "inspect", "Cargo.toml"]).output().expect("an answer");
    check(&output, false, &["callboard: Cargo.toml: "]);
    check(&callboard(&["plugin", "inspect", "no-such.wasm"]).output().expect("an answer"), false, &["no-such.wasm: "]);
}

#[test]
fn serve_says_where_and_ends_when_asked() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("app-config.yaml");
    std::fs::write(&file, "app: {title: Test}\nbackend: {cors: {}}\n").expect("a file");
    let mut child = callboard(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--config"])
        .arg(&file)
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let port: u16 =
        line.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    assert!(line.starts_with("Callboard ") && port > 0, "{line}");
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(asked.success());
    let output = child.wait_with_output().expect("an end");
    let log = text(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "not JSON: {log}");
    assert!(log.contains("backend.cors: would let pages"), "{log}");
}

#[test]
fn serve_refuses_a_configuration_with_errors() {
    let file = "crates/server/tests/config/mistakes/app-config.yaml";
    let output = callboard(&["serve", "--config", file]).env("SECRET", "canary").output().expect("an answer");
    check(&output, false, &["the configuration is not accepted", "plugins.s3.grnt: unknown key"]);
    assert!(!text(&output.stderr).contains("canary"));
}
