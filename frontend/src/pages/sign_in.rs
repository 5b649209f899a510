//! The page where one says who one is. It also stands in for every other page where only those who are signed in may
//! look; the address stays, so that signing in leads on to it.

use callboard_model::api::{SignInChoice, SignInProvider};
use leptos::ev;
use leptos::prelude::*;
use leptos::task;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};

use super::title_window;
use crate::api;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::shell::BrandMark;
use crate::ui::{Avatar, EmptyState, ErrorPanel, Glyph, Icon};

mod trouble;

use trouble::Trouble;

const PATH: &str = "/sign-in";

/// The services and the choices that the operator offers.
#[component]
pub(crate) fn SignInPage() -> impl IntoView {
    let portal = use_portal();
    let failed = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let location = use_location();
    let query = use_query_map();
    let navigate = use_navigate();
    title_window(Signal::stored(t(Msg::SignIn).to_owned()));

    let onward = Memo::new(move |_| {
        let wanted = query.with(|query| query.get("redirectUrl"));
        onward(&location.pathname.get(), &location.search.get(), wanted.as_deref())
    });
    let sign_in = Callback::new(move |choice: SignInChoice| {
        busy.set(true);
        let navigate = navigate.clone();
        task::spawn_local(async move {
            let answer = api::session::sign_in(choice.entity_ref).await;
            busy.set(false);
            match answer {
                Ok(()) => {
                    failed.set(None);
                    if location.pathname.get_untracked() == PATH {
                        let options = NavigateOptions { replace: true, ..Default::default() };
                        navigate(&onward.get_untracked(), options);
                    }
                    portal.app.reload();
                }
                Err(error) => failed.set(Some(error)),
            }
        });
    });
    let session = Memo::new(move |_| portal.app.data.with(|app| app.as_ref().map(|app| app.session.clone())));
    let organization = move || portal.app.data.with(|app| app.as_ref().and_then(|app| app.organization.clone()));
    let lead = move || {
        let session = session.get();
        let services_only = session.is_some_and(|session| session.choices.is_empty() && !session.providers.is_empty());
        match (services_only, organization()) {
            (true, Some(organization)) => Msg::SignInServicesOf.with(&[("organization", &organization)]),
            (true, None) => t(Msg::SignInServices).to_owned(),
            (false, Some(organization)) => Msg::SignInLeadOf.with(&[("organization", &organization)]),
            (false, None) => t(Msg::SignInLead).to_owned(),
        }
    };
    let ways = move || {
        let Some(session) = session.get() else { return ().into_any() };
        if session.choices.is_empty() && session.providers.is_empty() {
            let text = t(Msg::NoSignInText).to_owned();
            return view! { <EmptyState title=t(Msg::NoSignIn) text=text glyph=Glyph::SignIn /> }.into_any();
        }
        let both = !session.choices.is_empty() && !session.providers.is_empty();
        let choices =
            session.choices.into_iter().map(|choice| view! { <li>{button(choice, busy, sign_in)}</li> }).collect_view();
        view! {
            <Services providers=session.providers onward=onward />
            {both.then(|| view! { <p class="sign-in__or">{t(Msg::SignInOr)}</p> })}
            <ul class="sign-in__choices">{choices}</ul>
        }
        .into_any()
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
                <Trouble code=Memo::new(move |_| query.with(|query| query.get("error"))) />
                {move || failed.get().map(|error| view! { <div class="alerts"><ErrorPanel title=t(Msg::SignInFailed) error=error /></div> })}
                {ways}
                {without}
            </div>
        </main>
    }
}

/// A link to each service. The browser leaves the portal for it, and comes back signed in.
#[component]
fn Services(providers: Vec<SignInProvider>, onward: Memo<String>) -> impl IntoView {
    let leaving = RwSignal::new(None::<String>);
    // Whoever comes back by the browser's own button finds the page as it was left.
    let back = window_event_listener(ev::pageshow, move |_| leaving.set(None));
    on_cleanup(move || back.remove());
    let items = providers
        .into_iter()
        .map(|provider| {
            let SignInProvider { id, title, start } = provider;
            let glyph = if id == "github" { Glyph::Branch } else { Glyph::Key };
            let mine = Memo::new({
                let id = id.clone();
                move |_| leaving.with(|leaving| leaving.as_ref() == Some(&id))
            });
            let name = Msg::SignInWith.with(&[("service", &title)]);
            let note = Msg::SignInLeaving.with(&[("service", &title)]);
            let icon = move || {
                if mine.get() {
                    view! { <span class="button__spinner" aria-hidden="true"></span> }.into_any()
                } else {
                    view! { <Icon glyph=glyph /> }.into_any()
                }
            };
            view! {
                <li>
                    <a
                        class="sign-in__choice"
                        href=move || starting(&start, &onward.get())
                        rel="external"
                        on:click=move |_| leaving.set(Some(id.clone()))
                    >
                        <span class="sign-in__service">{icon}</span>
                        <span>
                            <span class="sign-in__name">{name}</span>
                            <span class="sign-in__ref" role="status">{move || mine.get().then(|| note.clone())}</span>
                        </span>
                    </a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    (!items.is_empty()).then(|| view! { <ul class="sign-in__choices">{items}</ul> })
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

/// Where somebody goes once they are signed in: to what they wanted to see, which is a path of this portal.
fn onward(path: &str, search: &str, wanted: Option<&str>) -> String {
    match wanted {
        _ if path != PATH => format!("{path}{search}"),
        Some(wanted) if wanted.starts_with('/') && !wanted.starts_with("//") && !wanted.contains('\\') => {
            wanted.to_owned()
        }
        _ => "/".to_owned(),
    }
}

/// A service's address, and where to go on from there.
fn starting(start: &str, onward: &str) -> String {
    let join = if start.contains('?') { '&' } else { '?' };
    let onward = url::form_urlencoded::byte_serialize(onward.as_bytes()).collect::<String>();
    format!("{start}{join}redirectUrl={onward}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_on() {
        for (path, search, wanted, expected) in [
            ("/plugins", "", None, "/plugins"),
            ("/catalog", "?filters[kind]=api", Some("/elsewhere"), "/catalog?filters[kind]=api"),
            ("/sign-in", "", None, "/"),
            ("/sign-in", "?error=expired", None, "/"),
            ("/sign-in", "", Some("/audit?actor=a"), "/audit?actor=a"),
            ("/sign-in", "", Some("//evil.example"), "/"),
            ("/sign-in", "", Some("/\\evil.example"), "/"),
            ("/sign-in", "", Some("https://evil.example"), "/"),
            ("/sign-in", "", Some(""), "/"),
        ] {
            assert_eq!(onward(path, search, wanted), expected, "{path} {wanted:?}");
        }
    }

    #[test]
    fn services_know_where_to_go_on() {
        for (start, onward, expected) in [
            ("/api/auth/github/start", "/", "/api/auth/github/start?redirectUrl=%2F"),
            ("/api/auth/x/start?env=prod", "/a?b=c&d", "/api/auth/x/start?env=prod&redirectUrl=%2Fa%3Fb%3Dc%26d"),
        ] {
            assert_eq!(starting(start, onward), expected);
        }
    }
}
