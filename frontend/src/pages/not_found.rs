//! The page for addresses that lead nowhere, and the one that leads on.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::PageHead;
use crate::browser;
use crate::list_state::ListState;
use crate::messages::{Msg, t};
use crate::ui::{Button, EmptyState, Glyph, TextField, Variant};

/// `/` leads to the catalog.
#[component]
pub(crate) fn HomePage() -> impl IntoView {
    let navigate = use_navigate();
    Effect::new(move |_| navigate("/catalog", NavigateOptions { replace: true, ..Default::default() }));
}

/// There is no such page; perhaps the catalog has what was looked for.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! {
        <PageHead title=t(Msg::NotFound) />
        <EmptyState title=t(Msg::NotFoundTitle) text=t(Msg::NotFoundText).to_owned() glyph=Glyph::Search>
            <SearchCatalog />
            <Button label=t(Msg::GoBack) icon=Glyph::ChevronLeft on_press=|_| browser::back() />
        </EmptyState>
    }
}

/// A field that leads to the catalog.
#[component]
pub(crate) fn SearchCatalog() -> impl IntoView {
    let text = RwSignal::new(String::new());
    let navigate = use_navigate();
    let search = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let state = ListState { text: text.get_untracked(), ..ListState::default() };
        navigate(&format!("/catalog{}", state.to_search()), NavigateOptions::default());
    };
    view! {
        <form role="search" class="stack stack--row" on:submit=search>
            <TextField
                label=t(Msg::SearchCatalog)
                quiet=true
                search=true
                placeholder=t(Msg::SearchCatalog)
                value=text
                on_input=move |value| text.set(value)
            />
            <Button label=t(Msg::Search) kind="submit" variant=Variant::Primary on_press=|_| {} />
        </form>
    }
}
