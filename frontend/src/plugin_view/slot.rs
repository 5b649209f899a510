//! What a slot shows while its plugin does not: that it waits, for whom, and that what shows is old.

use std::time::Duration;

use callboard_model::ui::Level;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::browser;
use crate::messages::{Msg, t};
use crate::ui::{Alert, Button, Glyph, Skeleton, Time};

/// A skeleton; after a while, in words, whom it waits for.
#[component]
pub(crate) fn Slow(
    /// The plugin's id.
    plugin: String,
    /// How long nothing is said.
    after: Duration,
) -> impl IntoView {
    let is_slow = RwSignal::new(after.is_zero());
    if let Ok(waiting) = set_timeout_with_handle(move || is_slow.set(true), after) {
        on_cleanup(move || waiting.clear());
    }
    view! {
        <Skeleton lines=6 />
        <p class="slot__note" role="status">
            {move || is_slow.get().then(|| Msg::PluginSlow.with(&[("plugin", &plugin)]))}
        </p>
    }
}

/// Stands above what a plugin said before it failed.
#[component]
pub(crate) fn StaleSlot(
    /// The plugin's id.
    plugin: String,
    /// When it said what shows, in milliseconds since 1970.
    at: Option<f64>,
    /// Why there is nothing newer.
    error: ApiError,
    /// Tries again.
    #[prop(into)]
    on_retry: Callback<()>,
) -> impl IntoView {
    let title = Msg::PluginStale.with(&[("plugin", &plugin)]);
    view! {
        <Alert level=Level::Warning title=title text=error.message>
            {at.map(|at| view! { <p class="alert__text"><Time at=browser::written_time(at) /></p> })}
            <div class="alert__actions">
                <Button label=t(Msg::TryAgain) icon=Glyph::Refresh on_press=move |_| on_retry.run(()) />
            </div>
        </Alert>
    }
}
