//! Views of one thing, side by side (ARIA APG, "tabs with manual activation").

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A tab: a link, so that each view has an address, can be shared and opened beside this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TabItem {
    /// Which; unique among its tabs.
    pub key: String,
    /// The words.
    pub label: String,
    /// Where to.
    pub href: String,
}

/// The id of the tab, and of the panel that it controls.
pub(crate) fn ids(stem: &str, key: &str) -> (String, String) {
    (format!("{stem}-tab-{key}"), format!("{stem}-panel"))
}

/// The list of tabs. Arrows move between them, Enter and Space open one.
#[component]
pub(crate) fn Tabs(
    /// What the views are of.
    #[prop(into)]
    label: Signal<String>,
    /// The first part of the ids, see [`ids`].
    stem: &'static str,
    /// The tabs.
    #[prop(into)]
    tabs: Signal<Vec<TabItem>>,
    /// The one that is open.
    #[prop(into)]
    selected: Signal<String>,
) -> impl IntoView {
    let list = NodeRef::<html::Div>::new();
    let key = move |event: KeyboardEvent| {
        let Some(found) = list.get_untracked().and_then(|list| list.query_selector_all("[role=tab]").ok()) else {
            return;
        };
        let tabs: Vec<web_sys::HtmlElement> =
            (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect();
        let here = document().active_element();
        let Some(at) = tabs.iter().position(|tab| here.as_ref().is_some_and(|here| tab.is_same_node(Some(here))))
        else {
            return;
        };
        let last = tabs.len().saturating_sub(1);
        let target = match event.key().as_str() {
            "ArrowRight" => {
                if at == last {
                    0
                } else {
                    at + 1
                }
            }
            "ArrowLeft" => at.checked_sub(1).unwrap_or(last),
            "Home" => 0,
            "End" => last,
            " " => {
                event.prevent_default();
                if let Some(tab) = tabs.get(at) {
                    tab.click();
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        if let Some(tab) = tabs.get(target) {
            // A tab that has just left the page cannot take the focus; there is nothing to do about it.
            let _ = tab.focus();
        }
    };
    view! {
        <div node_ref=list class="tabs" role="tablist" aria-label=label on:keydown=key>
            <For each=move || tabs.get() key=|tab| (tab.key.clone(), tab.href.clone()) let:tab>
                {
                    let (id, panel) = ids(stem, &tab.key);
                    let key = tab.key.clone();
                    let mine = Memo::new(move |_| selected.get() == key);
                    view! {
                        <a
                            class="tabs__tab"
                            role="tab"
                            id=id
                            href=tab.href
                            data-noscroll="true"
                            tabindex=move || if mine.get() { "0" } else { "-1" }
                            aria-selected=move || if mine.get() { "true" } else { "false" }
                            aria-controls=move || mine.get().then(|| panel.clone())
                        >
                            {tab.label}
                        </a>
                    }
                }
            </For>
        </div>
    }
}
