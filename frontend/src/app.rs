//! The page: its contexts, its routes, and who gets to see them.

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::path;
use wasm_bindgen::JsCast;

use crate::later::{Later, OnTheirWay};
use crate::messages::{Msg, t};
use crate::pages::{ApisPage, CatalogPage, HomePage, NotFoundPage, SignInPage};
use crate::pulse::Pulse;
use crate::session::{Portal, use_portal};
use crate::shell::Shell;
use crate::stars::Stars;
use crate::theme::ThemeSwitch;
use crate::ui::toast::ToastList;
use crate::ui::{ErrorPanel, Skeleton, Toasts};

/// Takes the place of what `index.html` shows while it waits.
pub(crate) fn mount() {
    let Some(place) = document().get_element_by_id("app").and_then(|place| place.dyn_into().ok()) else {
        leptos::logging::error!("index.html has no element with the id \"app\"");
        return;
    };
    let place: web_sys::HtmlElement = place;
    place.replace_children_with_node_0();
    mount_to(place, App).forget();
}

#[component]
fn App() -> impl IntoView {
    provide_context(OnTheirWay::none());
    provide_context(Pulse::start());
    provide_context(ToastList::default());
    let theme = ThemeSwitch::restore();
    provide_context(theme);
    let portal = Portal::open();
    provide_context(portal);
    provide_context(Stars::of(portal.user));
    theme.follow(portal.user);
    view! {
        <Router>
            <Gate />
        </Router>
        <Toasts />
    }
}

/// What stands between a reader and the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Waiting,
    Broken,
    SignIn,
    Open,
}

#[component]
fn Gate() -> impl IntoView {
    let portal = use_portal();
    let path = use_location().pathname;
    let door = Memo::new(move |_| {
        portal.app.data.with(|app| match app {
            Some(app) if path.get() == "/sign-in" || app.session.user.is_none() && !app.session.anonymous_may_read => {
                Door::SignIn
            }
            Some(_) => Door::Open,
            None if portal.app.error.with(Option::is_some) => Door::Broken,
            None => Door::Waiting,
        })
    });
    let who = Memo::new(move |_| portal.user.get().map(|user| user.entity_ref));
    move || {
        // Whatever one reader was shown is not another's: the pages begin anew.
        who.get();
        match door.get() {
            Door::Waiting => view! { <main class="boot"><Skeleton lines=3 /></main> }.into_any(),
            Door::Broken => view! { <NoPortal /> }.into_any(),
            Door::SignIn => view! { <SignInPage /> }.into_any(),
            Door::Open => view! { <Shell><Pages /></Shell> }.into_any(),
        }
    }
}

/// The server does not say who is looking, so there is nothing to show.
#[component]
fn NoPortal() -> impl IntoView {
    let app = use_portal().app;
    view! {
        <main class="boot">
            <h1>{t(Msg::NoPortal)}</h1>
            {move || {
                app.error.get().map(|error| view! { <ErrorPanel title=t(Msg::NoPortalTitle) error=error on_retry=move |()| app.reload() /> })
            }}
        </main>
    }
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <NotFoundPage /> }>
            <Route path=path!("/") view=HomePage />
            <Route path=path!("/catalog") view=CatalogPage />
            <Route path=path!("/api-docs") view=ApisPage />
            <Route path=path!("/catalog/:namespace/:kind/:name/:tab?") view=Later::EntityPage />
            <Route path=path!("/plugins") view=Later::PluginsPage />
            <Route path=path!("/plugins/:id") view=Later::PluginPage />
            <Route path=path!("/plugins/:id/events") view=Later::PluginEventsPage />
            <Route path=path!("/plugins/:id/pages/:extension") view=Later::PluginUiPage />
            <Route path=path!("/audit") view=Later::AuditLogPage />
            <Route path=path!("/permissions") view=Later::PermissionsPage />
            <Route path=path!("/settings") view=Later::SettingsPage />
            <Route path=path!("/gallery") view=Later::GalleryPage />
        </FlatRoutes>
    }
}
