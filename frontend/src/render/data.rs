//! `key-values`, `list`, `tree`, `timeline`.

use callboard_model::safe_url::SafeUrl;
use callboard_model::ui::{KeyValues, Level, List, ListItem, Timeline, TimelineItem, TreeItem, TreeView};
use leptos::prelude::*;

use super::{Place, node};
use crate::messages::{Msg, t};
use crate::ui::{ExternalLink, Glyph, Icon, Time, status, unique_id};

pub(super) fn key_values(values: KeyValues, place: &Place) -> AnyView {
    let rows = values
        .items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            view! { <dt class="break" dir="auto">{item.key.to_string()}</dt><dd>{node(item.value, &place.within(index))}</dd> }
        })
        .collect_view();
    view! { <dl class="key-values">{rows}</dl> }.into_any()
}

pub(super) fn list(list: List, place: &Place) -> AnyView {
    let items = list.items.into_iter().enumerate().map(|(index, item)| list_item(item, place, index)).collect_view();
    if list.ordered {
        view! { <ol class="items items--ordered">{items}</ol> }.into_any()
    } else {
        view! { <ul class="items">{items}</ul> }.into_any()
    }
}

fn list_item(item: ListItem, place: &Place, index: usize) -> AnyView {
    let ListItem { title, text, href, level, value } = item;
    view! {
        <li class="items__item">
            {level.map(mark)}
            <div class="items__body">
                <p class="items__title break" dir="auto">{linked(title.to_string(), href)}</p>
                {text.map(|text| view! { <p class="items__text break" dir="auto">{text.to_string()}</p> })}
            </div>
            {value.map(|value| view! { <div class="items__value">{node(*value, &place.within(index))}</div> })}
        </li>
    }
    .into_any()
}

pub(super) fn tree(tree: TreeView, place: &Place) -> AnyView {
    let items = tree_items(tree.items, place);
    view! { <div class="outline" role="group" aria-label=tree.label.to_string()>{items}</div> }.into_any()
}

fn tree_items(items: Vec<TreeItem>, place: &Place) -> AnyView {
    let items = items.into_iter().enumerate().map(|(index, item)| tree_item(item, &place.within(index))).collect_view();
    view! { <ul class="outline__list">{items}</ul> }.into_any()
}

fn tree_item(item: TreeItem, place: &Place) -> AnyView {
    let TreeItem { label, note, href, level, items, open } = item;
    let label = label.to_string();
    let id = unique_id("fold");
    let switched = place.host.memory.text(&place.at);
    let shown = Memo::new(move |_| switched.get().map_or(open, |switched| !switched.is_empty()));
    let fold = (!items.is_empty() && place.depth < super::DEEPEST).then(|| {
        view! {
            <button
                type="button"
                class="fold fold--small"
                aria-label=Msg::FoldOut.with(&[("name", &label)])
                aria-expanded=move || if shown.get() { "true" } else { "false" }
                aria-controls=id.clone()
                on:click=move |_| switched.set(Some(if shown.get_untracked() { String::new() } else { "open".to_owned() }))
            >
                <Icon glyph=Glyph::ChevronRight />
            </button>
        }
    });
    let inner = fold.is_some().then(|| {
        view! { <div id=id hidden=move || !shown.get()>{tree_items(items, place)}</div> }
    });
    view! {
        <li>
            <div class="outline__row">
                {fold.map_or_else(|| view! { <span class="outline__gap"></span> }.into_any(), IntoAny::into_any)}
                {level.map(mark)}
                <span class="break" dir="auto">{linked(label, href)}</span>
                {note.map(|note| view! { <span class="muted break" dir="auto">{note.to_string()}</span> })}
            </div>
            {inner}
        </li>
    }
    .into_any()
}

pub(super) fn timeline(timeline: Timeline) -> AnyView {
    view! { <ol class="timeline">{timeline.items.into_iter().map(event).collect_view()}</ol> }.into_any()
}

fn event(item: TimelineItem) -> AnyView {
    let TimelineItem { at, title, text, level } = item;
    view! {
        <li class="timeline__item">
            {mark(level)}
            <div>
                <p class="timeline__head">
                    <strong class="break" dir="auto">{title.to_string()}</strong>
                    <span class="muted"><Time at=at /></span>
                </p>
                {text.map(|text| view! { <p class="break" dir="auto">{text.to_string()}</p> })}
            </div>
        </li>
    }
    .into_any()
}

/// How good or bad something is: an icon, and the word for those who listen.
pub(super) fn mark(level: Level) -> AnyView {
    view! {
        <span class=format!("status status--{}", status::name(level)) title=status::word(level)>
            <Icon glyph=status::glyph(level) />
            <span class="visually-hidden">{status::word(level)} ": "</span>
        </span>
    }
    .into_any()
}

fn linked(text: String, href: Option<SafeUrl>) -> AnyView {
    match href {
        Some(href) => view! { <ExternalLink href=href text=text /> }.into_any(),
        None => text.into_any(),
    }
}

/// What stands where a list has nothing.
pub(super) fn nothing(message: Msg) -> AnyView {
    view! { <p class="muted">{t(message)}</p> }.into_any()
}
