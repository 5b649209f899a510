//! What an operator sees of a plugin afterwards: every call, request, denial and line is counted once, and what the
//! guest wrote is harmless.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use callboard_host::Plugin;
use callboard_model::api::{LogLevel, PluginLog, PluginStatistics};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::fixture::{Fixture, Upstream, attack, nobody, spec};

fn numbers(fixture: &Fixture, plugin: &Plugin) -> PluginStatistics {
    fixture.host.statistics(plugin.id()).expect("it was loaded").numbers()
}

fn words(fixture: &Fixture, plugin: &Plugin) -> PluginLog {
    fixture.host.statistics(plugin.id()).expect("it was loaded").words()
}

fn to(upstream: &Upstream, path: &str) -> Value {
    json!({ "hostile": { "url": format!("{}{path}", upstream.origin) } })
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_function_and_outcome() {
    let fixture = Fixture::new().await;
    assert!(fixture.host.statistics("read-env").is_none());
    let plugin = fixture.load("read_env").await;
    for _ in 0..3 {
        attack(&plugin).await.unwrap();
    }
    plugin.read(&nobody(), "read-env", None).await.unwrap_err();
    let seen = numbers(&fixture, &plugin);
    let calls: Vec<_> = seen
        .calls
        .iter()
        .map(|calls| (calls.extension_point.as_str(), calls.function.as_str(), calls.ok, calls.errors.clone()))
        .collect();
    let failed = BTreeMap::from([("guest-other".to_owned(), 1)]);
    assert_eq!(calls, [("entity-provider", "read", 0, failed), ("ui", "render", 3, BTreeMap::new())]);
    assert_eq!((seen.latency.count, seen.running, seen.memory_in_use), (4, 0, 0));
    assert_eq!(seen.calls[1].latency.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 3);
    // An instance of Rust's begins with a MiB of stack.
    assert!(seen.calls[1].peak_memory >= 1024 * 1024, "{}", seen.calls[1].peak_memory);
    assert_eq!((seen.versions.len(), seen.versions[0].calls, seen.versions[0].errors), (1, 4, 1));
    assert_eq!(seen.versions[0].digest, plugin.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_outlasts_the_loaded_version() {
    let fixture = Fixture::new().await;
    let first = fixture.load("read_env").await;
    attack(&first).await.unwrap();
    let second = fixture.load("read_env").await;
    attack(&second).await.unwrap();
    attack(&first).await.unwrap();
    assert_eq!(numbers(&fixture, &second).calls[0].ok, 3);
    drop((first, second));
    assert_eq!(fixture.host.all_statistics().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_kept_with_its_backtrace() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("panic").await;
    attack(&plugin).await.unwrap_err();
    let fault = words(&fixture, &plugin).last_fault.expect("a fault");
    assert_eq!(
        (fault.class.as_str(), fault.extension_point.as_str(), fault.function.as_str()),
        ("trap", "ui", "render")
    );
    assert!(fault.message.contains("the guest says no"), "{}", fault.message);
    assert_eq!(fault.version, plugin.manifest().version.to_string());
    let functions: Vec<_> = fault.backtrace.iter().map(|frame| frame.function.as_str()).collect();
    // Readable, and without the hash that the compiler appends.
    assert!(functions.iter().any(|function| function.contains("core::panicking::panic_fmt")), "{functions:#?}");
    assert!(
        !functions.iter().any(|function| function.contains("17h") || function.starts_with("_ZN")),
        "{functions:#?}"
    );
    assert!(fault.backtrace.iter().all(|frame| frame.offset.is_some()));
    assert!(functions.len() <= callboard_host::limits::BACKTRACE_FRAMES);
    // What it said on its way is in its log, with the call's id.
    let log = words(&fixture, &plugin);
    assert!(log.lines.iter().any(|line| line.text.contains("the guest says no") && line.request == fault.request));

    let plugin = fixture.load("recursion").await;
    attack(&plugin).await.unwrap_err();
    let fault = words(&fixture, &plugin).last_fault.expect("a fault");
    assert_eq!((fault.class.as_str(), fault.backtrace.len()), ("stack", callboard_host::limits::BACKTRACE_FRAMES));

    let plugin = fixture.load("memory_bomb").await;
    attack(&plugin).await.unwrap_err();
    let fault = words(&fixture, &plugin).last_fault.expect("a fault");
    assert_eq!(fault.class, "memory");
    let seen = numbers(&fixture, &plugin);
    let peak = seen.calls[0].peak_memory;
    assert!(peak > 32 * 1024 * 1024 && peak <= 64 * 1024 * 1024, "{peak}");
    assert_eq!(seen.memory_in_use, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_is_bounded() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("log_flood").await;
    for _ in 0..4 {
        attack(&plugin).await.unwrap();
    }
    let log = words(&fixture, &plugin);
    let bytes: usize = log.lines.iter().map(|line| line.text.len()).sum();
    assert!(bytes <= callboard_host::limits::REMEMBERED_LOG_BYTES, "{bytes}");
    assert!(log.lines.len() <= callboard_host::limits::REMEMBERED_LINES);
    assert!(log.dropped > 0);
    assert!(log.lines.iter().any(|line| line.level == LogLevel::Warn && line.text.contains("is dropped")));
    assert_eq!(numbers(&fixture, &plugin).host_calls["log.log"], 4 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_origin() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("redirect_to_private", to(&upstream, "/echo")).await;
    attack(&plugin).await.unwrap();
    attack(&plugin).await.unwrap();
    let silent = fixture.load_with("redirect_to_private", to(&upstream, "/silent")).await;
    attack(&silent).await.unwrap();
    let seen = numbers(&fixture, &plugin);
    assert_eq!(seen.outbound.len(), 1, "{:?}", seen.outbound);
    let sent = &seen.outbound[0];
    assert_eq!(sent.origin, upstream.origin);
    assert_eq!(sent.statuses, BTreeMap::from([("2xx".to_owned(), 2)]));
    assert_eq!(sent.errors, BTreeMap::from([("timeout".to_owned(), 1)]));
    assert_eq!((sent.latency.count, seen.host_calls["http.send"], seen.denial_count), (3, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_name_the_line_that_would_grant_them() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("ungranted_origin", to(&upstream, "")).await;
    attack(&plugin).await.unwrap();
    attack(&plugin).await.unwrap();
    let seen = numbers(&fixture, &plugin);
    let denial = seen.denials.iter().find(|denial| denial.message == "GET https://not-granted.example").unwrap();
    assert_eq!((denial.right.as_str(), denial.count, denial.by_author), ("http", 2, true));
    assert_eq!(denial.line.as_deref(), Some("- \"GET https://not-granted.example\""));
    assert_eq!(denial.place.as_deref(), Some("rights.http"));
    assert!(seen.outbound.is_empty(), "nothing was sent");

    // A redirect to where the grant does not reach.
    let elsewhere = Upstream::start().await;
    let path = format!("/redirect?{}/secret?token=canary", elsewhere.origin);
    let plugin = fixture.load_with("redirect_to_private", to(&upstream, &path)).await;
    attack(&plugin).await.unwrap();
    let seen = numbers(&fixture, &plugin);
    assert_eq!(seen.denials[0].message, format!("GET {}", elsewhere.origin));
    assert_eq!(seen.outbound[0].errors, BTreeMap::from([("refused".to_owned(), 1)]));
    assert!(!serde_json::to_string(&seen).unwrap().contains("canary"), "neither path nor query");
}

/// The spans that are for traces, by their names, with parents and fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Seen>>>);

#[derive(Clone, Debug)]
struct Seen {
    id: u64,
    parent: Option<u64>,
    fields: BTreeMap<String, String>,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber + for<'span> LookupSpan<'span>> tracing_subscriber::Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() == callboard_host::spans::TARGET {
            let parent = context.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
            let mut seen = Seen { id: id.into_u64(), parent, fields: BTreeMap::new() };
            attributes.record(&mut seen);
            self.0.lock().unwrap().push(seen);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        // The last one: ids are used again.
        if let Some(seen) = self.0.lock().unwrap().iter_mut().rfind(|seen| seen.id == id.into_u64()) {
            values.record(seen);
        }
    }
}

/// On one thread, so that the subscriber of the test is that of the call.
#[tokio::test]
async fn a_call_is_a_span_and_its_requests_are_below_it() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("redirect_to_private", to(&upstream, "/echo")).await;
    let broken = fixture.host.load(spec("panic", json!({}))).await.unwrap();
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    attack(&plugin).await.unwrap();
    attack(&broken).await.unwrap_err();
    drop(guard);
    let seen = spans.0.lock().unwrap().clone();
    assert_eq!(seen.len(), 3, "{seen:#?}");
    let field = |index: usize, name: &str| seen[index].fields.get(name).map(String::as_str);
    assert_eq!(field(0, "otel.name"), Some("redirect-to-private ui.render"));
    assert_eq!(field(0, "plugin.version"), Some("0.1.0"));
    assert_eq!(field(0, "plugin.request").map(str::len), Some(16));
    assert_eq!(field(0, "error.type"), None);
    assert_eq!((seen[1].parent, field(1, "http.response.status_code")), (Some(seen[0].id), Some("200")));
    assert_eq!(field(1, "server.address"), Some("127.0.0.1"));
    assert_eq!((field(2, "otel.status_code"), field(2, "error.type")), (Some("ERROR"), Some("trap")));
    assert!(!format!("{seen:?}").contains("/echo"), "no path of a request");
}
