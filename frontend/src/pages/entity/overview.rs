//! The first tab: what an entity says of itself, and what it belongs with.

use callboard_model::manifest::AttachmentPoint;
use leptos::prelude::*;

use super::Subject;
use super::about::{About, Links};
use super::relations::Relations;
use crate::api::plugins::Place;
use crate::plugin_view::PluginView;
use crate::ui::{Card, Skeleton};

/// About, links, relations, and the cards of plugins.
#[component]
pub(crate) fn Overview(subject: Subject) -> impl IntoView {
    let found = Memo::new(move |_| subject.item.data.with(Option::is_some));
    move || {
        if !found.get() {
            return view! { <Skeleton lines=10 /> }.into_any();
        }
        view! {
            <div class="entity-columns">
                <div class="stack">
                    <Relations subject=subject />
                    <PluginCards subject=subject />
                </div>
                <div class="stack">
                    <About subject=subject />
                    <Links subject=subject />
                </div>
            </div>
        }
        .into_any()
    }
}

#[component]
fn PluginCards(subject: Subject) -> impl IntoView {
    let cards = Memo::new(move |_| {
        let extensions = subject.extensions.data.get().unwrap_or_default();
        extensions.into_iter().filter(|extension| extension.at == AttachmentPoint::EntityCard).collect::<Vec<_>>()
    });
    view! {
        <For
            each=move || cards.get()
            key=|card| (card.plugin_id.clone(), card.id.clone(), card.title.clone())
            children=move |card| {
                let digest = subject.digest_of(&card);
                let place = Place {
                    plugin: card.plugin_id,
                    extension: card.id,
                    entity_ref: Some(subject.reference.get_untracked().to_string()),
                };
                let hidden = RwSignal::new(false);
                view! {
                    <div hidden=move || hidden.get()>
                        <Card title=card.title><PluginView place=place on_failure=card.on_failure digest=digest hidden=hidden /></Card>
                    </div>
                }
            }
        />
    }
}
