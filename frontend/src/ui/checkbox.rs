//! A checkbox.

use leptos::prelude::*;

/// A checkbox with its label.
#[component]
pub(crate) fn Checkbox(
    /// The words.
    #[prop(into)]
    label: String,
    /// Whether it is ticked.
    #[prop(into)]
    checked: Signal<bool>,
    /// Called with the new state.
    on_change: impl Fn(bool) + 'static,
    /// It cannot be changed.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    view! {
        <label class="checkbox">
            <input
                type="checkbox"
                prop:checked=move || checked.get()
                disabled=disabled
                on:change=move |event| on_change(event_target_checked(&event))
            />
            <span>{label}</span>
        </label>
    }
}
