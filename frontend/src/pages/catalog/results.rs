//! The rows of a list, or why there are none.

use leptos::prelude::*;

use super::{List, columns};
use crate::format;
use crate::list_state::{ListState, Whose};
use crate::live::{Live, Shape};
use crate::messages::{Msg, t};
use crate::pulse::use_now;
use crate::query::Page;
use crate::ui::{
    Button, DataTable, EmptyState, ErrorPanel, Glyph, Icon, Pagination, Skeleton, Sorting, Stale, Variant,
};

/// The rows, or why there are none.
#[component]
pub(crate) fn Results(list: List, page: Live<Page>) -> impl IntoView {
    let shape = page.shape(|page| page.rows.is_empty());
    let loading = move || page.busy.get().then(|| view! { <div class="progress-line"></div> });
    let body = move || {
        match shape.get() {
        Shape::Waiting => view! { <div class="card__body"><Skeleton lines=14 /></div> }.into_any(),
        Shape::Failed => view! {
            <div class="card__body">
                {move || {
                    page.error.get().map(|error| view! { <ErrorPanel title=t(Msg::CatalogFailed) error=error on_retry=move |()| page.reload() /> })
                }}
            </div>
        }
        .into_any(),
        Shape::Empty => view! { <Nothing list=list page=page /> }.into_any(),
        Shape::Rows => view! { <Rows list=list page=page /> }.into_any(),
    }
    };
    view! {
        <Stale live=page />
        <div class="table-box" aria-busy=move || if page.busy.get() { "true" } else { "false" }>
            {loading}
            {body}
        </div>
    }
}

#[component]
fn Rows(list: List, page: Live<Page>) -> impl IntoView {
    let kind = Memo::new(move |_| list.state.with(|state| state.kind.clone()));
    let rows =
        Memo::new(move |_| page.data.with(|page| page.as_ref().map(|page| page.rows.clone())).unwrap_or_default());
    let sorting = Memo::new(move |_| {
        list.state.with(|state| Some(Sorting { column: state.sort.clone(), descending: state.descending }))
    });
    let sort = Callback::new(move |column: &'static str| {
        list.show(&list.state.get_untracked().sorted_by(column), true);
    });
    let href =
        Callback::new(move |offset: u64| list.state.with(|state| list.href(&ListState { offset, ..state.clone() })));
    let limit = move |limit: u64| {
        list.show(&ListState { limit, offset: 0, ..list.state.get_untracked() }, true);
    };
    view! {
        <div class="table-scroll">
            <DataTable
                caption=t(Msg::CatalogCaption)
                columns=Signal::derive(move || columns::of_kind(kind.get().as_deref()))
                rows=rows
                key=|item| item.version()
                sorting=sorting
                on_sort=sort
            />
        </div>
        <Pagination
            offset=Signal::derive(move || list.state.with(|state| state.offset))
            limit=Signal::derive(move || list.state.with(|state| state.limit))
            total=Signal::derive(move || page.data.with(|page| page.as_ref().map_or(0, |page| page.total)))
            href=href
            on_limit=limit
        >
            <Freshness page=page />
        </Pagination>
    }
}

/// When the rows were read.
#[component]
fn Freshness(page: Live<Page>) -> impl IntoView {
    let now = use_now();
    let text = move || page.read_at.get().map(|at| Msg::ReadAt.with(&[("time", &format::relative(at, now.get()))]));
    view! {
        <span class="freshness" class:freshness--stale=move || page.error.with(Option::is_some)>
            <Icon glyph=Glyph::Clock />
            {text}
        </span>
    }
}

/// Why there are no rows, and what to do about it.
#[component]
fn Nothing(list: List, page: Live<Page>) -> impl IntoView {
    move || {
        let state = list.state.get();
        let total = page.data.with(|page| page.as_ref().map_or(0, |page| page.total));
        if total > 0 {
            let first = list.href(&ListState { offset: 0, ..state });
            let text = Msg::PastTheEndText.count(total);
            return view! {
                <EmptyState title=t(Msg::PastTheEnd) text=text>
                    <a class="button button--primary" href=first>{t(Msg::FirstPage)}</a>
                </EmptyState>
            }
            .into_any();
        }
        if state.whose == Whose::Starred && list.refs.with(Vec::is_empty) {
            let text = t(Msg::NoStarsText).to_owned();
            return view! {
                <EmptyState title=t(Msg::NoStars) text=text glyph=Glyph::Star>
                    <Button
                        label=t(Msg::ClearFilters)
                        variant=Variant::Primary
                        on_press=move |_| list.show(&list.state.get_untracked().widened(), true)
                    />
                </EmptyState>
            }
            .into_any();
        }
        if state.is_narrowed() {
            let text = t(Msg::NothingMatchesText).to_owned();
            return view! {
                <EmptyState title=t(Msg::NothingMatches) text=text glyph=Glyph::Search>
                    <Button
                        label=t(Msg::ClearFilters)
                        variant=Variant::Primary
                        on_press=move |_| list.show(&list.state.get_untracked().widened(), true)
                    />
                </EmptyState>
            }
            .into_any();
        }
        let title = match &state.kind {
            Some(kind) => Msg::NoneOfKind.with(&[("kind", &format::kind(kind))]),
            None => t(Msg::CatalogEmpty).to_owned(),
        };
        view! {
            <EmptyState title=title text=t(Msg::CatalogEmptyText).to_owned() glyph=Glyph::Catalog>
                <a class="button" href="/plugins">{t(Msg::SeeProviders)}</a>
            </EmptyState>
        }
        .into_any()
    }
}
