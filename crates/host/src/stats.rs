//! What is known of a plugin while it runs: its calls, its requests, what it was refused, what it wrote.
//!
//! The host keeps one [`Statistics`] for each id, however often the plugin behind it is loaded anew, so that counters
//! only grow and the log of the version before is still there when the new one fails. All of it is bounded: what has no
//! bound by itself (origins, denials, lines) has one in [`limits`](crate::limits).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use callboard_model::api::{
    CallStatistics, LogLevel, OutboundStatistics, PluginLog, PluginStatistics, VersionStatistics,
};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::limits::REMEMBERED_VERSIONS;
use crate::stats::denials::Denials;
use crate::stats::histogram::Histogram;
use crate::stats::log::Log;
use crate::stats::outbound::Outbound;

pub(crate) mod backtrace;
mod denials;
mod histogram;
mod log;
mod outbound;
mod running;

pub(crate) use denials::Refusal;
pub(crate) use running::{Called, OK, Running, Seen};

/// What a plugin did since it was loaded for the first time.
///
/// One lock for the numbers and one for the words, each held for as long as it takes to add to them: far less than a
/// call takes, or any host call.
#[derive(Debug)]
pub struct Statistics {
    id: String,
    since: SystemTime,
    running: AtomicU64,
    memory: AtomicU64,
    counts: Mutex<Counts>,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By extension point and function. Both are the host's own words, so there are no more of them than it has.
    calls: BTreeMap<(&'static str, &'static str), Calls>,
    latency: Histogram,
    versions: Vec<Version>,
    host_calls: BTreeMap<&'static str, u64>,
    outbound: Outbound,
    denials: Denials,
}

#[derive(Debug, Default)]
struct Calls {
    ok: u64,
    errors: BTreeMap<&'static str, u64>,
    latency: Histogram,
    peak_memory: usize,
}

#[derive(Debug)]
struct Version {
    version: Arc<str>,
    digest: Arc<str>,
    loaded: SystemTime,
    calls: u64,
    errors: u64,
}

impl Statistics {
    /// Of a plugin that has done nothing yet.
    #[must_use]
    pub(crate) fn new(id: &str) -> Arc<Statistics> {
        Arc::new(Statistics {
            id: id.to_owned(),
            since: SystemTime::now(),
            running: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            counts: Mutex::default(),
            log: Mutex::default(),
        })
    }

    /// The numbers, and what was refused.
    #[must_use]
    pub fn numbers(&self) -> PluginStatistics {
        let counts = self.counts();
        let calls = counts.calls.iter().map(|(&(extension_point, function), calls)| CallStatistics {
            extension_point: extension_point.to_owned(),
            function: function.to_owned(),
            ok: calls.ok,
            errors: owned(&calls.errors),
            latency: calls.latency.told(),
            peak_memory: bytes(calls.peak_memory),
        });
        let versions = counts.versions.iter().map(|version| VersionStatistics {
            version: version.version.to_string(),
            digest: version.digest.to_string(),
            loaded: told(version.loaded),
            calls: version.calls,
            errors: version.errors,
        });
        let outbound = counts.outbound.iter().map(|(origin, sent)| OutboundStatistics {
            origin: origin.to_owned(),
            statuses: owned(&sent.statuses),
            errors: owned(&sent.errors),
            latency: sent.latency.told(),
        });
        PluginStatistics {
            plugin_id: self.id.clone(),
            since: Some(told(self.since)),
            running: self.running.load(Ordering::Relaxed),
            memory_in_use: self.memory.load(Ordering::Relaxed),
            latency: counts.latency.told(),
            calls: calls.collect(),
            versions: versions.collect(),
            host_calls: owned(&counts.host_calls),
            outbound: outbound.collect(),
            denials: counts.denials.told(),
            denial_count: counts.denials.count(),
        }
    }

    /// The words: what it wrote, and its last fault.
    #[must_use]
    pub fn words(&self) -> PluginLog {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).told(&self.id)
    }

    /// For a version that was loaded. One that was there before is the current one again.
    pub(crate) fn recorder(self: &Arc<Self>, version: &str, digest: &str) -> Recorder {
        let recorder = Recorder { statistics: self.clone(), version: Arc::from(version), digest: Arc::from(digest) };
        let mut counts = self.counts();
        let known = counts.versions.iter().position(|known| known.is(&recorder));
        let mut entry = match known {
            Some(index) => counts.versions.remove(index),
            None => Version {
                version: recorder.version.clone(),
                digest: recorder.digest.clone(),
                loaded: SystemTime::now(),
                calls: 0,
                errors: 0,
            },
        };
        entry.loaded = SystemTime::now();
        if counts.versions.len() >= REMEMBERED_VERSIONS {
            counts.versions.remove(0);
        }
        counts.versions.push(entry);
        drop(counts);
        recorder
    }

    /// A panic while the lock is held leaves numbers that are at worst one off.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Puts the version last whose turn it is: one that was loaded and then not taken is called no more.
    fn is_current(&mut self, recorder: &Recorder) {
        if self.versions.last().is_some_and(|last| last.is(recorder)) {
            return;
        }
        if let Some(index) = self.versions.iter().position(|version| version.is(recorder)) {
            let current = self.versions.remove(index);
            self.versions.push(current);
        }
    }
}

