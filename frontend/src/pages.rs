//! The pages, one file each.

mod audit;
mod catalog;
mod entity;
mod gallery;
mod not_found;
mod permissions;
mod plugin;
mod plugin_events;
mod plugin_ui;
mod plugins;
mod settings;
mod sign_in;

pub(crate) use audit::AuditLogPage;
pub(crate) use catalog::{ApisPage, CatalogPage};
pub(crate) use entity::EntityPage;
pub(crate) use gallery::GalleryPage;
pub(crate) use not_found::{HomePage, NotFoundPage};
pub(crate) use permissions::PermissionsPage;
pub(crate) use plugin::PluginPage;
pub(crate) use plugin_events::PluginEventsPage;
pub(crate) use plugin_ui::PluginUiPage;
pub(crate) use plugins::PluginsPage;
pub(crate) use settings::SettingsPage;
pub(crate) use sign_in::SignInPage;

use leptos::prelude::*;

use crate::session::use_portal;

/// The head of a page: its one heading, which takes the focus when the page opens, and what there is to do.
#[component]
pub(crate) fn PageHead(
    /// The heading, and the first part of the window's title.
    #[prop(into)]
    title: Signal<String>,
    /// Beside the heading.
    #[prop(optional, into)]
    note: Option<ViewFn>,
    /// At the end of the line.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    title_window(title);
    view! {
        <div class="page-head">
            <div class="page-head__title">
                <h1 tabindex="-1">{title}</h1>
                {note.map(|note| note.run())}
            </div>
            {children.map(|children| view! { <div class="page-head__actions">{children()}</div> })}
        </div>
    }
}

/// Gives the window the page's title.
pub(crate) fn title_window(title: Signal<String>) {
    let portal = use_portal();
    Effect::new(move |_| document().set_title(&format!("{} · {}", title.get(), portal.title())));
}
