//! `form`: fields by a JSON Schema. What is wrong is said above the fields, with links to them, and beside each.

use std::collections::BTreeMap;

use callboard_model::ui::{Choice as Value, Entry, Field, FieldKind, FieldProblem, Form, assemble};
use leptos::html;
use leptos::prelude::*;

use super::memory::Typed;
use super::{Action, Place};
use crate::format;
use crate::messages::{Msg, t};
use crate::ui::text_field::FieldNotes;
use crate::ui::{Button, Checkbox, Choice, Combobox, Glyph, Icon, Select, TextField, Variant, unique_id};

pub(super) fn form(form: Form, place: &Place) -> AnyView {
    let host = place.host;
    let fields = match form.fields() {
        Ok(fields) => fields,
        // The host refuses such a tree, so only a page that is older than it comes here.
        Err(_) => return super::state::unknown(),
    };
    let typed = host.memory.form(&place.at);
    let begin = initial(&fields, form.value.as_ref());
    let entries = Signal::derive({
        let begin = begin.clone();
        move || {
            let mut entries = begin.clone();
            typed.with(|typed| entries.extend(typed.entries.clone()));
            entries
        }
    });
    let stem = unique_id("form");
    let (label, variant) = (
        form.submit.as_ref().map_or_else(|| t(Msg::Submit).to_owned(), ToString::to_string),
        if form.destructive { Variant::Danger } else { Variant::Primary },
    );
    let action = Action {
        label: label.clone(),
        name: form.action,
        value: None,
        confirm: form.confirm.map(|confirm| confirm.to_string()),
        destructive: form.destructive,
        form: Some(place.at.clone()),
    };
    let summary = NodeRef::<html::Div>::new();
    let checked = fields.clone();
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if host.busy.get_untracked() {
            return;
        }
        match assemble(&checked, &entries.get_untracked()) {
            Ok(value) => {
                typed.update(|typed| typed.errors.clear());
                host.act.run(Action { value: Some(value), ..action.clone() });
            }
            Err(problems) => {
                let errors = problems.into_iter().map(|(at, problem)| (at.clone(), words(problem, &checked, &at)));
                typed.update(|typed| typed.errors = errors.collect());
                request_animation_frame(move || {
                    if let Some(summary) = summary.get_untracked() {
                        // It is there as long as something is wrong; where it has just gone, nothing is.
                        let _ = summary.focus();
                    }
                });
            }
        }
    };
    let errors = wrong(&fields, typed, &stem, summary);
    let fields = fields.into_iter().map(|field| shown(field, typed, entries, &stem)).collect_view();
    view! {
        <form class="form" novalidate="novalidate" on:submit=send>
            {errors}
            {fields}
            <div class="form__foot">
                <Button label=label variant=variant kind="submit" busy=host.busy on_press=|_| {} />
            </div>
        </form>
    }
    .into_any()
}

fn initial(fields: &[Field], value: Option<&serde_json::Value>) -> BTreeMap<String, Entry> {
    fields
        .iter()
        .flat_map(|field| match &field.kind {
            FieldKind::Group(inner) => initial(inner, value),
            _ => BTreeMap::from([(field.pointer.clone(), field.initial(value))]),
        })
        .collect()
}

/// The element of a field. A pointer may hold anything, so the id is made of its bytes.
fn id_of(stem: &str, pointer: &str) -> String {
    let name: String = pointer.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{stem}-{name}")
}

