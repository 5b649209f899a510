//! A link that leaves the portal.

use callboard_model::safe_url::SafeUrl;
use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::messages::{Msg, t};

/// A link to a checked URL: one that leaves the portal opens beside it, says so, and tells the other side nothing.
#[component]
pub(crate) fn ExternalLink(
    /// Where to.
    href: SafeUrl,
    /// The words.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let target = href.to_string();
    if !href.is_external() {
        return view! { <a href=target>{text}</a> }.into_any();
    }
    view! {
        <a class="external" href=target target="_blank" rel="noopener noreferrer">
            {text}
            <Icon glyph=Glyph::External />
            <span class="visually-hidden">" " {t(Msg::OpensNewTab)}</span>
        </a>
    }
    .into_any()
}
