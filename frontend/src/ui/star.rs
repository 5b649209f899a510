//! A star, which marks an entity for the reader.

use leptos::prelude::*;
use leptos::task;

use super::{Glyph, Icon, Tooltip, use_toasts};
use crate::messages::{Msg, t};
use crate::stars::use_stars;

/// Stars an entity, or takes the star away. Nothing where nobody is signed in.
#[component]
pub(crate) fn Star(
    /// The entity's ref.
    #[prop(into)]
    entity_ref: Signal<String>,
    /// What people call it.
    #[prop(into)]
    title: Signal<String>,
    /// In a table's row, where its words do not show.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let stars = use_stars();
    let toasts = use_toasts();
    let on = Memo::new(move |_| stars.has(&entity_ref.get()));
    let label = Signal::derive(move || t(if on.get() { Msg::StarTakeAway } else { Msg::StarSet }).to_owned());
    let name = move || Msg::StarOf.with(&[("title", &title.get())]);
    let switch = move |_| {
        let entity_ref = entity_ref.get_untracked();
        let on = !on.get_untracked();
        task::spawn_local(async move {
            if let Err(error) = stars.switch(&entity_ref, on).await {
                toasts.failed(Msg::StarFailed.with(&[("error", &error.message)]), &error, None);
            }
        });
    };
    let button = move || {
        let button = view! {
            <button
                type="button"
                class=if small { "star star--small" } else { "star button button--quiet button--icon" }
                aria-label=name
                aria-pressed=move || if on.get() { "true" } else { "false" }
                data-star=""
                on:click=switch
            >
                <Icon glyph=Glyph::Star />
            </button>
        };
        if small { button.into_any() } else { view! { <Tooltip text=label>{button}</Tooltip> }.into_any() }
    };
    move || stars.known().then(button)
}
