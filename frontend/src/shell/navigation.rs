//! Where one can go from every page.

use callboard_model::manifest::AttachmentPoint;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::api;
use crate::browser;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::theme::{Theme, use_theme};
use crate::ui::{Avatar, Dialog, Glyph, Icon, Segments, Side, Tooltip, use_toasts};

const COLLAPSED: &str = "collapsed";
const SETTING: &str = "sidebar";

/// Catalog, APIs, plugins.
const PLACES: [(&str, Msg, Glyph); 3] = [
    ("/catalog", Msg::Catalog, Glyph::Catalog),
    ("/api-docs", Msg::Apis, Glyph::Api),
    ("/plugins", Msg::Plugins, Glyph::Plugin),
];

/// The sidebar of wide screens.
#[component]
pub(crate) fn Sidebar(
    /// Set to true to show the keys.
    help: RwSignal<bool>,
) -> impl IntoView {
    let portal = use_portal();
    let collapsed = RwSignal::new(browser::setting(SETTING).as_deref() == Some(COLLAPSED));
    let toggle = move |_| {
        let now = !collapsed.get_untracked();
        browser::mark_root(SETTING, now.then_some(COLLAPSED));
        browser::keep_setting(SETTING, now.then_some(COLLAPSED));
        collapsed.set(now);
    };
    let label =
        Signal::derive(move || t(if collapsed.get() { Msg::SidebarExpand } else { Msg::SidebarCollapse }).to_owned());
    view! {
        <header class="sidebar">
            <a class="sidebar__brand" href="/" aria-label=move || portal.title()>
                <BrandMark />
                <span>{move || portal.title()}</span>
            </a>
            <nav aria-label=t(Msg::MainNavigation)>
                <Places tips=collapsed.into() />
            </nav>
            <div class="sidebar__group sidebar__foot">
                <ThemeToggle tips=collapsed.into() />
                <NavItem href="/settings" label=Signal::stored(t(Msg::Settings).to_owned()) glyph=Glyph::Settings tips=collapsed.into() />
                <NavButton label=Signal::stored(t(Msg::Shortcuts).to_owned()) glyph=Glyph::Keyboard tips=collapsed.into() on_press=move || help.set(true) />
                <NavButton label=label glyph=Glyph::Sidebar tips=collapsed.into() on_press=move || toggle(()) />
                <Reader tips=collapsed.into() />
            </div>
        </header>
    }
}

/// The bar at the lower edge of narrow screens, and the drawer with what has no room in it.
#[component]
pub(crate) fn BottomBar(
    /// Set to true to show the keys.
    help: RwSignal<bool>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let path = use_location().pathname;
    Effect::new(move |_| {
        path.get();
        open.set(false);
    });
    let places = PLACES.map(|(href, label, glyph)| {
        view! { <NavItem href=href label=Signal::stored(t(label).to_owned()) glyph=glyph tips=Signal::stored(false) /> }
    });
    let never = Signal::stored(false);
    let theme = use_theme();
    let drawer = move || {
        let themes = Theme::ALL
            .iter()
            .map(|theme| (theme.name().to_owned(), theme.label().to_owned(), Some(theme.glyph())))
            .collect();
        view! {
            <div class="stack">
                <nav class="sidebar__group" aria-label=t(Msg::MoreNavigation)>
                    <PluginPages tips=never />
                    <Administration tips=never />
                    <NavItem href="/settings" label=Signal::stored(t(Msg::Settings).to_owned()) glyph=Glyph::Settings tips=never />
                    <NavButton
                        label=Signal::stored(t(Msg::Shortcuts).to_owned())
                        glyph=Glyph::Keyboard
                        tips=never
                        on_press=move || {
                            open.set(false);
                            help.set(true);
                        }
                    />
                    <Reader tips=never />
                </nav>
                <Segments
                    label=t(Msg::Theme)
                    choices=themes
                    value=Signal::derive(move || theme.chosen().name().to_owned())
                    on_change=move |name: String| theme.choose(&name)
                />
            </div>
        }
    };
    view! {
        <nav class="bottom-bar" aria-label=t(Msg::QuickNavigation)>
            {places}
            <button
                type="button"
                class="nav-item"
                aria-haspopup="dialog"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                on:click=move |_| open.set(true)
            >
                <Icon glyph=Glyph::Menu />
                <span>{t(Msg::More)}</span>
            </button>
        </nav>
        <Dialog title=t(Msg::More) open=open content=drawer drawer=true />
    }
}

/// The portal's sign: a board, and what is pinned to it.
#[component]
pub(crate) fn BrandMark() -> impl IntoView {
    view! {
        <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect class="brand-mark__tile" width="32" height="32" rx="8" />
            <rect class="brand-mark__board" x="7" y="10" width="18" height="16" rx="2.5" />
            <path class="brand-mark__line" d="M11 16.5h10M11 21h6.5" />
            <circle class="brand-mark__pin" cx="16" cy="9" r="4" />
        </svg>
    }
}

#[component]
fn Places(tips: Signal<bool>) -> impl IntoView {
    let places = PLACES.map(|(href, label, glyph)| {
        view! { <NavItem href=href label=Signal::stored(t(label).to_owned()) glyph=glyph tips=tips /> }
    });
    view! {
        <div class="sidebar__group">{places}</div>
        <PluginPages tips=tips />
        <Administration tips=tips />
    }
}

