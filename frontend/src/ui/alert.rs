//! A message that stands out.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::{Icon, status};

/// A message that stands out. Says how bad it is in words too, to those who see neither colour nor icon.
#[component]
pub(crate) fn Alert(
    /// How good or bad.
    level: Level,
    /// In a few words.
    #[prop(into)]
    title: String,
    /// In a sentence or two.
    #[prop(optional_no_strip, into)]
    text: Option<String>,
    /// More: buttons, details.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=format!("alert alert--{}", status::name(level))>
            <Icon glyph=status::glyph(level) />
            <div class="alert__body">
                <p class="alert__title">
                    <span class="visually-hidden">{status::word(level)} ": "</span>
                    {title}
                </p>
                {text.map(|text| view! { <p class="alert__text">{text}</p> })}
                {children.map(|children| children())}
            </div>
        </div>
    }
}
