//! What an entity is, at a glance, and what can be done with it.

use callboard_model::ui::Level;
use leptos::prelude::*;
use leptos::task;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::Subject;
use super::inspect::Inspect;
use crate::api;
use crate::api::identity::Question;
use crate::browser;
use crate::entity::{self, Item};
use crate::format;
use crate::messages::{Msg, t};
use crate::permissions;
use crate::ui::{Alert, CopyButton, EntityLink, Glyph, Icon, Menu, MenuItem, Star, use_toasts};

/// Kind, type, title, owner, lifecycle; the menu; and what is wrong with it.
#[component]
pub(crate) fn Head(subject: Subject, title: Memo<String>) -> impl IntoView {
    let inspecting = RwSignal::new(false);
    let data = subject.item.data;
    let glyph = move || {
        let glyph = subject.reference.with(|reference| Glyph::of_kind(reference.kind()));
        view! { <Icon glyph=glyph /> }
    };
    let kind = move || {
        data.with(|item| match item {
            Some(item) => match item.spec("type") {
                Some(kind) => format!("{} — {kind}", item.kind()),
                None => item.kind().to_owned(),
            },
            None => subject.reference.with(|reference| format::kind(reference.kind())),
        })
    };
    let facts = move || data.with(|item| item.as_ref().map(facts));
    let actions = move || {
        data.with(Option::is_some).then(|| {
            view! {
                <div class="entity-head__actions">
                    <Star entity_ref=Signal::derive(move || subject.reference.get().to_string()) title=title />
                    <CopyButton text=browser::address label=t(Msg::CopyLink) compact=true />
                    <Actions subject=subject inspecting=inspecting />
                </div>
            }
        })
    };
    view! {
        <div class="entity-head">
            <span class="entity-head__tile">{glyph}</span>
            <div class="entity-head__text">
                <p class="entity-head__kind">{kind}</p>
                <h1 tabindex="-1">{title}</h1>
                {facts}
            </div>
            {actions}
        </div>
        {move || data.with(|item| item.as_ref().map(warnings))}
        <Inspect item=data open=inspecting />
    }
}

fn facts(item: &Item) -> AnyView {
    let owners = item.related("ownedBy");
    let owners = (!owners.is_empty()).then(|| {
        let links = owners.into_iter().map(|owner| view! { <EntityLink entity_ref=owner /> " " }).collect_view();
        view! { <div><dt>{t(Msg::Owner)}</dt><dd>{links}</dd></div> }
    });
    let lifecycle = item.spec("lifecycle").map(|lifecycle| {
        view! { <div><dt>{t(Msg::Lifecycle)}</dt><dd>{lifecycle.to_owned()}</dd></div> }
    });
    let reference = item.reference().to_string();
    view! {
        <dl class="entity-head__facts">
            {owners}
            {lifecycle}
            <div><dt>{t(Msg::Reference)}</dt><dd class="mono break">{reference}</dd></div>
        </dl>
    }
    .into_any()
}

#[component]
fn Actions(subject: Subject, inspecting: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let copy = Callback::new(move |()| {
        let address = browser::absolute(&entity::href(&subject.reference.get_untracked()));
        task::spawn_local(async move {
            match browser::copy(&address).await {
                Ok(()) => toasts.ok(t(Msg::Copied)),
                Err(()) => toasts.error(t(Msg::CopyFailed)),
            }
        });
    });
    let refresh = Callback::new(move |()| {
        let reference = subject.reference.get_untracked().to_string();
        task::spawn_local(async move {
            match api::catalog::refresh(&reference).await {
                Ok(()) => {
                    toasts.ok(t(Msg::RefreshAsked));
                    subject.item.reload();
                }
                Err(error) => {
                    let text = Msg::RefreshFailed.with(&[("error", &error.message)]);
                    toasts.failed(text, &error, Some(&reference));
                }
            }
        });
    });
    let navigate = use_navigate();
    let ask = Callback::new(move |()| {
        let entity_ref = subject.reference.get_untracked().to_string();
        navigate(&permissions::address(&Question { entity_ref, ..Question::default() }), NavigateOptions::default());
    });
    let items = vec![
        MenuItem { label: t(Msg::CopyUrl).to_owned(), glyph: Glyph::Link, on_press: copy },
        MenuItem {
            label: t(Msg::Inspect).to_owned(),
            glyph: Glyph::Code,
            on_press: Callback::new(move |()| inspecting.set(true)),
        },
        MenuItem { label: t(Msg::WhatMayIWithIt).to_owned(), glyph: Glyph::Shield, on_press: ask },
        MenuItem { label: t(Msg::Refresh).to_owned(), glyph: Glyph::Refresh, on_press: refresh },
    ];
    view! { <Menu label=t(Msg::MoreActions) items=items /> }
}

/// What went wrong when it was last read; what is shown is the last version that could be.
fn warnings(item: &Item) -> AnyView {
    let problems = item
        .problems()
        .into_iter()
        .map(|(level, message)| {
            let level = if level == "warning" { Level::Warning } else { Level::Error };
            view! { <Alert level=level title=t(Msg::ProcessingFailed) text=message /> }
        })
        .collect::<Vec<_>>();
    let orphan = item.is_orphan().then(|| {
        view! { <Alert level=Level::Warning title=t(Msg::Orphan) text=t(Msg::OrphanText).to_owned() /> }
    });
    if problems.is_empty() && orphan.is_none() {
        return ().into_any();
    }
    view! { <div class="alerts">{problems}{orphan}</div> }.into_any()
}
