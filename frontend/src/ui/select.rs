//! One of many: the browser's own select.

use leptos::prelude::*;

use super::{Glyph, Icon, unique_id};

/// One of many: the browser's own select, with its label.
#[component]
pub(crate) fn Select(
    /// What is chosen.
    #[prop(into)]
    label: String,
    /// The label is for those who listen only.
    #[prop(optional)]
    quiet: bool,
    /// Value and words.
    #[prop(into)]
    choices: Signal<Vec<(String, String)>>,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_change: Callback<String>,
    /// It cannot be changed.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let id = unique_id("select");
    let options = move || {
        let chosen = value.get();
        choices
            .get()
            .into_iter()
            .map(|(value, text)| {
                let selected = value == chosen;
                view! { <option value=value selected=selected prop:selected=selected>{text}</option> }
            })
            .collect_view()
    };
    view! {
        <div class="field">
            <label class=if quiet { "visually-hidden" } else { "field__label" } for=id.clone()>{label}</label>
            <span class="select">
                <select
                    id=id
                    class="input"
                    disabled=disabled
                    on:change=move |event| on_change.run(event_target_value(&event))
                >
                    {options}
                </select>
                <Icon glyph=Glyph::ChevronDown />
            </span>
        </div>
    }
}
