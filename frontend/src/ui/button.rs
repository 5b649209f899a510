//! Buttons.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::tooltip::{Side, Tooltip};
use super::{Glyph, Icon, use_toasts};
use crate::browser;
use crate::messages::{Msg, t};

/// How much a button matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Variant {
    /// One of several things to do.
    #[default]
    Plain,
    /// The one thing to do here.
    Primary,
    /// Beside something else.
    Quiet,
    /// Destroys something.
    Danger,
}

impl Variant {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "button",
            Self::Primary => "button button--primary",
            Self::Quiet => "button button--quiet",
            Self::Danger => "button button--danger",
        }
    }
}

/// A button with words.
#[component]
pub(crate) fn Button(
    /// The words.
    #[prop(into)]
    label: Signal<String>,
    /// What it does.
    on_press: impl Fn(MouseEvent) + 'static,
    /// How much it matters.
    #[prop(optional)]
    variant: Variant,
    /// Before the words.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// Something that it started is under way: it keeps the focus, but does nothing.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// There is nothing to do.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// `submit` within a form.
    #[prop(optional, default = "button")]
    kind: &'static str,
    /// For those who listen, where the words say too little on their own; it begins with them.
    #[prop(optional, into)]
    name: Option<String>,
    /// In a table's row.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let press = move |event: MouseEvent| {
        if busy.get_untracked() {
            event.prevent_default();
        } else {
            on_press(event);
        }
    };
    view! {
        <button
            type=kind
            class=variant.class()
            class:button--small=small
            aria-label=name
            disabled=move || disabled.get()
            aria-disabled=move || busy.get().then_some("true")
            aria-busy=move || busy.get().then_some("true")
            on:click=press
        >
            {move || match (busy.get(), icon) {
                (true, _) => view! { <span class="button__spinner" aria-hidden="true"></span> }.into_any(),
                (false, Some(glyph)) => view! { <Icon glyph=glyph /> }.into_any(),
                (false, None) => ().into_any(),
            }}
            <span>{label}</span>
        </button>
    }
}

/// A button that shows an icon, and its words as a tooltip.
#[component]
pub(crate) fn IconButton(
    /// The words.
    #[prop(into)]
    label: Signal<String>,
    /// The icon.
    glyph: Glyph,
    /// What it does.
    on_press: impl Fn(MouseEvent) + Send + 'static,
    /// How much it matters.
    #[prop(default = Variant::Quiet)]
    variant: Variant,
    /// Where the tooltip shows.
    #[prop(optional)]
    side: Side,
) -> impl IntoView {
    view! {
        <Tooltip text=label side=side>
            <button type="button" class=format!("{} button--icon", variant.class()) aria-label=label on:click=on_press>
                <Icon glyph=glyph />
            </button>
        </Tooltip>
    }
}

/// Puts a text on the clipboard and says so.
#[component]
pub(crate) fn CopyButton(
    /// The text, asked for when the button is pressed.
    text: impl Fn() -> String + Send + 'static,
    /// The words.
    #[prop(into)]
    label: Signal<String>,
    /// Only the icon shows.
    #[prop(optional)]
    compact: bool,
) -> impl IntoView {
    let toasts = use_toasts();
    let copy = move |_| {
        let text = text();
        leptos::task::spawn_local(async move {
            match browser::copy(&text).await {
                Ok(()) => toasts.ok(t(Msg::Copied)),
                Err(()) => toasts.error(t(Msg::CopyFailed)),
            }
        });
    };
    if compact {
        view! { <IconButton label=label glyph=Glyph::Copy on_press=copy /> }.into_any()
    } else {
        view! { <Button label=label icon=Glyph::Copy on_press=copy /> }.into_any()
    }
}
