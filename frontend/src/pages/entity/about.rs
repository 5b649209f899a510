//! What an entity says of itself.

use leptos::prelude::*;

use super::Subject;
use crate::entity::{Item, Link};
use crate::list_state::{Facet, ListState};
use crate::markdown::Markdown;
use crate::messages::{Msg, t};
use crate::ui::{Card, Chip, EntityLink, ExternalLink};

/// Description, owner, system, type, lifecycle, tags, and where it was read from.
#[component]
pub(crate) fn About(subject: Subject) -> impl IntoView {
    let data = subject.item.data;
    view! { <Card title=t(Msg::About)>{move || data.with(|item| item.as_ref().map(about))}</Card> }
}

fn about(item: &Item) -> AnyView {
    let mut rows: Vec<(Msg, AnyView)> = Vec::new();
    let owners = refs(item.related("ownedBy"));
    rows.extend(owners.map(|owners| (Msg::Owner, owners)));
    let parents = refs(item.related("partOf"));
    rows.extend(parents.map(|parents| (if item.is_kind("system") { Msg::Domain } else { Msg::System }, parents)));
    for (label, text) in [
        (Msg::Type, item.spec("type")),
        (Msg::Lifecycle, item.spec("lifecycle")),
        (Msg::Email, item.profile("email")),
        (Msg::Target, item.spec("target")),
    ] {
        rows.extend(text.map(|text| (label, text.to_owned().into_any())));
    }
    let tags = item.tags();
    if !tags.is_empty() {
        let chips = tags.into_iter().map(|tag| view! { <Chip text=tag.clone() href=list_of(tag) /> }).collect_view();
        rows.push((Msg::Tags, view! { <span class="chips">{chips}</span> }.into_any()));
    }
    rows.extend(source(item).map(|source| (Msg::Source, source)));
    let rows = rows.into_iter().map(|(label, value)| view! { <dt>{t(label)}</dt><dd>{value}</dd> }).collect_view();
    let description = match item.metadata("description") {
        Some(description) => view! { <Markdown text=description.to_owned() /> }.into_any(),
        None => view! { <p class="muted">{t(Msg::NoDescription)}</p> }.into_any(),
    };
    view! {
        <div class="stack">
            {description}
            <dl class="key-values">{rows}</dl>
        </div>
    }
    .into_any()
}

fn refs(refs: Vec<String>) -> Option<AnyView> {
    (!refs.is_empty()).then(|| {
        let links = refs.into_iter().map(|target| view! { <EntityLink entity_ref=target /> }).collect_view();
        view! { <span class="stack stack--row">{links}</span> }.into_any()
    })
}

/// Everything that has this tag.
fn list_of(tag: String) -> String {
    format!("/catalog{}", ListState::default().with(Facet::Tag, vec![tag]).to_search())
}

fn source(item: &Item) -> Option<AnyView> {
    let source = item.source()?;
    let target = source.target;
    let read = match source.href {
        Some(href) => view! { <ExternalLink href=href text=target /> }.into_any(),
        None => view! { <span class="mono">{target}</span> }.into_any(),
    };
    let edit = item.edit_url().map(|href| view! { " · " <ExternalLink href=href text=t(Msg::Edit) /> });
    Some(view! { <span class="break">{read} {edit}</span> }.into_any())
}

/// `metadata.links`.
#[component]
pub(crate) fn Links(subject: Subject) -> impl IntoView {
    let data = subject.item.data;
    let links = Memo::new(move |_| data.with(|item| item.as_ref().map(Item::links)).unwrap_or_default());
    move || {
        let links = links.get();
        (!links.is_empty()).then(|| {
            let rows = links.into_iter().map(|link| view! { <li>{row(link)}</li> }).collect_view();
            view! { <Card title=t(Msg::Links)><ul class="link-list">{rows}</ul></Card> }
        })
    }
}

fn row(link: Link) -> AnyView {
    match link.href {
        Some(href) => view! { <ExternalLink href=href text=link.title /> }.into_any(),
        None => view! { <span class="muted break" title=t(Msg::UnsafeLink)>{link.title}</span> }.into_any(),
    }
}
