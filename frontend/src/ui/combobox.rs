//! Some of many: a list that narrows while one types (ARIA APG, "combobox with list autocomplete").

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::text_field::FieldNotes;
use super::{Glyph, Icon, unique_id};
use crate::format;
use crate::messages::{Msg, t};

/// One of the things to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What it is to the page.
    pub value: String,
    /// What it is to the reader.
    pub label: String,
    /// How many there are, where that is known.
    pub count: Option<u64>,
}

/// How many choices show at once; typing narrows the rest down.
const SHOWN: usize = 200;

/// Some of many. The choices that are taken show in the field while it does not have the focus.
#[component]
pub(crate) fn Combobox(
    /// What is chosen.
    #[prop(into)]
    label: String,
    /// The label is for those who listen only; the placeholder stands in for it.
    #[prop(optional)]
    quiet: bool,
    /// What there is; none while it is being fetched.
    #[prop(into)]
    choices: Signal<Option<Vec<Choice>>>,
    /// The values that are chosen.
    #[prop(into)]
    chosen: Signal<Vec<String>>,
    /// Called with the new values.
    #[prop(into)]
    on_change: Callback<Vec<String>>,
    /// What a value is to the reader, for those that are chosen before the choices are there.
    #[prop(optional)]
    words: Option<fn(&str) -> String>,
    /// Called when the list opens: the time to fetch the choices.
    #[prop(optional)]
    on_open: Option<Callback<()>>,
    /// Called with what is typed, where the choices are looked for elsewhere; they are then shown as they come.
    #[prop(optional)]
    on_text: Option<Callback<String>>,
    /// One at most.
    #[prop(optional)]
    single: bool,
    /// Shows while nothing is chosen; the label where there is none.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// Below the field.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong; none where nothing is.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
) -> impl IntoView {
    let id = unique_id("combobox");
    let list_id = format!("{id}-list");
    let about = FieldNotes::of(&id, hint, error);
    let described = about.described_by();
    let root = NodeRef::<html::Div>::new();
    let open = RwSignal::new(false);
    let text = RwSignal::new(String::new());
    let active = RwSignal::new(None::<usize>);
    let matching = Memo::new(move |_| {
        let wanted = if on_text.is_some() { String::new() } else { text.get().to_lowercase() };
        choices
            .get()
            .unwrap_or_default()
            .into_iter()
            .filter(|choice| matches(choice, &wanted))
            .take(SHOWN)
            .collect::<Vec<_>>()
    });

    let show = move || {
        if !open.get_untracked() {
            open.set(true);
            if let Some(on_open) = on_open {
                on_open.run(());
            }
        }
    };
    let write = move |value: String| {
        if let Some(on_text) = on_text {
            on_text.run(value.clone());
        }
        text.set(value);
    };
    let hide = move || {
        open.set(false);
        if !text.with_untracked(String::is_empty) {
            write(String::new());
        }
        active.set(None);
    };
    let toggle = move |value: String| {
        let mut values = chosen.get_untracked();
        match values.iter().position(|chosen| *chosen == value) {
            Some(at) => drop(values.remove(at)),
            None if single => values = vec![value],
            None => values.push(value),
        }
        if single {
            hide();
        }
        on_change.run(values);
    };
    let step = move |by: isize| {
        show();
        // While the choices are on their way, the first of them is where the arrow will have led.
        let count = if choices.with_untracked(Option::is_none) { 1 } else { matching.with_untracked(Vec::len) };
        active.update(|active| *active = stepped(*active, by, count));
    };
    let key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => step(1),
            "ArrowUp" => step(-1),
            "Enter" if open.get_untracked() => {
                let value = active
                    .get_untracked()
                    .and_then(|at| matching.with_untracked(|shown| shown.get(at).map(|choice| choice.value.clone())));
                if let Some(value) = value {
                    toggle(value);
                }
            }
            "Escape" if open.get_untracked() => hide(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let leave = move |event: FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let within = root.get_untracked().is_some_and(|root| to.is_some_and(|to| root.contains(Some(&to))));
        if !within {
            hide();
        }
    };
    let option_id = {
        let list_id = list_id.clone();
        move |index: usize| format!("{list_id}-{index}")
    };
    let active_id = {
        let option_id = option_id.clone();
        move || open.get().then(|| active.get().map(&option_id)).flatten()
    };
    let summary = {
        let label = label.clone();
        let placeholder = placeholder.unwrap_or_else(|| label.clone());
        move || {
            let chosen = chosen.get();
            match chosen.as_slice() {
                [] => placeholder.clone(),
                [one] => choices
                    .get()
                    .and_then(|choices| choices.into_iter().find(|choice| choice.value == *one))
                    .map_or_else(|| words.map_or_else(|| one.clone(), |words| words(one)), |choice| choice.label),
                many => Msg::ChosenCount.with(&[("name", &label), ("n", &many.len())]),
            }
        }
    };
    let clear_label = Msg::ClearChoice.with(&[("name", &label)]);
    let rows = move || {
        let shown = matching.get();
        let note = match (choices.with(Option::is_none), shown.is_empty()) {
            (true, _) => Some(t(Msg::Loading)),
            (false, true) => Some(t(Msg::NoChoices)),
            (false, false) => None,
        };
        let option_id = option_id.clone();
        let options = shown
            .into_iter()
            .enumerate()
            .map(|(index, choice)| {
                let Choice { value, label, count } = choice;
                let taken = {
                    let value = value.clone();
                    move || chosen.with(|chosen| chosen.contains(&value))
                };
                let ticked = taken.clone();
                view! {
                    <li
                        class="option"
                        class:option--active=move || active.get() == Some(index)
                        id=option_id(index)
                        role="option"
                        aria-selected=move || if taken() { "true" } else { "false" }
                        on:click=move |_| toggle(value.clone())
                    >
                        <span class="option__label">{label}</span>
                        {count.map(|count| view! { <span class="option__count">{format::number(count)}</span> })}
                        {move || ticked().then(|| view! { <Icon glyph=Glyph::Check /> })}
                    </li>
                }
            })
            .collect_view();
        view! {
            {options}
            {note.map(|note| view! { <li class="combobox__note" role="option" aria-disabled="true" aria-selected="false">{note}</li> })}
        }
    };
    // Where several can be chosen, each shows elsewhere with a button of its own.
    let clear = move || {
        let any = single && !chosen.with(Vec::is_empty);
        any.then(|| {
            view! {
                <button
                    type="button"
                    class="input-box__clear combobox__clear"
                    aria-label=clear_label.clone()
                    on:click=move |_| on_change.run(Vec::new())
                >
                    <Icon glyph=Glyph::Close />
                </button>
            }
        })
    };
    view! {
        <div
            node_ref=root
            class="combobox field"
            class:combobox--chosen=move || !open.get() && !chosen.with(Vec::is_empty)
            on:focusout=leave
        >
            <label class=if quiet { "visually-hidden" } else { "field__label" } for=id.clone()>{label.clone()}</label>
            <div class="combobox__box">
                <input
                    id=id
                    class="input"
                    type="text"
                    role="combobox"
                    autocomplete="off"
                    spellcheck="false"
                    aria-autocomplete="list"
                    aria-expanded=move || if open.get() { "true" } else { "false" }
                    aria-controls=list_id.clone()
                    aria-activedescendant=active_id
                    aria-invalid=move || error.get().map(|_| "true")
                    aria-describedby=described
                    placeholder=summary
                    prop:value=move || text.get()
                    on:click=move |_| show()
                    on:keydown=key
                    on:input=move |event| {
                        show();
                        active.set(None);
                        write(event_target_value(&event));
                    }
                />
                {clear}
                <Icon glyph=Glyph::ChevronDown />
                // Pressing the button on a choice must not take the focus from the field.
                <ul
                    id=list_id
                    class="combobox__list"
                    role="listbox"
                    aria-label=label
                    aria-multiselectable=(!single).then_some("true")
                    hidden=move || !open.get()
                    on:mousedown=move |event| event.prevent_default()
                >
                    {move || open.get().then(&rows)}
                </ul>
            </div>
            {about.view()}
        </div>
    }
}

fn matches(choice: &Choice, wanted: &str) -> bool {
    wanted.is_empty() || choice.label.to_lowercase().contains(wanted) || choice.value.to_lowercase().contains(wanted)
}

/// The next place in a list of `count`, around its ends.
fn stepped(active: Option<usize>, by: isize, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(match (active, by > 0) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => {
            if at >= last {
                0
            } else {
                at + 1
            }
        }
        (Some(at), false) => at.checked_sub(1).unwrap_or(last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_around() {
        for (active, by, count, next) in [
            (None, 1, 0, None),
            (None, 1, 3, Some(0)),
            (None, -1, 3, Some(2)),
            (Some(2), 1, 3, Some(0)),
            (Some(0), -1, 3, Some(2)),
            (Some(9), 1, 3, Some(0)),
        ] {
            assert_eq!(stepped(active, by, count), next);
        }
    }

    #[test]
    fn typing_narrows() {
        let choice = Choice { value: "group:default/tools".into(), label: "Platform".into(), count: None };
        for (text, found) in [("", true), ("plat", true), ("tools", true), ("x", false)] {
            assert_eq!(matches(&choice, text), found, "{text}");
        }
    }
}
