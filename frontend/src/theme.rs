//! Light, dark, or as the system has it.

use leptos::prelude::*;

use crate::browser;
use crate::messages::{Msg, t};
use crate::ui::Glyph;

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

const SETTING: &str = "theme";

impl Theme {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// What it is kept as.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What it is called.
    pub(crate) fn label(self) -> &'static str {
        t(match self {
            Self::System => Msg::ThemeSystem,
            Self::Light => Msg::ThemeLight,
            Self::Dark => Msg::ThemeDark,
        })
    }

    /// Its icon.
    pub(crate) fn glyph(self) -> Glyph {
        match self {
            Self::System => Glyph::Monitor,
            Self::Light => Glyph::Sun,
            Self::Dark => Glyph::Moon,
        }
    }

    fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.name() == name).unwrap_or_default()
    }
}

/// The theme of the page, and the way to change it.
#[derive(Clone, Copy)]
pub(crate) struct ThemeSwitch(RwSignal<Theme>);

impl ThemeSwitch {
    /// As it was kept. `theme.js` has applied it already, before the first paint.
    pub(crate) fn restore() -> Self {
        Self(RwSignal::new(Theme::parse(&browser::setting(SETTING).unwrap_or_default())))
    }

    /// The theme that is chosen.
    pub(crate) fn chosen(self) -> Theme {
        self.0.get()
    }

    /// Chooses a theme by its name.
    pub(crate) fn choose(self, name: &str) {
        let theme = Theme::parse(name);
        let explicit = (theme != Theme::System).then(|| theme.name());
        browser::mark_root(SETTING, explicit);
        browser::keep_setting(SETTING, explicit);
        self.0.set(theme);
    }

    /// `light` or `dark`: what shows.
    pub(crate) fn showing(self) -> &'static str {
        let system_is_dark = || {
            let query = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
            query.is_some_and(|query| query.matches())
        };
        match self.0.get() {
            Theme::Dark => "dark",
            Theme::System if system_is_dark() => "dark",
            _ => "light",
        }
    }
}

/// The page's theme.
pub(crate) fn use_theme() -> ThemeSwitch {
    use_context().unwrap_or_else(ThemeSwitch::restore)
}
