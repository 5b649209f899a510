//! Pages that are fetched when somebody first opens them: the list of entities comes first, and need not wait for them.
//!
//! `xtask/src/web/split.rs` takes them out of the program. Pages with the same first word in `wasm_split` are one file.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::ChooseView;

use crate::browser;
use crate::messages::{Msg, t};
use crate::pages::{
    AuditLogPage, EntityPage, GalleryPage, PermissionsPage, PluginEventsPage, PluginPage, PluginUiPage, PluginsPage,
    SettingsPage,
};
use crate::ui::{Button, EmptyState, Glyph, Variant};

/// A page that is fetched when somebody first opens it. Until it is there, the page before stays.
#[derive(Clone, Copy)]
pub(crate) struct Later(fn() -> Fetching);

type Fetching = Pin<Box<dyn Future<Output = Page>>>;
type Page = Result<AnyView, SplitLoaderError>;

impl ChooseView for Later {
    async fn choose(self) -> AnyView {
        let on_their_way = use_on_their_way();
        on_their_way.0.update(|pages| *pages += 1);
        let page = (self.0)().await.unwrap_or_else(|_| view! { <NotFetched /> }.into_any());
        on_their_way.0.update(|pages| *pages = pages.saturating_sub(1));
        page
    }

    async fn preload(&self) {}
}

/// The pages that are being fetched, for what stands around them. Somebody in a hurry asks for several.
#[derive(Clone, Copy)]
pub(crate) struct OnTheirWay(RwSignal<u32>);

impl OnTheirWay {
    /// None of them, yet.
    pub(crate) fn none() -> Self {
        Self(RwSignal::new(0))
    }

    /// Whether there is one.
    pub(crate) fn any(self) -> bool {
        self.0.get() > 0
    }
}

/// The pages that are being fetched.
pub(crate) fn use_on_their_way() -> OnTheirWay {
    use_context().unwrap_or_else(OnTheirWay::none)
}

/// The portal has been replaced since this page was loaded, or it is out of reach.
#[component]
fn NotFetched() -> impl IntoView {
    view! {
        <h1 tabindex="-1">{t(Msg::NotFetched)}</h1>
        <EmptyState title=t(Msg::NotFetchedTitle) text=t(Msg::NotFetchedText).to_owned() glyph=Glyph::Warning>
            <Button label=t(Msg::Reload) variant=Variant::Primary on_press=|_| browser::reload() />
        </EmptyState>
    }
}

macro_rules! later {
    ($($name:ident $page:ident $file:ident)*) => {
        $(
            #[wasm_split($file, wasm_split_path = leptos::wasm_split, fallible)]
            fn $name() -> Page {
                Ok(view! { <$page /> }.into_any())
            }
        )*

        /// The pages.
        impl Later {
            $(
                #[allow(non_upper_case_globals, reason = "they stand for components")]
                pub(crate) const $page: Self = Self(|| Box::pin($name()));
            )*
        }
    };
}

later! {
    audit AuditLogPage others
    entity EntityPage entity
    gallery GalleryPage gallery
    permissions PermissionsPage others
    plugin PluginPage others
    plugin_events PluginEventsPage others
    plugin_ui PluginUiPage entity
    plugins PluginsPage others
    settings SettingsPage others
}
