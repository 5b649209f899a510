//! The last lines of a plugin's log, and its last fault.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use callboard_model::api::{LogLevel, PluginFault, PluginLog, PluginLogLine};

use crate::limits::{REMEMBERED_LINE_BYTES, REMEMBERED_LINES, REMEMBERED_LOG_BYTES};
use crate::stats::running::Called;
use crate::stats::told;

#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<Line>,
    bytes: usize,
    dropped: u64,
    last_fault: Option<PluginFault>,
}

#[derive(Debug)]
struct Line {
    at: SystemTime,
    level: LogLevel,
    request: String,
    called: Called,
    version: Arc<str>,
    text: String,
}

impl Log {
    pub(super) fn line(&mut self, level: LogLevel, request: &str, called: Called, version: &Arc<str>, text: &str) {
        let text = cut(text);
        self.bytes += text.len();
        let (request, version) = (request.to_owned(), version.clone());
        self.lines.push_back(Line { at: SystemTime::now(), level, request, called, version, text });
        while self.lines.len() > REMEMBERED_LINES || self.bytes > REMEMBERED_LOG_BYTES {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes -= gone.text.len();
            self.dropped += 1;
        }
    }

    pub(super) fn fault(&mut self, fault: PluginFault) {
        self.last_fault = Some(fault);
    }

    /// The newest line first.
    pub(super) fn told(&self, plugin: &str) -> PluginLog {
        let told = |line: &Line| PluginLogLine {
            at: told(line.at),
            level: line.level,
            request: line.request.clone(),
            extension_point: line.called.0.to_owned(),
            function: line.called.1.to_owned(),
            version: line.version.to_string(),
            text: line.text.clone(),
        };
        PluginLog {
            plugin_id: plugin.to_owned(),
            lines: self.lines.iter().rev().map(told).collect(),
            dropped: self.dropped,
            last_fault: self.last_fault.clone(),
        }
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(REMEMBERED_LINE_BYTES);
    match text.get(..end) {
        Some(beginning) if end < text.len() => format!("{beginning}…"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(log: &mut Log, text: &str) {
        log.line(LogLevel::Info, "1", ("ui", "render"), &Arc::from("1.0.0"), text);
    }

    #[test]
    fn lines_are_bounded_by_number_and_by_size() {
        let mut log = Log::default();
        for index in 0..REMEMBERED_LINES + 3 {
            write(&mut log, &format!("line {index}"));
        }
        let told = log.told("test");
        assert_eq!((told.lines.len(), told.dropped), (REMEMBERED_LINES, 3));
        assert_eq!(told.lines[0].text, format!("line {}", REMEMBERED_LINES + 2));
        for _ in 0..100 {
            write(&mut log, &"ä".repeat(REMEMBERED_LINE_BYTES));
        }
        assert!(log.bytes <= REMEMBERED_LOG_BYTES, "{}", log.bytes);
        assert_eq!(log.bytes, log.lines.iter().map(|line| line.text.len()).sum::<usize>());
        assert!(log.lines[0].text.len() <= REMEMBERED_LINE_BYTES + '…'.len_utf8());
        assert!(log.lines[0].text.ends_with("ä…"));
    }
}
