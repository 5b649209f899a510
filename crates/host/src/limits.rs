//! Every limit of a plugin, with its reason.
//!
//! What [`Limits`] has may be changed: `host.limits` in app-config does it for all plugins, `plugins.<id>.limits` for
//! one. The others are the same for every plugin, deliberately:
//!
//! - What WIT, the SDK and `docs/plugins.md` promise on both sides of the boundary: [`BATCH_BYTES`], [`REQUESTS_PER_SEND`],
//!   [`CATALOG_REFS`], [`CATALOG_PAGE`], [`TABLE_ROWS`], [`RESPONSE_PART_BYTES`], [`MANIFEST_BYTES`]. A plugin that was
//!   built for them works everywhere.
//! - What protects somebody other than the plugin, who did not choose it: a reader's browser ([`TREE_BYTES`],
//!   [`TREE_NODES`], [`TREE_DEPTH`]) and the catalog (`EMITTED_…`, `PROCESSOR_…`, `FRESH_FOR_…`).
//! - What all plugins share: the slots of the pool ([`INSTANCES`], [`MEMORY_CEILING`], [`TABLE_ELEMENTS`]), the memory
//!   that one call may take of the host ([`HOST_CALL_FUEL`], [`RESOURCES`], [`SIGNATURES_BYTES`]), the queue before the
//!   compiler ([`COMPILE_QUEUE`]), [`REDIRECTS`] and [`LONGEST_SUSPENSION`].
//!
//! What plugins keep is limited where it is kept, in `callboard_store::limits`, and likewise for every plugin alike:
//! the database is everybody's.

use std::time::Duration;

