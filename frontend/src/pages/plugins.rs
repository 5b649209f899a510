//! The plugins: which there are, and whether they run.

use callboard_model::api::{PluginInfo, PluginState, ProviderInfo};
use callboard_model::ui::Level;
use leptos::prelude::*;

use super::PageHead;
use crate::api;
use crate::format;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::ui::{Column, DataTable, EmptyState, ErrorPanel, Glyph, Icon, Importance, Skeleton, Status, table};

/// All plugins, in the order of the configuration.
#[component]
pub(crate) fn PluginsPage() -> impl IntoView {
    let plugins = live(|| Some(()), |()| api::plugins::list(), Habits { beats: true, keeps: true });
    let rows = Memo::new(move |_| plugins.data.get().map(|list| list.items).unwrap_or_default());
    let shape = Memo::new(move |_| (plugins.data.with(Option::is_some), rows.with(Vec::is_empty), plugins.error.get()));
    let count = move || {
        let text =
            move || plugins.data.with(Option::is_some).then(|| Msg::CountPlugins.count(rows.with(Vec::len) as u64));
        view! { <span class="catalog-count" role="status">{text}</span> }
    };
    view! {
        <PageHead title=t(Msg::Plugins) note=count />
        <p class="page-lead">{t(Msg::PluginsLead)}</p>
        {move || match shape.get() {
            (false, _, Some(error)) => {
                view! { <ErrorPanel title=t(Msg::PluginsFailed) error=error on_retry=move |()| plugins.reload() /> }.into_any()
            }
            (false, _, None) => view! { <Skeleton lines=8 /> }.into_any(),
            (true, true, _) => {
                let text = t(Msg::NoPluginsText).to_owned();
                view! { <div class="card"><EmptyState title=t(Msg::NoPlugins) text=text glyph=Glyph::Plugin /></div> }.into_any()
            }
            (true, false, _) => {
                view! {
                    <div class="table-box">
                        <div class="table-scroll">
                            <DataTable
                                caption=t(Msg::PluginsCaption)
                                columns=Signal::stored(COLUMNS.to_vec())
                                rows=rows
                                key=row_key
                            />
                        </div>
                    </div>
                }
                    .into_any()
            }
        }}
    }
}

const COLUMNS: [Column<PluginInfo>; 6] = [
    Column {
        key: "name",
        label: Msg::Name,
        sorts: false,
        importance: Importance::Always,
        cell: |plugin| {
            let href = format!("/plugins/{}", plugin.id);
            let name = plugin.name.clone();
            view! {
                <span class="table__name"><Icon glyph=Glyph::Plugin /><a href=href>{name}</a></span>
            }
            .into_any()
        },
    },
    Column {
        key: "state",
        label: Msg::State,
        sorts: false,
        importance: Importance::Always,
        cell: |plugin| state(plugin.state),
    },
    Column {
        key: "version",
        label: Msg::Version,
        sorts: false,
        importance: Importance::Always,
        cell: |plugin| plugin.version.clone().map_or_else(table::none, IntoAny::into_any),
    },
    Column {
        key: "adds",
        label: Msg::Adds,
        sorts: false,
        importance: Importance::Less,
        cell: |plugin| match adds(plugin) {
            adds if adds.is_empty() => table::none(),
            adds => adds.into_any(),
        },
    },
    Column {
        key: "health",
        label: Msg::Providers,
        sorts: false,
        importance: Importance::Always,
        cell: |plugin| health(&plugin.providers),
    },
    Column {
        key: "description",
        label: Msg::Description,
        sorts: false,
        importance: Importance::Fill,
        cell: |plugin| {
            let text = plugin.reason.clone().unwrap_or_else(|| plugin.description.clone());
            view! { <span class="muted" title=text.clone()>{text.clone()}</span> }.into_any()
        },
    },
];

/// Only what the table shows: a run that found nothing new changes no row.
fn row_key(plugin: &PluginInfo) -> String {
    let runs = plugin.providers.iter().map(|provider| (worst(provider), provider.problem_count)).collect::<Vec<_>>();
    format!(
        "{} {:?} {:?} {} {:?} {runs:?} {}",
        plugin.id,
        plugin.state,
        plugin.version,
        plugin.name,
        plugin.reason,
        adds(plugin)
    )
}

/// Whether a plugin runs, in a word.
pub(crate) fn state(state: PluginState) -> AnyView {
    let (level, text) = match state {
        PluginState::Running => (Level::Ok, Msg::PluginRunning),
        PluginState::Disabled => (Level::Neutral, Msg::PluginDisabled),
        PluginState::Refused => (Level::Error, Msg::PluginRefused),
        PluginState::Suspended => (Level::Warning, Msg::PluginSuspended),
    };
    view! { <Status level=level text=t(text) /> }.into_any()
}

/// What a plugin adds to the portal.
fn adds(plugin: &PluginInfo) -> String {
    let extensions = plugin.extensions.iter().map(|extension| extension.title.clone());
    let providers = plugin.providers.len() as u64;
    let providers = (providers > 0).then(|| Msg::CountProviders.count(providers));
    let processors = plugin.processors.len() as u64;
    let processors = (processors > 0).then(|| Msg::CountProcessors.count(processors));
    providers.into_iter().chain(processors).chain(extensions).collect::<Vec<_>>().join(", ")
}

fn health(providers: &[ProviderInfo]) -> AnyView {
    let Some(level) = providers.iter().map(worst).max_by_key(|level| severity(*level)) else { return table::none() };
    let problems = providers.iter().map(|provider| provider.problem_count).sum::<u64>();
    let text = match level {
        Level::Error => t(Msg::ProviderFailed).to_owned(),
        Level::Warning => Msg::CountProblems.count(problems),
        Level::Neutral => t(Msg::ProviderNotYet).to_owned(),
        _ => {
            let listed = providers.iter().map(|provider| provider.counts.listed).sum::<u64>();
            Msg::CountListed.with(&[("n", &format::number(listed))])
        }
    };
    view! { <Status level=level text=text /> }.into_any()
}

/// How a provider is.
pub(crate) fn worst(provider: &ProviderInfo) -> Level {
    if provider.last_error.is_some() {
        Level::Error
    } else if provider.problem_count > 0 {
        Level::Warning
    } else if provider.last_success.is_some() {
        Level::Ok
    } else {
        Level::Neutral
    }
}

fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warning => 2,
        Level::Neutral => 1,
        _ => 0,
    }
}
