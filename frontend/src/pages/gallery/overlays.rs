//! What shows above the page.

use leptos::prelude::*;

use super::item;
use crate::ui::{Button, Dialog, Glyph, IconButton, Menu, MenuItem, Side, TabItem, Tabs, Variant, tabs, use_toasts};

pub(super) fn all() -> Vec<AnyView> {
    vec![dialogs(), menus(), tab_lists()]
}

fn dialogs() -> AnyView {
    let small = RwSignal::new(false);
    let drawer = RwSignal::new(false);
    let toasts = use_toasts();
    let content =
        || view! { <p>"The focus stays in here until the dialog closes, and then goes back to the button."</p> };
    let foot = move || {
        view! {
            <Button label="Cancel" on_press=move |_| small.set(false) />
            <Button label="Do it" variant=Variant::Primary on_press=move |_| small.set(false) />
        }
    };
    item(
        "Dialog, Toast",
        view! {
            <div class="gallery__row">
                <Button label="Open a dialog" on_press=move |_| small.set(true) />
                <Button label="Open a drawer" on_press=move |_| drawer.set(true) />
                <Button label="Something worked" on_press=move |_| toasts.ok("Something worked.") />
                <Button label="Something failed" on_press=move |_| toasts.error("Something failed: the upstream did not answer within 5 s.") />
            </div>
            <Dialog title="A dialog" open=small content=content foot=foot />
            <Dialog title="A drawer" open=drawer content=content drawer=true />
        },
    )
}

fn menus() -> AnyView {
    let toasts = use_toasts();
    let entry = |label: &str, glyph: Glyph| {
        let said = label.to_owned();
        MenuItem { label: label.to_owned(), glyph, on_press: Callback::new(move |()| toasts.ok(said.clone())) }
    };
    let items = vec![entry("Copy URL", Glyph::Link), entry("Inspect", Glyph::Code), entry("Refresh", Glyph::Refresh)];
    item(
        "Menu, Tooltip",
        view! {
            <div class="gallery__row">
                <IconButton label="Above" glyph=Glyph::ArrowUp on_press=|_| {} />
                <IconButton label="To the right" glyph=Glyph::ChevronRight side=Side::Right on_press=|_| {} />
                <Menu label="A menu" items=items />
            </div>
        },
    )
}

fn tab_lists() -> AnyView {
    const STEM: &str = "gallery";
    let items = ["Overview", "Definition", "S3 object"]
        .map(|label| TabItem {
            key: label.replace(' ', "-").to_lowercase(),
            label: label.to_owned(),
            href: "#tabs".to_owned(),
        })
        .to_vec();
    item(
        "Tabs",
        view! {
            <div class="gallery__wide">
                <Tabs label="Example" stem=STEM tabs=Signal::stored(items) selected=Signal::stored("definition".to_owned()) />
                <div class="tab-panel" role="tabpanel" id=tabs::ids(STEM, "").1 aria-labelledby=tabs::ids(STEM, "definition").0 tabindex="0">
                    "The panel of the tab that is open."
                </div>
            </div>
        },
    )
}
