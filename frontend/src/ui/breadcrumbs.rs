//! Where this page is.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::messages::{Msg, t};

/// Where this page is: the pages above it, each with its path, and the page itself.
#[component]
pub(crate) fn Breadcrumbs(
    /// From the outermost; words and path.
    above: Vec<(String, String)>,
    /// The page itself.
    #[prop(into)]
    here: Signal<String>,
) -> impl IntoView {
    let above = above
        .into_iter()
        .map(|(text, href)| view! { <li><a href=href>{text}</a><Icon glyph=Glyph::ChevronRight /></li> })
        .collect_view();
    view! {
        <nav class="breadcrumbs" aria-label=t(Msg::Breadcrumbs)>
            <ol>{above}<li><span aria-current="page">{here}</span></li></ol>
        </nav>
    }
}
