//! A point in time.

use leptos::prelude::*;

use crate::browser;
use crate::format;
use crate::pulse::use_now;

/// A point in time, relative to now, with the exact one at hand; it keeps itself up to date.
#[component]
pub(crate) fn Time(
    /// RFC 3339.
    #[prop(into)]
    at: String,
) -> impl IntoView {
    let Some(moment) = browser::parse_time(&at) else {
        // Whoever sent it knows better what it means.
        return view! { <span>{at}</span> }.into_any();
    };
    let now = use_now();
    let exact = browser::exact_time(moment);
    view! { <time datetime=at title=exact class="nowrap">{move || format::relative(moment, now.get())}</time> }
        .into_any()
}
