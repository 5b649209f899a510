//! `stack`, `grid`, `tabs`, `card`, `section`, `drawer`.

use callboard_model::ui::{Card as CardNode, Drawer, Grid, Section, Stack, Tabs};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Place, all};
use crate::ui::{Button, Card, Dialog, Glyph, Icon, unique_id};

pub(super) fn stack(stack: Stack, place: &Place) -> AnyView {
    view! { <div class="stack" class:stack--row=stack.horizontal>{all(stack.children, place)}</div> }.into_any()
}

pub(super) fn grid(grid: Grid, place: &Place) -> AnyView {
    let class = format!("grid grid--{}", grid.columns.clamp(1, 4));
    view! { <div class=class>{all(grid.children, place)}</div> }.into_any()
}

pub(super) fn card(card: CardNode, place: &Place) -> AnyView {
    let children = all(card.children, place);
    view! {
        <Card title=card.title.to_string()>
            <div class="stack">{children}</div>
        </Card>
    }
    .into_any()
}

/// Views of one thing (ARIA APG, "tabs with automatic activation": they are all here already).
pub(super) fn tabs(tabs: Tabs, place: &Place) -> AnyView {
    let stem = unique_id("views");
    let open = place.host.memory.text(&place.at);
    let count = tabs.tabs.len();
    let selected = Memo::new(move |_| {
        open.get().and_then(|open| open.parse::<usize>().ok()).filter(|open| *open < count).unwrap_or_default()
    });
    let list = NodeRef::<html::Div>::new();
    let choose = move |at: usize| {
        open.set(Some(at.to_string()));
        let tabs = list.get_untracked().and_then(|list| list.query_selector_all("[role=tab]").ok());
        let tab = tabs.and_then(|tabs| tabs.get(u32::try_from(at).ok()?)?.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(tab) = tab {
            // A tab that has just left the page cannot take the focus; there is nothing to do about it.
            let _ = tab.focus();
        }
    };
    let key = move |event: KeyboardEvent| {
        let (here, last) = (selected.get_untracked(), count.saturating_sub(1));
        let target = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count.max(1),
            "ArrowLeft" => here.checked_sub(1).unwrap_or(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        choose(target);
    };
    let mut heads = Vec::new();
    let mut panels = Vec::new();
    for (index, tab) in tabs.tabs.into_iter().enumerate() {
        let (id, panel) = (format!("{stem}-tab-{index}"), format!("{stem}-panel-{index}"));
        let mine = Memo::new(move |_| selected.get() == index);
        heads.push(view! {
            <button
                type="button"
                class="tabs__tab"
                role="tab"
                id=id.clone()
                tabindex=move || if mine.get() { "0" } else { "-1" }
                aria-selected=move || if mine.get() { "true" } else { "false" }
                aria-controls=panel.clone()
                on:click=move |_| choose(index)
            >
                {tab.title.to_string()}
            </button>
        });
        panels.push(view! {
            <div class="tab-panel stack" role="tabpanel" id=panel aria-labelledby=id tabindex="0" hidden=move || !mine.get()>
                {all(tab.children, &place.within(index))}
            </div>
        });
    }
    view! {
        <div>
            <div node_ref=list class="tabs" role="tablist" aria-label=tabs.label.to_string() on:keydown=key>{heads}</div>
            {panels}
        </div>
    }
    .into_any()
}

pub(super) fn section(section: Section, place: &Place) -> AnyView {
    let title = section.title.to_string();
    let children = all(section.children, place);
    let Some(collapsed) = section.collapsed else {
        return view! {
            <section class="section">
                <h3 class="break" dir="auto">{title}</h3>
                <div class="stack">{children}</div>
            </section>
        }
        .into_any();
    };
    let folded = place.host.memory.text(&place.at);
    let open = move || folded.get().map_or(!collapsed, |folded| folded.is_empty());
    let id = unique_id("section");
    let switch = {
        move |_| {
            let now = folded.get_untracked().map_or(!collapsed, |folded| folded.is_empty());
            folded.set(Some(if now { "folded".to_owned() } else { String::new() }));
        }
    };
    view! {
        <section class="section">
            <h3 class="section__head">
                <button
                    type="button"
                    class="fold"
                    aria-expanded=move || if open() { "true" } else { "false" }
                    aria-controls=id.clone()
                    on:click=switch
                >
                    <Icon glyph=Glyph::ChevronRight />
                    <span class="break" dir="auto">{title}</span>
                </button>
            </h3>
            <div class="stack" id=id hidden=move || !open()>{children}</div>
        </section>
    }
    .into_any()
}

pub(super) fn drawer(drawer: Drawer, place: &Place) -> AnyView {
    let open = RwSignal::new(false);
    let label = drawer.label.to_string();
    let title = drawer.title.map_or_else(|| label.clone(), |title| title.to_string());
    let (children, place) = (StoredValue::new(drawer.children), StoredValue::new(place.clone()));
    let content = move || {
        let children = place.with_value(|place| all(children.get_value(), place));
        view! { <div class="stack">{children}</div> }
    };
    view! {
        <span>
            <Button label=label icon=Glyph::Sidebar on_press=move |_| open.set(true) />
            <Dialog title=title open=open content=content wide=true />
        </span>
    }
    .into_any()
}
