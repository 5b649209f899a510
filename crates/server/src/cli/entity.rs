//! `callboard entity`.

mod placeholders;
mod push;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callboard_model::entity::Entity;
use callboard_model::{relations, validate, yaml};
use clap::Subcommand;

use super::Failure;
use placeholders::Elsewhere;

#[derive(Debug, Subcommand)]
pub(super) enum EntityCommand {
    /// Check descriptor files as the catalog would
    ///
    /// What a placeholder such as `$text` names beside the file is read; what it names elsewhere is not, and whether a
    /// ref leads anywhere is not asked. The exit code is 1 where anything is wrong.
    #[command(after_help = EXAMPLES)]
    Validate {
        /// Descriptor files; - reads standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    Push(push::Push),
}

const EXAMPLES: &str = "\
Examples:
  callboard entity validate catalog-info.yaml
  callboard entity validate examples/org/*.yaml
  git show HEAD:catalog-info.yaml | callboard entity validate -";

pub(super) async fn run(command: EntityCommand, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    match command {
        EntityCommand::Validate { files } => validate(&files, out),
        EntityCommand::Push(command) => push::run(command, out).await,
    }
}

/// A file that was named on the command line.
struct Source {
    /// For people.
    name: String,
    /// Its folder; none of standard input.
    dir: Option<PathBuf>,
    /// Its content, or why there is none.
    text: Result<String, String>,
}

impl Source {
    fn open(file: &Path) -> Result<Source, Failure> {
        let utf8 = |bytes| String::from_utf8(bytes).map_err(|error| error.to_string());
        if file.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            return Ok(Source { name: "standard input".to_owned(), dir: None, text: utf8(bytes) });
        }
        let text = std::fs::read(file).map_err(|error| error.to_string()).and_then(utf8);
        let dir = file.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Source { name: file.display().to_string(), dir: Some(dir), text })
    }
}

fn validate(files: &[PathBuf], out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let mut summary = Summary::default();
    for file in files {
        let Source { name, dir, text } = Source::open(file)?;
        summary.files += 1;
        let problems = match text {
            Ok(text) => check(&name, &text, dir.as_deref(), &mut summary.entities),
            Err(message) => vec![format!("{name}: cannot be read: {message}")],
        };
        summary.problems += problems.len();
        for problem in problems {
            writeln!(out, "{problem}")?;
        }
    }
    writeln!(out, "{summary}")?;
    Ok(if summary.problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Summary {
    files: usize,
    entities: usize,
    problems: usize,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} in {}: {}",
            count(self.entities, "entity", "entities"),
            count(self.files, "file", "files"),
            if self.problems == 0 { "all valid".to_owned() } else { count(self.problems, "problem", "problems") }
        )
    }
}

fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The problems of one file, each as one text.
fn check(name: &str, text: &str, dir: Option<&Path>, entities: &mut usize) -> Vec<String> {
    let documents = match yaml::documents(text, &yaml::Limits::default()) {
        Ok(documents) => documents,
        Err(error) => return vec![place(name, error.line, None) + &error.message],
    };
    let mut problems = Vec::new();
    for (at, document) in documents.into_iter().enumerate() {
        match document {
            Ok(document) => {
                *entities += 1;
                for problem in check_document(document.value, dir) {
                    let line = yaml::line_of(text, &yaml::Limits::default(), document.index, &problem.field)
                        .unwrap_or(document.line);
                    problems.push(place(name, Some(line), Some(document.index)) + &problem.to_string());
                }
            }
            Err(error) => problems.push(place(name, error.line, Some(at)) + &error.message),
        }
    }
    problems
}

/// Something wrong with an entity.
struct Problem {
    /// None of what is no entity at all.
    entity_ref: Option<String>,
    /// A JSON pointer; empty for the root.
    field: String,
    message: String,
    expected: Option<String>,
    found: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(entity_ref) = &self.entity_ref {
            write!(f, "{entity_ref}: ")?;
        }
        write!(f, "{}", self.message)?;
        write!(f, "\n    field    {}", if self.field.is_empty() { "<root>" } else { &self.field })?;
        if let Some(expected) = &self.expected {
            write!(f, "\n    expected {expected}")?;
        }
        if !self.found.is_empty() {
            write!(f, "\n    found    {}", self.found)?;
        }
        Ok(())
    }
}

fn check_document(mut value: serde_json::Value, dir: Option<&Path>) -> Vec<Problem> {
    let resolved = placeholders::resolve(&mut value, dir, Elsewhere::Assumed);
    let mut entity = match Entity::from_value(value) {
        Ok(entity) => entity,
        Err(error) => {
            let (field, message) = (error.pointer.clone(), error.to_string());
            return vec![Problem { entity_ref: None, field, message, expected: None, found: String::new() }];
        }
    };
    let entity_ref = Some(entity.entity_ref().to_string());
    let problem = |field: String, message: String| Problem {
        entity_ref: entity_ref.clone(),
        field,
        message,
        expected: None,
        found: String::new(),
    };
    let mut problems: Vec<Problem> =
        resolved.problems.into_iter().map(|(field, message)| problem(field, message)).collect();
    match validate::check(&mut entity) {
        // Nothing is known of the form of what stands elsewhere.
        Err(error) if resolved.unknown.iter().any(|pointer| is_within(&error.field, pointer)) => {}
        Err(error) => problems.push(Problem {
            expected: error.expected.clone(),
            found: error.found.clone(),
            ..problem(error.field.clone(), error.to_string())
        }),
        Ok(()) => {
            if let Err(error) = relations::of(&entity) {
                problems.push(problem("/spec".to_owned(), error.to_string()));
            }
        }
    }
    problems
}

fn is_within(field: &str, pointer: &str) -> bool {
    field.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn place(name: &str, line: Option<usize>, document: Option<usize>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let document = document.map(|index| format!("document {}: ", index + 1)).unwrap_or_default();
    format!("{name}{line}: {document}")
}
