//! `table`: the plugin sorts, filters and turns pages; here one asks for it.

use std::time::Duration;

use callboard_model::ui::{Column, Row, Sort, Table, TableState};
use leptos::prelude::*;

use super::{Place, action, data, node};
use crate::messages::{Msg, t};
use crate::ui::{Button, Glyph, Icon, TextField, Variant};

/// How long somebody pauses when they have finished typing.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) fn table(table: Table, place: &Place) -> AnyView {
    let Table { id, caption, columns, rows, next, total, sort, filter, empty } = table;
    let host = place.host;
    let caption = caption.to_string();
    let state = Asked::of(id, place);
    let has_actions = rows.iter().any(|row| !row.actions.is_empty());
    let no_rows = rows.is_empty();
    let heads = columns.iter().map(|column| head(column, sort.as_ref(), &state)).collect_view();
    let actions_head = has_actions.then(
        || view! { <th role="columnheader" scope="col"><span class="visually-hidden">{t(Msg::RowActions)}</span></th> },
    );
    let body = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| body_row(row, &columns, has_actions, &place.within(index)))
        .collect_view();
    let nothing = no_rows.then(|| match empty {
        Some(text) => view! { <p class="table__nothing muted break" dir="auto">{text.to_string()}</p> }.into_any(),
        None => view! { <div class="table__nothing">{data::nothing(Msg::TableNoRows)}</div> }.into_any(),
    });
    view! {
        <div class="table-box">
            {filter.map(|label| view! { <div class="table__filter">{filter_field(label.to_string(), &state)}</div> })}
            <div class="table-scroll" tabindex="0" role="group" aria-label=caption.clone() aria-busy=move || host.busy.get().then_some("true")>
                <table class="table table--cards" role="table">
                    <caption class="break" dir="auto">{caption.clone()}</caption>
                    <thead role="rowgroup"><tr role="row">{heads}{actions_head}</tr></thead>
                    <tbody role="rowgroup">{body}</tbody>
                </table>
            </div>
            {nothing}
            {pages(next, total, &state, place)}
        </div>
    }
    .into_any()
}

/// What a reader has asked of a table, and how they ask for something else.
#[derive(Clone)]
struct Asked {
    id: String,
    place: Place,
    /// The cursors of the pages before this one, outermost first; empty for the first page.
    before: RwSignal<Option<String>>,
    sort: RwSignal<Option<String>>,
    filter: RwSignal<Option<String>>,
    here: RwSignal<Option<String>>,
}

impl Asked {
    fn of(id: String, place: &Place) -> Self {
        let part = |name: &str| place.host.memory.text(&format!("{}/{name}", place.at));
        let (before, sort, filter, here) = (part("before"), part("sort"), part("filter"), part("page"));
        Self { id, place: place.clone(), before, sort, filter, here }
    }

    fn ask(&self) {
        let text = |signal: RwSignal<Option<String>>| signal.get_untracked().filter(|text| !text.is_empty());
        let sort = text(self.sort).map(|sort| match sort.strip_prefix('-') {
            Some(by) => Sort::new(by).descending(),
            None => Sort::new(sort),
        });
        let state = TableState { cursor: text(self.here), sort, filter: text(self.filter) };
        self.place.host.table.run((self.id.clone(), state));
    }

    /// The rows are other ones from here on, so they begin at the first.
    fn anew(&self) {
        self.here.set(None);
        self.before.set(None);
        self.ask();
    }

    fn sort_by(&self, by: &str, descending: bool) {
        self.sort.set(Some(if descending { format!("-{by}") } else { by.to_owned() }));
        self.anew();
    }

    fn forward(&self, next: &str) {
        let mut before = self.trail();
        before.push(self.here.get_untracked().unwrap_or_default());
        self.before.set(serde_json::to_string(&before).ok());
        self.here.set(Some(next.to_owned()));
        self.ask();
    }

    fn back(&self) {
        let mut before = self.trail();
        self.here.set(before.pop());
        self.before.set(serde_json::to_string(&before).ok());
        self.ask();
    }

    fn trail(&self) -> Vec<String> {
        let before = self.before.get_untracked().unwrap_or_default();
        serde_json::from_str(&before).unwrap_or_default()
    }
}

fn head(column: &Column, sort: Option<&Sort>, state: &Asked) -> AnyView {
    let class = if column.end { "table__number" } else { "" };
    let title = column.title.to_string();
    let Some(by) = column.sort.clone() else {
        return view! { <th role="columnheader" scope="col" class=class>{title}</th> }.into_any();
    };
    let mine = sort.filter(|sort| sort.by == by);
    let descending = mine.is_some_and(|sort| sort.descending);
    let order = match mine {
        None => "none",
        Some(_) if descending => "descending",
        Some(_) => "ascending",
    };
    let glyph = if descending { Glyph::ArrowDown } else { Glyph::ArrowUp };
    let turn = mine.is_some() && !descending;
    let state = state.clone();
    view! {
        <th role="columnheader" scope="col" class=class aria-sort=order>
            <button type="button" class="table__sort" on:click=move |_| state.sort_by(&by, turn)>
                {title}
                <Icon glyph=glyph />
            </button>
        </th>
    }
    .into_any()
}

fn body_row(row: Row, columns: &[Column], has_actions: bool, place: &Place) -> AnyView {
    let cells = columns
        .iter()
        .zip(row.cells)
        .enumerate()
        .map(|(index, (column, cell))| {
            let class = if column.end { "table__wrap table__number" } else { "table__wrap" };
            let cell = node(cell, &place.within(index));
            view! { <td role="cell" class=class data-label=column.title.to_string()>{cell}</td> }
        })
        .collect_view();
    let buttons = has_actions.then(|| {
        let buttons = row.actions.into_iter().map(|button| action::small(button, place)).collect_view();
        view! { <td role="cell" class="table__actions"><div class="table__buttons">{buttons}</div></td> }
    });
    view! { <tr role="row">{cells}{buttons}</tr> }.into_any()
}

fn filter_field(label: String, state: &Asked) -> AnyView {
    let typed = state.filter;
    let state = state.clone();
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let input = move |text: String| {
        typed.set(Some(text));
        let state = state.clone();
        if let Some(waiting) = waiting.get_value() {
            waiting.clear();
        }
        waiting.set_value(set_timeout_with_handle(move || state.anew(), PAUSE).ok());
    };
    view! { <TextField label=label search=true value=Signal::derive(move || typed.get().unwrap_or_default()) on_input=input /> }
        .into_any()
}

fn pages(next: Option<String>, total: Option<u64>, state: &Asked, place: &Place) -> Option<AnyView> {
    let is_first = state.trail().is_empty() && state.here.get_untracked().is_none();
    if next.is_none() && is_first && total.is_none() {
        return None;
    }
    let busy = place.host.busy;
    let (back, forward) = (state.clone(), state.clone());
    let back = (!is_first).then(|| {
        view! { <Button label=t(Msg::PreviousRows) variant=Variant::Quiet icon=Glyph::ChevronLeft busy=busy on_press=move |_| back.back() /> }
    });
    let forward = next.map(|next| {
        view! { <Button label=t(Msg::NextRows) icon=Glyph::ChevronRight busy=busy on_press=move |_| forward.forward(&next) /> }
    });
    let total = total.map(|total| view! { <span class="pagination__range">{Msg::TableTotal.count(total)}</span> });
    Some(view! { <div class="pagination">{total}<span class="pagination__gap"></span>{back}{forward}</div> }.into_any())
}
