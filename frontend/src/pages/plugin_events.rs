//! The events that a plugin did not take: why, what was in them, and whether they are tried again.

use callboard_model::api::{DeadLetter, DeadLetterPage};
use leptos::prelude::*;
use leptos::task;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::PageHead;
use crate::api;
use crate::api::events::{Fate, Letters};
use crate::browser;
use crate::live::{Habits, Live, Shape, live};
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::{
    Breadcrumbs, Button, Code, Column, DataTable, Dialog, EmptyState, ErrorPanel, Glyph, Icon, Importance, Skeleton,
    Stale, Time, Variant, table, use_toasts,
};

/// Shows the whole of a letter; for the table's cells.
#[derive(Clone, Copy)]
struct Open(Callback<DeadLetter>);

/// Asks before something is done.
#[derive(Clone, Copy)]
struct Ask(Callback<(Letters, Fate)>);

/// The dead letters of one plugin. Which page of them is in the address.
#[component]
pub(crate) fn PluginEventsPage() -> impl IntoView {
    let params = use_params_map();
    let search = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let cursor = Memo::new(move |_| search.with(|search| search.get("cursor")).unwrap_or_default());
    let page =
        live(move || Some((id.get(), cursor.get())), api::events::dead_letters, Habits { beats: true, keeps: true });
    let shape = page.shape(|page| page.items.is_empty());
    let portal = use_portal();
    let manages = Memo::new(move |_| portal.may("event.manage"));
    let asked = RwSignal::new(None::<(Letters, Fate)>);
    let asking = RwSignal::new(false);
    let ask = Ask(Callback::new(move |question| {
        asked.set(Some(question));
        asking.set(true);
    }));
    provide_context(ask);
    let all = move || {
        (manages.get() && shape.get() == Shape::Rows).then(|| {
            let of = move |fate| ask.0.run((Letters::All(id.get_untracked()), fate));
            view! {
                <Button label=t(Msg::RetryAll) on_press=move |_| of(Fate::Retry) />
                <Button label=t(Msg::DiscardAll) variant=Variant::Danger on_press=move |_| of(Fate::Discard) />
            }
        })
    };
    let waiting = move || {
        let waiting = page.data.with(|page| page.as_ref().and_then(|page| page.waiting));
        waiting.filter(|waiting| *waiting > 0).map(|waiting| view! { <p>{Msg::EventsWaiting.count(waiting)}</p> })
    };
    let body = move || {
        match shape.get() {
        Shape::Waiting => view! { <div class="card__body"><Skeleton lines=8 /></div> }.into_any(),
        Shape::Failed => view! {
            <div class="card__body">
                {move || {
                    page.error
                        .get()
                        .map(|error| view! { <ErrorPanel title=t(Msg::DeadLettersFailed) error=error on_retry=move |()| page.reload() /> })
                }}
            </div>
        }
        .into_any(),
        Shape::Empty => {
            let text = t(Msg::NoDeadLettersText).to_owned();
            view! { <EmptyState title=t(Msg::NoDeadLetters) text=text glyph=Glyph::Check /> }.into_any()
        }
        Shape::Rows => view! { <Rows id=id cursor=cursor page=page manages=manages /> }.into_any(),
    }
    };
    let above = move || {
        let plugin = id.get();
        let href = format!("/plugins/{plugin}");
        let above = vec![(t(Msg::Plugins).to_owned(), "/plugins".to_owned()), (plugin, href)];
        view! { <Breadcrumbs above=above here=Signal::stored(t(Msg::DeadLetters).to_owned()) /> }
    };
    view! {
        {above}
        <PageHead title=t(Msg::DeadLetters)>{all}</PageHead>
        <p class="page-lead">{t(Msg::DeadLettersLead)}</p>
        {waiting}
        <Stale live=page />
        <div class="table-box">{body}</div>
        <Question asked=asked asking=asking on_done=move |()| page.reload() />
    }
}

#[component]
fn Rows(id: Memo<String>, cursor: Memo<String>, page: Live<DeadLetterPage>, manages: Memo<bool>) -> impl IntoView {
    let rows =
        Memo::new(move |_| page.data.with(|page| page.as_ref().map(|page| page.items.clone())).unwrap_or_default());
    let next =
        Memo::new(move |_| page.data.with(|page| page.as_ref().and_then(|page| page.page_info.next_cursor.clone())));
    let shown = RwSignal::new(None::<DeadLetter>);
    let open = RwSignal::new(false);
    provide_context(Open(Callback::new(move |letter| {
        shown.set(Some(letter));
        open.set(true);
    })));
    let newest = move || {
        let href = format!("/plugins/{}/events", id.get());
        (!cursor.get().is_empty()).then(|| {
            view! { <a class="button" href=href><Icon glyph=Glyph::ChevronLeft /><span>{t(Msg::Newest)}</span></a> }
        })
    };
    let older = move || {
        next.get().map(|cursor| {
            let href = format!("/plugins/{}/events?cursor={cursor}", id.get());
            view! { <a class="button" href=href><span>{t(Msg::Older)}</span><Icon glyph=Glyph::ChevronRight /></a> }
        })
    };
    view! {
        <div class="table-scroll">
            <DataTable
                caption=t(Msg::DeadLettersCaption)
                columns=Signal::stored(COLUMNS.to_vec())
                rows=rows
                key=|letter| letter.id.clone()
            />
        </div>
        <nav class="pagination" aria-label=t(Msg::Pages)>{newest} <span class="pagination__pages">{older}</span></nav>
        <Details letter=shown open=open manages=manages />
    }
}

