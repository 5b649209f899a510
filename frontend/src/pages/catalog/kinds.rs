//! The kinds that there are, each with how many entities it has.

use leptos::prelude::*;

use super::List;
use crate::api;
use crate::format;
use crate::list_state::Facet;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::query::predicate;
use crate::ui::Select;

/// In this order; others follow by name.
const ORDER: [&str; 9] = ["component", "api", "resource", "system", "domain", "group", "user", "template", "location"];

/// A kind, in lower case, as it is written, and how many there are.
type Kind = (String, String, u64);

/// A line of links; a select where the screen is narrow.
#[component]
pub(crate) fn Kinds(list: List) -> impl IntoView {
    let counts = live(
        move || {
            let state = list.state.get();
            Some(predicate(&state, &list.refs.get(), Some(Facet::Kind)))
        },
        |predicate| async move { api::catalog::facet("kind", predicate).await },
        Habits { beats: true, keeps: true },
    );
    let kinds = Memo::new(move |_| {
        let values = counts.data.get().unwrap_or_default();
        let mut kinds: Vec<Kind> = Vec::new();
        for value in values {
            let key = value.value.to_lowercase();
            match kinds.iter_mut().find(|(known, ..)| *known == key) {
                Some((_, _, count)) => *count += value.count,
                None => kinds.push((key, value.value, value.count)),
            }
        }
        // The kind that is chosen stays, even where nothing of it is left.
        if let Some(chosen) = list.state.with(|state| state.kind.clone())
            && !kinds.iter().any(|(key, ..)| *key == chosen)
        {
            kinds.push((chosen.clone(), format::kind(&chosen), 0));
        }
        let place = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
        kinds.sort_by(|a, b| (place(&a.0), &a.0).cmp(&(place(&b.0), &b.0)));
        kinds
    });
    let all = Memo::new(move |_| {
        // No number is better than a wrong one.
        counts.data.with(Option::is_some).then(|| {
            kinds.with(|kinds| kinds.iter().filter(|(key, ..)| key != "location").map(|(.., count)| count).sum::<u64>())
        })
    });
    let chosen = Memo::new(move |_| list.state.with(|state| state.kind.clone()));
    let href = move |kind: Option<String>| {
        list.state.with(|state| list.href(&state.clone().with(Facet::Kind, kind.into_iter().collect())))
    };
    let item = move |kind: Option<String>, label: String| {
        let (mine, counted) = (kind.clone(), kind.clone());
        // Apart from the link, which keeps the focus while its number changes.
        let count = move || match &counted {
            None => all.get(),
            Some(kind) => {
                all.get().and(kinds.with(|kinds| kinds.iter().find(|(key, ..)| key == kind).map(|(.., n)| *n)))
            }
        };
        view! {
            <li>
                <a
                    class="tabs__tab"
                    href=move || href(kind.clone())
                    data-noscroll="true"
                    aria-current=move || (chosen.get() == mine).then_some("true")
                >
                    {label}
                    " "
                    <span class="tabs__count">{move || count().map(format::number)}</span>
                </a>
            </li>
        }
    };
    let choices = Signal::derive(move || {
        let all_kinds = t(Msg::AllKinds).to_owned();
        let first = match all.get() {
            Some(all) => Msg::KindCount.with(&[("kind", &all_kinds), ("n", &format::number(all))]),
            None => all_kinds,
        };
        let rest = kinds
            .get()
            .into_iter()
            .map(|(key, label, count)| (key, Msg::KindCount.with(&[("kind", &label), ("n", &format::number(count))])));
        std::iter::once((String::new(), first)).chain(rest).collect::<Vec<_>>()
    });
    view! {
        <nav class="catalog-kinds" aria-label=t(Msg::Kind)>
            <ul class="tabs">
                {item(None, t(Msg::All).to_owned())}
                <For
                    each=move || kinds.get()
                    key=|(key, label, _)| (key.clone(), label.clone())
                    children=move |(key, label, _)| item(Some(key), label)
                />
            </ul>
        </nav>
        <div class="catalog-kind-select">
            <Select
                label=t(Msg::Kind)
                quiet=true
                choices=choices
                value=Signal::derive(move || chosen.get().unwrap_or_default())
                on_change=move |kind: String| list.narrow(Facet::Kind, Some(kind).filter(|kind| !kind.is_empty()).into_iter().collect())
            />
        </div>
    }
}
