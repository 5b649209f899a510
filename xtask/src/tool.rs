//! Calls of other programs, with errors that say which call failed and how.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Message, camino::Utf8PathBuf};

/// Runs it, with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("`{}` did not start", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs it and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("`{}` did not start", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote something that is not UTF-8", line(command)))
}

/// A file that a cargo build made.
pub(crate) struct Artifact {
    /// The package's name.
    pub(crate) package: String,
    /// The target's name: the library's, binary's or example's.
    pub(crate) target: String,
    /// Every file of it.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Set for a program, but for those that only test one.
    pub(crate) executable: Option<Utf8PathBuf>,
}

impl Artifact {
    /// The file with this extension.
    pub(crate) fn file(&self, extension: &str) -> Option<PathBuf> {
        self.files.iter().find(|file| file.extension() == Some(extension)).map(|file| file.clone().into_std_path_buf())
    }
}

/// Runs a cargo build and returns what it made, whether it was fresh or not. Cargo's progress goes to the terminal.
pub(crate) fn cargo_build(command: &mut Command) -> Result<Vec<Artifact>> {
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let shown = line(command);
    let mut child = command.spawn().with_context(|| format!("`{shown}` did not start"))?;
    let mut text = Vec::new();
    let mut stdout = child.stdout.take().context("cargo's output was to be piped")?;
    stdout.read_to_end(&mut text).context("cargo's output could not be read")?;
    let status = child.wait().with_context(|| format!("`{shown}` was lost"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    let mut artifacts = Vec::new();
    for message in Message::parse_stream(BufReader::new(text.as_slice())) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo wrote a line that is not a message")? {
            artifacts.push(Artifact {
                package: package_name(&artifact.package_id.repr).to_owned(),
                target: artifact.target.name,
                files: artifact.filenames,
                executable: artifact.executable.filter(|_| !artifact.profile.test),
            });
        }
    }
    Ok(artifacts)
}

/// The program that a build made.
pub(crate) fn executable(artifacts: &[Artifact], name: &str) -> Result<PathBuf> {
    artifacts
        .iter()
        .find(|artifact| artifact.target == name && artifact.executable.is_some())
        .and_then(|artifact| artifact.executable.clone())
        .map(Utf8PathBuf::into_std_path_buf)
        .with_context(|| format!("cargo built no program called {name}"))
}

/// The first of the programs that `PATH` has.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.is_file())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The name in a package id: `path+file:///clone/plugins/s3#callboard-plugin-s3@0.1.0`, or, where the folder has the
/// package's name, `path+file:///clone/xtask#0.1.0`.
fn package_name(id: &str) -> &str {
    let (source, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids() {
        for (id, name) in [
            ("path+file:///clone/plugins/s3#callboard-plugin-s3@0.1.0", "callboard-plugin-s3"),
            ("path+file:///clone/xtask#0.1.0", "xtask"),
            ("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.0", "serde"),
        ] {
            assert_eq!(package_name(id), name, "{id}");
        }
    }

    #[test]
    fn a_failure_names_the_call() {
        let error = run(Command::new("false").arg("--really")).unwrap_err().to_string();
        assert!(error.starts_with("`false --really` failed"), "{error}");
        let error = run(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.starts_with("`no-such-program` did not start"), "{error}");
    }
}
