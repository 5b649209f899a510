//! What a list is narrowed down by, and what it could be.

use leptos::prelude::*;

use super::List;
use crate::api;
use crate::entity;
use crate::list_state::Facet;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::query::predicate;
use crate::ui::{Button, Chip, Choice, Combobox, Variant};

/// A facet's values, each with how many entities have it, fetched when its list opens.
#[component]
pub(crate) fn FacetBox(list: List, facet: Facet, label: Msg) -> impl IntoView {
    let opened = RwSignal::new(0_u32);
    let values = live(
        move || {
            let opened = opened.get();
            let state = list.state.get();
            (opened > 0).then(|| (opened, predicate(&state, &list.refs.get(), Some(facet))))
        },
        move |(_, predicate)| async move { api::catalog::facet(facet.field(), predicate).await },
        Habits { beats: false, keeps: true },
    );
    let choices = Signal::derive(move || {
        let values = match (values.data.get(), values.error.with(Option::is_some)) {
            (Some(values), _) => values,
            (None, true) => Vec::new(),
            (None, false) => return None,
        };
        let mut choices: Vec<Choice> = values
            .into_iter()
            .map(|value| Choice { label: label_of(facet, &value.value), value: value.value, count: Some(value.count) })
            .collect();
        choices.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        Some(choices)
    });
    view! {
        <Combobox
            label=t(label)
            quiet=true
            words=if facet == Facet::Owner { owner_label } else { str::to_owned }
            choices=choices
            chosen=Signal::derive(move || list.state.with(|state| state.values(facet).to_vec()))
            on_change=move |values| list.narrow(facet, values)
            on_open=Callback::new(move |()| opened.update(|opened| *opened += 1))
        />
    }
}

/// What the list is narrowed down by, each with a button that takes it away.
#[component]
pub(crate) fn Chosen(list: List) -> impl IntoView {
    // The other filters show in controls of their own.
    let narrowed = Memo::new(move |_| {
        list.state.with(|state| Facet::LISTS.into_iter().any(|facet| !state.values(facet).is_empty()))
    });
    let chips = move || {
        list.state.with(|state| {
            Facet::LISTS
                .into_iter()
                .flat_map(|facet| state.values(facet).iter().cloned().map(move |value| (facet, value)))
                .map(|(facet, value)| {
                    let text = label_of(facet, &value);
                    let remove = Callback::new(move |()| {
                        let mut values = list.state.with_untracked(|state| state.values(facet).to_vec());
                        values.retain(|other| *other != value);
                        list.narrow(facet, values);
                    });
                    view! { <Chip text=text on_remove=remove /> }
                })
                .collect_view()
        })
    };
    move || {
        narrowed.get().then(|| {
            view! {
                <div class="catalog-chips" role="group" aria-label=t(Msg::ActiveFilters)>
                    {chips}
                    <Button
                        label=t(Msg::ClearFilters)
                        variant=Variant::Quiet
                        on_press=move |_| list.show(&list.state.get_untracked().widened(), true)
                    />
                </div>
            }
        })
    }
}

/// A value as people read it.
fn label_of(facet: Facet, value: &str) -> String {
    if facet == Facet::Owner { owner_label(value) } else { value.to_owned() }
}

/// Owners are groups, unless they say otherwise.
fn owner_label(owner: &str) -> String {
    match entity::parse_ref(owner) {
        Some(owner) if owner.kind() == "group" => entity::short_name(&owner),
        Some(owner) => format!("{}:{}", owner.kind(), entity::short_name(&owner)),
        None => owner.to_owned(),
    }
}
