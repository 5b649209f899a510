//! Source code, and lines of a log.

use leptos::prelude::*;

use super::CopyButton;
use crate::messages::{Msg, t};

/// Text in a fixed width that scrolls by itself, with a button that copies it.
#[component]
pub(crate) fn Code(
    /// What it is: a language, a file's name.
    #[prop(into)]
    label: String,
    /// The text.
    #[prop(into)]
    text: String,
    /// Lines wrap, and there are at most some twenty of them in sight.
    #[prop(optional)]
    log: bool,
) -> impl IntoView {
    let copied = text.clone();
    // What scrolls must be within reach of the keyboard, and what is within reach must have a name. It is no landmark:
    // a page may have many of them, and of the same name.
    view! {
        <div class="code" class:code--log=log>
            <div class="code__bar">
                <span>{label.clone()}</span>
                <CopyButton text=move || copied.clone() label=t(Msg::Copy) compact=true />
            </div>
            <pre class="code__text" tabindex="0" role="group" aria-label=label>
                <code>{text}</code>
            </pre>
        </div>
    }
}
