//! What shows until the data is there.

use leptos::prelude::*;

use crate::messages::{Msg, t};

/// Grey lines in the place of text, and the word for it for those who listen.
#[component]
pub(crate) fn Skeleton(
    /// How many.
    #[prop(default = 4)]
    lines: usize,
) -> impl IntoView {
    const WIDTHS: [&str; 5] = ["w90", "w70", "w50", "w90", "w35"];
    let bars = WIDTHS
        .iter()
        .cycle()
        .take(lines)
        .map(|width| view! { <span class=format!("skeleton skeleton--{width}")></span> })
        .collect_view();
    view! {
        <div class="skeleton-stack">
            <span class="visually-hidden" role="status">{t(Msg::Loading)}</span>
            {bars}
        </div>
    }
}
