//! What was changed and what was refused, by whom. The page's state is its address, see [`AuditState`].

use callboard_model::api::{AuditEntry, AuditPage as Answer};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::PageHead;
use crate::api;
use crate::audit_state::AuditState;
use crate::browser;
use crate::live::{Habits, Live, Shape, live};
use crate::messages::{Msg, t};
use crate::ui::{Button, CopyButton, DataTable, EmptyState, ErrorPanel, Glyph, Icon, Skeleton, Stale, Variant};

mod details;
mod entries;
mod filters;

use details::Details;
use filters::Filters;

/// The state of the page, and the way to change it.
#[derive(Clone, Copy)]
struct Log {
    state: Memo<AuditState>,
    show: Callback<AuditState>,
}

/// Shows the whole of an entry; for the table's cells.
#[derive(Clone, Copy)]
struct Open(Callback<AuditEntry>);

/// The audit log.
#[component]
pub(crate) fn AuditLogPage() -> impl IntoView {
    let search = use_location().search;
    let state = Memo::new(move |_| AuditState::parse(&search.get()));
    let navigate = use_navigate();
    let show = Callback::new(move |state: AuditState| {
        navigate(&state.href(), NavigateOptions { scroll: false, ..Default::default() });
    });
    let log = Log { state, show };
    let page = live(move || Some(state.get()), api::audit::page, Habits { beats: true, keeps: true });
    let shape = page.shape(|page| page.items.is_empty());
    let body = move || {
        match shape.get() {
        Shape::Waiting => view! { <div class="card__body"><Skeleton lines=14 /></div> }.into_any(),
        Shape::Failed => view! {
            <div class="card__body">
                {move || {
                    page.error
                        .get()
                        .map(|error| view! { <ErrorPanel title=t(Msg::AuditFailed) error=error on_retry=move |()| page.reload() /> })
                }}
            </div>
        }
        .into_any(),
        Shape::Empty => view! { <Nothing log=log /> }.into_any(),
        Shape::Rows => view! { <Rows log=log page=page /> }.into_any(),
    }
    };
    view! {
        <PageHead title=t(Msg::Audit)>
            <a class="button" href=move || state.with(api::audit::export) rel="external" download="audit.ndjson">
                <Icon glyph=Glyph::ArrowDown />
                <span>{t(Msg::Export)}</span>
            </a>
            <CopyButton text=browser::address label=t(Msg::CopyLink) compact=true />
        </PageHead>
        <p class="page-lead">{t(Msg::AuditLead)}</p>
        <Filters log=log />
        <Stale live=page />
        <div class="table-box" aria-busy=move || if page.busy.get() { "true" } else { "false" }>
            {move || page.busy.get().then(|| view! { <div class="progress-line"></div> })}
            {body}
        </div>
    }
}

#[component]
fn Rows(log: Log, page: Live<Answer>) -> impl IntoView {
    let rows =
        Memo::new(move |_| page.data.with(|page| page.as_ref().map(|page| page.items.clone())).unwrap_or_default());
    let next =
        Memo::new(move |_| page.data.with(|page| page.as_ref().and_then(|page| page.page_info.next_cursor.clone())));
    let shown = RwSignal::new(None::<AuditEntry>);
    let open = RwSignal::new(false);
    provide_context(Open(Callback::new(move |entry| {
        shown.set(Some(entry));
        open.set(true);
    })));
    let newest = move || {
        let state = log.state.get();
        (!state.cursor.is_empty()).then(|| {
            view! { <a class="button" href=state.newest().href()><Icon glyph=Glyph::ChevronLeft /><span>{t(Msg::Newest)}</span></a> }
        })
    };
    let older = move || {
        next.get().map(|cursor| {
            let href = AuditState { cursor, ..log.state.get() }.href();
            view! { <a class="button" href=href><span>{t(Msg::Older)}</span><Icon glyph=Glyph::ChevronRight /></a> }
        })
    };
    view! {
        <div class="table-scroll">
            <DataTable
                caption=t(Msg::AuditCaption)
                columns=Signal::stored(entries::COLUMNS.to_vec())
                rows=rows
                key=|entry| entry.seq.to_string()
            />
        </div>
        <nav class="pagination" aria-label=t(Msg::Pages)>{newest} <span class="pagination__pages">{older}</span></nav>
        <Details entry=shown open=open />
    }
}

/// Why there are no rows, and what to do about it.
#[component]
fn Nothing(log: Log) -> impl IntoView {
    move || {
        let state = log.state.get();
        if state.is_narrowed() {
            let text = t(Msg::AuditNothingText).to_owned();
            return view! {
                <EmptyState title=t(Msg::AuditNothing) text=text glyph=Glyph::Search>
                    <Button
                        label=t(Msg::ClearFilters)
                        variant=Variant::Primary
                        on_press=move |_| log.show.run(AuditState { limit: state.limit, ..AuditState::default() })
                    />
                </EmptyState>
            }
            .into_any();
        }
        if !state.cursor.is_empty() {
            let href = state.newest().href();
            return view! {
                <EmptyState title=t(Msg::AuditEnd) glyph=Glyph::Shield>
                    <a class="button button--primary" href=href>{t(Msg::Newest)}</a>
                </EmptyState>
            }
            .into_any();
        }
        let text = t(Msg::AuditEmptyText).to_owned();
        view! { <EmptyState title=t(Msg::AuditEmpty) text=text glyph=Glyph::Shield /> }.into_any()
    }
}
