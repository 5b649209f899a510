//! Where the reader is signed in.

use callboard_model::api::SessionInfo;
use leptos::prelude::*;
use leptos::task;

use crate::api;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::{
    Button, Card, Chip, Column, DataTable, Dialog, ErrorPanel, Glyph, Importance, Skeleton, Time, Variant, table,
    use_toasts,
};
use crate::user_agent;

/// Ends a session; for the table's cells.
#[derive(Clone, Copy)]
struct End(Callback<SessionInfo>);

/// The reader's sessions, each with a button that ends it, and one that ends them all.
#[component]
pub(crate) fn Sessions() -> impl IntoView {
    let sessions = live(|| Some(()), |()| api::identity::sessions(), Habits::default());
    let portal = use_portal();
    let toasts = use_toasts();
    let asking = RwSignal::new(false);
    let end = move |session: SessionInfo| {
        task::spawn_local(async move {
            match api::identity::end_session(&session.id).await {
                Ok(()) => {
                    toasts.ok(Msg::SessionEnded.with(&[("browser", &browser_of(&session))]));
                    sessions.reload();
                }
                Err(error) => toasts.failed(Msg::SessionNotEnded.with(&[("error", &error.message)]), &error, None),
            }
        });
    };
    provide_context(End(Callback::new(end)));
    let end_all = move |_| {
        asking.set(false);
        task::spawn_local(async move {
            match api::identity::end_all_sessions().await {
                Ok(()) => portal.app.reload(),
                Err(error) => toasts.failed(Msg::SessionNotEnded.with(&[("error", &error.message)]), &error, None),
            }
        });
    };
    let everywhere = move || {
        view! { <Button label=t(Msg::SignOutEverywhere) icon=Glyph::SignOut on_press=move |_| asking.set(true) /> }
    };
    let rows = Memo::new(move |_| sessions.data.get().map(|list| list.items).unwrap_or_default());
    let there = Memo::new(move |_| sessions.data.with(Option::is_some));
    let body = move || match (there.get(), sessions.error.get()) {
        (true, _) => view! {
            <DataTable
                caption=t(Msg::SessionsCaption)
                columns=Signal::stored(COLUMNS.to_vec())
                rows=rows
                key=|session| format!("{} {} {}", session.id, session.seen_at, session.current)
            />
        }
        .into_any(),
        (false, Some(error)) => view! {
            <div class="card__body">
                <ErrorPanel title=t(Msg::SessionsFailed) error=error on_retry=move |()| sessions.reload() />
            </div>
        }
        .into_any(),
        (false, None) => view! { <div class="card__body"><Skeleton lines=3 /></div> }.into_any(),
    };
    view! {
        <Card title=t(Msg::Sessions) actions=everywhere flush=true>
            <div class="table-box">{body}</div>
        </Card>
        <Dialog
            title=t(Msg::SignOutEverywhere)
            open=asking
            content=|| view! { <p>{t(Msg::SignOutEverywhereText)}</p> }
            foot=move || {
                view! {
                    <Button label=t(Msg::Cancel) on_press=move |_| asking.set(false) />
                    <Button label=t(Msg::SignOutEverywhere) variant=Variant::Danger on_press=end_all />
                }
            }
        />
    }
}

const COLUMNS: [Column<SessionInfo>; 6] = [
    Column {
        key: "browser",
        label: Msg::Browser,
        sorts: false,
        importance: Importance::Text,
        cell: |session| {
            let named = session.user_agent.clone();
            let mine = session.current.then(|| view! { " " <Chip text=t(Msg::ThisSession) /> });
            view! { <span title=named>{browser_of(session)} {mine}</span> }.into_any()
        },
    },
    Column {
        key: "provider",
        label: Msg::SignedInWith,
        sorts: false,
        importance: Importance::Always,
        cell: |session| provider(&session.provider).into_any(),
    },
    Column {
        key: "since",
        label: Msg::Since,
        sorts: false,
        importance: Importance::Always,
        cell: |session| view! { <Time at=session.created_at.clone() /> }.into_any(),
    },
    Column {
        key: "seen",
        label: Msg::LastUsed,
        sorts: false,
        importance: Importance::Always,
        cell: |session| view! { <Time at=session.seen_at.clone() /> }.into_any(),
    },
    Column {
        key: "expires",
        label: Msg::Ends,
        sorts: false,
        importance: Importance::Always,
        cell: |session| view! { <Time at=session.expires_at.clone() /> }.into_any(),
    },
    Column {
        key: "end",
        label: Msg::Actions,
        sorts: false,
        importance: Importance::Always,
        cell: |session| {
            let Some(End(end)) = use_context::<End>().filter(|_| !session.current) else { return table::none() };
            let ended = session.clone();
            let name = Msg::EndSessionOf.with(&[("browser", &browser_of(session))]);
            view! { <Button label=t(Msg::EndSession) name=name small=true on_press=move |_| end.run(ended.clone()) /> }
                .into_any()
        },
    },
];

/// The browser in words.
fn browser_of(session: &SessionInfo) -> String {
    session.user_agent.as_deref().map_or_else(|| t(Msg::UnknownBrowser).to_owned(), user_agent::words)
}

/// What somebody signed in with, in words.
fn provider(id: &str) -> String {
    match id {
        "guest" => t(Msg::AsGuest).to_owned(),
        "development" => t(Msg::ForDevelopment).to_owned(),
        _ => {
            let app = use_portal().app.data;
            let title = app.with_untracked(|app| {
                let providers = &app.as_ref()?.session.providers;
                Some(providers.iter().find(|provider| provider.id == id)?.title.clone())
            });
            title.unwrap_or_else(|| id.to_owned())
        }
    }
}
