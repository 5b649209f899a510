//! What a guest writes: its log lines, stdout and stderr, bounded together.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use callboard_model::api::LogLevel;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::bindings::log::Level;
use crate::extension::scaffolder_actions::TaskLog;
use crate::stats::Recorder;

/// The log of one call. Past its limit, what is written is dropped with a note; a guest that talks too much is not
/// worth a fault.
#[derive(Clone)]
pub(crate) struct GuestLog {
    inner: Arc<Inner>,
}

struct Inner {
    plugin: String,
    request: String,
    extension_point: &'static str,
    function: &'static str,
    /// Instead of the portal's log.
    task: Option<Arc<dyn TaskLog>>,
    stats: Recorder,
    state: Mutex<State>,
}

struct State {
    left: usize,
    full: bool,
    written: Vec<u8>,
}

impl GuestLog {
    /// `called` is the extension point and its function.
    pub(crate) fn new(
        plugin: &str,
        request: &str,
        called: (&'static str, &'static str),
        stats: &Recorder,
        limit: usize,
        task: Option<Arc<dyn TaskLog>>,
    ) -> GuestLog {
        let (extension_point, function) = called;
        GuestLog {
            inner: Arc::new(Inner {
                plugin: plugin.to_owned(),
                request: request.to_owned(),
                extension_point,
                function,
                task,
                stats: stats.clone(),
                state: Mutex::new(State { left: limit, full: false, written: Vec::new() }),
            }),
        }
    }

    /// A line of the capability `log`.
    pub(crate) fn line(&self, level: Level, message: &str) {
        let taken = self.take(message.len());
        if taken == message.len() {
            self.emit(level, &clean(message, usize::MAX));
        }
    }

    /// Logs what was written to stdout and stderr, and answers the last lines of it: a panic's message, where there
    /// was a panic.
    pub(crate) fn finish(&self) -> String {
        let written = std::mem::take(&mut self.state().written);
        let text = String::from_utf8_lossy(&written);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.emit(Level::Info, &clean(line, usize::MAX));
        }
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE"))
            .collect();
        let last = lines.len().saturating_sub(3);
        clean(&lines.get(last..).unwrap_or_default().join(" "), 500)
    }

    /// Takes up to `wanted` bytes of the allowance.
    fn take(&self, wanted: usize) -> usize {
        let mut state = self.state();
        let taken = wanted.min(state.left);
        state.left -= taken;
        let first_overflow = taken < wanted && !state.full;
        state.full |= taken < wanted;
        drop(state);
        if first_overflow {
            self.emit(Level::Warn, "the plugin wrote more than its log may hold; the rest of this call's is dropped");
        }
        taken
    }

    fn write(&self, bytes: &[u8]) {
        let taken = self.take(bytes.len());
        self.state().written.extend_from_slice(bytes.get(..taken).unwrap_or_default());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit(&self, level: Level, message: &str) {
        let Inner { plugin, request, extension_point, function, task, stats, .. } = &*self.inner;
        if let Some(task) = task {
            return task.line(level.into(), message);
        }
        stats.wrote(level.into(), request, (extension_point, function), message);
        match level {
            Level::Debug => tracing::debug!(target: "plugin", plugin, request, extension_point, function, "{message}"),
            Level::Info => tracing::info!(target: "plugin", plugin, request, extension_point, function, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", plugin, request, extension_point, function, "{message}"),
            Level::Error => tracing::error!(target: "plugin", plugin, request, extension_point, function, "{message}"),
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> LogLevel {
        match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        }
    }
}

/// Text of a guest's as it may stand in a log line or on a page: one line, without control characters and without
/// those that reverse the direction of what follows.
pub(crate) fn clean(text: &str, characters: usize) -> String {
    let mut clean: String = text
        .chars()
        .take(characters)
        .map(|each| match each {
            '\n' | '\r' | '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            other if other.is_control() => '\u{fffd}',
            other => other,
        })
        .collect();
    if text.chars().nth(characters).is_some() {
        clean.push('…');
    }
    clean
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for GuestLog {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        GuestLog::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    /// Always the same: writing past the limit succeeds and is dropped. The engine allocates up to this much at once.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(4096)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestLog {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestLog {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        GuestLog::write(&self, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(limit: usize) -> GuestLog {
        let stats = crate::stats::Statistics::new("test").recorder("0.1.0", "sha256:");
        GuestLog::new("test", "1", ("ui", "render"), &stats, limit, None)
    }

    #[test]
    fn keeps_no_more_than_its_limit() {
        let log = log(10);
        log.write(b"12345");
        log.line(Level::Info, "678");
        log.write(b"90abc");
        log.line(Level::Info, "more");
        log.write(&[b'x'; 100_000]);
        assert_eq!(log.state().written, b"1234590");
        assert!(log.state().full);
        assert_eq!(log.finish(), "1234590");
    }

    #[test]
    fn text_of_guests_is_one_harmless_line() {
        let check = |text: &str, characters: usize, expected: &str| assert_eq!(clean(text, characters), expected);
        check("plain", 100, "plain");
        check("two\r\nlines", 100, "two  lines");
        check("\u{1b}[31mred", 100, "\u{fffd}[31mred");
        check("a\u{202e}b", 100, "a\u{fffd}b");
        check("longer than that", 6, "longer…");
    }

    #[test]
    fn finds_the_panic() {
        let log = log(1000);
        log.write(b"starting\n\nthread '<unnamed>' panicked at src/lib.rs:3:5:\nno bucket\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n");
        assert_eq!(log.finish(), "starting thread '<unnamed>' panicked at src/lib.rs:3:5: no bucket");
    }
}
