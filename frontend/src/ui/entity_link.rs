//! A link to an entity's page.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::entity;

/// A link to an entity's page, with the icon of its kind. What is no reference shows as the text that it is.
#[component]
pub(crate) fn EntityLink(
    /// `kind:namespace/name`.
    #[prop(into)]
    entity_ref: String,
    /// The words; the entity's name where there are none.
    #[prop(optional_no_strip, into)]
    text: Option<String>,
) -> impl IntoView {
    let Some(reference) = entity::parse_ref(&entity_ref) else {
        return view! { <span class="break">{text.unwrap_or(entity_ref)}</span> }.into_any();
    };
    let glyph = Glyph::of_kind(reference.kind());
    let text = text.unwrap_or_else(|| entity::short_name(&reference));
    view! {
        <span class="entity-link" title=reference.to_string()>
            <Icon glyph=glyph />
            <a href=entity::href(&reference)>{text}</a>
        </span>
    }
    .into_any()
}
