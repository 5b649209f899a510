//! A state in a word or two, always with an icon, so that colour is never the only sign.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::messages::{Msg, t};

/// A state in a word or two.
#[component]
pub(crate) fn Status(
    /// How good or bad.
    level: Level,
    /// The words.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <span class=format!("status status--{}", name(level))>
            <Icon glyph=glyph(level) />
            <span>{text}</span>
        </span>
    }
}

/// The part of a class that a level gives.
pub(crate) fn name(level: Level) -> &'static str {
    match level {
        Level::Neutral => "neutral",
        Level::Info => "info",
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Running => "running",
    }
}

/// The icon of a level.
pub(crate) fn glyph(level: Level) -> Glyph {
    match level {
        Level::Neutral => Glyph::Neutral,
        Level::Info => Glyph::Info,
        Level::Ok => Glyph::Ok,
        Level::Warning => Glyph::Warning,
        Level::Error => Glyph::Error,
        Level::Running => Glyph::Running,
    }
}

/// A level in a word.
pub(crate) fn word(level: Level) -> &'static str {
    t(match level {
        Level::Neutral => Msg::LevelNeutral,
        Level::Info => Msg::LevelInfo,
        Level::Ok => Msg::LevelOk,
        Level::Warning => Msg::LevelWarning,
        Level::Error => Msg::LevelError,
        Level::Running => Msg::LevelRunning,
    })
}