use callboard_model::ui;
use serde::{Deserialize, Deserializer};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The largest component that is compiled. Compilation is not hardened against hostile input and grows with it; the
/// largest real plugins (those that carry an interpreter) stay below this.
pub const COMPONENT_BYTES: usize = 32 * MIB;
/// How long compilation may take. A plugin of 100 KiB takes 0.1 s, in a debug build of the host 3 s.
pub const COMPILE_TIME: Duration = Duration::from_secs(60);
/// What the process may hold that compiles a component. The S3 plugin, of 0.6 MiB, takes 50 MiB; it grows with the code,
/// so that a component of [`COMPONENT_BYTES`], which carries an interpreter, takes some twenty times as much.
pub const COMPILE_MEMORY: usize = 1024 * MIB;
/// How long a plugin waits while others are compiled, one after the other.
pub const COMPILE_QUEUE: Duration = Duration::from_secs(600);
/// What the types of a component's imports and exports may take as text. Those of all capabilities together take a tenth
/// of it; types that refer to one another could fill any memory.
pub const SIGNATURES_BYTES: usize = 256 * KIB;
/// How deep components and modules may be in one another. Toolchains make two or three levels, each of which the checks
/// of a file have to remember.
pub const NESTING: usize = 100;
/// A manifest. It is parsed before anything else is known of a component; the largest real ones have a tenth of it.
pub const MANIFEST_BYTES: usize = 256 * KIB;
/// Linear memory of one instance. 32 concurrent calls of a plugin then stay within 2 GiB.
pub const MEMORY_BYTES: usize = 64 * MIB;
/// What `memory` can be raised to: the slots of the instance pool are of this size.
pub const MEMORY_CEILING: usize = 512 * MIB;
/// Elements of a table. Rust's guests use a few hundred; a table element costs the host 8 bytes.
pub const TABLE_ELEMENTS: usize = 20_000;
/// A UI call, or a request to a route, holds up a person who is looking at a spinner.
pub const UI_DEADLINE: Duration = Duration::from_secs(5);
/// A provider's page is one or a few upstream requests, with their retries.
pub const PAGE_DEADLINE: Duration = Duration::from_secs(60);
/// A processor's batch of a few hundred entities takes some ten milliseconds, so this leaves time for a few upstream
/// requests and still frees the engine's worker soon.
pub const PROCESSOR_DEADLINE: Duration = Duration::from_secs(10);
/// Entities of one batch. Small ones would otherwise come by the ten thousand, and share one deadline and one fault.
pub const PROCESSOR_BATCH_ITEMS: usize = 1_000;
/// A batch is full with so much JSON text; an entity that has more goes alone, up to [`BATCH_BYTES`]. Parsed, small
/// entities take ten times as much of the guest's memory, and what it makes of them as much again.
pub const PROCESSOR_BATCH_BYTES: usize = MIB;
/// After so many faults among the entities of a batch, tried one by one, it is the processor and not the entities. With
/// the batch's own it is one fault less than suspends a plugin.
pub const PROCESSOR_RETRY_FAULTS: usize = 3;
/// How many deadlines the entities of a batch may take together when they are tried one by one.
pub const PROCESSOR_RETRY_DEADLINES: u32 = 6;
/// A batch of events: time for a request or two to the upstream that is told of each, and soon enough over for the next.
pub const EVENT_DEADLINE: Duration = Duration::from_secs(10);
/// A batch of events is full with so much JSON text; an event that has more goes alone. Parsed, small events take ten
/// times as much of the guest's memory.
pub const EVENT_BATCH_BYTES: usize = MIB;
/// How often an event is tried before it is given up. With the pauses of [`EVENT_RETRY`] that is three hours and a half:
/// longer than a deployment or a night-watch's repair.
pub const EVENT_ATTEMPTS: u32 = 12;
/// The pause after the first failure; each further one is twice as long, up to [`EVENT_RETRY_MOST`].
pub const EVENT_RETRY: Duration = Duration::from_secs(5);
/// The longest pause between two attempts, whatever the plugin asks for.
pub const EVENT_RETRY_MOST: Duration = Duration::from_secs(60 * 60);
/// What is kept of the reason that a plugin gives for an event, in characters.
pub const EVENT_REASON_CHARACTERS: usize = 2_000;
/// The body of a webhook. An event crosses as a whole, with what stands around it; GitHub's are 20 KiB, and what has more
/// than some hundred is a list that the plugin better asks for itself.
pub const WEBHOOK_BYTES: usize = 3 * MIB;
/// The value of one header of a webhook.
pub const WEBHOOK_HEADER_BYTES: usize = 4 * KIB;
/// For how many seconds a signature with a time holds, where the manifest does not say: Slack's own advice.
pub const WEBHOOK_WINDOW: u32 = 300;
/// How long a result holds that depends on what the plugin asked others, where it does not say so.
pub const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// The shortest time for which a result holds, whatever the plugin says: it must not become a loop over the catalog.
pub const FRESH_FOR_LEAST: Duration = Duration::from_secs(60);
/// The longest time for which a result holds that a plugin gives a time at all.
pub const FRESH_FOR_MOST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Entities, and likewise locations, that one entity may emit: as many as a file may have documents.
pub const EMITTED_ENTITIES: usize = 10_000;
/// Relations that one entity may emit. Each is a row, and both of its ends are stitched.
pub const EMITTED_RELATIONS: usize = 10_000;
/// Refresh keys, and likewise errors, of one result.
pub const EMITTED_NOTES: usize = 100;
/// What crosses the boundary at once, as one list or one text: a page of a provider, an HTTP request's body.
pub const BATCH_BYTES: usize = 4 * MIB;
/// What one host call may copy out of a guest, in bytes of host memory: the engine counts a list's elements at their
/// host size, so this lies above [`BATCH_BYTES`].
pub const HOST_CALL_FUEL: usize = 16 * MIB;
/// A UI tree as JSON text. Past this, the page would stutter.
pub const TREE_BYTES: usize = ui::MAX_BYTES;
/// Nodes of a UI tree; rows of a table are data and do not count.
pub const TREE_NODES: usize = ui::MAX_NODES;
/// Depth of a UI tree, so that no renderer needs an unbounded stack.
pub const TREE_DEPTH: usize = ui::MAX_DEPTH;
/// Rows of a table; more come by its cursor.
pub const TABLE_ROWS: usize = ui::MAX_ROWS;
/// Routes of one plugin. Each request is compared with all of them.
pub const ROUTES: usize = 200;
/// Segments of the path of a request to a route: as deep as any API that people design.
pub const ROUTE_SEGMENTS: usize = 32;
/// Names and values of the query of a request to a route. Each is a value that crosses on its own.
pub const ROUTE_QUERY: usize = 200;
/// The body of a request to a route. Nothing of a plugin's needs to be uploaded at once; what does goes in parts.
pub const ROUTE_REQUEST_BYTES: usize = MIB;
/// The body of a route's answer: what crosses at once. More goes by pages.
pub const ROUTE_RESPONSE_BYTES: usize = BATCH_BYTES;
/// The value of one header, in either direction.
pub const ROUTE_HEADER_BYTES: usize = 2 * KIB;
/// What a guest may read of one response body, in parts.
pub const RESPONSE_BYTES: usize = 32 * MIB;
/// One part of a response body.
pub const RESPONSE_PART_BYTES: usize = MIB;
/// Requests of one `http.send`.
pub const REQUESTS_PER_SEND: usize = 64;
/// Refs of one `catalog.get`: as many as a tab shows, and no way to fetch a catalog by its names.
pub const CATALOG_REFS: usize = 100;
/// Entities of one page of `catalog.query`; more come by its cursor. What the HTTP API answers with where nobody says.
pub const CATALOG_PAGE: u32 = 200;
/// How long a step of a scaffolder may take at most, whatever its own deadline: when a task counts as stale.
pub const ACTION_DEADLINE_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// Input and output of an action as JSON text: both are kept with the task, and each page of its log shows them.
pub const ACTION_BYTES: usize = MIB;
/// Actions of one plugin. The largest of Backstage's modules has some twenty.
pub const ACTIONS: usize = 200;
/// The files of a workspace together: a template's project, with what it vendors. It is on the server's own disk.
pub const WORKSPACE_BYTES: usize = 512 * MIB;
/// One file of a workspace. Larger ones do not belong into a repository.
pub const WORKSPACE_FILE_BYTES: usize = 100 * MIB;
/// Files and folders of a workspace. A large monorepo has as many; ten times as many would use up a disk's inodes.
pub const WORKSPACE_ENTRIES: usize = 50_000;
/// One path within a workspace. With the folder's own it stays within the 4,096 of the kernel.
pub const WORKSPACE_PATH_BYTES: usize = 1_024;
/// Parts of a path within a workspace: twice what Java's packages come to.
pub const WORKSPACE_DEPTH: usize = 32;
/// Entries of one listing; more come by its `next`.
pub const WORKSPACE_LISTING: usize = 1_000;
/// What is read of a file at once.
pub const WORKSPACE_PART_BYTES: usize = MIB;
/// Redirects that one request follows, each checked.
pub const REDIRECTS: usize = 5;
/// Log of one call: lines and what the guest writes to stdout and stderr together.
pub const LOG_BYTES: usize = 64 * KIB;
/// Calls of one plugin at a time; more wait within their own deadline.
pub const CONCURRENT_CALLS: usize = 32;
/// Outgoing requests of one plugin at a time, over all its calls; more wait within the deadline of their call.
pub const OUTBOUND_REQUESTS: usize = 16;
/// Instances of all plugins at a time: the size of the pool.
pub const INSTANCES: u32 = 256;
/// Instances whose pages are kept for the next ones when they end. That is 32 MiB at worst, with [`WARM_BYTES`].
pub const WARM_INSTANCES: u32 = 32;
/// What is kept of the memory of each: a batch of a hundred entities of 2 KB needs as much. Without it, getting these pages
/// from the system and giving them back takes a third of such a call.
pub const WARM_BYTES: usize = MIB;
/// Host calls may leave this many things (bodies, streams) open in one call.
pub const RESOURCES: usize = 256;
/// This many faults without a success in between suspend the plugin.
pub const FAULTS_BEFORE_SUSPENSION: u32 = 5;
/// The first suspension. Each further one is twice as long.
pub const FIRST_SUSPENSION: Duration = Duration::from_secs(10);
/// Frames of a trap's backtrace. A panic of Rust's takes ten of its own, and nobody reads more than the rest.
pub const BACKTRACE_FRAMES: usize = 32;
/// The longest name in a backtrace that is made readable. Names of generic functions have a few hundred bytes; decoding
/// grows with the name, which is the component's word.
pub const BACKTRACE_NAME_BYTES: usize = 2 * KIB;
/// What of a function's name is shown.
pub const BACKTRACE_NAME_CHARACTERS: usize = 200;
/// Origins whose requests are counted apart; a right with a wildcard covers as many as a guest can think of, and each
/// is a line on a page and some twenty series of metrics.
pub const REMEMBERED_ORIGINS: usize = 32;
/// Denials that are listed: more than a page of them nobody reads, and the next one after a fix is among them.
pub const REMEMBERED_DENIALS: usize = 50;
/// Lines of a plugin's log that are kept in memory for its page; the portal's own log has them all.
pub const REMEMBERED_LINES: usize = 200;
/// Bytes of these lines.
pub const REMEMBERED_LOG_BYTES: usize = 64 * KIB;
/// Bytes of one of these lines.
pub const REMEMBERED_LINE_BYTES: usize = 2 * KIB;
/// Versions of a plugin whose calls are counted apart.
pub const REMEMBERED_VERSIONS: usize = 10;
/// The longest suspension.
pub const LONGEST_SUSPENSION: Duration = Duration::from_secs(600);

