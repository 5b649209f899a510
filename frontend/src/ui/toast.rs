//! What became of something, said for a few seconds. Never the only place that says it.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::status;
use super::{Glyph, Icon};
use crate::api::ApiError;
use crate::messages::{Msg, t};

/// How long a toast stays, in milliseconds. One that says that something failed stays until it is closed.
const STAYS: u32 = 5_000;

/// The toasts that show.
#[derive(Clone, Copy)]
pub(crate) struct ToastList(RwSignal<(u64, Vec<Toast>)>);

#[derive(Clone, Debug, PartialEq)]
struct Toast {
    id: u64,
    level: Level,
    text: String,
    /// The page that says why.
    why: Option<String>,
}

impl Default for ToastList {
    fn default() -> Self {
        Self(RwSignal::new((0, Vec::new())))
    }
}

impl ToastList {
    /// Something worked.
    pub(crate) fn ok(self, text: impl Into<String>) {
        let id = self.add(Level::Ok, text.into(), None);
        leptos::task::spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(STAYS).await;
            self.remove(id);
        });
    }

    /// Something failed.
    pub(crate) fn error(self, text: impl Into<String>) {
        self.add(Level::Error, text.into(), None);
    }

    /// A request failed. Where a permission is missing, this leads to the page that says why; `about` is the entity at
    /// hand.
    pub(crate) fn failed(self, text: impl Into<String>, error: &ApiError, about: Option<&str>) {
        self.add(Level::Error, text.into(), error.why(about));
    }

    fn add(self, level: Level, text: String, why: Option<String>) -> u64 {
        self.0
            .try_update(|(next, toasts)| {
                *next += 1;
                toasts.push(Toast { id: *next, level, text, why });
                *next
            })
            .unwrap_or_default()
    }

    fn remove(self, id: u64) {
        self.0.update(|(_, toasts)| toasts.retain(|toast| toast.id != id));
    }
}

/// The page's toasts.
pub(crate) fn use_toasts() -> ToastList {
    use_context().unwrap_or_default()
}

/// Where the toasts show. Once a page.
#[component]
pub(crate) fn Toasts() -> impl IntoView {
    let list = use_toasts();
    let row = move |toast: Toast| {
        view! {
            <div class="toast">
                <span class=format!("status status--{}", status::name(toast.level))>
                    <Icon glyph=status::glyph(toast.level) />
                    <span class="visually-hidden">{status::word(toast.level)}</span>
                </span>
                <p class="toast__text">
                    {toast.text} " " {toast.why.map(|why| view! { <a href=why>{t(Msg::Why)}</a> })}
                </p>
                <button
                    type="button"
                    class="chip__remove"
                    aria-label=t(Msg::Dismiss)
                    on:click=move |_| list.remove(toast.id)
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </div>
        }
    };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || list.0.get().1 key=|toast| toast.id children=row />
        </div>
    }
}
