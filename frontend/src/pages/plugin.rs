//! One plugin: whether it runs, what it may do, what it adds, and how its providers are.

use callboard_model::api::PluginInfo;
use callboard_model::ui::Level;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{plugins, title_window};
use crate::api;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::ui::{Alert, Breadcrumbs, Card, CopyButton, EmptyState, ErrorPanel, Glyph, Icon, Skeleton, Stale};

mod contributions;
mod denials;
mod health;
mod log;
mod providers;
mod rights;
mod versions;

use contributions::{Actions, Events, Extensions, Processors, Routes};
use denials::{Denials, Missing};
use health::{Health, Outbound};
use log::Log;
use providers::Providers;
use rights::RightsTable;
use versions::Versions;

/// One plugin.
#[component]
pub(crate) fn PluginPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let plugin = live(move || Some(id.get()), api::plugins::by_id, Habits { beats: true, keeps: false });
    let title = Memo::new(move |_| {
        plugin.data.with(|plugin| plugin.as_ref().map(|plugin| plugin.name.clone())).unwrap_or_else(|| id.get())
    });
    title_window(title.into());
    // What a run changes is apart from what only a restart does, so that a run builds nothing else anew.
    let fixed = Memo::new(move |_| {
        let mut plugin = plugin.data.get()?;
        plugin.providers.clear();
        Some(plugin)
    });
    let providers = Memo::new(move |_| {
        plugin.data.with(|plugin| plugin.as_ref().map(|plugin| plugin.providers.clone())).unwrap_or_default()
    });
    // What only plugins of app-config have, so that a wrong address asks once.
    let known = move || plugin.data.with(|plugin| plugin.as_ref().map(|plugin| plugin.id.clone()));
    let habits = Habits { beats: true, keeps: false };
    let statistics = live(known, api::plugins::statistics, habits);
    let log = live(known, api::plugins::log, habits);
    let numbers = Memo::new(move |_| statistics.data.get());
    let failed = Memo::new(move |_| plugin.error.get().filter(|_| fixed.with(Option::is_none)));
    let body = move || match (fixed.get(), failed.get()) {
        (Some(info), _) => view! {
            <Facts plugin=info.clone() />
            <Providers plugin=info.id.clone() providers=providers on_run=move |()| plugin.reload() />
            <Versions plugin=info.clone() on_change=move |()| plugin.reload() />
            <Health statistics=numbers />
            <Denials statistics=numbers />
            <Outbound statistics=numbers may_send=!info.effective.http.is_empty() />
            <Extensions plugin=info.clone() />
            <Processors processors=info.processors.clone() />
            <Routes routes=info.routes.clone() />
            <Actions actions=info.actions.clone() />
            <Events plugin=info.id.clone() events=info.events.clone() />
            <Card title=t(Msg::Rights) flush=true>
                <RightsTable
                    declared=info.declared.clone()
                    granted=info.granted.clone()
                    effective=info.effective.clone()
                />
                <Missing plugin=info.clone() />
            </Card>
            <Log log=log.data error=log.error />
        }
        .into_any(),
        (None, Some(error)) if error.is_gone() => {
            let text = t(Msg::NoPluginText).to_owned();
            view! {
                <EmptyState title=t(Msg::NoPlugin) text=text glyph=Glyph::Plugin>
                    <a class="button" href="/plugins">{t(Msg::Plugins)}</a>
                </EmptyState>
            }
            .into_any()
        }
        (None, Some(error)) => {
            view! { <ErrorPanel title=t(Msg::PluginsFailed) error=error on_retry=move |()| plugin.reload() /> }
                .into_any()
        }
        (None, None) => view! { <Skeleton lines=10 /> }.into_any(),
    };
    view! {
        <Breadcrumbs above=vec![(t(Msg::Plugins).to_owned(), "/plugins".to_owned())] here=title />
        <div class="entity-head">
            <span class="entity-head__tile"><Icon glyph=Glyph::Plugin /></span>
            <div class="entity-head__text">
                <p class="entity-head__kind">
                    {move || fixed.with(|plugin| plugin.as_ref().map(|plugin| plugins::state(plugin.state)))}
                </p>
                <h1 tabindex="-1">{title}</h1>
            </div>
        </div>
        <Stale live=plugin />
        <div class="stack">{body}</div>
    }
}

#[component]
fn Facts(plugin: PluginInfo) -> impl IntoView {
    let refused =
        plugin.reason.map(|reason| view! { <Alert level=Level::Error title=t(Msg::PluginRefusedTitle) text=reason /> });
    let mut rows = vec![(Msg::PluginId, view! { <code>{plugin.id}</code> }.into_any())];
    rows.extend(plugin.version.clone().map(|version| (Msg::Version, version.into_any())));
    rows.push((Msg::Source, view! { <code class="break">{plugin.source}</code> }.into_any()));
    rows.extend(plugin.digest.map(|digest| {
        let copied = digest.clone();
        let shown = view! {
            <span class="digest">
                <code title=digest.clone()>{digest.clone()}</code>
                <CopyButton text=move || copied.clone() label=t(Msg::CopyDigest) compact=true />
            </span>
        };
        (Msg::Digest, shown.into_any())
    }));
    if plugin.version.is_some() {
        let signed_by = plugin.signed_by.unwrap_or_else(|| t(Msg::SignatureNotAsked).to_owned());
        rows.push((Msg::Signature, view! { <span class="break">{signed_by}</span> }.into_any()));
    }
    if !plugin.extension_points.is_empty() {
        rows.push((Msg::ExtensionPoints, view! { <code>{plugin.extension_points.join(", ")}</code> }.into_any()));
    }
    let rows = rows.into_iter().map(|(label, value)| view! { <dt>{t(label)}</dt><dd>{value}</dd> }).collect_view();
    view! {
        {refused}
        <Card title=t(Msg::About)>
            <div class="stack">
                {(!plugin.description.is_empty()).then(|| view! { <p>{plugin.description}</p> })}
                <dl class="key-values">{rows}</dl>
            </div>
        </Card>
    }
}
