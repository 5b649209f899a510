//! An entity's page: a head, and a tab for each way to look at it.

use callboard_model::api::ExtensionInfo;
use callboard_model::entity_ref::EntityRef;
use callboard_model::manifest::AttachmentPoint;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::title_window;
use crate::api;
use crate::api::plugins::Place;
use crate::entity::{self, Item};
use crate::format;
use crate::live::{Habits, Live, live};
use crate::messages::{Msg, t};
use crate::pages::not_found::SearchCatalog;
use crate::plugin_view::PluginView;
use crate::ui::{Breadcrumbs, EmptyState, ErrorPanel, Glyph, Skeleton, Stale, TabItem, Tabs, tabs};

mod about;
mod definition;
mod head;
mod inspect;
mod overview;
mod relations;

use definition::Definition;
use head::Head;
use overview::Overview;

const STEM: &str = "entity";
const OVERVIEW: &str = "overview";
const DEFINITION: &str = "definition";

/// What the parts of the page know of it.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    /// As the address has it.
    pub reference: Memo<EntityRef>,
    /// The entity.
    pub item: Live<Item>,
    /// What plugins show here.
    pub extensions: Live<Vec<ExtensionInfo>>,
}

impl Subject {
    /// Which component an extension is of, now.
    pub(super) fn digest_of(self, extension: &ExtensionInfo) -> Memo<String> {
        let (plugin, id) = (extension.plugin_id.clone(), extension.id.clone());
        Memo::new(move |_| {
            self.extensions.data.with(|extensions| {
                let mut all = extensions.iter().flatten();
                let now = all.find(|extension| extension.plugin_id == plugin && extension.id == id);
                now.map(|extension| extension.digest.clone()).unwrap_or_default()
            })
        })
    }
}

/// An entity's page.
#[component]
pub(crate) fn EntityPage() -> impl IntoView {
    let params = use_params_map();
    let reference = Memo::new(move |_| {
        let part = |name| params.with(|params| params.get(name).unwrap_or_default());
        EntityRef::new(part("kind"), part("namespace"), part("name"))
    });
    let tab = Memo::new(move |_| {
        params.with(|params| params.get("tab")).filter(|tab| !tab.is_empty()).unwrap_or_else(|| OVERVIEW.to_owned())
    });
    let item = live(move || Some(reference.get()), api::catalog::by_name, Habits { beats: true, keeps: false });
    let found = Memo::new(move |_| item.data.with(Option::is_some));
    let extensions = live(
        move || found.get().then(|| reference.get().to_string()),
        api::plugins::extensions,
        Habits { beats: true, keeps: false },
    );
    let subject = Subject { reference, item, extensions };
    let title = Memo::new(move |_| {
        item.data
            .with(|item| item.as_ref().map(|item| item.title().to_owned()))
            .unwrap_or_else(|| reference.get().name().to_owned())
    });
    title_window(title.into());

    let trail = move || {
        let kind = reference.with(|reference| reference.kind().to_owned());
        let label = format::kind(&kind);
        let above = vec![
            (t(Msg::Catalog).to_owned(), "/catalog".to_owned()),
            (label, format!("/catalog?filters[kind]={kind}")),
        ];
        view! { <Breadcrumbs above=above here=title /> }
    };
    let failed = Memo::new(move |_| item.error.get().filter(|_| !found.get()));
    let body = move || {
        match failed.get() {
        Some(error) if error.is_gone() => view! { <Missing reference=reference.get() /> }.into_any(),
        Some(error) => {
            view! { <ErrorPanel title=t(Msg::EntityFailed) error=error on_retry=move |()| item.reload() about=reference.get().to_string() /> }.into_any()
        }
        None => view! { <Tabbed subject=subject tab=tab /> }.into_any(),
    }
    };
    view! {
        {trail}
        <Head subject=subject title=title />
        <Stale live=item />
        {body}
    }
}