/// What is only for some.
#[component]
fn Administration(tips: Signal<bool>) -> impl IntoView {
    let portal = use_portal();
    let audit = Memo::new(move |_| portal.may("audit.read"));
    move || {
        audit.get().then(|| {
            let label = Signal::stored(t(Msg::Audit).to_owned());
            view! {
                <div class="sidebar__group"><NavItem href="/audit" label=label glyph=Glyph::Shield tips=tips /></div>
            }
        })
    }
}

/// The pages that plugins bring, and where else they lead.
#[component]
fn PluginPages(tips: Signal<bool>) -> impl IntoView {
    let app = use_portal().app;
    let pages = Memo::new(move |_| app.data.with(|app| app.as_ref().map(|app| app.pages.clone())).unwrap_or_default());
    move || {
        let pages = pages.get();
        let items = pages
            .iter()
            .filter_map(|page| match page.at {
                AttachmentPoint::Page => Some((page, format!("/plugins/{}/pages/{}", page.plugin_id, page.id))),
                AttachmentPoint::NavigationItem => Some((page, page.href.as_ref()?.to_string())),
                AttachmentPoint::EntityTab | AttachmentPoint::EntityCard => None,
            })
            .map(|(page, href)| {
                view! { <NavItem href=href label=Signal::stored(page.title.clone()) glyph=Glyph::Page tips=tips /> }
            })
            .collect::<Vec<_>>();
        (!items.is_empty()).then(|| view! { <div class="sidebar__group">{items}</div> })
    }
}

#[component]
fn NavItem(
    #[prop(into)] href: String,
    label: Signal<String>,
    glyph: Glyph,
    /// The words show as a tooltip, because they do not show beside the icon.
    tips: Signal<bool>,
) -> impl IntoView {
    let path = use_location().pathname;
    let target = href.clone();
    let current = move || is_below(&path.get(), &target).then_some("page");
    tipped(tips, label, move || {
        view! {
            <a class="nav-item" href=href.clone() aria-label=label aria-current=current.clone()>
                <Icon glyph=glyph />
                <span>{label}</span>
            </a>
        }
        .into_any()
    })
}

#[component]
fn NavButton(
    label: Signal<String>,
    glyph: Glyph,
    tips: Signal<bool>,
    on_press: impl Fn() + Clone + Send + 'static,
) -> impl IntoView {
    tipped(tips, label, move || {
        let press = on_press.clone();
        view! {
            <button type="button" class="nav-item" aria-label=label on:click=move |_| press()>
                <Icon glyph=glyph />
                <span>{label}</span>
            </button>
        }
        .into_any()
    })
}

/// Light to dark and back, from whatever shows.
#[component]
fn ThemeToggle(tips: Signal<bool>) -> impl IntoView {
    let theme = use_theme();
    let dark = Memo::new(move |_| theme.showing() == "dark");
    let label = Signal::derive(move || t(if dark.get() { Msg::ThemeToLight } else { Msg::ThemeToDark }).to_owned());
    move || {
        let glyph = if dark.get() { Glyph::Sun } else { Glyph::Moon };
        view! {
            <NavButton label=label glyph=glyph tips=tips on_press=move || theme.choose(if dark.get_untracked() { "light" } else { "dark" }) />
        }
    }
}

/// Who is signed in, or the way to do so.
#[component]
fn Reader(tips: Signal<bool>) -> impl IntoView {
    let portal = use_portal();
    let toasts = use_toasts();
    let sign_out = move || {
        leptos::task::spawn_local(async move {
            match api::session::sign_out().await {
                Ok(()) => portal.app.reload(),
                Err(error) => toasts.error(error.message),
            }
        });
    };
    move || match portal.user.get() {
        None => view! {
            <NavItem href="/sign-in" label=Signal::stored(t(Msg::SignIn).to_owned()) glyph=Glyph::SignIn tips=tips />
        }
        .into_any(),
        Some(user) => {
            let name = user.display_name.clone();
            let label = Signal::stored(user.display_name);
            view! {
                {tipped(
                    tips,
                    label,
                    move || {
                        view! {
                            <a class="nav-item" href="/settings" aria-label=label>
                                <Avatar name=name.clone() />
                                <span>{label}</span>
                            </a>
                        }
                            .into_any()
                    },
                )}
                <NavButton label=Signal::stored(t(Msg::SignOut).to_owned()) glyph=Glyph::SignOut tips=tips on_press=sign_out />
            }
            .into_any()
        }
    }
}

/// With a tooltip where the words do not show.
fn tipped(tips: Signal<bool>, label: Signal<String>, item: impl Fn() -> AnyView + Send + 'static) -> impl IntoView {
    move || {
        let item = item();
        if tips.get() { view! { <Tooltip text=label side=Side::Right>{item}</Tooltip> }.into_any() } else { item }
    }
}

/// Whether a page belongs to the place that an item leads to.
fn is_below(path: &str, place: &str) -> bool {
    // Pages of plugins have items of their own.
    if place == "/plugins" && path.contains("/pages/") {
        return false;
    }
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_know_their_pages() {
        for (path, place, current) in [
            ("/catalog", "/catalog", true),
            ("/catalog/default/api/x", "/catalog", true),
            ("/catalog-graph", "/catalog", false),
            ("/plugins/s3", "/plugins", true),
            ("/plugins/s3/pages/x", "/plugins", false),
            ("/plugins/s3/pages/x", "/plugins/s3/pages/x", true),
        ] {
            assert_eq!(is_below(path, place), current, "{path} in {place}");
        }
    }
}
