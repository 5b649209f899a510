//! A page that a plugin brings.

use callboard_model::api::ExtensionInfo;
use callboard_model::manifest::AttachmentPoint;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::PageHead;
use crate::api::plugins::Place;
use crate::messages::{Msg, t};
use crate::plugin_view::PluginView;
use crate::session::use_portal;
use crate::ui::EmptyState;

/// A page that a plugin brings.
#[component]
pub(crate) fn PluginUiPage() -> impl IntoView {
    let params = use_params_map();
    let app = use_portal().app;
    let wanted = Memo::new(move |_| {
        params.with(|params| (params.get("id").unwrap_or_default(), params.get("extension").unwrap_or_default()))
    });
    let listed = Memo::new(move |_| {
        let (plugin, extension) = wanted.get();
        let pages = app.data.with(|app| app.as_ref().map(|app| app.pages.clone())).unwrap_or_default();
        pages
            .into_iter()
            .find(|page| page.at == AttachmentPoint::Page && page.plugin_id == plugin && page.id == extension)
    });
    let digest = Memo::new(move |_| listed.get().map(|page| page.digest).unwrap_or_default());
    // Another version of its plugin is no other page.
    let page = Memo::new(move |_| listed.get().map(|page| ExtensionInfo { digest: String::new(), ..page }));
    let title = Signal::derive(move || page.get().map_or_else(|| t(Msg::NotFound).to_owned(), |page| page.title));
    view! {
        <PageHead title=title />
        {move || match page.get() {
            Some(page) => {
                let from = page.plugin_id.clone();
                let place = Place { plugin: page.plugin_id, extension: page.id, entity_ref: None };
                view! {
                    <PluginView place=place on_failure=page.on_failure digest=digest />
                    <p class="plugin-note">
                        {t(Msg::FromPlugin)} " " <a href=format!("/plugins/{from}")>{from.clone()}</a>
                    </p>
                }
                    .into_any()
            }
            None => {
                let text = t(Msg::NoPluginPageText).to_owned();
                view! {
                    <EmptyState title=t(Msg::NoPluginPage) text=text>
                        <a class="button" href="/plugins">{t(Msg::Plugins)}</a>
                    </EmptyState>
                }
                    .into_any()
            }
        }}
    }
}
