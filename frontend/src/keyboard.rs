//! Single keys that do something anywhere on the page. They can be switched off (WCAG 2.1.4).

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use crate::browser;
use crate::messages::Msg;

/// The key that jumps to the filter.
pub(crate) const FILTER: &str = "/";

/// The key that stars what is at hand.
const STAR: &str = "s";

/// What there is, for the help.
pub(crate) const SHORTCUTS: [(&[&str], Msg); 6] = [
    (&[FILTER], Msg::ShortcutFilter),
    (&["g", "c"], Msg::ShortcutCatalog),
    (&["g", "a"], Msg::ShortcutApis),
    (&["g", "p"], Msg::ShortcutPlugins),
    (&[STAR], Msg::ShortcutStar),
    (&["?"], Msg::ShortcutHelp),
];

const SETTING: &str = "shortcuts";

/// The second key of a pair must follow the first within this many milliseconds.
const PAIR: f64 = 1_500.0;

/// Whether single keys do anything.
#[derive(Clone, Copy)]
pub(crate) struct Shortcuts(RwSignal<bool>);

impl Shortcuts {
    /// As it was kept.
    pub(crate) fn restore() -> Self {
        Self(RwSignal::new(browser::setting(SETTING).as_deref() != Some("off")))
    }

    /// Whether they are on.
    pub(crate) fn on(self) -> bool {
        self.0.get()
    }

    /// Switches them on or off.
    pub(crate) fn switch(self, on: bool) {
        browser::keep_setting(SETTING, (!on).then_some("off"));
        self.0.set(on);
    }
}

/// The page's shortcuts.
pub(crate) fn use_shortcuts() -> Shortcuts {
    use_context().unwrap_or_else(Shortcuts::restore)
}

/// Listens, as long as the shell is there. `help` is set to true by `?`.
pub(crate) fn listen(shortcuts: Shortcuts, help: RwSignal<bool>) {
    let navigate = use_navigate();
    let pending = StoredValue::new(None::<f64>);
    let listener = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || !shortcuts.0.get_untracked() || is_typing(&event)
        {
            return;
        }
        let now = browser::now();
        let second = pending.try_update_value(Option::take).flatten().is_some_and(|first| now - first < PAIR);
        match (second, event.key().as_str()) {
            (true, "c") => navigate("/catalog", Default::default()),
            (true, "a") => navigate("/api-docs", Default::default()),
            (true, "p") => navigate("/plugins", Default::default()),
            (false, "g") => pending.set_value(Some(now)),
            (false, "?") => help.set(true),
            (false, STAR) if press_star() => {}
            (false, FILTER) => {
                if !browser::focus("main input[type=search]") {
                    navigate("/catalog", Default::default());
                    request_animation_frame(|| {
                        browser::focus("main input[type=search]");
                    });
                }
            }
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}

/// Stars the entity of the row that has the focus, or else the one that the page is about.
fn press_star() -> bool {
    let row = document().active_element().and_then(|here| here.closest("tr").ok().flatten());
    let star = match row {
        Some(row) => row.query_selector("[data-star]"),
        None => document().query_selector(".entity-head [data-star]"),
    };
    let star = star.ok().flatten().and_then(|star| star.dyn_into::<web_sys::HtmlElement>().ok());
    star.inspect(|star| star.click()).is_some()
}

/// Whether the key belongs to whatever has the focus: a field, or a dialog.
fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| {
        target
            .closest("input, textarea, select, dialog, [contenteditable], [role=menu]")
            .is_ok_and(|found| found.is_some())
    })
}
