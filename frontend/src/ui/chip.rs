//! A word on a chip.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::messages::Msg;

/// A word on a chip; a link where it has somewhere to lead; with a button where it can be taken away.
#[component]
pub(crate) fn Chip(
    /// The word.
    #[prop(into)]
    text: String,
    /// Where to.
    #[prop(optional, into)]
    href: Option<String>,
    /// Takes it away.
    #[prop(optional)]
    on_remove: Option<Callback<()>>,
) -> impl IntoView {
    if let Some(href) = href {
        return view! { <a class="chip" href=href><span>{text}</span></a> }.into_any();
    }
    let Some(on_remove) = on_remove else {
        return view! { <span class="chip"><span>{text}</span></span> }.into_any();
    };
    let label = Msg::RemoveFilter.with(&[("name", &text)]);
    view! {
        <span class="chip chip--removable">
            <span>{text}</span>
            <button type="button" class="chip__remove" aria-label=label on:click=move |_| on_remove.run(())>
                <Icon glyph=Glyph::Close />
            </button>
        </span>
    }
    .into_any()
}

/// As many words as fit on one line, and how many more there are; all of them for those who listen.
#[component]
pub(crate) fn Chips(
    /// The words.
    words: Vec<String>,
    /// How many show.
    #[prop(default = 2)]
    show: usize,
) -> impl IntoView {
    let rest = words.len().saturating_sub(show);
    let hidden = words.iter().skip(show).cloned().collect::<Vec<_>>().join(", ");
    let shown = words.into_iter().take(show).map(|word| view! { <Chip text=word /> }).collect_view();
    view! {
        <span class="chips chips--line">
            {shown}
            {(rest > 0)
                .then(|| {
                    view! {
                        <span class="chip" title=hidden.clone()>
                            <span aria-hidden="true">"+" {rest}</span>
                            <span class="visually-hidden">{hidden.clone()}</span>
                        </span>
                    }
                })}
        </span>
    }
}