/// What is wrong, with a link to each field.
fn wrong(fields: &[Field], typed: RwSignal<Typed>, stem: &str, node: NodeRef<html::Div>) -> AnyView {
    let labels: BTreeMap<String, String> = labels(fields);
    let stem = stem.to_owned();
    let items = move || {
        let errors = typed.with(|typed| typed.errors.clone());
        if errors.is_empty() {
            return None;
        }
        let items = errors
            .into_iter()
            .map(|(at, error)| match labels.get(&at) {
                Some(label) => {
                    let id = id_of(&stem, &at);
                    let go = move |event: leptos::ev::MouseEvent| {
                        event.prevent_default();
                        crate::browser::focus(&format!("#{id} :is(input, textarea, select)"));
                    };
                    view! { <li><a href=format!("#{}", id_of(&stem, &at)) on:click=go>{label.clone()}</a> ": " {error}</li> }.into_any()
                }
                None => view! { <li>{error}</li> }.into_any(),
            })
            .collect_view();
        Some(view! {
            <div class="alert alert--error" role="alert" tabindex="-1" node_ref=node>
                <Icon glyph=Glyph::Error />
                <div class="alert__body">
                    <p class="alert__title">{t(Msg::FormWrong)}</p>
                    <ul class="form__wrong">{items}</ul>
                </div>
            </div>
        })
    };
    items.into_any()
}

fn labels(fields: &[Field]) -> BTreeMap<String, String> {
    fields
        .iter()
        .flat_map(|field| match &field.kind {
            FieldKind::Group(inner) => labels(inner),
            _ => BTreeMap::from([(field.pointer.clone(), field.label.clone())]),
        })
        .collect()
}

fn shown(field: Field, typed: RwSignal<Typed>, entries: Signal<BTreeMap<String, Entry>>, stem: &str) -> AnyView {
    let Field { pointer, label, help, required, kind, .. } = field;
    if let FieldKind::Group(fields) = kind {
        let fields = fields.into_iter().map(|field| shown(field, typed, entries, stem)).collect_view();
        return view! { <fieldset class="form__group"><legend class="break" dir="auto">{label}</legend>{fields}</fieldset> }.into_any();
    }
    let (id, name) = (id_of(stem, &pointer), pointer.clone());
    let label =
        if required || kind == FieldKind::Flag { label } else { format!("{label} ({})", t(Msg::FieldOptional)) };
    let set = {
        let pointer = pointer.clone();
        move |entry: Entry| {
            typed.update(|typed| {
                typed.entries.insert(pointer.clone(), entry);
                typed.errors.remove(&pointer);
            });
        }
    };
    let error = Signal::derive({
        let pointer = pointer.clone();
        move || typed.with(|typed| typed.errors.get(&pointer).cloned())
    });
    let text = Signal::derive({
        let pointer = pointer.clone();
        move || {
            entries.with(|entries| match entries.get(&pointer) {
                Some(Entry::Text(text)) => text.clone(),
                _ => String::new(),
            })
        }
    });
    let on = Signal::derive({
        let pointer = pointer.clone();
        move || entries.with(|entries| entries.get(&pointer) == Some(&Entry::Flag(true)))
    });
    let chosen = Signal::derive(move || {
        entries.with(|entries| match entries.get(&pointer) {
            Some(Entry::Chosen(keys)) => keys.clone(),
            _ => Vec::new(),
        })
    });
    let input = match kind {
        FieldKind::Flag => flag(label, help, on, set),
        FieldKind::One(choices) => one(label, help, required, &choices, chosen, error, set),
        FieldKind::Several(choices) => several(label, help, &choices, chosen, error, set),
        FieldKind::Text { lines: true, .. } => area(label, help, text, error, set),
        FieldKind::Text { format: Some(format), .. } if format == "date" => line(label, help, true, text, error, set),
        _ => line(label, help, false, text, error, set),
    };
    view! { <div class="form__field" id=id data-field=name>{input}</div> }.into_any()
}

fn flag(label: String, help: Option<String>, on: Signal<bool>, set: impl Fn(Entry) + 'static) -> AnyView {
    view! {
        <div class="field">
            <Checkbox label=label checked=on on_change=move |on| set(Entry::Flag(on)) />
            {help.map(|help| view! { <span class="field__hint">{help}</span> })}
        </div>
    }
    .into_any()
}

