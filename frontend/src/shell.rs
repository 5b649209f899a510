//! What is around every page: the sidebar (at the lower edge where the screen is narrow), the skip link, the keys.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::browser;
use crate::keyboard::{self, SHORTCUTS, Shortcuts};
use crate::later::use_on_their_way;
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::{Alert, Button, Dialog};

mod navigation;

use navigation::{BottomBar, Sidebar};

pub(crate) use navigation::BrandMark;

/// The version of this page's code, for when the server's is another.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The frame around every page.
#[component]
pub(crate) fn Shell(
    /// The page.
    children: Children,
) -> impl IntoView {
    let shortcuts = Shortcuts::restore();
    provide_context(shortcuts);
    let help = RwSignal::new(false);
    keyboard::listen(shortcuts, help);
    follow_routes();
    view! {
        <a class="skip-link" href="#main" rel="external">{t(Msg::SkipToContent)}</a>
        <div class="shell">
            <Sidebar help=help />
            <main class="main" id="main" tabindex="-1">
                <PageOnItsWay />
                <OldPage />
                {children()}
            </main>
            <BottomBar help=help />
        </div>
        <Dialog title=t(Msg::Shortcuts) open=help content=shortcut_list />
    }
}

fn shortcut_list() -> impl IntoView {
    let rows = SHORTCUTS.map(|(keys, what)| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! { <dt>{keys}</dt><dd>{t(what)}</dd> }
    });
    view! {
        <dl class="shortcuts">{rows}</dl>
        <p class="plugin-note">{t(Msg::ShortcutsSwitchOff)}</p>
    }
}

/// The server has been replaced since this page was loaded.
#[component]
fn OldPage() -> impl IntoView {
    let app = use_portal().app;
    let other = Memo::new(move |_| {
        app.data.with(|app| app.as_ref().map(|app| app.version.clone())).filter(|version| version != VERSION)
    });
    move || {
        other.get().map(|version| {
            let text = Msg::OldPageText.with(&[("ours", &VERSION), ("theirs", &version)]);
            view! {
                <div class="alerts">
                    <Alert level=callboard_model::ui::Level::Info title=t(Msg::OldPage) text=text>
                        <div class="alert__actions">
                            <Button label=t(Msg::Reload) on_press=|_| browser::reload() />
                        </div>
                    </Alert>
                </div>
            }
        })
    }
}

/// Gives the focus to the heading of each new page, so that those who listen hear where they are.
fn follow_routes() {
    let path = use_location().pathname;
    let page = Memo::new(move |_| page_of(&path.get()));
    let on_their_way = use_on_their_way();
    let fetching = Memo::new(move |_| on_their_way.any());
    let headed = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        // Reading it is what makes a memo follow its sources; `track` alone leaves one asleep that nobody reads.
        let page = page.get();
        if fetching.get() {
            return;
        }
        // The new page is on its way; its heading is there with the next frame but one, unless it is fetched first.
        request_animation_frame(move || {
            request_animation_frame(move || {
                let arrived = fetching.try_get_untracked() == Some(false);
                let last = headed.try_get_value().flatten();
                if arrived && last.as_ref() != Some(&page) {
                    headed.set_value(Some(page));
                    // Where the portal itself has just been opened, the browser has put the focus where it belongs.
                    if last.is_some() {
                        browser::focus("main h1");
                    }
                }
            });
        });
    });
}

/// A page takes its time.
#[component]
fn PageOnItsWay() -> impl IntoView {
    let on_their_way = use_on_their_way();
    move || on_their_way.any().then(|| view! { <div class="progress-line progress-line--page"></div> })
}

/// The part of a path that makes a page: an entity's tabs are one page.
fn page_of(path: &str) -> String {
    let parts = if path.starts_with("/catalog/") { 5 } else { usize::MAX };
    path.split('/').take(parts).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_are_no_pages() {
        for (path, page) in [
            ("/", "/"),
            ("/catalog", "/catalog"),
            ("/catalog/default/api/pet/definition", "/catalog/default/api/pet"),
            ("/catalog/default/api/pet", "/catalog/default/api/pet"),
            ("/plugins/s3/pages/x", "/plugins/s3/pages/x"),
        ] {
            assert_eq!(page_of(path), page);
        }
    }
}
