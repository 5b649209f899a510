//! The web UI of Callboard: rendered in the browser, over the same public JSON API as everybody else's.
//!
//! `app` puts the page together: a `session` (who is looking), the `shell` around every page, and one of the `pages`.
//! Pages are made of the design system in [`ui`] and nothing else; their data comes from [`api`] through [`live`],
//! their texts from [`messages`]. What plugins show goes through [`render`], the only place that turns a plugin's
//! words into elements.

#![allow(unreachable_pub, reason = "Leptos' component macro makes public what it generates")]

mod api;
mod app;
mod audit_state;
mod browser;
#[cfg(test)]
mod contrast;
mod entity;
mod format;
mod frame;
mod keyboard;
mod later;
mod list_state;
mod live;
mod markdown;
mod messages;
mod pages;
mod permissions;
mod plugin_view;
mod pulse;
mod query;
mod render;
mod session;
mod shell;
mod stars;
mod theme;
mod ui;
mod user_agent;
mod yaml;

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the browser once the module is there.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    app::mount();
}
