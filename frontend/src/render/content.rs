//! `code`, `diff`, `log`, `image`.

use callboard_model::ui::{Code as CodeNode, Diff, Image, Log};
use leptos::html;
use leptos::prelude::*;

use crate::messages::{Msg, t};
use crate::ui::Code;

pub(super) fn code(code: CodeNode) -> AnyView {
    view! { <Code label=code.language.unwrap_or_else(|| t(Msg::Code).to_owned()) text=code.text /> }.into_any()
}

/// Each line begins with its sign, so colour only repeats what it says; those who listen hear the word.
pub(super) fn diff(diff: Diff) -> AnyView {
    let label = diff.label.map_or_else(|| t(Msg::Diff).to_owned(), |label| label.to_string());
    let lines = diff
        .text
        .lines()
        .map(|line| {
            let (class, word) = match line.as_bytes().first() {
                _ if line.starts_with("+++") || line.starts_with("---") => ("diff__line diff__line--head", None),
                Some(b'+') => ("diff__line diff__line--added", Some(Msg::DiffAdded)),
                Some(b'-') => ("diff__line diff__line--removed", Some(Msg::DiffRemoved)),
                Some(b'@') => ("diff__line diff__line--head", None),
                _ => ("diff__line", None),
            };
            let word = word.map(|word| view! { <span class="visually-hidden">{t(word)} ": "</span> });
            view! { <span class=class>{word}{line.to_owned()} "\n"</span> }
        })
        .collect_view();
    view! {
        <div class="code">
            <div class="code__bar"><span class="break" dir="auto">{label.clone()}</span></div>
            <pre class="code__text diff" tabindex="0" role="group" aria-label=label><code>{lines}</code></pre>
        </div>
    }
    .into_any()
}

pub(super) fn log(log: Log) -> AnyView {
    let label = log.label.map_or_else(|| t(Msg::Log).to_owned(), |label| label.to_string());
    let text = log.lines.join("\n");
    if !log.follow {
        return view! { <Code label=label text=text log=true /> }.into_any();
    }
    let end = NodeRef::<html::Pre>::new();
    Effect::new(move |_| {
        if let Some(end) = end.get() {
            request_animation_frame(move || end.set_scroll_top(end.scroll_height()));
        }
    });
    view! {
        <div class="code code--log">
            <div class="code__bar"><span class="break" dir="auto">{label.clone()}</span></div>
            <pre node_ref=end class="code__text" tabindex="0" role="log" aria-label=label><code>{text}</code></pre>
        </div>
    }
    .into_any()
}

pub(super) fn image(image: Image) -> AnyView {
    view! { <img class="picture" src=image.data.url() alt=image.alt.to_string() width=image.width.map(|width| width.to_string()) /> }
        .into_any()
}
