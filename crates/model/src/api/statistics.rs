//! What an operator sees of a plugin while it runs: numbers, and its words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /api/plugins/{id}/statistics`: what a plugin did since the server started. The numbers are those of the replica
/// that answers. Times are RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginStatistics {
    /// The plugin.
    pub plugin_id: String,
    /// Since when is counted: the first time that the plugin was loaded. None where it never was.
    pub since: Option<String>,
    /// Calls that are under way.
    pub running: u64,
    /// Bytes of linear memory that these have.
    pub memory_in_use: u64,
    /// How long its calls took, all together.
    pub latency: Latency,
    /// Its calls, by extension point and function.
    pub calls: Vec<CallStatistics>,
    /// The versions that were loaded; the last is the one that was loaded or called last. At most 10.
    pub versions: Vec<VersionStatistics>,
    /// What it asked of the portal, as in `http.send`.
    pub host_calls: BTreeMap<String, u64>,
    /// Its requests, by where they went. Where there are too many origins, the rest is under `other`.
    pub outbound: Vec<OutboundStatistics>,
    /// What it was refused, the last one first. At most 50.
    pub denials: Vec<Denial>,
    /// How often something was refused, those that are not listed included.
    pub denial_count: u64,
}

/// Calls of one function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CallStatistics {
    /// As in WIT.
    pub extension_point: String,
    /// As in WIT.
    pub function: String,
    /// Those that ended well.
    pub ok: u64,
    /// The others, by what went wrong: `trap`, `deadline`, `guest-unavailable` …
    pub errors: BTreeMap<String, u64>,
    /// How long they took, with the time that they waited for their turn. Without those that did not begin.
    pub latency: Latency,
    /// The most bytes of linear memory that one of them had.
    pub peak_memory: u64,
}

/// How long things took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// All of them together, in milliseconds.
    pub sum_ms: f64,
    /// The longest, in milliseconds.
    pub max_ms: f64,
    /// Half of them took no longer, in milliseconds; estimated from the buckets. None where there was none.
    pub p50_ms: Option<f64>,
    /// The same for 95 %.
    pub p95_ms: Option<f64>,
    /// The same for 99 %.
    pub p99_ms: Option<f64>,
    /// How many took no longer than that but longer than the one before, the smallest first.
    pub buckets: Vec<LatencyBucket>,
}

/// A part of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LatencyBucket {
    /// The longest that belongs here, in milliseconds; none for the last, which has no end.
    pub up_to_ms: Option<f64>,
    /// How many.
    pub count: u64,
}

/// One version of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VersionStatistics {
    /// From its manifest.
    pub version: String,
    /// `sha256:` and the component's digest in hexadecimal.
    pub digest: String,
    /// When it was loaded last.
    pub loaded: String,
    /// Its calls.
    pub calls: u64,
    /// Those that ended in an error of any class.
    pub errors: u64,
}

/// Requests to one origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutboundStatistics {
    /// Such as `https://api.example.com`, or `other`.
    pub origin: String,
    /// The answers by the class of their status: `2xx`.
    pub statuses: BTreeMap<String, u64>,
    /// Requests without an answer, by the reason: `timeout`, `connect` …
    pub errors: BTreeMap<String, u64>,
    /// How long they took, up to the head of the answer.
    pub latency: Latency,
}

/// Something that a plugin asked for and may not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// The right that it is about: `http`, `config`, `catalog`.
    pub right: String,
    /// What was refused.
    pub message: String,
    /// The YAML that would grant it, where a line does.
    pub line: Option<String>,
    /// Where the line belongs: a path in app-config, or `rights.http` in plugin.yaml.
    pub place: Option<String>,
    /// Whether it is the plugin's author who must ask for it first.
    pub by_author: bool,
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: String,
    /// The last time.
    pub last: String,
    /// The version that was refused it last.
    pub version: String,
}

/// `GET /api/plugins/{id}/log`: what a plugin wrote, and its last fault. As the statistics, it is what the replica that
/// answers has seen since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginLog {
    /// The plugin.
    pub plugin_id: String,
    /// The last lines, the newest first.
    pub lines: Vec<PluginLogLine>,
    /// How many older lines there were.
    pub dropped: u64,
    /// The last call that ended in a fault of the plugin.
    pub last_fault: Option<PluginFault>,
}

/// A line of a plugin's log. Control characters are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginLogLine {
    /// When, RFC 3339.
    pub at: String,
    /// How serious.
    pub level: LogLevel,
    /// The id of the call, as in the portal's own log.
    pub request: String,
    /// As in WIT.
    pub extension_point: String,
    /// As in WIT.
    pub function: String,
    /// The version that wrote it.
    pub version: String,
    /// What it wrote.
    pub text: String,
}

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// News.
    Info,
    /// Somebody should look at it.
    Warn,
    /// Something does not work.
    Error,
}

/// A call that ended in a fault of the plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginFault {
    /// When, RFC 3339.
    pub at: String,
    /// What kind of fault: `trap`, `deadline`, `memory` …
    pub class: String,
    /// As in WIT.
    pub extension_point: String,
    /// As in WIT.
    pub function: String,
    /// The id of the call.
    pub request: String,
    /// The version that was called.
    pub version: String,
    /// What happened.
    pub message: String,
    /// Where it happened, the innermost function first. Empty where the plugin was stopped from outside.
    pub backtrace: Vec<BacktraceFrame>,
}

/// A function that was under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BacktraceFrame {
    /// Its name, or its number where the component was built without names.
    pub function: String,
    /// Where in the module, in bytes.
    pub offset: Option<u64>,
}
