//! Who one is here.

use leptos::prelude::*;
use leptos::task;

use crate::api;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::{Avatar, Button, EntityLink, Glyph, use_toasts};

/// Name, ref and groups, and the way out.
#[component]
pub(crate) fn Profile() -> impl IntoView {
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
            <div class="card__actions">
                <Button label=t(Msg::SignOut) icon=Glyph::SignOut on_press=sign_out />
                <a class="button" href="/permissions">{t(Msg::WhatMayI)}</a>
            </div>
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
