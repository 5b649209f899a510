//! `callboard plugin new`.

mod sdk;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::Failure;
use sdk::Sdk;

/// Begin a plugin: a crate that builds, passes its tests and shows something
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct New {
    /// The plugin's id, which its folder is named after: lower-case letters, digits and dashes
    name: String,
    /// Make its folder in this one
    #[arg(long = "in", value_name = "FOLDER", default_value = ".")]
    parent: PathBuf,
    /// Where the SDK is: a clone of Callboard, or the https:// address of its git repository
    ///
    /// Without it, the clone is taken in which the plugin is made, or in which this program was built.
    #[arg(long, value_name = "WHERE")]
    sdk: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin new build-status
  callboard plugin new build-status --in ~/plugins --sdk ~/callboard

It makes a tab on the pages of components, which keeps notes: a form, a list and a button to begin with.
Go into the folder then, and `callboard plugin dev` shows it.";

/// The portal that a plugin is shown in while its author works on it.
pub(super) const APP_CONFIG: &str = include_str!("new/app-config.yaml");
/// What is in its catalog.
pub(super) const EXAMPLE: &str = include_str!("new/example.yaml");

/// What is written, by name.
const FILES: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.in")),
    ("plugin.yaml", include_str!("new/plugin.yaml")),
    ("src/lib.rs", include_str!("new/lib.rs.in")),
    ("tests/tab.yaml", include_str!("new/tab.yaml")),
    ("tests/tab.golden.json", include_str!("new/tab.golden.json")),
    ("app-config.yaml", APP_CONFIG),
    ("example.yaml", EXAMPLE),
    ("README.md", include_str!("new/README.md.in")),
    (".gitignore", include_str!("new/gitignore")),
];

/// What Rust or cargo does not let a crate be called.
const TAKEN: [&str; 12] =
    ["alloc", "core", "crate", "fn", "impl", "mod", "proc-macro", "self", "std", "super", "test", "type"];

pub(super) fn run(command: &New, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let id = command.name.as_str();
    if !callboard_host::is_plugin_id(id) || TAKEN.contains(&id) {
        return Err(Failure::Plugin(wrong_name(id)));
    }
    // As one would type it.
    let folder = if command.parent == Path::new(".") { PathBuf::from(id) } else { command.parent.join(id) };
    let fail = |path: &Path, message: String| Failure::File { file: path.display().to_string(), message };
    if folder.exists() {
        return Err(fail(&folder, "is there already; choose another name, or another folder with --in".to_owned()));
    }
    let sdk = Sdk::find(command.sdk.as_deref(), &command.parent)?;
    for (name, text) in FILES {
        let path = folder.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = made.and_then(|()| std::fs::write(&path, fill(text, id, &sdk.dependency())));
        written.map_err(|error| fail(&path, error.to_string()))?;
    }
    // The versions that the SDK was tested with: nobody waits for others, or needs a network for them.
    if let Some(lock) = sdk.lock() {
        std::fs::copy(lock, folder.join("Cargo.lock"))?;
    }
    writeln!(out, "Made {}/:", folder.display())?;
    for (name, what) in [
        ("src/lib.rs", "the plugin: a tab with notes, and its tests"),
        ("tests/tab.yaml", "what it does in a portal, for `callboard plugin test`"),
        ("plugin.yaml", "what it asks for and what it adds"),
        ("app-config.yaml", "the portal that it is shown in while you work on it"),
    ] {
        writeln!(out, "  {name:<16} {what}")?;
    }
    writeln!(out, "The SDK is {sdk}.\n\nNow:\n  cd {}\n  callboard plugin dev", folder.display())?;
    Ok(ExitCode::SUCCESS)
}

/// A template for one plugin.
pub(super) fn fill(template: &str, id: &str, sdk: &str) -> String {
    let name = title(id);
    let file = id.replace('-', "_");
    [("{{id}}", id), ("{{name}}", name.as_str()), ("{{file}}", file.as_str()), ("{{sdk}}", sdk)]
        .iter()
        .fold(template.to_owned(), |text, (hole, value)| text.replace(hole, value))
}

/// `build-status` for people: "Build status".
fn title(id: &str) -> String {
    let words = id.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn wrong_name(name: &str) -> String {
    if TAKEN.contains(&name) {
        return format!("`{name}` cannot be a plugin's name, because Rust has a meaning for it; try `{name}-plugin`");
    }
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let words: String = name.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    let better = words.join("-");
    let hint = match callboard_host::is_plugin_id(&better) {
        true => format!("; try `{better}`"),
        false => String::new(),
    };
    format!(
        "`{}` cannot be a plugin's name: 1 to 63 lower-case letters, digits and dashes, the first one a letter{hint}",
        name.escape_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, hint) in [
            ("Build Status", "; try `build-status`"),
            ("my_plugin", "; try `my-plugin`"),
            ("../evil", "; try `evil`"),
            ("1st", "a letter"),
            ("", "a letter"),
            ("self", "try `self-plugin`"),
        ] {
            assert!(wrong_name(name).ends_with(hint), "{}", wrong_name(name));
        }
        assert_eq!(title("build-status"), "Build status");
    }

    #[test]
    fn nothing_is_left_open() {
        for (name, text) in FILES {
            let text = fill(text, "build-status", "{ path = \"/sdk\" }");
            assert!(!text.contains("{{"), "{name}: {text}");
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("notes")).unwrap();
        let command = New { name: "notes".to_owned(), parent: folder.path().to_owned(), sdk: None };
        let error = run(&command, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path().join("notes")).unwrap().count(), 0);
    }
}
