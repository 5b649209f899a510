//! An API's description: to read and to try where there is a viewer for it, as its source otherwise.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::{DEFINITION, Subject};
use crate::entity::{self, Item};
use crate::frame::ViewerFrame;
use crate::messages::{Msg, t};
use crate::ui::{Code, Glyph, Segments};

const SOURCE: &str = "source";
const VIEWER: &str = "viewer";

/// The Definition tab.
#[component]
pub(crate) fn Definition(subject: Subject) -> impl IntoView {
    let data = subject.item.data;
    let text = Memo::new(move |_| {
        data.with(|item| item.as_ref().and_then(|item| item.spec(DEFINITION).map(str::to_owned))).unwrap_or_default()
    });
    let kind = Memo::new(move |_| {
        data.with(|item| item.as_ref().and_then(|item| item.spec("type").map(str::to_lowercase))).unwrap_or_default()
    });
    let source = Memo::new(move |_| {
        data.with(|item| item.as_ref().and_then(Item::source)).map(|source| source.target).unwrap_or_default()
    });
    let query = use_query_map();
    let view = Memo::new(move |_| {
        let asked = query.with(|query| query.get("view"));
        if asked.as_deref() == Some(SOURCE) { SOURCE } else { VIEWER }.to_owned()
    });
    let navigate = use_navigate();
    let show = Callback::new(move |view: String| {
        let tab = format!("{}/{DEFINITION}", entity::href(&subject.reference.get_untracked()));
        let query = if view == SOURCE { format!("?view={SOURCE}") } else { String::new() };
        navigate(&format!("{tab}{query}"), NavigateOptions { scroll: false, ..Default::default() });
    });
    let viewable = Memo::new(move |_| kind.get() == "openapi");
    let bar = move || {
        viewable.get().then(|| {
            let choices = vec![
                (VIEWER.to_owned(), t(Msg::DefinitionView).to_owned(), Some(Glyph::Play)),
                (SOURCE.to_owned(), t(Msg::DefinitionSource).to_owned(), Some(Glyph::Code)),
            ];
            view! {
                <div class="definition__bar">
                    <Segments label=t(Msg::DefinitionAs) choices=choices value=view
                        on_change=show />
                </div>
            }
        })
    };
    view! {
        {bar}
        {move || {
            if viewable.get() && view.get() == VIEWER {
                let entity_ref = subject.reference.get().to_string();
                view! { <ViewerFrame entity_ref=entity_ref definition=text source=source.get() /> }.into_any()
            } else {
                let label = match kind.get() {
                    kind if kind.is_empty() => t(Msg::Definition).to_owned(),
                    kind => Msg::DefinitionOf.with(&[("type", &kind)]),
                };
                view! { <Code label=label text=text.get() /> }.into_any()
            }
        }}
    }
}