/// The limits that an operator may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory of one instance.
    pub memory: usize,
    /// How long a `ui` call or a request to a route may take, in guest and host.
    pub ui_deadline: Duration,
    /// How long one page of a provider may take, in guest and host.
    pub page_deadline: Duration,
    /// How long a batch of a processor may take, in guest and host.
    pub processor_deadline: Duration,
    /// How long a batch of events may take, in guest and host.
    pub event_deadline: Duration,
    /// How often an event is tried before it is given up.
    pub event_attempts: u32,
    /// The pause after an event's first failure; each further one is twice as long, up to an hour.
    pub event_retry: Duration,
    /// Bytes that a guest may read of one response body.
    pub response_bytes: usize,
    /// Bytes of a workspace's files together.
    pub workspace_bytes: usize,
    /// Bytes of one file of a workspace.
    pub workspace_file_bytes: usize,
    /// Files and folders of a workspace.
    pub workspace_entries: usize,
    /// Bytes of log of one call.
    pub log_bytes: usize,
    /// Calls of one plugin at a time.
    pub concurrent_calls: usize,
    /// Outgoing requests of one plugin at a time.
    pub outbound_requests: usize,
    /// Bytes of a component.
    pub component_bytes: usize,
    /// How long compilation may take.
    pub compile_time: Duration,
    /// Bytes that compilation may take.
    pub compile_memory: usize,
    /// Faults in a row that suspend a plugin.
    pub faults_before_suspension: u32,
    /// The first suspension; each further one is twice as long, up to ten minutes.
    pub first_suspension: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: MEMORY_BYTES,
            ui_deadline: UI_DEADLINE,
            page_deadline: PAGE_DEADLINE,
            processor_deadline: PROCESSOR_DEADLINE,
            event_deadline: EVENT_DEADLINE,
            event_attempts: EVENT_ATTEMPTS,
            event_retry: EVENT_RETRY,
            response_bytes: RESPONSE_BYTES,
            workspace_bytes: WORKSPACE_BYTES,
            workspace_file_bytes: WORKSPACE_FILE_BYTES,
            workspace_entries: WORKSPACE_ENTRIES,
            log_bytes: LOG_BYTES,
            concurrent_calls: CONCURRENT_CALLS,
            outbound_requests: OUTBOUND_REQUESTS,
            component_bytes: COMPONENT_BYTES,
            compile_time: COMPILE_TIME,
            compile_memory: COMPILE_MEMORY,
            faults_before_suspension: FAULTS_BEFORE_SUSPENSION,
            first_suspension: FIRST_SUSPENSION,
        }
    }
}

