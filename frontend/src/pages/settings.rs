//! What a reader can set for themselves, and what is theirs: sessions, tokens.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::PageHead;
use crate::browser;
use crate::keyboard::use_shortcuts;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::theme::{Theme, use_theme};
use crate::ui::{Card, Checkbox, Segments};

mod new_token;
mod profile;
mod sessions;
mod tokens;

use profile::Profile;
use sessions::Sessions;
use tokens::Tokens;

/// A part of the page: its anchor, its title, and whether it is only for those who are signed in.
type Part = (&'static str, Msg, bool);

const PARTS: [Part; 6] = [
    ("profile", Msg::Profile, false),
    ("appearance", Msg::Appearance, false),
    ("keyboard", Msg::Shortcuts, false),
    ("sessions", Msg::Sessions, true),
    ("tokens", Msg::Tokens, true),
    ("about", Msg::AboutPortal, false),
];

/// Profile, theme, keys, sessions, tokens.
#[component]
pub(crate) fn SettingsPage() -> impl IntoView {
    let user = use_portal().user;
    let signed_in = Memo::new(move |_| user.with(Option::is_some));
    let hash = use_location().hash;
    // A link from outside names a part that was not there yet when the browser looked for it.
    Effect::new(move |_| {
        let part = hash.get();
        request_animation_frame(move || browser::scroll_to(part.trim_start_matches('#')));
    });
    let links = move || {
        PARTS
            .iter()
            .filter(|(_, _, own)| !own || signed_in.get())
            .map(|(anchor, title, _)| {
                let current = move || (hash.get().trim_start_matches('#') == *anchor).then_some("location");
                view! { <li><a href=format!("#{anchor}") rel="external" aria-current=current>{t(*title)}</a></li> }
            })
            .collect_view()
    };
    view! {
        <PageHead title=t(Msg::Settings) />
        <div class="settings">
            <nav class="settings__parts" aria-label=t(Msg::OnThisPage)><ul>{links}</ul></nav>
            <div class="stack">
                <div id="profile"><Card title=t(Msg::Profile)><Profile /></Card></div>
                <div id="appearance"><Card title=t(Msg::Appearance)><Appearance /></Card></div>
                <div id="keyboard"><Card title=t(Msg::Shortcuts)><Keyboard /></Card></div>
                {move || {
                    signed_in
                        .get()
                        .then(|| {
                            view! {
                                <div id="sessions"><Sessions /></div>
                                <div id="tokens"><Tokens /></div>
                            }
                        })
                }}
                <div id="about"><Card title=t(Msg::AboutPortal)><About /></Card></div>
            </div>
        </div>
    }
}

#[component]
fn Appearance() -> impl IntoView {
    let theme = use_theme();
    let user = use_portal().user;
    let themes = Theme::ALL
        .iter()
        .map(|theme| (theme.name().to_owned(), theme.label().to_owned(), Some(theme.glyph())))
        .collect();
    let kept = move || t(if user.with(Option::is_some) { Msg::ThemeKeptForYou } else { Msg::ThemeKeptHere });
    view! {
        <div class="stack stack--tight">
            <p class="muted">{t(Msg::ThemeHint)} " " {kept}</p>
            <div>
                <Segments
                    label=t(Msg::Theme)
                    choices=themes
                    value=Signal::derive(move || theme.chosen().name().to_owned())
                    on_change=move |name: String| theme.choose(&name)
                />
            </div>
        </div>
    }
}

#[component]
fn Keyboard() -> impl IntoView {
    let shortcuts = use_shortcuts();
    view! {
        <div class="stack stack--tight">
            <Checkbox
                label=t(Msg::ShortcutsOn)
                checked=Signal::derive(move || shortcuts.on())
                on_change=move |on| shortcuts.switch(on)
            />
            <p class="muted">{t(Msg::ShortcutsHint)}</p>
        </div>
    }
}

#[component]
fn About() -> impl IntoView {
    let app = use_portal().app;
    move || {
        app.data.get().map(|app| {
            view! {
                <dl class="key-values">
                    <dt>{t(Msg::Version)}</dt>
                    <dd>{app.version}</dd>
                    <dt>{t(Msg::HttpApi)}</dt>
                    <dd><a href="/api/openapi.json" rel="external">"/api/openapi.json"</a></dd>
                    <dt>{t(Msg::DesignSystem)}</dt>
                    <dd><a href="/gallery">{t(Msg::Gallery)}</a></dd>
                </dl>
            }
        })
    }
}
