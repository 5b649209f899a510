//! `cargo xtask fuzz`: what strangers may send, made up by libFuzzer. fuzz/README.md says how and why.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::{project, tool};

/// Each is a file in fuzz/targets/.
pub(crate) const TARGETS: &[&str] = &["yaml", "entity_ref", "filter", "cursor"];

/// What guides the fuzzer: counters in every branch, and what is compared with what. All of it is stable.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// An input that takes longer is a finding: it stands for seconds of somebody's server.
const SECONDS_PER_INPUT: u32 = 10;
/// More memory than this is a finding as well.
const MEBIBYTES: u32 = 2048;
/// Longer than any input that reaches another branch, short enough to be quick.
const INPUT_BYTES: u32 = 16 * 1024;

/// Runs each target for so many minutes. What breaks something is an error, and is kept.
pub(crate) fn run(minutes: u32, targets: &[String]) -> Result<()> {
    for target in targets {
        ensure!(TARGETS.contains(&target.as_str()), "{target} is none of {}", TARGETS.join(", "));
    }
    let targets: Vec<&str> = match targets {
        [] => TARGETS.to_vec(),
        targets => targets.iter().map(String::as_str).collect(),
    };
    build(&targets)?;
    let mut broken = Vec::new();
    for target in targets {
        if let Err(error) = fuzz(target, minutes) {
            println!("{target}: {error:#}");
            broken.push(target);
        }
    }
    if !broken.is_empty() {
        bail!("{} broke; the inputs are in {}", broken.join(", "), project::shown(&findings("")));
    }
    Ok(())
}

fn build(targets: &[&str]) -> Result<()> {
    let mut command = project::cargo();
    command
        .current_dir(project::root().join("fuzz"))
        .env("CARGO_TARGET_DIR", project::target("fuzz/build"))
        // Encoded, because one of the flags may some day have a blank.
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        // With a target, the flags are not for what runs during the build.
        .args(["build", "--release", "--target", HOST])
        .args(targets.iter().flat_map(|target| ["--bin", target]));
    if targets.contains(&"cursor") {
        command.args(["--features", "catalog"]);
    }
    tool::run(&mut command)
}

fn fuzz(target: &str, minutes: u32) -> Result<()> {
    let corpus = project::target("fuzz/corpus").join(target);
    let findings = findings(target);
    for folder in [&corpus, &findings] {
        std::fs::create_dir_all(folder)?;
    }
    println!("==> {target}: {minutes} min");
    let mut command = Command::new(project::target("fuzz/build").join(HOST).join("release").join(target));
    command
        // What is found is written to the first; the others are only read.
        .arg(&corpus)
        .args(seeds(target).iter().filter(|folder| folder.is_dir()))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(format!("-max_total_time={}", minutes * 60))
        .arg(format!("-timeout={SECONDS_PER_INPUT}"))
        .arg(format!("-rss_limit_mb={MEBIBYTES}"))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .args(["-print_final_stats=1", "-verbosity=0"]);
    tool::run(&mut command)
}

/// Where a run begins: seeds of its own and, for files, the cases of the model's tests.
fn seeds(target: &str) -> Vec<PathBuf> {
    let mut folders = vec![project::root().join("fuzz/seeds").join(target)];
    if target == "yaml" {
        folders.push(project::root().join("crates/model/tests/cases"));
    }
    folders
}

fn findings(target: &str) -> PathBuf {
    Path::new(&project::target("fuzz/findings")).join(target)
}

const HOST: &str = "x86_64-unknown-linux-gnu";
