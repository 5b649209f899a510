//! One entity of the catalog, looked for by a part of its name.

use leptos::prelude::*;

use crate::api;
use crate::entity::Item;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::ui::{Choice, Combobox};

/// One entity of the catalog, or none.
#[component]
pub(crate) fn EntityBox(
    /// What is asked for.
    label: Msg,
    /// What it means that none is chosen.
    placeholder: Msg,
    /// The only kind that is looked for, in lower case.
    #[prop(optional)]
    kind: Option<&'static str>,
    /// The ref of the one that is chosen; empty where none is.
    chosen: Signal<String>,
    /// Called with the ref, or with nothing.
    #[prop(into)]
    on_choose: Callback<String>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let opened = RwSignal::new(false);
    let found = live(
        move || opened.get().then(|| text.get()),
        move |text| api::catalog::find(text, kind),
        Habits { beats: false, keeps: true },
    );
    let choices = Signal::derive(move || match (found.data.get(), found.error.with(Option::is_some)) {
        (Some(items), _) => Some(items.iter().map(choice).collect()),
        (None, true) => Some(Vec::new()),
        (None, false) => None,
    });
    let chosen = Signal::derive(move || Vec::from_iter(Some(chosen.get()).filter(|chosen| !chosen.is_empty())));
    let change = move |values: Vec<String>| on_choose.run(values.into_iter().next().unwrap_or_default());
    view! {
        <Combobox
            label=t(label)
            placeholder=t(placeholder)
            choices=choices
            chosen=chosen
            single=true
            on_open=Callback::new(move |()| opened.set(true))
            on_text=Callback::new(move |value| text.set(value))
            on_change=change
        />
    }
}

fn choice(item: &Item) -> Choice {
    let value = item.reference().to_string();
    let label = if item.title() == item.name() {
        value.clone()
    } else {
        Msg::TitleOf.with(&[("title", &item.title()), ("ref", &value)])
    };
    Choice { value, label, count: None }
}
