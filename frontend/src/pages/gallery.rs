//! The design system: each component in each of its states, and each node of the UI tree. What is checked here, by eye
//! and by machine, is checked for every page that is made of it.

use leptos::prelude::*;

use super::PageHead;
use crate::messages::{Msg, t};
use crate::ui::Card;

mod controls;
mod display;
mod nodes;
mod overlays;

/// All of it, on one page.
#[component]
pub(crate) fn GalleryPage() -> impl IntoView {
    view! {
        <PageHead title=t(Msg::Gallery) />
        <p class="page-lead">{t(Msg::GalleryLead)}</p>
        <div class="gallery">
            {controls::all()}
            {overlays::all()}
            {display::all()}
            {nodes::all()}
        </div>
    }
}

/// A component, under its own name.
fn item(name: impl Into<String>, content: impl IntoView + 'static) -> AnyView {
    let name: String = name.into();
    view! { <Card title=name class="gallery__item">{content}</Card> }.into_any()
}
