//! The page where one says who one is. It also stands in for every other page where only those who are signed in may
//! look; the address stays, so that signing in leads on to it.

use callboard_model::api::SignInChoice;
use leptos::prelude::*;
use leptos::task;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::title_window;
use crate::api;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::shell::BrandMark;
use crate::ui::{Avatar, EmptyState, ErrorPanel, Glyph};

/// The choices that the operator offers.
#[component]
pub(crate) fn SignInPage() -> impl IntoView {
    let portal = use_portal();
    let failed = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let path = use_location().pathname;
    let navigate = use_navigate();
    title_window(Signal::stored(t(Msg::SignIn).to_owned()));

    let sign_in = Callback::new(move |choice: SignInChoice| {
        busy.set(true);
        let navigate = navigate.clone();
        task::spawn_local(async move {
            let answer = api::session::sign_in(choice.entity_ref).await;
            busy.set(false);
            match answer {
                Ok(()) => {
                    failed.set(None);
                    if path.get_untracked() == "/sign-in" {
                        navigate("/", NavigateOptions { replace: true, ..Default::default() });
                    }
                    portal.app.reload();
                }
                Err(error) => failed.set(Some(error)),
            }
        });
    });
    let session = Memo::new(move |_| portal.app.data.with(|app| app.as_ref().map(|app| app.session.clone())));
    let organization = move || portal.app.data.with(|app| app.as_ref().and_then(|app| app.organization.clone()));
    let lead = move || match organization() {
        Some(organization) => Msg::SignInLeadOf.with(&[("organization", &organization)]),
        None => t(Msg::SignInLead).to_owned(),
    };
    let choices = move || {
        let choices = session.get().map(|session| session.choices).unwrap_or_default();
        if choices.is_empty() {
            let text = t(Msg::NoSignInText).to_owned();
            return view! { <EmptyState title=t(Msg::NoSignIn) text=text glyph=Glyph::SignIn /> }.into_any();
        }
        let items = choices.into_iter().map(|choice| view! { <li>{button(choice, busy, sign_in)}</li> }).collect_view();
        view! { <ul class="sign-in__choices">{items}</ul> }.into_any()
    };
    let without = move || {
        session.get().filter(|session| session.anonymous_may_read && session.user.is_none()).map(|_| {
            view! { <p class="sign-in__foot"><a href="/catalog">{t(Msg::LookAround)}</a></p> }
        })
    };
    view! {
        <main class="sign-in" id="main">
            <div class="sign-in__card">
                <p class="sign-in__brand"><BrandMark /><span>{move || portal.title()}</span></p>
                <h1 tabindex="-1">{t(Msg::SignIn)}</h1>
                <p class="sign-in__lead">{lead}</p>
                {move || failed.get().map(|error| view! { <div class="alerts"><ErrorPanel title=t(Msg::SignInFailed) error=error /></div> })}
                {choices}
                {without}
            </div>
        </main>
    }
}

fn button(choice: SignInChoice, busy: RwSignal<bool>, sign_in: Callback<SignInChoice>) -> impl IntoView {
    let name = choice.display_name.clone();
    let entity_ref = choice.entity_ref.clone();
    let note = if choice.guest { t(Msg::GuestNote).to_owned() } else { entity_ref };
    view! {
        <button type="button" class="sign-in__choice" disabled=move || busy.get() on:click=move |_| sign_in.run(choice.clone())>
            <Avatar name=name.clone() large=true />
            <span>
                <span class="sign-in__name">{name}</span>
                <span class="sign-in__ref">{note}</span>
            </span>
        </button>
    }
}
