//! Reading YAML as the catalog's files are read: YAML 1.2 with the core schema, into JSON values.
//!
//! `yes`, `on` and `1_000` are strings, `017` is 17, merge keys (`<<`) are ordinary keys, a key that stands twice in a
//! mapping is an error, and so is what JSON has no value for (`.inf`, `.nan`). Tags that the core schema does not
//! know are ignored. After a document that cannot be read, those after it are still read.

mod compose;
mod lines;
mod scalar;

use std::fmt;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Marker, Parser, Span, StrInput};

pub use lines::line_of;

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
        Self {
            file_bytes: 32 << 20,
            document_bytes: 16 << 20,
            documents: 10_000,
            depth: 64,
            values: 1_000_000,
        }
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
fn read(
    text: &str,
    limits: &Limits,
    mut each: impl FnMut(Result<Document, YamlError>),
) -> Result<(), YamlError> {
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
