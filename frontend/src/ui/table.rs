//! Rows and columns.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::messages::{Msg, t};

/// A column.
pub(crate) struct Column<T> {
    /// Which, for sorting.
    pub key: &'static str,
    /// The heading.
    pub label: Msg,
    /// Whether its heading sorts.
    pub sorts: bool,
    /// When it goes, where there is no room.
    pub importance: Importance,
    /// A row's cell; [`none`] where the row has nothing to say.
    pub cell: fn(&T) -> AnyView,
}

/// When a column goes, where there is no room for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Importance {
    /// Never.
    #[default]
    Always,
    /// Never, and it takes the room that the others leave; what does not fit is cut.
    Fill,
    /// Never, and its text may take several lines.
    Text,
    /// Second.
    Less,
    /// First.
    Minor,
}

/// How rows are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorting {
    /// A [`Column::key`].
    pub column: String,
    /// Largest first.
    pub descending: bool,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

/// The cell of a row that has nothing to say in this column.
pub(crate) fn none() -> AnyView {
    view! {
        <span class="table__none" aria-hidden="true">"–"</span>
    }
    .into_any()
}

/// Rows and columns, a card per row where there is no room for columns.
#[component]
pub(crate) fn DataTable<T>(
    /// What the rows are; for those who listen.
    #[prop(into)]
    caption: Signal<String>,
    /// The caption shows.
    #[prop(optional)]
    show_caption: bool,
    /// The columns, the first of which names the row.
    #[prop(into)]
    columns: Signal<Vec<Column<T>>>,
    /// The rows.
    #[prop(into)]
    rows: Signal<Vec<T>>,
    /// What makes a row this row, in this state: it is built anew only where this changes.
    key: fn(&T) -> String,
    /// How they are sorted.
    #[prop(optional, into)]
    sorting: Signal<Option<Sorting>>,
    /// Called with the column whose heading was pressed.
    #[prop(optional)]
    on_sort: Option<Callback<&'static str>>,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
{
    move || {
        let columns = columns.get();
        let heads = columns.iter().map(|column| head(*column, sorting, on_sort)).collect_view();
        let row = move |row: T| {
            let cells = columns
                .iter()
                .map(|column| {
                    view! {
                        <td role="cell" class=class(column.importance) data-label=t(column.label)>
                            {(column.cell)(&row)}
                        </td>
                    }
                })
                .collect_view();
            view! { <tr role="row">{cells}</tr> }
        };
        // Cards change how rows and cells are laid out, which would cost them their meaning; the roles keep it.
        view! {
            <table class="table table--cards" role="table">
                <caption class:visually-hidden=!show_caption>{caption}</caption>
                <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
                <tbody role="rowgroup">
                    <For each=move || rows.get() key=key children=row />
                </tbody>
            </table>
        }
    }
}

fn head<T>(column: Column<T>, sorting: Signal<Option<Sorting>>, on_sort: Option<Callback<&'static str>>) -> AnyView {
    let Some(on_sort) = on_sort.filter(|_| column.sorts) else {
        return view! { <th role="columnheader" scope="col" class=class(column.importance)>{t(column.label)}</th> }
            .into_any();
    };
    let mine = move || sorting.get().filter(|sorting| sorting.column == column.key);
    let state = move || match mine() {
        None => "none",
        Some(Sorting { descending: false, .. }) => "ascending",
        Some(Sorting { descending: true, .. }) => "descending",
    };
    let glyph = move || {
        let glyph = if mine().is_some_and(|sorting| sorting.descending) { Glyph::ArrowDown } else { Glyph::ArrowUp };
        view! { <Icon glyph=glyph /> }
    };
    view! {
        <th role="columnheader" scope="col" class=class(column.importance) aria-sort=state>
            <button type="button" class="table__sort" on:click=move |_| on_sort.run(column.key)>
                {t(column.label)}
                {glyph}
            </button>
        </th>
    }
    .into_any()
}

fn class(importance: Importance) -> &'static str {
    match importance {
        Importance::Always => "",
        Importance::Fill => "table__fill",
        Importance::Text => "table__wrap",
        Importance::Less => "table__less",
        Importance::Minor => "table__minor",
    }
}
