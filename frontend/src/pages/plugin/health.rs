//! How a plugin does: its calls, how long they take, and what goes wrong.

use std::collections::BTreeMap;

use callboard_model::api::{CallStatistics, Latency, OutboundStatistics, PluginStatistics, VersionStatistics};
use leptos::prelude::*;

use crate::format;
use crate::messages::{Msg, t};
use crate::ui::{Card, Column, DataTable, EmptyState, Glyph, Importance, Time, table};

/// The calls of a plugin, in numbers.
#[component]
pub(crate) fn Health(statistics: Memo<Option<PluginStatistics>>) -> impl IntoView {
    let of = move |part: fn(&PluginStatistics) -> u64| move || statistics.with(|all| all.as_ref().map_or(0, part));
    let calls =
        Memo::new(move |_| statistics.with(|all| all.as_ref().map(|all| all.calls.clone()).unwrap_or_default()));
    let versions =
        Memo::new(move |_| statistics.with(|all| all.as_ref().map(|all| all.versions.clone()).unwrap_or_default()));
    let latency =
        Memo::new(move |_| statistics.with(|all| all.as_ref().map(|all| all.latency.clone()).unwrap_or_default()));
    let has_calls = Memo::new(move |_| calls.with(|calls| !calls.is_empty()));
    let has_versions = Memo::new(move |_| versions.with(|versions| versions.len() > 1));
    let number = |count: u64| format::number(count);
    let time = move |part: fn(&Latency) -> Option<f64>| {
        move || latency.with(|latency| part(latency).map_or_else(|| "–".to_owned(), format::milliseconds))
    };
    view! {
        <Card title=t(Msg::Health)>
            {move || {
                if !has_calls.get() {
                    let text = t(Msg::NoCallsText).to_owned();
                    return view! { <EmptyState title=t(Msg::NoCalls) text=text glyph=Glyph::Plugin /> }.into_any();
                }
                view! {
                    <dl class="stats">
                        {stat(Msg::Calls, move || number(of(|all| all.calls.iter().map(count).sum())()))}
                        {stat(Msg::Errors, move || number(of(|all| all.calls.iter().map(failed).sum())()))}
                        {stat(Msg::Median, time(|latency| latency.p50_ms))}
                        {stat(Msg::P95, time(|latency| latency.p95_ms))}
                        {stat(Msg::P99, time(|latency| latency.p99_ms))}
                        {stat(Msg::UnderWay, move || number(of(|all| all.running)()))}
                        {stat(Msg::MemoryNow, move || format::bytes(of(|all| all.memory_in_use)()))}
                    </dl>
                    <p class="muted plugin__since">
                        {t(Msg::CountedSince)} " "
                        {move || statistics.with(|all| all.as_ref().and_then(|all| all.since.clone())).map(|at| view! { <Time at=at /> })}
                    </p>
                    <div class="table-box">
                        <DataTable
                            caption=t(Msg::CallsCaption)
                            columns=Signal::stored(CALLS.to_vec())
                            rows=calls
                            key=|calls| format!("{calls:?}")
                        />
                    </div>
                    {move || has_versions.get().then(|| view! {
                        <div class="table-box plugin__versions">
                            <DataTable
                                caption=t(Msg::VersionsCaption)
                                show_caption=true
                                columns=Signal::stored(VERSIONS.to_vec())
                                rows=versions
                                key=|version| format!("{version:?}")
                            />
                        </div>
                    })}
                }
                .into_any()
            }}
        </Card>
    }
}

/// The requests of a plugin, by where they went; nothing for one that may send none.
#[component]
pub(crate) fn Outbound(
    statistics: Memo<Option<PluginStatistics>>,
    /// Whether it may send any.
    may_send: bool,
) -> impl IntoView {
    let rows =
        Memo::new(move |_| statistics.with(|all| all.as_ref().map(|all| all.outbound.clone()).unwrap_or_default()));
    let has_rows = Memo::new(move |_| rows.with(|rows| !rows.is_empty()));
    move || {
        let body = match (has_rows.get(), may_send) {
            (false, false) => return None,
            (false, true) => {
                let text = t(Msg::NoRequestsText).to_owned();
                view! { <EmptyState title=t(Msg::NoRequests) text=text glyph=Glyph::External /> }.into_any()
            }
            (true, _) => view! {
                <div class="table-box">
                    <DataTable
                        caption=t(Msg::RequestsCaption)
                        columns=Signal::stored(REQUESTS.to_vec())
                        rows=rows
                        key=|sent| format!("{sent:?}")
                    />
                </div>
            }
            .into_any(),
        };
        Some(view! { <Card title=t(Msg::Requests) flush=true>{body}</Card> })
    }
}

