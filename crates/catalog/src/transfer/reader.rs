//! Reading the file one document at a time.

use std::io::{BufRead, Read as _};

use callboard_model::entity::Entity;
use callboard_model::yaml::{WRITTEN, documents};

use super::TransferError;
use super::document::{self, Record};

/// A document with its place in the file.
pub(super) struct Read {
    pub(super) line: usize,
    pub(super) document: usize,
    /// Of its text.
    pub(super) bytes: usize,
    pub(super) entity: Option<Entity>,
    pub(super) record: Record,
}

impl Read {
    pub(super) fn error(&self, message: impl Into<String>) -> TransferError {
        TransferError::Document { line: self.line, document: self.document, message: message.into() }
    }
}

pub(super) struct Reader<R> {
    file: R,
    /// Lines that were read.
    line: usize,
    document: usize,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, line: 0, document: 0 }
    }

    /// Where the file ends, for what is missing there.
    pub(super) fn end(&self, message: impl Into<String>) -> TransferError {
        TransferError::Document { line: self.line, document: self.document, message: message.into() }
    }

    pub(super) fn next(&mut self) -> Result<Option<Read>, TransferError> {
        let mut text = Vec::new();
        let mut first = self.line + 1;
        let mut is_blank = true;
        loop {
            let start = text.len();
            let room = u64::try_from(WRITTEN.document_bytes.saturating_sub(start)).unwrap_or(0);
            if (&mut self.file).take(room).read_until(b'\n', &mut text)? == 0 {
                if room == 0 {
                    return Err(self.end(format!("the document has more than {} bytes", WRITTEN.document_bytes)));
                }
                if is_blank {
                    return Ok(None);
                }
                break;
            }
            self.line += 1;
            let line = text.get(start..).unwrap_or_default();
            if line.strip_prefix(b"---").is_some_and(|rest| rest.trim_ascii().is_empty()) {
                text.truncate(start);
                if !is_blank {
                    break;
                }
                text.clear();
                first = self.line + 1;
            } else {
                is_blank &= line.trim_ascii().is_empty() || line.starts_with(b"#");
            }
        }
        self.document += 1;
        let at = |line: usize, message: String| TransferError::Document { line, document: self.document, message };
        let bytes = text.len();
        let text = String::from_utf8(text).map_err(|error| {
            let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            at(first + before.iter().filter(|byte| **byte == b'\n').count(), "is not UTF-8".to_owned())
        })?;
        let broken = |error: callboard_model::yaml::YamlError| at(first - 1 + error.line.unwrap_or(1), error.message);
        let mut found = documents(&text, &WRITTEN).map_err(broken)?;
        let found = match found.pop() {
            Some(found) => found.map_err(broken)?,
            None => return Err(at(first, "is empty".to_owned())),
        };
        let line = first - 1 + found.line;
        let (entity, record) = document::read(found.value).map_err(|message| at(line, message))?;
        Ok(Some(Read { line, document: self.document, bytes, entity, record }))
    }
}
