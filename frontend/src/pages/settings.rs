//! What a reader can set for themselves.

use leptos::prelude::*;
use leptos::task;

use super::PageHead;
use crate::api;
use crate::keyboard::use_shortcuts;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::theme::{Theme, use_theme};
use crate::ui::{Avatar, Button, Card, Checkbox, EntityLink, Glyph, Segments, use_toasts};

/// Theme, keys, and who one is.
#[component]
pub(crate) fn SettingsPage() -> impl IntoView {
    let theme = use_theme();
    let shortcuts = use_shortcuts();
    let themes = Theme::ALL
        .iter()
        .map(|theme| (theme.name().to_owned(), theme.label().to_owned(), Some(theme.glyph())))
        .collect();
    view! {
        <PageHead title=t(Msg::Settings) />
        <div class="settings stack">
            <Card title=t(Msg::Profile)><Profile /></Card>
            <Card title=t(Msg::Appearance)>
                <div class="stack stack--tight">
                    <p class="muted">{t(Msg::ThemeHint)}</p>
                    <div>
                        <Segments
                            label=t(Msg::Theme)
                            choices=themes
                            value=Signal::derive(move || theme.chosen().name().to_owned())
                            on_change=move |name: String| theme.choose(&name)
                        />
                    </div>
                </div>
            </Card>
            <Card title=t(Msg::Shortcuts)>
                <div class="stack stack--tight">
                    <Checkbox
                        label=t(Msg::ShortcutsOn)
                        checked=Signal::derive(move || shortcuts.on())
                        on_change=move |on| shortcuts.switch(on)
                    />
                    <p class="muted">{t(Msg::ShortcutsHint)}</p>
                </div>
            </Card>
            <Card title=t(Msg::AboutPortal)><About /></Card>
        </div>
    }
}

#[component]
fn Profile() -> impl IntoView {
    let portal = use_portal();
    let toasts = use_toasts();
    let sign_out = move |_| {
        task::spawn_local(async move {
            match api::session::sign_out().await {
                Ok(()) => portal.app.reload(),
                Err(error) => toasts.error(error.message),
            }
        });
    };
    move || match portal.user.get() {
        None => view! {
            <p>{t(Msg::NotSignedIn)} " " <a href="/sign-in">{t(Msg::SignIn)}</a></p>
        }
        .into_any(),
        Some(user) => view! {
            <div class="user-row">
                <Avatar name=user.display_name.clone() large=true />
                <div>
                    <p><strong>{user.display_name.clone()}</strong></p>
                    <p><EntityLink entity_ref=user.entity_ref.clone() text=user.entity_ref.clone() /></p>
                </div>
            </div>
            <Groups />
            <p class="plugin-note"><Button label=t(Msg::SignOut) icon=Glyph::SignOut on_press=sign_out /></p>
        }
        .into_any(),
    }
}

/// The groups by which something is "owned by me".
#[component]
fn Groups() -> impl IntoView {
    let mine = use_portal().mine;
    move || {
        let groups =
            mine.get().into_iter().skip(1).map(|group| view! { <EntityLink entity_ref=group /> }).collect::<Vec<_>>();
        (!groups.is_empty()).then(|| {
            view! {
                <dl class="key-values"><dt>{t(Msg::MemberOf)}</dt><dd class="stack stack--row">{groups}</dd></dl>
            }
        })
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