impl Limits {
    /// These limits with what `overrides` names changed.
    ///
    /// # Errors
    /// A value that the host cannot keep, such as no memory at all.
    pub fn with(mut self, overrides: &LimitOverrides) -> Result<Limits, LimitsError> {
        fn set<T: Clone>(limit: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                limit.clone_from(value);
            }
        }
        set(&mut self.memory, &overrides.memory);
        set(&mut self.ui_deadline, &overrides.ui_deadline);
        set(&mut self.page_deadline, &overrides.page_deadline);
        set(&mut self.processor_deadline, &overrides.processor_deadline);
        set(&mut self.event_deadline, &overrides.event_deadline);
        set(&mut self.event_attempts, &overrides.event_attempts);
        set(&mut self.event_retry, &overrides.event_retry);
        set(&mut self.response_bytes, &overrides.response_bytes);
        set(&mut self.workspace_bytes, &overrides.workspace_bytes);
        set(&mut self.workspace_file_bytes, &overrides.workspace_file_bytes);
        set(&mut self.workspace_entries, &overrides.workspace_entries);
        set(&mut self.log_bytes, &overrides.log_bytes);
        set(&mut self.concurrent_calls, &overrides.concurrent_calls);
        set(&mut self.outbound_requests, &overrides.outbound_requests);
        set(&mut self.component_bytes, &overrides.component_bytes);
        set(&mut self.compile_time, &overrides.compile_time);
        set(&mut self.compile_memory, &overrides.compile_memory);
        set(&mut self.faults_before_suspension, &overrides.faults_before_suspension);
        set(&mut self.first_suspension, &overrides.first_suspension);
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), LimitsError> {
        let range = |name, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(LimitsError { name, message: format!("is {value}, but must be from {least} to {most}") })
            }
        };
        let time = |name, value: Duration, most: u64| {
            if !value.is_zero() && value <= Duration::from_secs(most) {
                Ok(())
            } else {
                Err(LimitsError {
                    name,
                    message: format!("is {value:?}, but must be more than nothing and at most {most} s"),
                })
            }
        };
        range("memory", self.memory, MIB, MEMORY_CEILING)?;
        time("uiDeadline", self.ui_deadline, 60)?;
        time("pageDeadline", self.page_deadline, 3600)?;
        time("processorDeadline", self.processor_deadline, 600)?;
        time("eventDeadline", self.event_deadline, 600)?;
        range("eventAttempts", self.event_attempts as usize, 1, 100)?;
        time("eventRetry", self.event_retry, EVENT_RETRY_MOST.as_secs())?;
        range("responseBytes", self.response_bytes, 1, 1024 * MIB)?;
        range("workspaceBytes", self.workspace_bytes, 1, 1024 * 1024 * MIB)?;
        range("workspaceFileBytes", self.workspace_file_bytes, 1, 1024 * 1024 * MIB)?;
        range("workspaceEntries", self.workspace_entries, 1, 10_000_000)?;
        range("logBytes", self.log_bytes, 0, 16 * MIB)?;
        range("concurrentCalls", self.concurrent_calls, 1, 128)?;
        range("outboundRequests", self.outbound_requests, 1, 256)?;
        range("componentBytes", self.component_bytes, 1, 256 * MIB)?;
        time("compileTime", self.compile_time, 3600)?;
        range("compileMemory", self.compile_memory, 64 * MIB, 16 * 1024 * MIB)?;
        range("faultsBeforeSuspension", self.faults_before_suspension as usize, 1, 1000)?;
        time("firstSuspension", self.first_suspension, LONGEST_SUSPENSION.as_secs())
    }
}

