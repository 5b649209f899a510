//! The words for something that shows none.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// Where a tooltip shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Side {
    /// Above, in the middle.
    #[default]
    Top,
    /// To the right: for the sidebar.
    Right,
    /// Above, flush with the end: for what stands at the page's edge.
    End,
}

/// Shows words while its child is hovered or has the focus; Escape hides them (WCAG 1.4.13).
///
/// The words must be the child's name already (`aria-label`), so this is hidden from those who listen.
#[component]
pub(crate) fn Tooltip(
    /// The words.
    #[prop(into)]
    text: Signal<String>,
    /// Where they show.
    #[prop(optional)]
    side: Side,
    /// What they are for.
    children: Children,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            open.set(false);
        }
    };
    view! {
        <span
            class="tooltip"
            class:tooltip--right=side == Side::Right
            class:tooltip--end=side == Side::End
            on:mouseenter=move |_| open.set(true)
            on:mouseleave=move |_| open.set(false)
            on:focusin=move |_| open.set(true)
            on:focusout=move |_| open.set(false)
            on:keydown=escape
        >
            {children()}
            {move || open.get().then(|| view! { <span class="tooltip__bubble" role="tooltip" aria-hidden="true">{text}</span> })}
        </span>
    }
}
