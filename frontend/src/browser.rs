//! What the browser offers, behind functions that say what the page wants of it.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, Storage, VisibilityState};

/// Puts a text on the clipboard.
pub(crate) async fn copy(text: &str) -> Result<(), ()> {
    // Outside of a secure context there is no clipboard at all, whatever its type here says.
    let navigator = window().navigator();
    if js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|clipboard| clipboard.is_undefined())
    {
        return Err(());
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.map(drop).map_err(drop)
}

/// The address of this page, with its state.
pub(crate) fn address() -> String {
    window().location().href().unwrap_or_default()
}

/// The address of a path of this portal.
pub(crate) fn absolute(path: &str) -> String {
    format!("{}{path}", window().location().origin().unwrap_or_default())
}

/// Loads the page anew, with whatever code the server has by now.
pub(crate) fn reload() {
    // A browser that refuses to reload says so itself.
    let _ = window().location().reload();
}

/// Back to where one came from.
pub(crate) fn back() {
    if let Ok(history) = window().history() {
        // Where there is no history, there is nowhere to go back to.
        let _ = history.back();
    }
}

/// Whether somebody can see this page.
pub(crate) fn visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    js_sys::Date::now()
}

/// RFC 3339 as milliseconds since 1970.
pub(crate) fn parse_time(text: &str) -> Option<f64> {
    let moment = js_sys::Date::parse(text);
    moment.is_finite().then_some(moment)
}

/// A moment as the reader's own country and zone write it.
pub(crate) fn exact_time(moment: f64) -> String {
    formatted(moment, &[("dateStyle", "medium"), ("timeStyle", "long")])
}

/// The day of a moment, as the reader's own country and zone write it.
pub(crate) fn exact_date(moment: f64) -> String {
    formatted(moment, &[("dateStyle", "long")])
}

/// The reader's own day of a moment, as fields for dates have it: `2026-11-21`.
pub(crate) fn day_of(moment: f64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(moment));
    format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// When such a day begins for the reader.
pub(crate) fn begin_of_day(day: &str) -> Option<f64> {
    // With a time and without a zone it is the reader's own.
    parse_time(&format!("{day}T00:00:00"))
}

/// A moment as RFC 3339.
pub(crate) fn written_time(moment: f64) -> String {
    js_sys::Date::new(&JsValue::from_f64(moment)).to_iso_string().into()
}

fn formatted(moment: f64, styles: &[(&str, &str)]) -> String {
    let options = js_sys::Object::new();
    for (name, value) in styles {
        // Setting a property of a plain object of one's own does not fail.
        let _ = js_sys::Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    let date = js_sys::Date::new(&JsValue::from_f64(moment));
    js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &options)
        .format()
        .call1(&JsValue::UNDEFINED, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

/// A setting that outlives the visit.
pub(crate) fn setting(name: &str) -> Option<String> {
    storage()?.get_item(&key(name)).ok().flatten()
}

/// Keeps a setting, or drops it. Where storage is blocked, the setting lasts as long as the page.
pub(crate) fn keep_setting(name: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let kept = match value {
        Some(value) => storage.set_item(&key(name), value),
        None => storage.remove_item(&key(name)),
    };
    if kept.is_err() {
        leptos::logging::warn!("the browser does not keep the setting {name:?}");
    }
}

/// Sets or drops `data-<name>` of the page's root element, which the style sheets look at.
pub(crate) fn mark_root(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element().and_then(|root| root.dyn_into::<HtmlElement>().ok()) else { return };
    let marked = match value {
        Some(value) => root.set_attribute(&format!("data-{name}"), value),
        None => root.remove_attribute(&format!("data-{name}")),
    };
    debug_assert!(marked.is_ok(), "data-{name} is a valid name");
}

/// Gives the focus to the first element that a selector finds.
pub(crate) fn focus(selector: &str) -> bool {
    let found =
        document().query_selector(selector).ok().flatten().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    found.is_some_and(|element| element.focus().is_ok())
}

/// Whether what has the focus is what a selector finds.
pub(crate) fn focused_is(selector: &str) -> bool {
    document().active_element().is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// Brings an element into view.
pub(crate) fn scroll_to(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.scroll_into_view();
    }
}

fn key(name: &str) -> String {
    format!("callboard.{name}")
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