/// `host.limits` or `plugins.<id>.limits` in app-config. Sizes are bytes; times are as in a schedule: `"10 seconds"`,
/// `{ seconds: 10 }` or `PT10S`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the one of the same name in Limits")]
pub struct LimitOverrides {
    pub memory: Option<usize>,
    #[serde(deserialize_with = "duration")]
    pub ui_deadline: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub page_deadline: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub processor_deadline: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub event_deadline: Option<Duration>,
    pub event_attempts: Option<u32>,
    #[serde(deserialize_with = "duration")]
    pub event_retry: Option<Duration>,
    pub response_bytes: Option<usize>,
    pub workspace_bytes: Option<usize>,
    pub workspace_file_bytes: Option<usize>,
    pub workspace_entries: Option<usize>,
    pub log_bytes: Option<usize>,
    pub concurrent_calls: Option<usize>,
    pub outbound_requests: Option<usize>,
    pub component_bytes: Option<usize>,
    #[serde(deserialize_with = "duration")]
    pub compile_time: Option<Duration>,
    pub compile_memory: Option<usize>,
    pub faults_before_suspension: Option<u32>,
    #[serde(deserialize_with = "duration")]
    pub first_suspension: Option<Duration>,
}

/// A limit that the host cannot keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit `{name}` {message}")]
pub struct LimitsError {
    /// As in app-config.
    pub name: &'static str,
    message: String,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    callboard_model::schedule::parse_duration(&value).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(overrides: serde_json::Value, expected: Result<Limits, &str>) {
        let result = serde_json::from_value::<LimitOverrides>(overrides.clone())
            .map_err(|error| error.to_string())
            .and_then(|overrides| Limits::default().with(&overrides).map_err(|error| error.to_string()));
        match expected {
            Ok(limits) => assert_eq!(result, Ok(limits), "{overrides}"),
            Err(part) => {
                let message = result.expect_err("refused");
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn overrides() {
        use serde_json::json;
        check(json!({}), Ok(Limits::default()));
        check(json!({ "memory": 1_048_576 }), Ok(Limits { memory: MIB, ..Limits::default() }));
        check(
            json!({ "uiDeadline": { "seconds": 1 }, "pageDeadline": "2 minutes" }),
            Ok(Limits {
                ui_deadline: Duration::from_secs(1),
                page_deadline: Duration::from_secs(120),
                ..Limits::default()
            }),
        );
        check(json!({ "memory": 1 }), Err("`memory` is 1, but must be from 1048576 to 536870912"));
        check(json!({ "memory": 1_073_741_824 }), Err("`memory`"));
        check(json!({ "uiDeadline": { "seconds": 0 } }), Err("`uiDeadline`"));
        check(json!({ "concurrentCalls": 0 }), Err("`concurrentCalls`"));
        check(json!({ "memmory": 1 }), Err("memmory"));
    }
}