/// All that is known of a letter, and what can be done with it.
#[component]
fn Details(letter: RwSignal<Option<DeadLetter>>, open: RwSignal<bool>, manages: Memo<bool>) -> impl IntoView {
    let ask = use_context::<Ask>();
    let title =
        Signal::derive(move || letter.with(|letter| letter.as_ref().map_or_else(String::new, |one| one.topic.clone())));
    let content = move || letter.get().map(facts);
    let foot = move || {
        let (Some(letter), Some(Ask(ask)), true) = (letter.get(), ask, manages.get()) else { return ().into_any() };
        let of = move |fate| {
            open.set(false);
            ask.run((Letters::One(letter.id.clone()), fate));
        };
        let discard = of.clone();
        view! {
            <Button label=t(Msg::Discard) variant=Variant::Danger on_press=move |_| discard(Fate::Discard) />
            <Button label=t(Msg::RetryDelivery) variant=Variant::Primary on_press=move |_| of(Fate::Retry) />
        }
        .into_any()
    };
    view! { <Dialog title=title open=open content=content foot=foot wide=true /> }
}

fn facts(letter: DeadLetter) -> AnyView {
    let exact = |at: &str| browser::parse_time(at).map_or_else(|| at.to_owned(), browser::exact_time);
    let mut facts = vec![
        (Msg::WhyDead, view! { <span class="break">{letter.error.clone()}</span> }.into_any()),
        (Msg::HappenedAt, exact(&letter.happened_at).into_any()),
        (Msg::DiedAt, exact(&letter.died_at).into_any()),
        (Msg::Attempts, letter.attempts.into_any()),
        (Msg::DeliveryId, view! { <code class="break">{letter.id.clone()}</code> }.into_any()),
    ];
    facts.extend(letter.headers.iter().map(|(name, value)| {
        (Msg::Header, view! { <code class="break">{format!("{name}: {value}")}</code> }.into_any())
    }));
    let facts = facts.into_iter().map(|(label, fact)| view! { <dt>{t(label)}</dt><dd>{fact}</dd> }).collect_view();
    // Of a long one there is only the beginning, which is no JSON.
    let payload = serde_json::from_str::<serde_json::Value>(&letter.payload)
        .ok()
        .and_then(|payload| serde_json::to_string_pretty(&payload).ok())
        .unwrap_or(letter.payload);
    view! {
        <div class="stack">
            <dl class="key-values">{facts}</dl>
            <Code label=t(Msg::Payload) text=payload />
        </div>
    }
    .into_any()
}

/// Asks, and does it after a yes.
#[component]
fn Question(
    asked: RwSignal<Option<(Letters, Fate)>>,
    asking: RwSignal<bool>,
    #[prop(into)] on_done: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let settle = move |_| {
        asking.set(false);
        let Some((letters, fate)) = asked.get_untracked() else { return };
        task::spawn_local(async move {
            match api::events::settle(&letters, fate).await {
                Ok(changed) => {
                    let done = if fate == Fate::Retry { Msg::LettersRetried } else { Msg::LettersDiscarded };
                    toasts.ok(done.count(changed.count));
                }
                Err(error) => {
                    let text = Msg::LettersFailed.with(&[("error", &error.message)]);
                    toasts.failed(text, &error, None);
                }
            }
            on_done.run(());
        });
    };
    let label = move || match asked.get() {
        Some((Letters::All(_), Fate::Retry)) => Msg::RetryAll,
        Some((Letters::One(_), Fate::Retry)) | None => Msg::RetryDelivery,
        Some((Letters::All(_), Fate::Discard)) => Msg::DiscardAll,
        Some((Letters::One(_), Fate::Discard)) => Msg::Discard,
    };
    let content = move || {
        let text = match asked.get() {
            Some((_, Fate::Discard)) => Msg::DiscardText,
            Some((_, Fate::Retry)) | None => Msg::RetryText,
        };
        view! { <p>{t(text)}</p> }
    };
    let foot = move || {
        let discards = asked.with(|asked| matches!(asked, Some((_, Fate::Discard))));
        let variant = if discards { Variant::Danger } else { Variant::Primary };
        view! {
            <Button label=t(Msg::Cancel) on_press=move |_| asking.set(false) />
            <Button label=t(label()) variant=variant on_press=settle />
        }
    };
    let title = Signal::derive(move || t(label()).to_owned());
    view! { <Dialog title=title open=asking content=content foot=foot /> }
}

const COLUMNS: [Column<DeadLetter>; 5] = [
    Column {
        key: "topic",
        label: Msg::Topic,
        sorts: false,
        importance: Importance::Always,
        cell: |letter| view! { <code>{letter.topic.clone()}</code> }.into_any(),
    },
    Column {
        key: "happened",
        label: Msg::HappenedAt,
        sorts: false,
        importance: Importance::Always,
        cell: |letter| view! { <Time at=letter.happened_at.clone() /> }.into_any(),
    },
    Column {
        key: "error",
        label: Msg::WhyDead,
        sorts: false,
        importance: Importance::Fill,
        cell: |letter| {
            view! { <span class="muted" title=letter.error.clone()>{letter.error.clone()}</span> }.into_any()
        },
    },
    Column {
        key: "attempts",
        label: Msg::Attempts,
        sorts: false,
        importance: Importance::Less,
        cell: |letter| letter.attempts.into_any(),
    },
    Column {
        key: "details",
        label: Msg::Details,
        sorts: false,
        importance: Importance::Always,
        cell: |letter| {
            let Some(Open(open)) = use_context::<Open>() else { return table::none() };
            let opened = letter.clone();
            let name = Msg::DetailsOfLetter.with(&[("id", &letter.id)]);
            view! { <Button label=t(Msg::Details) name=name small=true on_press=move |_| open.run(opened.clone()) /> }
                .into_any()
        },
    },
];