impl Version {
    fn is(&self, recorder: &Recorder) -> bool {
        self.version == recorder.version && self.digest == recorder.digest
    }
}

/// Adds to the statistics what one version of a plugin does. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    statistics: Arc<Statistics>,
    pub(crate) version: Arc<str>,
    digest: Arc<str>,
}

impl Recorder {
    /// A call begins. What is answered counts it when it ends, or when it is dropped before.
    pub(crate) fn begin(&self, called: Called) -> Running {
        self.statistics.running.fetch_add(1, Ordering::Relaxed);
        self.statistics.counts().is_current(self);
        Running::new(self.clone(), called)
    }

    /// The guest asks something of the host: `http.send`.
    pub(crate) fn host_call(&self, name: &'static str) {
        *self.statistics.counts().host_calls.entry(name).or_default() += 1;
    }

    /// A request went out, and this is what came of it: a status, or the class of the error.
    pub(crate) fn sent(&self, origin: &str, came: Result<u16, &'static str>, took: Duration) {
        self.statistics.counts().outbound.add(origin, came, took);
    }

    /// The guest asked for something that it may not have.
    pub(crate) fn denied(&self, refusal: Refusal) {
        self.statistics.counts().denials.add(refusal, &self.version, SystemTime::now());
    }

    /// A line that is harmless already.
    pub(crate) fn wrote(&self, level: LogLevel, request: &str, called: Called, text: &str) {
        self.log().line(level, request, called, &self.version, text);
    }

    /// An instance has so many bytes more.
    pub(crate) fn memory_grew(&self, by: usize) {
        self.statistics.memory.fetch_add(bytes(by), Ordering::Relaxed);
    }

    /// An instance is gone, and with it so many bytes.
    pub(crate) fn memory_freed(&self, freed: usize) {
        self.statistics.memory.fetch_sub(bytes(freed), Ordering::Relaxed);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.statistics.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owned(counts: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts.iter().map(|(&name, &count)| (name.to_owned(), count)).collect()
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// As the API has times.
fn told(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_kept_apart_and_bounded() {
        let statistics = Statistics::new("test");
        let check = |expected: &[(&str, u64)]| {
            let versions = statistics.numbers().versions;
            let found: Vec<_> = versions.iter().map(|each| (each.version.as_str(), each.calls)).collect();
            assert_eq!(found, expected);
        };
        let call = |recorder: &Recorder| recorder.begin(("ui", "render")).end("ok", &Seen::default());
        let first = statistics.recorder("1.0.0", "sha256:a");
        call(&first);
        let second = statistics.recorder("1.1.0", "sha256:b");
        // A call that began on the old version ends there.
        call(&first);
        call(&second);
        check(&[("1.0.0", 2), ("1.1.0", 1)]);
        // Loaded, and not taken.
        statistics.recorder("1.2.0", "sha256:c");
        check(&[("1.0.0", 2), ("1.1.0", 1), ("1.2.0", 0)]);
        call(&second);
        check(&[("1.0.0", 2), ("1.2.0", 0), ("1.1.0", 2)]);
        // Rolled back, it goes on where it was.
        call(&statistics.recorder("1.0.0", "sha256:a"));
        check(&[("1.2.0", 0), ("1.1.0", 2), ("1.0.0", 3)]);
        for index in 0..REMEMBERED_VERSIONS {
            statistics.recorder("2.0.0", &format!("sha256:{index}"));
        }
        assert_eq!(statistics.numbers().versions.len(), REMEMBERED_VERSIONS);
        // What is forgotten still counts for the plugin.
        call(&first);
        assert_eq!(statistics.numbers().calls[0].ok, 6);
    }

    #[test]
    fn a_call_that_nobody_waits_for_is_counted() {
        let statistics = Statistics::new("test");
        let recorder = statistics.recorder("1.0.0", "sha256:a");
        let running = recorder.begin(("ui", "render"));
        assert_eq!(statistics.numbers().running, 1);
        drop(running);
        let numbers = statistics.numbers();
        assert_eq!((numbers.running, numbers.calls[0].errors.get("cancelled")), (0, Some(&1)));
        assert_eq!(numbers.versions[0].errors, 0, "that is not the plugin's doing");
    }
}