fn one(
    label: String,
    help: Option<String>,
    required: bool,
    choices: &[Value],
    chosen: Signal<Vec<String>>,
    error: Signal<Option<String>>,
    set: impl Fn(Entry) + Send + Sync + 'static,
) -> AnyView {
    let first = (!required).then(|| (String::new(), t(Msg::NoneChosen).to_owned()));
    let unset = required.then(|| (String::new(), String::new()));
    let rest = choices.iter().map(|choice| (choice.key.clone(), choice.label.clone()));
    let choices: Vec<_> = first.into_iter().chain(unset).chain(rest).collect();
    let notes = FieldNotes::of(&unique_id("choice"), help, error);
    let value = Signal::derive(move || chosen.with(|keys| keys.first().cloned().unwrap_or_default()));
    let change = move |key: String| set(Entry::Chosen(if key.is_empty() { Vec::new() } else { vec![key] }));
    view! {
        <div class="field">
            <Select label=label choices=Signal::stored(choices) value=value on_change=change />
            {notes.view()}
        </div>
    }
    .into_any()
}

fn several(
    label: String,
    help: Option<String>,
    choices: &[Value],
    chosen: Signal<Vec<String>>,
    error: Signal<Option<String>>,
    set: impl Fn(Entry) + Send + Sync + 'static,
) -> AnyView {
    let choices: Vec<Choice> = choices
        .iter()
        .map(|choice| Choice { value: choice.key.clone(), label: choice.label.clone(), count: None })
        .collect();
    let notes = FieldNotes::of(&unique_id("choices"), help, error);
    view! {
        <div class="field">
            <Combobox label=label choices=Signal::stored(Some(choices)) chosen=chosen on_change=move |keys| set(Entry::Chosen(keys)) />
            {notes.view()}
        </div>
    }
    .into_any()
}

fn line(
    label: String,
    help: Option<String>,
    date: bool,
    text: Signal<String>,
    error: Signal<Option<String>>,
    set: impl Fn(Entry) + Send + Sync + 'static,
) -> AnyView {
    let input = move |text| set(Entry::Text(text));
    match help {
        Some(help) => {
            view! { <TextField label=label hint=help date=date value=text error=error on_input=input /> }.into_any()
        }
        None => view! { <TextField label=label date=date value=text error=error on_input=input /> }.into_any(),
    }
}

fn area(
    label: String,
    help: Option<String>,
    text: Signal<String>,
    error: Signal<Option<String>>,
    set: impl Fn(Entry) + 'static,
) -> AnyView {
    let id = unique_id("lines");
    let notes = FieldNotes::of(&id, help, error);
    let described = notes.described_by();
    view! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <textarea
                id=id
                class="input input--lines"
                rows="4"
                prop:value=move || text.get()
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=described
                on:input=move |event| set(Entry::Text(event_target_value(&event)))
            ></textarea>
            {notes.view()}
        </div>
    }
    .into_any()
}

fn words(problem: FieldProblem, fields: &[Field], at: &str) -> String {
    let number = |message: Msg, bound: f64| message.with(&[("n", &format::decimal(bound))]);
    match problem {
        FieldProblem::Missing if is_choice(fields, at) => t(Msg::FieldMissingChoice).to_owned(),
        FieldProblem::Missing => t(Msg::FieldMissing).to_owned(),
        FieldProblem::TooShort(least) => Msg::FieldTooShort.count(least),
        FieldProblem::TooLong(most) => Msg::FieldTooLong.count(most),
        FieldProblem::NoNumber => t(Msg::FieldNoNumber).to_owned(),
        FieldProblem::NotWhole => t(Msg::FieldNotWhole).to_owned(),
        FieldProblem::TooSmall(least) => number(Msg::FieldTooSmall, least),
        FieldProblem::TooLarge(most) => number(Msg::FieldTooLarge, most),
        FieldProblem::NoEmail => t(Msg::FieldNoEmail).to_owned(),
        FieldProblem::NoUrl => t(Msg::FieldNoUrl).to_owned(),
    }
}

fn is_choice(fields: &[Field], at: &str) -> bool {
    fields.iter().any(|field| match &field.kind {
        FieldKind::Group(inner) => is_choice(inner, at),
        FieldKind::One(_) | FieldKind::Several(_) => field.pointer == at,
        _ => false,
    })
}
