//! An API's description: to read and to try where there is a viewer for it, as its source otherwise.

use leptos::prelude::*;

use super::{DEFINITION, Subject};
use crate::entity::Item;
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
    let view = RwSignal::new(VIEWER.to_owned());
    let viewable = Memo::new(move |_| kind.get() == "openapi");
    let bar = move || {
        viewable.get().then(|| {
            let choices = vec![
                (VIEWER.to_owned(), t(Msg::DefinitionView).to_owned(), Some(Glyph::Play)),
                (SOURCE.to_owned(), t(Msg::DefinitionSource).to_owned(), Some(Glyph::Code)),
            ];
            view! {
                <div class="definition__bar">
                    <Segments label=t(Msg::DefinitionAs) choices=choices value=view on_change=move |value| view.set(value) />
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
