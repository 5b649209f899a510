//! What a plugin answered, and what it is expected to.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use similar::TextDiff;

use super::CaseError;

/// How many lines around a difference are shown.
const AROUND: usize = 3;

/// An expectation.
pub(crate) struct Golden {
    path: String,
    /// None where nobody wrote one yet.
    text: Option<String>,
}

/// How an answer compares.
pub(crate) enum Compared {
    Same,
    Missing,
    /// Lines that begin with `-` are expected, with `+` answered.
    Different(String),
}

impl Golden {
    pub(crate) fn read(path: &Path) -> Result<Golden, CaseError> {
        let shown = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Golden { path: shown, text: Some(text) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Golden { path: shown, text: None }),
            Err(error) => Err(CaseError::File { path: shown, message: error.to_string() }),
        }
    }

    pub(crate) fn compare(&self, answered: &Value) -> Compared {
        let Some(expected) = &self.text else { return Compared::Missing };
        let answered = written(answered);
        if *expected == answered {
            return Compared::Same;
        }
        let diff = TextDiff::from_lines(expected.as_str(), answered.as_str());
        let mut unified = diff.unified_diff();
        Compared::Different(unified.context_radius(AROUND).header(&self.path, "answered").to_string())
    }

    /// Takes the answer as what is expected from now on.
    pub(crate) fn write(path: &Path, answered: &Value) -> Result<(), CaseError> {
        std::fs::write(path, written(answered))
            .map_err(|error| CaseError::File { path: path.display().to_string(), message: error.to_string() })
    }
}

/// With keys in the order of the alphabet, so that the same answer is always the same text.
fn written(answered: &Value) -> String {
    format!("{answered:#}\n")
}

/// What a file or a key holds: text, or what is none.
pub(super) fn content(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared() {
        let golden =
            |value: Option<Value>| Golden { path: "a.golden.json".to_owned(), text: value.as_ref().map(written) };
        let answer = json!({ "b": 1, "a": ["x", "y"] });
        assert!(matches!(golden(None).compare(&answer), Compared::Missing));
        assert!(matches!(golden(Some(json!({ "a": ["x", "y"], "b": 1 }))).compare(&answer), Compared::Same));
        let Compared::Different(diff) = golden(Some(json!({ "b": 1, "a": ["x", "z"] }))).compare(&answer) else {
            panic!("it is the same")
        };
        assert!(diff.starts_with("--- a.golden.json\n+++ answered\n"), "{diff}");
        assert!(diff.contains("\n-    \"z\"\n+    \"y\"\n") && diff.contains("     \"x\",\n"), "{diff}");
    }
}
