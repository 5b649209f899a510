//! The files of the clone, as the checks see them.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{project, tool};

/// Text files by path.
pub(crate) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Every file that is committed or about to be.
    pub(crate) fn read() -> Result<Self> {
        let root = project::root();
        let listed = tool::output(
            Command::new("git")
                .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
                .current_dir(&root),
        )
        .context("tidy looks at what git knows of")?;
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted, and one that is not text, are nothing to read.
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                files.insert(path.to_owned(), text);
            }
        }
        Ok(Self(files))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// All of them.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Those below a folder, which ends in `/`.
    pub(crate) fn below(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.starts_with(folder))
    }

    /// Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// One of them.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// A Rust file without the tests at its end, so that what tests do is not held against the product.
pub(crate) fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").and_then(|at| text.get(..at)).unwrap_or(text)
}

/// Lines with their numbers, from 1, comments left out.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| {
        let line = line.trim_start();
        !line.starts_with("//")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_comments_are_not_the_product() {
        let text = "// reqwest::get\nfn a() {}\n#[cfg(test)]\nmod tests { reqwest::get }";
        let lines: Vec<_> = code_lines(without_tests(text)).collect();
        assert_eq!(lines, [(2, "fn a() {}")]);
    }
}
