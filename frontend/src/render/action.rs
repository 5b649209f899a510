//! `button` and `menu`.

use callboard_model::ui::{Button as ButtonNode, Menu as MenuNode};
use leptos::prelude::*;

use super::{Action, Place};
use crate::ui::{Button, Glyph, Menu, MenuItem, Variant};

pub(super) fn button(button: ButtonNode, place: &Place) -> AnyView {
    shown(button, place, false)
}

/// In a table's row.
pub(super) fn small(button: ButtonNode, place: &Place) -> AnyView {
    shown(button, place, true)
}

fn shown(button: ButtonNode, place: &Place, small: bool) -> AnyView {
    let host = place.host;
    let variant = match (button.destructive, button.primary) {
        (true, _) => Variant::Danger,
        (false, true) => Variant::Primary,
        (false, false) => Variant::Plain,
    };
    let action = asked(button);
    let label = action.label.clone();
    view! {
        <span class="action">
            <Button label=label variant=variant busy=host.busy small=small on_press=move |_| host.act.run(action.clone()) />
        </span>
    }
    .into_any()
}

pub(super) fn menu(menu: MenuNode, place: &Place) -> AnyView {
    let host = place.host;
    let items = menu
        .items
        .into_iter()
        .map(|button| {
            let glyph = if button.destructive { Glyph::Warning } else { Glyph::Play };
            let action = asked(button);
            let label = action.label.clone();
            MenuItem { label, glyph, on_press: Callback::new(move |()| host.act.run(action.clone())) }
        })
        .collect();
    view! { <Menu label=menu.label.to_string() items=items /> }.into_any()
}

fn asked(button: ButtonNode) -> Action {
    Action {
        label: button.label.to_string(),
        name: button.action,
        value: button.value,
        confirm: button.confirm.map(|text| text.to_string()),
        destructive: button.destructive,
        form: None,
    }
}
