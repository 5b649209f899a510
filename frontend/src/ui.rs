//! The design system. A page is made of these and nothing else; `/gallery` shows each in each of its states.

pub(crate) mod alert;
pub(crate) mod avatar;
pub(crate) mod breadcrumbs;
pub(crate) mod button;
pub(crate) mod card;
pub(crate) mod checkbox;
pub(crate) mod chip;
pub(crate) mod code;
pub(crate) mod combobox;
pub(crate) mod dialog;
pub(crate) mod empty_state;
pub(crate) mod entity_link;
pub(crate) mod error_panel;
pub(crate) mod icon;
pub(crate) mod link;
pub(crate) mod menu;
pub(crate) mod pagination;
pub(crate) mod segments;
pub(crate) mod select;
pub(crate) mod skeleton;
pub(crate) mod stale;
pub(crate) mod star;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod text_field;
pub(crate) mod time;
pub(crate) mod toast;
pub(crate) mod tooltip;

pub(crate) use alert::Alert;
pub(crate) use avatar::Avatar;
pub(crate) use breadcrumbs::Breadcrumbs;
pub(crate) use button::{Button, CopyButton, IconButton, Variant};
pub(crate) use card::Card;
pub(crate) use checkbox::Checkbox;
pub(crate) use chip::{Chip, Chips};
pub(crate) use code::Code;
pub(crate) use combobox::{Choice, Combobox};
pub(crate) use dialog::Dialog;
pub(crate) use empty_state::EmptyState;
pub(crate) use entity_link::EntityLink;
pub(crate) use error_panel::ErrorPanel;
pub(crate) use icon::{Glyph, Icon};
pub(crate) use link::ExternalLink;
pub(crate) use menu::{Menu, MenuItem};
pub(crate) use pagination::Pagination;
pub(crate) use segments::Segments;
pub(crate) use select::Select;
pub(crate) use skeleton::Skeleton;
pub(crate) use stale::Stale;
pub(crate) use star::Star;
pub(crate) use status::Status;
pub(crate) use table::{Column, DataTable, Importance, Sorting};
pub(crate) use tabs::{TabItem, Tabs};
pub(crate) use text_field::TextField;
pub(crate) use time::Time;
pub(crate) use toast::{Toasts, use_toasts};
pub(crate) use tooltip::{Side, Tooltip};

use std::sync::atomic::{AtomicU32, Ordering};

/// An id that no other element of the page has.
pub(crate) fn unique_id(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
