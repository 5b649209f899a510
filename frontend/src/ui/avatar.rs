//! Somebody's initials in a circle.

use leptos::prelude::*;

use crate::format;

/// Somebody's initials in a circle: decoration, the name stands beside it.
#[component]
pub(crate) fn Avatar(
    /// Whose.
    #[prop(into)]
    name: String,
    /// As the sign-in page and the settings have it.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    view! { <span class="avatar" class:avatar--large=large aria-hidden="true">{format::initials(&name)}</span> }
}
