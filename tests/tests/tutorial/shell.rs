//! The shell that somebody types into.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Said by the shell itself when commands are done, with its folder.
const DONE: &str = "@@done ";

/// A shell that keeps its folder and its variables from one command to the next, and ends at the first that fails.
pub(super) struct Shell {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    folder: PathBuf,
}

impl Shell {
    pub(super) async fn start(folder: &Path, environment: &[(&'static str, String)]) -> Result<Self> {
        let mut bash = Command::new("bash");
        prepare(bash.arg("-eu").current_dir(folder), environment);
        let mut process =
            bash.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().context("no bash is there")?;
        let input = process.stdin.take().context("its input was to be piped")?;
        let output = BufReader::new(process.stdout.take().context("its output was to be piped")?).lines();
        let mut shell = Self { _process: process, input, output, folder: folder.to_owned() };
        shell.run("exec 2>&1").await?;
        Ok(shell)
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has it do something, and answers with what was said.
    pub(super) async fn run(&mut self, commands: &str) -> Result<String> {
        // Programs must not read what is typed next.
        let typed = format!("{{\n{commands}\n}} </dev/null\necho \"{DONE}$PWD\"\n");
        self.input.write_all(typed.as_bytes()).await?;
        let mut said = String::new();
        while let Some(line) = self.output.next_line().await? {
            if let Some(folder) = line.strip_prefix(DONE) {
                self.folder = folder.into();
                return Ok(said);
            }
            said.push_str(&line);
            said.push('\n');
        }
        bail!("`{commands}` failed:\n{said}")
    }
}

/// The environment of somebody who knows nothing of the cargo that runs this test.
pub(super) fn prepare(command: &mut Command, environment: &[(&'static str, String)]) {
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().starts_with("CARGO_")) {
        if variable != "CARGO_HOME" {
            command.env_remove(variable);
        }
    }
    command.envs(environment.iter().map(|(variable, value)| (variable, value)));
}
