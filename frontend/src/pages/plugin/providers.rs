//! What a plugin reads into the catalog, how that went, and what could not be read.

use callboard_model::api::{Problem, ProviderInfo};
use callboard_model::ui::Level;
use leptos::prelude::*;
use leptos::task;

use crate::api;
use crate::format;
use crate::messages::{Msg, t};
use crate::pages::plugins::worst;
use crate::ui::{Alert, Button, Card, Column, DataTable, EntityLink, Glyph, Importance, Status, Time, use_toasts};

/// A card for each provider.
#[component]
pub(crate) fn Providers(
    /// The plugin's id.
    plugin: String,
    /// Its providers.
    providers: Memo<Vec<ProviderInfo>>,
    /// Called once a run has been asked for.
    #[prop(into)]
    on_run: Callback<()>,
) -> impl IntoView {
    let names =
        Memo::new(move |_| providers.with(|all| all.iter().map(|provider| provider.name.clone()).collect::<Vec<_>>()));
    view! {
        <For
            each=move || names.get()
            key=String::clone
            children=move |name| {
                let wanted = name.clone();
                let provider = Memo::new(move |_| {
                    let found = providers.with(|all| all.iter().find(|provider| provider.name == wanted).cloned());
                    found.unwrap_or_default()
                });
                view! { <Provider plugin=plugin.clone() name=name provider=provider on_run=on_run /> }
            }
        />
    }
}

#[component]
fn Provider(plugin: String, name: String, provider: Memo<ProviderInfo>, on_run: Callback<()>) -> impl IntoView {
    let asked = RwSignal::new(false);
    let toasts = use_toasts();
    let run = {
        let name = name.clone();
        move || {
            let (plugin, name) = (plugin.clone(), name.clone());
            asked.set(true);
            task::spawn_local(async move {
                let answer = api::plugins::run_provider(&plugin, &name).await;
                if asked.try_set(false).is_some() {
                    return;
                }
                match answer {
                    Ok(()) => {
                        toasts.ok(Msg::RunAsked.with(&[("name", &name)]));
                        on_run.run(());
                    }
                    Err(error) => {
                        let text = Msg::RunFailed.with(&[("name", &name), ("error", &error.message)]);
                        toasts.failed(text, &error, None);
                    }
                }
            });
        }
    };
    let running = Signal::derive(move || asked.get() || provider.with(|provider| provider.running));
    let run_button = move || {
        let run = run.clone();
        view! { <Button label=t(Msg::RunNow) icon=Glyph::Play busy=running on_press=move |_| run() /> }
    };
    view! {
        <Card title=name actions=run_button class="provider">
            {move || facts(&provider.get())}
            <Problems provider=provider />
        </Card>
    }
}

fn facts(provider: &ProviderInfo) -> AnyView {
    let state = if provider.running {
        view! { <Status level=Level::Running text=t(Msg::ProviderRunning) /> }
    } else {
        let text = match worst(provider) {
            Level::Error => Msg::ProviderFailed,
            Level::Warning => Msg::ProviderProblems,
            Level::Ok => Msg::ProviderOk,
            _ => Msg::ProviderNotYet,
        };
        view! { <Status level=worst(provider) text=t(text) /> }
    };
    let time = |time: &Option<String>| match time {
        Some(at) => view! { <Time at=at.clone() /> }.into_any(),
        None => view! { <span class="muted">{t(Msg::Never)}</span> }.into_any(),
    };
    let facts = [
        (Msg::State, state.into_any()),
        (Msg::Schedule, provider.schedule.clone().into_any()),
        (Msg::LastRun, time(&provider.last_run)),
        (Msg::LastSuccess, time(&provider.last_success)),
        (Msg::NextRun, time(&provider.next_run)),
    ]
    .map(|(label, value)| view! { <div><dt>{t(label)}</dt><dd>{value}</dd></div> });
    let counts = &provider.counts;
    let stats = [
        (Msg::Listed, counts.listed),
        (Msg::Added, counts.added),
        (Msg::Changed, counts.changed),
        (Msg::Removed, counts.removed),
        (Msg::Unchanged, counts.unchanged),
    ]
    .map(|(label, count)| {
        view! {
            <div class="stat">
                <dt class="stat__label">{t(label)}</dt>
                <dd class="stat__value">{format::number(count)}</dd>
            </div>
        }
    });
    let error = provider.last_error.clone().map(|error| {
        view! { <div class="alerts"><Alert level=Level::Error title=t(Msg::LastRunFailed) text=error /></div> }
    });
    view! {
        {error}
        <dl class="provider__facts">{facts}</dl>
        <dl class="stats">{stats}</dl>
    }
    .into_any()
}

/// What could not be read, and where it is.
#[component]
fn Problems(provider: Memo<ProviderInfo>) -> impl IntoView {
    let rows = Memo::new(move |_| provider.with(|provider| provider.problems.clone()));
    let count = Memo::new(move |_| provider.with(|provider| provider.problem_count));
    let caption = Signal::derive(move || Msg::CountProblems.count(count.get()));
    let there = Memo::new(move |_| !rows.with(Vec::is_empty));
    move || {
        there.get().then(|| {
            view! {
                <div class="provider__problems table-box">
                    <DataTable
                        caption=caption
                        show_caption=true
                        columns=Signal::stored(COLUMNS.to_vec())
                        rows=rows
                        key=|problem| format!("{} {} {}", problem.entity_ref, problem.target, problem.message)
                    />
                </div>
            }
        })
    }
}

const COLUMNS: [Column<Problem>; 3] = [
    Column {
        key: "target",
        label: Msg::Target,
        sorts: false,
        importance: Importance::Text,
        cell: |problem| view! { <span class="mono">{problem.target.clone()}</span> }.into_any(),
    },
    Column {
        key: "message",
        label: Msg::WhatIsWrong,
        sorts: false,
        importance: Importance::Text,
        cell: |problem| view! { <span>{problem.message.clone()}</span> }.into_any(),
    },
    Column {
        key: "entity",
        label: Msg::Entity,
        sorts: false,
        importance: Importance::Minor,
        cell: |problem| view! { <EntityLink entity_ref=problem.entity_ref.clone() /> }.into_any(),
    },
];
