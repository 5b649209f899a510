//! A call that is under way, and what is noted when it ends: the one place where that is done.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use callboard_model::api::{BacktraceFrame, PluginFault};

use crate::error::ErrorKind;
use crate::stats::{Recorder, told};

/// The extension point and its function.
pub(crate) type Called = (&'static str, &'static str);

/// What was seen of a call before it ended.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Its id; empty where it did not begin.
    pub(crate) request: String,
    /// The most bytes of linear memory that it had.
    pub(crate) peak_memory: usize,
    /// Where it trapped.
    pub(crate) backtrace: Vec<BacktraceFrame>,
}

/// Dropped without having ended, it was given up by whoever waited for it.
#[derive(Debug)]
pub(crate) struct Running {
    recorder: Recorder,
    called: Called,
    started: Instant,
    has_ended: bool,
}

impl Running {
    pub(super) fn new(recorder: Recorder, called: Called) -> Running {
        Running { recorder, called, started: Instant::now(), has_ended: false }
    }

    /// The call is over, and this came of it: `ok`, or the class of its error.
    pub(crate) fn end(mut self, outcome: &'static str, seen: &Seen) {
        self.count(outcome, seen);
    }

    /// The call is over and was the plugin's fault.
    pub(crate) fn end_in_fault(mut self, kind: &ErrorKind, message: &str, seen: Seen) {
        self.count(kind.class(), &seen);
        let fault = PluginFault {
            at: told(SystemTime::now()),
            class: kind.class().to_owned(),
            extension_point: self.called.0.to_owned(),
            function: self.called.1.to_owned(),
            request: seen.request,
            version: self.recorder.version.to_string(),
            message: message.to_owned(),
            backtrace: seen.backtrace,
        };
        self.recorder.log().fault(fault);
    }

    fn count(&mut self, outcome: &'static str, seen: &Seen) {
        self.has_ended = true;
        let took: Option<Duration> = (!seen.request.is_empty()).then(|| self.started.elapsed());
        let mut counts = self.recorder.statistics.counts();
        if let Some(took) = took {
            counts.latency.add(took);
        }
        let calls = counts.calls.entry(self.called).or_default();
        match outcome {
            OK => calls.ok += 1,
            class => *calls.errors.entry(class).or_default() += 1,
        }
        if let Some(took) = took {
            calls.latency.add(took);
        }
        calls.peak_memory = calls.peak_memory.max(seen.peak_memory);
        if let Some(version) = counts.versions.iter_mut().find(|version| version.is(&self.recorder)) {
            version.calls += 1;
            version.errors += u64::from(![OK, CANCELLED].contains(&outcome));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.recorder.statistics.running.fetch_sub(1, Ordering::Relaxed);
        if !self.has_ended {
            self.count(CANCELLED, &Seen::default());
        }
    }
}

/// The outcome of a call that ended well.
pub(crate) const OK: &str = "ok";
/// That of one that nobody waited for to the end.
const CANCELLED: &str = "cancelled";
