//! A line of text.

use leptos::html;
use leptos::prelude::*;

use super::{Glyph, Icon, unique_id};
use crate::messages::{Msg, t};

/// A line of text with its label, a hint, and an error that says what to do.
#[component]
pub(crate) fn TextField(
    /// What is asked for.
    #[prop(into)]
    label: String,
    /// The label is for those who listen only; the placeholder stands in for it.
    #[prop(optional)]
    quiet: bool,
    /// The text.
    #[prop(into)]
    value: Signal<String>,
    /// Called at every keystroke.
    #[prop(into)]
    on_input: Callback<String>,
    /// Shows while there is no text.
    #[prop(optional, into)]
    placeholder: String,
    /// Below the field.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong; none where nothing is.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// It cannot be changed.
    #[prop(optional)]
    disabled: bool,
    /// Called when the text is finished: with Enter, or when the focus leaves.
    #[prop(optional)]
    on_commit: Option<Callback<String>>,
    /// A day, in the browser's own field for that; its value is written `2026-11-21`.
    #[prop(optional)]
    date: bool,
    /// A search: a magnifier before it, and a button that clears it.
    #[prop(optional)]
    search: bool,
    /// The key that jumps here, shown where there is no text.
    #[prop(optional)]
    shortcut: Option<&'static str>,
    /// For whoever gives it the focus.
    #[prop(optional)]
    node: NodeRef<html::Input>,
) -> impl IntoView {
    let id = unique_id("field");
    let about = FieldNotes::of(&id, hint, error);
    let described = about.described_by();
    let clear = move |_| {
        on_input.run(String::new());
        if let Some(input) = node.get_untracked() {
            // A control that has left the page cannot take the focus, and then there is nothing to do either.
            let _ = input.focus();
        }
    };
    let kind = match (date, search) {
        (true, _) => "date",
        (false, true) => "search",
        (false, false) => "text",
    };
    let trailing = move || {
        if !search || disabled {
            return ().into_any();
        }
        match (value.get().is_empty(), shortcut) {
            (true, Some(key)) => view! { <kbd class="input-box__hint" aria-hidden="true">{key}</kbd> }.into_any(),
            (true, None) => ().into_any(),
            (false, _) => view! {
                <button type="button" class="input-box__clear" aria-label=t(Msg::ClearText) on:click=clear>
                    <Icon glyph=Glyph::Close />
                </button>
            }
            .into_any(),
        }
    };
    view! {
        <div class="field">
            <label class=if quiet { "visually-hidden" } else { "field__label" } for=id.clone()>{label}</label>
            <span class="input-box">
                {search.then(|| view! { <Icon glyph=Glyph::Search /> })}
                <input
                    node_ref=node
                    id=id
                    class="input"
                    type=kind
                    placeholder=placeholder
                    autocomplete="off"
                    spellcheck="false"
                    disabled=disabled
                    prop:value=move || value.get()
                    aria-invalid=move || error.get().map(|_| "true")
                    aria-describedby=described
                    aria-keyshortcuts=shortcut
                    on:input=move |event| on_input.run(event_target_value(&event))
                    on:change=move |event| {
                        if let Some(commit) = on_commit {
                            commit.run(event_target_value(&event));
                        }
                    }
                />
                {trailing}
            </span>
            {about.view()}
        </div>
    }
}

/// What stands below a field: a hint, and what is wrong.
pub(crate) struct FieldNotes {
    id: String,
    hint: Option<String>,
    error: Signal<Option<String>>,
}

impl FieldNotes {
    /// Of the field with this id.
    pub(crate) fn of(id: &str, hint: Option<String>, error: Signal<Option<String>>) -> Self {
        Self { id: id.to_owned(), hint, error }
    }

    /// The field's `aria-describedby`.
    pub(crate) fn described_by(&self) -> impl Fn() -> Option<String> + Clone + use<> {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.id));
        let (error_id, error) = (format!("{}-error", self.id), self.error);
        move || {
            let error = error.get().map(|_| error_id.clone());
            let ids: Vec<String> = hint.clone().into_iter().chain(error).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    }

    /// The notes themselves.
    pub(crate) fn view(self) -> impl IntoView {
        let Self { id, hint, error } = self;
        let hint_id = format!("{id}-hint");
        let error = move || {
            let id = format!("{id}-error");
            error.get().map(|error| {
                view! {
                    <span class="field__error" id=id>
                        <Icon glyph=Glyph::Error />
                        <span>{error}</span>
                    </span>
                }
            })
        };
        view! {
            {hint.map(|hint| view! { <span class="field__hint" id=hint_id>{hint}</span> })}
            {error}
        }
    }
}
