//! `callboard plugin test`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::build::build;
use crate::cases::{Case, CaseError, Compared, Component, Golden, Replayed};
use crate::cli::Failure;

/// Test a plugin in the real host, with recorded upstreams
///
/// A case is a file tests/<name>.yaml of the plugin's folder: app-config and catalog as far as the plugin reads them, and
/// what is asked of it. Its requests are answered from tests/<name>.cassette.yaml, and its answers are compared with
/// tests/<name>.golden.json. No request leaves the process unless --record is given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    which: Which,
    /// Write what the plugin answers as what is expected
    #[arg(long)]
    update: bool,
    /// Send the requests for real first, and write them down with their answers; `${NAME}` in a case is then read from the
    /// environment, and no credential is ever written
    #[arg(long)]
    record: bool,
    /// Keep the compiled component in this folder, which is yours alone; without it, it is compiled each time
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
}

/// A plugin and some of its cases.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The plugin's folder, with Cargo.toml and tests/
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Cases by their names, without .yaml; all where none is named
    cases: Vec<String>,
    /// Take this component instead of building the folder's
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The profile of cargo's that the component is built with
    #[arg(long, default_value = "release", conflicts_with = "component")]
    profile: String,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin test
  callboard plugin test plugins/s3 listing --update
  INVENTORY_TOKEN=… callboard plugin test . releases --record --update
  callboard plugin test plugins/s3 --component target/plugins/s3.wasm";

impl Which {
    /// Reads the cases and builds the plugin; in this order, because the former takes no time.
    pub(super) async fn open(&self, cache: Option<&Path>) -> Result<(Component, Vec<Case>), Failure> {
        if !self.folder.is_dir() {
            let folder = self.folder.display();
            let text = format!("{folder} is no folder; the plugin's comes first, and then cases: `. {folder}`");
            return Err(Failure::Plugin(text));
        }
        let all = Case::all(&self.folder).map_err(failure)?;
        let names: Vec<&str> = all.iter().map(|case| case.name.as_str()).collect();
        if let Some(unknown) = self.cases.iter().find(|name| !names.contains(&name.as_str())) {
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let text = format!("there is no case `{unknown}` in {}; there are: {there}", self.tests());
            return Err(Failure::Plugin(text));
        }
        if all.is_empty() {
            return Err(Failure::Plugin(format!("{} has no cases; write one as <name>.yaml", self.tests())));
        }
        let cases = all.into_iter().filter(|case| self.cases.is_empty() || self.cases.contains(&case.name)).collect();
        let path = match &self.component {
            Some(path) => path.clone(),
            None => build(&self.folder, &self.profile, false).await?,
        };
        Ok((Component::read(&path, cache).map_err(failure)?, cases))
    }

    fn tests(&self) -> String {
        self.folder.join(crate::cases::FOLDER).display().to_string()
    }
}

pub(super) fn failure(error: CaseError) -> Failure {
    Failure::Plugin(error.to_string())
}

pub(super) async fn run(command: &Test, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let (component, cases) = command.which.open(command.cache_dir.as_deref()).await?;
    let mut failed = 0;
    for case in &cases {
        let outcome =
            outcome(command, &component, case).await.unwrap_or_else(|error| Outcome::failed(error.to_string()));
        match outcome.problems.as_slice() {
            [] => writeln!(out, "ok      {}{}", case.name, outcome.note)?,
            problems => {
                failed += 1;
                writeln!(out, "FAILED  {}{}", case.name, outcome.note)?;
                problems.iter().chain(&outcome.lines).try_for_each(|text| writeln!(out, "{}", indented(text)))?;
            }
        }
        out.flush()?;
    }
    writeln!(
        out,
        "\n{} of {} {}",
        cases.len() - failed,
        cases.len(),
        if failed == 0 { "cases pass" } else { "cases pass; see above" }
    )?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is to say about a case.
#[derive(Default)]
struct Outcome {
    /// What was written.
    note: String,
    problems: Vec<String>,
    /// What the plugin wrote, where there is a problem.
    lines: Vec<String>,
}

impl Outcome {
    fn failed(problem: String) -> Outcome {
        Outcome { problems: vec![problem], ..Outcome::default() }
    }
}

/// Records where that is wished, and then always replays: what is expected is what everybody gets who has no environment.
async fn outcome(command: &Test, component: &Component, case: &Case) -> Result<Outcome, CaseError> {
    let mut outcome = Outcome::default();
    if command.record {
        let requests = case.record(component).await?;
        outcome.note = format!(" (recorded {requests} requests)");
    }
    let Replayed { played, complaints, lines } = case.replay(component).await?;
    outcome.problems = complaints;
    match played {
        Err(error) => outcome.problems.push(error.to_string()),
        // What is not right in itself must not become what is expected.
        Ok(played) if command.update && outcome.problems.is_empty() => {
            let path = case.golden_path();
            if !matches!(Golden::read(&path)?.compare(&played.answered), Compared::Same) {
                Golden::write(&path, &played.answered)?;
                outcome.note.push_str(&format!(" (wrote {})", path.display()));
            }
        }
        Ok(played) => match Golden::read(&case.golden_path())?.compare(&played.answered) {
            Compared::Same => {}
            // What is wrong already says enough.
            Compared::Missing if !outcome.problems.is_empty() => {}
            Compared::Missing => outcome.problems.push(format!(
                "{} is not there. `callboard plugin test --update` writes what it answered:\n{:#}",
                case.golden_path().display(),
                played.answered
            )),
            Compared::Different(diff) => outcome.problems.push(format!(
                "it answered something else; if that is right, `callboard plugin test --update` takes it over\n{diff}"
            )),
        },
    }
    if !outcome.problems.is_empty() && !lines.is_empty() {
        outcome.lines = vec![format!("its log:\n{}", lines.join("\n"))];
    }
    Ok(outcome)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
