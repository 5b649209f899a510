//! Reading YAML as the catalog's files are read: YAML 1.2 with the core schema, into JSON values.
//!
//! `yes`, `on` and `1_000` are strings, `017` is 17, merge keys (`<<`) are ordinary keys, a key that stands twice in a
//! mapping is an error, and so is what JSON has no value for (`.inf`, `.nan`). Tags that the core schema does not
//! know are ignored. After a document that cannot be read, those after it are still read.

mod compose;
mod lines;
mod scalar;
mod write;

use std::fmt;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Marker, Parser, Span, StrInput};

pub use lines::line_of;
pub use write::{WRITTEN, write};

/// What a file may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: usize,
    /// Bytes of one document, and of its texts once aliases are replaced by what they stand for.
    pub document_bytes: usize,
    /// Documents, empty ones included.
    pub documents: usize,
    /// How deep sequences and mappings may be nested.
    pub depth: usize,
    /// Values of one document, once aliases are replaced by what they stand for. A value takes some 32 bytes of
    /// memory and may be a single byte of the file.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 32 << 20, document_bytes: 16 << 20, documents: 10_000, depth: 64, values: 1_000_000 }
    }
}

/// A document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its place in the file, from 0. Empty documents are counted, though they are not returned.
    pub index: usize,
    /// The line on which its content begins, from 1.
    pub line: usize,
    /// Its content.
    pub value: Value,
}

/// Why a document or a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// The document's place in the file, from 0, where it is known.
    pub document: Option<usize>,
    /// From 1, where it is known.
    pub line: Option<usize>,
    /// From 1, in characters, where it is known.
    pub column: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

impl YamlError {
    fn new(message: impl Into<String>) -> Self {
        Self { document: None, line: None, column: None, message: message.into() }
    }

    fn at(mark: &Marker, message: impl Into<String>) -> Self {
        Self { document: None, line: Some(mark.line()), column: Some(mark.col() + 1), message: message.into() }
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " at line {line}, column {column}"),
            (Some(line), None) => write!(f, " at line {line}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for YamlError {}

/// The documents of a file in order, empty ones left out. The error is about the whole file.
pub fn documents(text: &str, limits: &Limits) -> Result<Vec<Result<Document, YamlError>>, YamlError> {
    let mut found = Vec::new();
    read(text, limits, |document| found.push(document))?;
    Ok(found)
}

/// The content of a text with exactly one document; empty documents are not counted.
pub fn value(text: &str) -> Result<Value, YamlError> {
    let mut found = None;
    let mut second = None;
    read(text, &Limits::default(), |document| match &found {
        None => found = Some(document),
        Some(_) => {
            second.get_or_insert(document.map_or_else(|error| error.line, |document| Some(document.line)));
        }
    })?;
    let document = found.ok_or_else(|| YamlError::new("expected to find exactly one document, found none"))??;
    match second {
        None => Ok(document.value),
        Some(line) => Err(YamlError {
            document: None,
            line,
            column: None,
            message: "expected to find exactly one document, found another".to_owned(),
        }),
    }
}

/// Hands each document over that is not empty. Ends: each turn takes at least one event or skips to a later document.
fn read(text: &str, limits: &Limits, mut each: impl FnMut(Result<Document, YamlError>)) -> Result<(), YamlError> {
    let mut events = Events::of(text, limits)?;
    let mut index = 0;
    while events.next_document() {
        if index >= limits.documents {
            return Err(YamlError::new(format!("the file has more than {} documents", limits.documents)));
        }
        match compose::document(&mut events, limits) {
            Ok(Some((line, value))) => each(Ok(Document { index, line, value })),
            Ok(None) => {}
            Err(error) => {
                each(Err(YamlError { document: Some(index), ..error }));
                events.abandon_document();
            }
        }
        index += 1;
    }
    Ok(())
}

/// The parser's events without what is only presentation, and with an end.
struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// Where the document began, in bytes.
    start: usize,
    document_bytes: usize,
    /// The start of a document that turned out to be broken, to be reported with it.
    broken: Option<YamlError>,
    at_end: bool,
}

impl<'a> Events<'a> {
    fn of(text: &'a str, limits: &Limits) -> Result<Self, YamlError> {
        if text.len() > limits.file_bytes {
            let size = text.len();
            return Err(YamlError::new(format!("the file has {size} bytes, more than {}", limits.file_bytes)));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut options = serde_saphyr::granit_parser::Options::default();
        options.set_emit_comments(false);
        // One more than is allowed, so that it is this module that says what the limit is.
        options.flow_nesting_limit = limits.depth + 1;
        options.block_nesting_limit = limits.depth + 1;
        Ok(Self {
            parser: Parser::new_from_str_with_options(text, options),
            start: 0,
            document_bytes: limits.document_bytes,
            broken: None,
            at_end: false,
        })
    }

    /// Goes to the start of the next document; false at the end of the file.
    fn next_document(&mut self) -> bool {
        while !self.at_end {
            match self.parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => self.at_end = true,
                Some(Ok((Event::DocumentStart(..), span))) => {
                    self.start = span.start.byte_offset().unwrap_or_default();
                    return true;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.broken = Some(YamlError::at(error.marker(), error.info()));
                    return true;
                }
            }
        }
        false
    }

