//! The icons: drawn for this portal on a grid of 24, each one path. They are decoration; the words stand beside them.

use leptos::prelude::*;

/// An icon.
#[component]
pub(crate) fn Icon(
    /// Which.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path() />
        </svg>
    }
}

macro_rules! glyphs {
    ($($name:ident $path:literal)*) => {
        /// What an icon shows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Glyph { $($name),* }

        impl Glyph {
            /// All of them, for the gallery.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            fn path(self) -> &'static str {
                match self { $(Self::$name => $path),* }
            }
        }
    };
}

glyphs! {
    Api "M8 4c-2 0-3 1-3 3v2.5C5 10.8 4.2 12 3 12c1.2 0 2 1.2 2 2.5V17c0 2 1 3 3 3M16 4c2 0 3 1 3 3v2.5c0 1.3.8 2.5 2 2.5-1.2 0-2 1.2-2 2.5V17c0 2-1 3-3 3"
    ArrowDown "M12 5v14M6 13l6 6 6-6"
    ArrowSame "M4 12h15M14 7l5 5-5 5"
    ArrowUp "M12 19V5M6 11l6-6 6 6"
    Box "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9"
    Branch "M7 5a2 2 0 1 0 0 .01M7 19a2 2 0 1 0 0 .01M17 8a2 2 0 1 0 0 .01M7 7v10M17 10c0 4-10 2.5-10 5.5"
    Catalog "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 16.5h7M16.5 13v7"
    Check "M5 12.5l4.5 4.5L19 7.5"
    ChevronDown "M6 9l6 6 6-6"
    ChevronLeft "M15 6l-6 6 6 6"
    ChevronRight "M9 6l6 6-6 6"
    Clock "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2"
    Close "M6 6l12 12M18 6L6 18"
    Code "M8 7l-5 5 5 5M16 7l5 5-5 5"
    Component "M7 7h10v10H7zM9.5 3v4M14.5 3v4M9.5 17v4M14.5 17v4M3 9.5h4M3 14.5h4M17 9.5h4M17 14.5h4"
    Copy "M9 9h11v11H9zM5 15H4V4h11v1"
    Domain "M4 20.5V9l8-5.5L20 9v11.5zM9.5 20.5V14h5v6.5"
    Error "M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2zM9 9l6 6M15 9l-6 6"
    External "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6"
    Group "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.4c2.1.8 3.5 2.8 3.5 5.6"
    Info "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.01"
    Key "M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 12h9v3.5M17.5 12v2.5"
    Keyboard "M3 6h18v12H3zM7 10v.01M11 10v.01M15 10v.01M8 14h8"
    Link "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1"
    Location "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    Menu "M4 7h16M4 12h16M4 17h16"
    Monitor "M3 5h18v11H3zM8 20h8M12 16v4"
    Moon "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z"
    More "M12 6a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM12 13a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM12 20a1 1 0 1 0 0-2 1 1 0 0 0 0 2z"
    Neutral "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 12h7"
    Ok "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.5l3 3 5-6"
    Page "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"
    Play "M7 4.5v15l12-7.5z"
    Plugin "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"
    Refresh "M20 11a8 8 0 0 0-14.3-4L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 4L20 15M20 20v-5h-5"
    Resource "M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3"
    Running "M12 3a9 9 0 1 1-8.5 6"
    Search "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5"
    Settings "M4 7h8.5M17.5 7H20M4 17h2.5M11.5 17H20M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    Shield "M12 3l8 3v6c0 4.6-3.3 8-8 9-4.7-1-8-4.4-8-9V6z"
    Sidebar "M4 5h16v14H4zM9.5 5v14M15.5 9.5L13 12l2.5 2.5"
    SignIn "M14 4h6v16h-6M4 12h11M11 8l4 4-4 4"
    SignOut "M10 4H4v16h6M9 12h11M16 8l4 4-4 4"
    Star "M12 3.5l2.6 5.6 6.1.7-4.5 4.2 1.2 6.1-5.4-3-5.4 3 1.2-6.1-4.5-4.2 6.1-.7z"
    Sun "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2.5M12 19.5V22M4.9 4.9l1.8 1.8M17.3 17.3l1.8 1.8M2 12h2.5M19.5 12H22M4.9 19.1l1.8-1.8M17.3 6.7l1.8-1.8"
    System "M12 2.5L21 7l-9 4.5L3 7zM3 12l9 4.5 9-4.5M3 17l9 4.5 9-4.5"
    Template "M6 3h8l4 4v14H6zM14 3v4h4M12 11v6M9 14h6"
    User "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 21c0-4.1 3.4-7 7.5-7s7.5 2.9 7.5 7"
    Warning "M12 4L2.5 20.5h19zM12 10v4.5M12 17.4v.01"
}

impl Glyph {
    /// The icon of an entity's kind.
    pub(crate) fn of_kind(kind: &str) -> Self {
        match kind.to_ascii_lowercase().as_str() {
            "component" => Self::Component,
            "api" => Self::Api,
            "resource" => Self::Resource,
            "system" => Self::System,
            "domain" => Self::Domain,
            "group" => Self::Group,
            "user" => Self::User,
            "location" => Self::Location,
            "template" => Self::Template,
            _ => Self::Box,
        }
    }
}
