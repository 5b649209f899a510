//! What went wrong, and what to do about it.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::{Alert, Button, CopyButton, Glyph};
use crate::api::ApiError;
use crate::messages::{Msg, t};

/// What went wrong with a request: in words, with what a report needs, a button that copies that, another try, and
/// where a permission is missing, the way to the page that says why.
#[component]
pub(crate) fn ErrorPanel(
    /// What was to be done, in a few words.
    #[prop(into)]
    title: String,
    /// What went wrong.
    error: ApiError,
    /// Tries again.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
    /// The entity at hand.
    #[prop(optional_no_strip, into)]
    about: Option<String>,
) -> impl IntoView {
    let report = error.report();
    let why = error.why(about.as_deref());
    let facts = error
        .facts()
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{t(name)} ": "</dt><dd class="mono">{value}</dd></div> })
        .collect_view();
    view! {
        <div role="alert">
            <Alert level=Level::Error title=title text=error.message.clone()>
                <dl class="alert__details">{facts}</dl>
                <div class="alert__actions">
                    {why.map(|why| view! { <a class="button" href=why>{t(Msg::Why)}</a> })}
                    {on_retry
                        .map(|retry| {
                            view! { <Button label=t(Msg::TryAgain) icon=Glyph::Refresh on_press=move |_| retry.run(()) /> }
                        })}
                    <CopyButton text=move || report.clone() label=t(Msg::CopyError) />
                </div>
            </Alert>
        </div>
    }
}