#[component]
fn Tabbed(subject: Subject, tab: Memo<String>) -> impl IntoView {
    let defined = Memo::new(move |_| {
        subject.item.data.with(|item| item.as_ref().is_some_and(|item| item.spec(DEFINITION).is_some()))
    });
    let plugin_tabs = Memo::new(move |_| {
        let extensions = subject.extensions.data.get().unwrap_or_default();
        let tabs = extensions.into_iter().filter(|extension| extension.at == AttachmentPoint::EntityTab);
        // Another version of a plugin is no other tab.
        tabs.map(|tab| ExtensionInfo { digest: String::new(), ..tab }).collect::<Vec<_>>()
    });
    let items = Memo::new(move |_| {
        let base = entity::href(&subject.reference.get());
        let own = |key: &str, label: Msg| TabItem {
            key: key.to_owned(),
            label: t(label).to_owned(),
            href: if key == OVERVIEW { base.clone() } else { format!("{base}/{key}") },
        };
        let mut items = vec![own(OVERVIEW, Msg::Overview)];
        if defined.get() {
            items.push(own(DEFINITION, Msg::Definition));
        }
        items.extend(plugin_tabs.get().into_iter().map(|extension| {
            let key = key_of(&extension);
            TabItem { href: format!("{base}/{key}"), key, label: extension.title }
        }));
        items
    });
    let panel = move || {
        let tab = tab.get();
        match tab.as_str() {
            OVERVIEW => view! { <Overview subject=subject /> }.into_any(),
            DEFINITION if defined.get() => view! { <Definition subject=subject /> }.into_any(),
            _ => match plugin_tabs.get().into_iter().find(|extension| key_of(extension) == tab) {
                Some(extension) => view! { <PluginTab subject=subject extension=extension /> }.into_any(),
                // The tab's plugin, or the entity, may still be on its way.
                None if subject.extensions.waiting() => view! { <Skeleton lines=6 /> }.into_any(),
                None => view! { <NoTab subject=subject /> }.into_any(),
            },
        }
    };
    view! {
        <Tabs label=t(Msg::EntityViews) stem=STEM tabs=items selected=tab />
        <div
            class="tab-panel"
            role="tabpanel"
            id=tabs::ids(STEM, "").1
            aria-labelledby=move || tabs::ids(STEM, &tab.get()).0
            tabindex="0"
        >
            {panel}
        </div>
    }
}

#[component]
fn PluginTab(subject: Subject, extension: ExtensionInfo) -> impl IntoView {
    let plugin = extension.plugin_id.clone();
    let digest = subject.digest_of(&extension);
    let place = Place {
        plugin: extension.plugin_id,
        extension: extension.id,
        entity_ref: Some(subject.reference.get_untracked().to_string()),
    };
    view! {
        <PluginView place=place on_failure=extension.on_failure digest=digest />
        <p class="plugin-note">{t(Msg::FromPlugin)} " " <a href=format!("/plugins/{plugin}")>{plugin.clone()}</a></p>
    }
}

/// The tab's part of the address. No plugin's id has a dot in it.
fn key_of(extension: &ExtensionInfo) -> String {
    format!("{}.{}", extension.plugin_id, extension.id)
}

#[component]
fn NoTab(subject: Subject) -> impl IntoView {
    let href = entity::href(&subject.reference.get_untracked());
    view! {
        <EmptyState title=t(Msg::NoTab) text=t(Msg::NoTabText).to_owned() glyph=Glyph::Plugin>
            <a class="button" href=href>{t(Msg::Overview)}</a>
        </EmptyState>
    }
}

#[component]
fn Missing(reference: EntityRef) -> impl IntoView {
    let text = Msg::NoEntityText.with(&[("ref", &reference)]);
    view! {
        <EmptyState title=t(Msg::NoEntity) text=text glyph=Glyph::of_kind(reference.kind())>
            <SearchCatalog />
        </EmptyState>
    }
}
