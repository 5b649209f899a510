//! One of a few, side by side.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// One of a few, side by side: a group of toggle buttons of which one is pressed.
#[component]
pub(crate) fn Segments(
    /// What is chosen.
    #[prop(into)]
    label: String,
    /// Value, words, icon.
    choices: Vec<(String, String, Option<Glyph>)>,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_change: Callback<String>,
) -> impl IntoView {
    let items = choices
        .into_iter()
        .map(|(choice, text, glyph)| {
            let mine = choice.clone();
            let pressed = move || if value.get() == mine { "true" } else { "false" };
            view! {
                <button
                    type="button"
                    class="segments__item"
                    aria-pressed=pressed
                    on:click=move |_| on_change.run(choice.clone())
                >
                    {glyph.map(|glyph| view! { <Icon glyph=glyph /> })}
                    <span>{text}</span>
                </button>
            }
        })
        .collect_view();
    view! { <div class="segments" role="group" aria-label=label>{items}</div> }
}
