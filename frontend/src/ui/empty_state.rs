//! There is nothing here: why, and what to do about it.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// There is nothing here: why, and what to do about it.
#[component]
pub(crate) fn EmptyState(
    /// In a few words.
    #[prop(into)]
    title: String,
    /// In a sentence or two.
    #[prop(optional_no_strip, into)]
    text: Option<String>,
    /// Above the words.
    #[prop(default = Glyph::Box)]
    glyph: Glyph,
    /// What to do.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty__icon"><Icon glyph=glyph /></span>
            <p class="empty__title">{title}</p>
            {text.map(|text| view! { <p class="empty__text">{text}</p> })}
            {children.map(|children| view! { <div class="empty__actions">{children()}</div> })}
        </div>
    }
}