    /// The next event of the document.
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let (event, span) = match self.parser.next_event() {
            None => return Err(YamlError::new("the file ends within a document")),
            Some(Err(error)) => return Err(YamlError::at(error.marker(), error.info())),
            Some(Ok(next)) => next,
        };
        let read = span.end.byte_offset().unwrap_or_default().saturating_sub(self.start);
        if read > self.document_bytes {
            let message = format!("the document has more than {} bytes", self.document_bytes);
            return Err(YamlError::at(&span.start, message));
        }
        Ok((event, span))
    }

    /// Leaves a document that is not read to its end.
    fn abandon_document(&mut self) {
        self.broken = None;
        self.at_end = !matches!(self.parser.proceed_next_document(), Ok(true));
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::*;

    fn shown(found: Result<Document, YamlError>) -> String {
        match found {
            Ok(document) => format!("{}:{} {}", document.index, document.line, document.value),
            Err(error) => format!("{}: {error}", error.document.unwrap()),
        }
    }

    #[test]
    fn documents_go_on_after_an_error() {
        fn check(text: &str, expected: &[&str]) {
            let found: Vec<_> = documents(text, &Limits::default()).unwrap().into_iter().map(shown).collect();
            assert_eq!(found, expected, "{text}");
        }
        check("", &[]);
        check("---\n---\n", &[]);
        check("a: 1\n---\n\n# b\nb: 2\n", &["0:1 {\"a\":1}", "1:5 {\"b\":2}"]);
        check("a: 1\n...\n---\nb: 2\n", &["0:1 {\"a\":1}", "1:4 {\"b\":2}"]);
        check("\u{feff}a: 1\r\n---\r\nb: 2\r\n", &["0:1 {\"a\":1}", "1:3 {\"b\":2}"]);
        check("---\nnull\n---\na: 1", &["1:4 {\"a\":1}"]);
        check("a: [1\n---\nb: 2\n", &["0: unclosed bracket '[' at line 1, column 4", "1:3 {\"b\":2}"]);
        check(
            "a: 1\n---\na: 1\na: 2\n---\nb: 2\n",
            &["0:1 {\"a\":1}", "1: the key \"a\" stands twice in the mapping at line 4, column 1", "2:6 {\"b\":2}"],
        );
        check(
            "a: *x\n---\nb: &x 1\n---\nc: *x\n",
            &[
                "0: while parsing node, found unknown anchor at line 1, column 4",
                "1:3 {\"b\":1}",
                "2: while parsing node, found unknown anchor at line 5, column 4",
            ],
        );
        check("a: 1\n b: 2\n", &["0: mapping values are not allowed in this context at line 2, column 3"]);
        check("a: \"x\n", &["0: invalid indentation in multiline quoted scalar at line 2, column 1"]);
    }

    #[test]
    fn one_value() {
        fn check(text: &str, expected: Result<Value, &str>) {
            assert_eq!(value(text).map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{text}");
        }
        check("a: 1", Ok(json!({"a": 1})));
        check("{\"a\": [1, \"\\u00e9\"]}", Ok(json!({"a": [1, "é"]})));
        check("--- x\n---\n", Ok(json!("x")));
        check("", Err("expected to find exactly one document, found none"));
        check("# x\n---\n~\n", Err("expected to find exactly one document, found none"));
        check("a\n---\nb\n", Err("expected to find exactly one document, found another at line 3"));
    }

    #[test]
    fn bounds() {
        fn check(text: &str, expected: &str) {
            let found = documents(text, &Limits::default()).map(|found| found.into_iter().map(shown).next().unwrap());
            let found = found.unwrap_or_else(|error| error.to_string());
            assert!(found.contains(expected), "{found}");
        }
        let nested = "the document is nested more than 64 deep";
        check(&format!("{}{}", "[".repeat(65), "]".repeat(65)), nested);
        check(&format!("{}{}", "{a: ".repeat(65), "}".repeat(65)), nested);
        check(&"- ".repeat(65), nested);
        for text in ["[", "{a: ", "- ", "? ", "a:\n "] {
            // However the parser calls it, it ends, and neither stack nor memory is used up.
            assert!(documents(&text.repeat(100_000), &Limits::default()).unwrap().iter().any(Result::is_err));
        }
        let laughs = (1..10).fold("a0: &a0 [lol, lol]\n".to_owned(), |mut text, level| {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
            text
        });
        check(&laughs, "the document has more than 1000000 values once its aliases are replaced");
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 16].join(", "));
        check(&long, "the document has more than 16777216 bytes of text once its aliases are replaced");
        let anchors: String = (0..60).map(|level| format!("&a{level} [")).collect();
        check(&format!("{anchors}{}{}", "1,".repeat(100_000), "]".repeat(60)), "more than 1000000 values");
        let few = documents("[1, 2, 3]", &Limits { values: 3, ..Limits::default() }).unwrap();
        assert!(few.into_iter().map(shown).next().unwrap().contains("more than 3 values"));
        check(&format!("a: {}", "x".repeat(16 << 20)), "the document has more than 16777216 bytes");
        check(&"x".repeat((32 << 20) + 1), "the file has 33554433 bytes, more than 33554432");
        check(&"---\n".repeat(10_001), "the file has more than 10000 documents");
        let all = documents(&"---\na: 1\n".repeat(10_000), &Limits::default()).unwrap();
        assert_eq!(all.iter().filter(|found| found.is_ok()).count(), 10_000);
    }
}
