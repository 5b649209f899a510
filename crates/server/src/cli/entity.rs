//! `callboard entity`.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use callboard_model::entity::Entity;
use callboard_model::{validate, yaml};
use clap::Subcommand;

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum EntityCommand {
    /// Check descriptor files as the catalog would
    ///
    /// Reads the files only: placeholders such as `$text` stay as they are, and whether a ref leads anywhere is not
    /// asked. The exit code is 1 where anything is wrong.
    #[command(after_help = EXAMPLES)]
    Validate {
        /// Descriptor files; - reads standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

const EXAMPLES: &str = "\
Examples:
  callboard entity validate catalog-info.yaml
  callboard entity validate examples/org/*.yaml
  git show HEAD:catalog-info.yaml | callboard entity validate -";

pub(super) fn run(command: EntityCommand, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let EntityCommand::Validate { files } = command;
    let mut summary = Summary::default();
    for file in &files {
        let (name, text) = if file.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            ("standard input".to_owned(), String::from_utf8(bytes).map_err(|error| error.to_string()))
        } else {
            let text = std::fs::read(file).map_err(|error| error.to_string());
            let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()));
            (file.display().to_string(), text)
        };
        summary.files += 1;
        let problems = match text {
            Ok(text) => check(&name, &text, &mut summary.entities),
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
        let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        write!(
            f,
            "{} in {}: {}",
            count(self.entities, "entity", "entities"),
            count(self.files, "file", "files"),
            if self.problems == 0 { "all valid".to_owned() } else { count(self.problems, "problem", "problems") }
        )
    }
}

/// The problems of one file, each as one text.
fn check(name: &str, text: &str, entities: &mut usize) -> Vec<String> {
    let documents = match yaml::documents(text, &yaml::Limits::default()) {
        Ok(documents) => documents,
        Err(error) => return vec![place(name, error.line, None) + &error.message],
    };
    let mut problems = Vec::new();
    for (at, document) in documents.into_iter().enumerate() {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                problems.push(place(name, error.line, Some(at)) + &error.message);
                continue;
            }
        };
        *entities += 1;
        if let Err((field, problem)) = validate_document(document.value) {
            let line = field.and_then(|field| yaml::line_of(text, document.index, &field)).or(Some(document.line));
            problems.push(place(name, line, Some(document.index)) + &problem);
        }
    }
    problems
}

/// Where the problem is, as a JSON pointer where that is known, and what it is.
fn validate_document(value: serde_json::Value) -> Result<(), (Option<String>, String)> {
    let mut entity = Entity::from_value(value).map_err(|error| (error.pointer(), error.to_string()))?;
    let name = entity.entity_ref().to_string();
    validate::check(&mut entity).map_err(|error| {
        let mut problem = format!("{name}: {error}");
        if let Some(expected) = &error.expected {
            problem.push_str(&format!("\n    expected {expected}"));
        }
        problem.push_str(&format!("\n    found    {}", error.found));
        (Some(error.field), problem)
    })
}

fn place(name: &str, line: Option<usize>, document: Option<usize>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let document = document.map(|index| format!("document {}: ", index + 1)).unwrap_or_default();
    format!("{name}{line}: {document}")
}
