//! Light, dark, or as the system has it. This browser remembers it, so that it is there before the first paint; the
//! server remembers it for those who are signed in, so that it is the same in their other browsers.

use callboard_model::api::SessionUser;
use leptos::prelude::*;
use leptos::task;

use crate::api::settings::{self, Setting};
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

/// Where the server has it.
const REMEMBERED: Setting = Setting { bucket: "default.theme", key: "theme" };

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
pub(crate) struct ThemeSwitch {
    chosen: RwSignal<Theme>,
    /// Counts the choices: what the server remembers does not undo a newer one.
    choices: StoredValue<u32>,
    /// Whether there is somebody to remember it for.
    signed_in: StoredValue<bool>,
}

impl ThemeSwitch {
    /// As it was kept. `theme.js` has applied it already, before the first paint.
    pub(crate) fn restore() -> Self {
        Self {
            chosen: RwSignal::new(Theme::parse(&browser::setting(SETTING).unwrap_or_default())),
            choices: StoredValue::new(0),
            signed_in: StoredValue::new(false),
        }
    }

    /// Shows what is remembered for whoever signs in, and has it remembered for them from then on.
    pub(crate) fn follow(self, user: Memo<Option<SessionUser>>) {
        let who = Memo::new(move |_| user.get().map(|user| user.entity_ref));
        Effect::new(move |_| {
            let mine = who.get();
            self.signed_in.set_value(mine.is_some());
            if mine.is_none() {
                return;
            }
            let choices = self.choices.get_value();
            task::spawn_local(async move {
                // Where the server does not say, what this browser remembers is as good.
                let Ok(Some(remembered)) = settings::read(REMEMBERED).await else { return };
                if who.get_untracked() == mine && self.choices.get_value() == choices {
                    self.show(Theme::parse(remembered.as_str().unwrap_or_default()));
                }
            });
        });
    }

    /// The theme that is chosen.
    pub(crate) fn chosen(self) -> Theme {
        self.chosen.get()
    }

    /// Chooses a theme by its name.
    pub(crate) fn choose(self, name: &str) {
        let theme = Theme::parse(name);
        self.show(theme);
        self.choices.update_value(|choices| *choices += 1);
        if self.signed_in.get_value() {
            task::spawn_local(async move {
                if settings::keep(REMEMBERED, &theme.name().into()).await.is_err() {
                    leptos::logging::warn!("the server does not remember the theme; this browser does");
                }
            });
        }
    }

    fn show(self, theme: Theme) {
        let explicit = (theme != Theme::System).then(|| theme.name());
        browser::mark_root(SETTING, explicit);
        browser::keep_setting(SETTING, explicit);
        if self.chosen.get_untracked() != theme {
            self.chosen.set(theme);
        }
    }

    /// `light` or `dark`: what shows.
    pub(crate) fn showing(self) -> &'static str {
        let system_is_dark = || {
            let query = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
            query.is_some_and(|query| query.matches())
        };
        match self.chosen.get() {
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
