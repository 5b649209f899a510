//! What shows may be out of date.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::{Alert, Button, Glyph};
use crate::live::Live;
use crate::messages::{Msg, t};

/// Says so where there is data, but reading it again fails.
#[component]
pub(crate) fn Stale<T: PartialEq + Send + Sync + 'static>(
    /// The data.
    live: Live<T>,
) -> impl IntoView {
    let error = Memo::new(move |_| live.error.get().filter(|_| live.data.with(Option::is_some)));
    move || {
        error.get().map(|error| {
            view! {
                <div class="alerts">
                    <Alert level=Level::Warning title=t(Msg::Stale) text=error.message>
                        <div class="alert__actions">
                            <Button label=t(Msg::TryAgain) icon=Glyph::Refresh on_press=move |_| live.reload() />
                        </div>
                    </Alert>
                </div>
            }
        })
    }
}
