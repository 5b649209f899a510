//! A button that opens a list of things to do (ARIA APG, "menu button").

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Glyph, Icon, Tooltip, unique_id};

/// Something to do.
#[derive(Clone)]
pub(crate) struct MenuItem {
    /// The words.
    pub label: String,
    /// Before the words.
    pub glyph: Glyph,
    /// What it does.
    pub on_press: Callback<()>,
}

/// A button that opens a list of things to do.
#[component]
pub(crate) fn Menu(
    /// The button's words, as a tooltip.
    #[prop(into)]
    label: String,
    /// The button's icon.
    #[prop(default = Glyph::More)]
    glyph: Glyph,
    /// What there is to do.
    items: Vec<MenuItem>,
) -> impl IntoView {
    let id = unique_id("menu");
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let open = RwSignal::new(false);
    let entries = move || -> Vec<web_sys::HtmlElement> {
        let Some(list) = root.get_untracked().and_then(|root| root.query_selector_all("[role=menuitem]").ok()) else {
            return Vec::new();
        };
        (0..list.length()).filter_map(|at| list.get(at)?.dyn_into().ok()).collect()
    };
    let focus = move |at: Option<usize>| {
        let entries = entries();
        let target = match at {
            Some(at) => entries.get(at % entries.len().max(1)),
            None => entries.last(),
        };
        if let Some(target) = target {
            let _ = target.focus();
        }
    };
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let open_at = move |at: Option<usize>| {
        open.set(true);
        request_animation_frame(move || focus(at));
    };
    let on_button = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            open_at(Some(0));
        }
        "ArrowUp" => {
            event.prevent_default();
            open_at(None);
        }
        _ => {}
    };
    let on_list = move |event: KeyboardEvent| {
        let entries = entries();
        let here = document().active_element();
        let at = entries.iter().position(|entry| here.as_ref().is_some_and(|here| entry.is_same_node(Some(here))));
        match event.key().as_str() {
            "ArrowDown" => focus(Some(at.map_or(0, |at| at + 1))),
            "ArrowUp" => focus(at.and_then(|at| at.checked_sub(1))),
            "Home" => focus(Some(0)),
            "End" => focus(None),
            "Escape" => close(),
            "Tab" => return open.set(false),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let leave = move |event: FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !root.get_untracked().is_some_and(|root| to.is_some_and(|to| root.contains(Some(&to)))) {
            open.set(false);
        }
    };
    let rows = move || {
        items
            .iter()
            .cloned()
            .map(|item| {
                let press = move |_| {
                    close();
                    item.on_press.run(());
                };
                view! {
                    <li role="none">
                        <button type="button" class="menu__item" role="menuitem" tabindex="-1" on:click=press>
                            <Icon glyph=item.glyph />
                            <span>{item.label}</span>
                        </button>
                    </li>
                }
            })
            .collect_view()
    };
    let (list_id, list_label) = (id.clone(), label.clone());
    view! {
        <div class="menu" node_ref=root on:focusout=leave>
            <Tooltip text=label.clone()>
                <button
                    node_ref=button
                    type="button"
                    class="button button--icon"
                    aria-label=label.clone()
                    aria-haspopup="menu"
                    aria-expanded=move || if open.get() { "true" } else { "false" }
                    aria-controls=id.clone()
                    on:click=move |_| if open.get_untracked() { close() } else { open_at(Some(0)) }
                    on:keydown=on_button
                >
                    <Icon glyph=glyph />
                </button>
            </Tooltip>
            <ul class="menu__list" id=list_id role="menu" aria-label=list_label hidden=move || !open.get() on:keydown=on_list>
                {rows}
            </ul>
        </div>
    }
}