const CALLS: [Column<CallStatistics>; 7] = [
    Column {
        key: "function",
        label: Msg::Function,
        sorts: false,
        importance: Importance::Always,
        cell: |calls| view! { <code>{format!("{}.{}", calls.extension_point, calls.function)}</code> }.into_any(),
    },
    Column {
        key: "calls",
        label: Msg::Calls,
        sorts: false,
        importance: Importance::Always,
        cell: |calls| format::number(count(calls)).into_any(),
    },
    Column {
        key: "errors",
        label: Msg::Errors,
        sorts: false,
        importance: Importance::Text,
        cell: |calls| counts(&calls.errors),
    },
    Column {
        key: "p50",
        label: Msg::Median,
        sorts: false,
        importance: Importance::Always,
        cell: |calls| took(calls.latency.p50_ms),
    },
    Column {
        key: "p95",
        label: Msg::P95,
        sorts: false,
        importance: Importance::Less,
        cell: |calls| took(calls.latency.p95_ms),
    },
    Column {
        key: "p99",
        label: Msg::P99,
        sorts: false,
        importance: Importance::Always,
        cell: |calls| took(calls.latency.p99_ms),
    },
    Column {
        key: "memory",
        label: Msg::PeakMemory,
        sorts: false,
        importance: Importance::Less,
        cell: |calls| view! { <span class="nowrap">{format::bytes(calls.peak_memory)}</span> }.into_any(),
    },
];

const VERSIONS: [Column<VersionStatistics>; 4] = [
    Column {
        key: "version",
        label: Msg::Version,
        sorts: false,
        importance: Importance::Always,
        cell: |version| view! { <span title=version.digest.clone()>{version.version.clone()}</span> }.into_any(),
    },
    Column {
        key: "loaded",
        label: Msg::Loaded,
        sorts: false,
        importance: Importance::Always,
        cell: |version| view! { <Time at=version.loaded.clone() /> }.into_any(),
    },
    Column {
        key: "calls",
        label: Msg::Calls,
        sorts: false,
        importance: Importance::Always,
        cell: |version| format::number(version.calls).into_any(),
    },
    Column {
        key: "errors",
        label: Msg::Errors,
        sorts: false,
        importance: Importance::Always,
        cell: |version| format::number(version.errors).into_any(),
    },
];

const REQUESTS: [Column<OutboundStatistics>; 6] = [
    Column {
        key: "origin",
        label: Msg::Origin,
        sorts: false,
        importance: Importance::Text,
        cell: |sent| view! { <span class="mono break">{sent.origin.clone()}</span> }.into_any(),
    },
    Column {
        key: "answers",
        label: Msg::Answers,
        sorts: false,
        importance: Importance::Always,
        cell: |sent| counts(&sent.statuses),
    },
    Column {
        key: "failures",
        label: Msg::Unanswered,
        sorts: false,
        importance: Importance::Always,
        cell: |sent| counts(&sent.errors),
    },
    Column {
        key: "p50",
        label: Msg::Median,
        sorts: false,
        importance: Importance::Always,
        cell: |sent| took(sent.latency.p50_ms),
    },
    Column {
        key: "p95",
        label: Msg::P95,
        sorts: false,
        importance: Importance::Less,
        cell: |sent| took(sent.latency.p95_ms),
    },
    Column {
        key: "p99",
        label: Msg::P99,
        sorts: false,
        importance: Importance::Always,
        cell: |sent| took(sent.latency.p99_ms),
    },
];

fn stat(label: Msg, value: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="stat">
            <dt class="stat__label">{t(label)}</dt>
            <dd class="stat__value">{value}</dd>
        </div>
    }
}

fn took(ms: Option<f64>) -> AnyView {
    match ms {
        Some(ms) => view! { <span class="nowrap">{format::milliseconds(ms)}</span> }.into_any(),
        None => table::none(),
    }
}

/// Such as `2xx 120, 4xx 3`.
fn counts(counts: &BTreeMap<String, u64>) -> AnyView {
    if counts.is_empty() {
        return table::none();
    }
    let counts = counts.iter().map(|(name, count)| format!("{name} {}", format::number(*count)));
    counts.collect::<Vec<_>>().join(", ").into_any()
}

fn count(calls: &CallStatistics) -> u64 {
    calls.ok + failed(calls)
}

fn failed(calls: &CallStatistics) -> u64 {
    calls.errors.values().sum()
}
