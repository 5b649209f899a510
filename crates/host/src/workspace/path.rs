//! Paths as guests write them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::bindings::types::Error;
use crate::call::output;
use crate::limits::{WORKSPACE_DEPTH, WORKSPACE_PATH_BYTES};

/// The longest name that usual file systems have.
const NAME_BYTES: usize = 255;

/// A path that stays below the folder, as far as that can be seen from how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checked {
    parts: Vec<String>,
    path: PathBuf,
}

impl Checked {
    /// Takes a path apart. `.` is the folder itself, and so is no text at all.
    pub(super) fn read(text: &str) -> Result<Checked, Error> {
        if text.len() > WORKSPACE_PATH_BYTES {
            let message = format!("a path of {} bytes; it may have at most {WORKSPACE_PATH_BYTES}", text.len());
            return Err(Error::TooLarge(message));
        }
        if text.starts_with('/') {
            return Err(Error::Denied(format!("`{}` is absolute; paths begin in the workspace", shown(text))));
        }
        if text.chars().any(|each| each == '\\' || each.is_control()) {
            let message = format!("`{}` has a backslash or a control character", shown(text));
            return Err(Error::Invalid(message));
        }
        let mut checked = Checked::default();
        for part in text.strip_suffix('/').unwrap_or(text).split('/') {
            match part {
                "." => {}
                "" if text.is_empty() => {}
                "" => return Err(Error::Invalid(format!("`{}` has a part that is empty", shown(text)))),
                ".." => return Err(Error::Denied(format!("`{}` has `..`, which leads elsewhere", shown(text)))),
                part if part.len() > NAME_BYTES => {
                    return Err(Error::Invalid(format!(
                        "a name of {} bytes; there are at most {NAME_BYTES}",
                        part.len()
                    )));
                }
                part => checked.push(part),
            }
        }
        if checked.len() > WORKSPACE_DEPTH {
            return Err(Error::TooLarge(format!(
                "a path of {} parts; there are at most {WORKSPACE_DEPTH}",
                checked.len()
            )));
        }
        Ok(checked)
    }

    /// The same for what the folder itself cannot be.
    pub(super) fn read_below(text: &str) -> Result<Checked, Error> {
        let checked = Checked::read(text)?;
        if checked.parts.is_empty() {
            return Err(Error::Denied("the workspace itself stays where it is".to_owned()));
        }
        Ok(checked)
    }

    pub(super) fn push(&mut self, part: &str) {
        self.parts.push(part.to_owned());
        self.path.push(part);
    }

    pub(super) fn joined(&self, part: &str) -> Checked {
        let mut joined = self.clone();
        joined.push(part);
        joined
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    pub(super) fn part(&self, index: usize) -> Option<&str> {
        self.parts.get(index).map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether it is another one or in it.
    pub(super) fn is_below(&self, other: &Checked) -> bool {
        self.parts.starts_with(&other.parts)
    }

    /// For the handle of the folder.
    pub(super) fn path(&self) -> &Path {
        if self.parts.is_empty() { Path::new(".") } else { &self.path }
    }

    /// For the guest.
    pub(super) fn text(&self) -> String {
        if self.parts.is_empty() { ".".to_owned() } else { self.parts.join("/") }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(&self.text()))
    }
}

pub(super) fn shown(text: &str) -> String {
    output::clean(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |text: &str, expected: Result<&str, fn(&Error) -> bool>| match (Checked::read(text), expected) {
            (Ok(path), Ok(expected)) => assert_eq!(path.text(), expected),
            (Err(error), Err(is_right)) => assert!(is_right(&error), "{text:?}: {error:?}"),
            (result, _) => panic!("{text:?}: {result:?}"),
        };
        let denied: fn(&Error) -> bool = |error| matches!(error, Error::Denied(_));
        let invalid: fn(&Error) -> bool = |error| matches!(error, Error::Invalid(_));
        let large: fn(&Error) -> bool = |error| matches!(error, Error::TooLarge(_));
        for text in ["", ".", "./", "././"] {
            check(text, Ok("."));
            assert!(Checked::read_below(text).is_err(), "{text}");
        }
        for (text, expected) in [
            ("a", "a"),
            ("./a/./b/", "a/b"),
            ("a/...", "a/..."),
            (".git/config", ".git/config"),
            ("~", "~"),
            ("C:", "C:"),
            ("é \u{1f980}/x", "é \u{1f980}/x"),
            ("%2e%2e/x", "%2e%2e/x"),
        ] {
            check(text, Ok(expected));
        }
        for text in ["/", "/etc/passwd", "//a", "..", "../x", "a/..", "a/../../b", "./..", "a/../"] {
            check(text, Err(denied));
        }
        for text in ["a//b", "a//", "\0", "a\0b", "a\nb", "\u{7f}", "a\\b", "..\\x", "\u{85}"] {
            check(text, Err(invalid));
        }
        check(&"x".repeat(255), Ok(&"x".repeat(255)));
        check(&"x".repeat(256), Err(invalid));
        check(&"x/".repeat(2049), Err(large));
        check(&vec!["x"; WORKSPACE_DEPTH].join("/"), Ok(&vec!["x"; WORKSPACE_DEPTH].join("/")));
        check(&vec!["x"; WORKSPACE_DEPTH + 1].join("/"), Err(large));
    }
}
