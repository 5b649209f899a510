//! The tokens that the reader made for programs of theirs.

use callboard_model::api::{MadePersonalToken, PersonalToken};
use callboard_model::ui::Level;
use leptos::html;
use leptos::prelude::*;
use leptos::task;

use super::new_token::NewToken;
use crate::api;
use crate::browser;
use crate::live::{Habits, Shape, live};
use crate::messages::{Msg, t};
use crate::ui::{
    Alert, Button, Card, Chip, Code, Column, CopyButton, DataTable, Dialog, EmptyState, ErrorPanel, Glyph, Importance,
    Skeleton, Status, Time, Variant, table, use_toasts,
};

/// Asks whether a token is to be revoked; for the table's cells.
#[derive(Clone, Copy)]
struct Revoke(Callback<PersonalToken>);

/// The reader's tokens, and the way to make and to revoke one.
#[component]
pub(crate) fn Tokens() -> impl IntoView {
    let tokens = live(|| Some(()), |()| api::identity::tokens(), Habits::default());
    let toasts = use_toasts();
    let making = RwSignal::new(false);
    let made = RwSignal::new(None::<MadePersonalToken>);
    let asked = RwSignal::new(None::<PersonalToken>);
    let asking = RwSignal::new(false);
    provide_context(Revoke(Callback::new(move |token| {
        asked.set(Some(token));
        asking.set(true);
    })));
    let revoke = move |_| {
        asking.set(false);
        let Some(token) = asked.get_untracked() else { return };
        task::spawn_local(async move {
            match api::identity::revoke_token(&token.id).await {
                Ok(()) => {
                    toasts.ok(Msg::TokenRevoked.with(&[("name", &token.name)]));
                    tokens.reload();
                }
                Err(error) => {
                    let text = Msg::TokenNotRevoked.with(&[("name", &token.name), ("error", &error.message)]);
                    toasts.failed(text, &error, None);
                }
            }
        });
    };
    let shape = tokens.shape(|list| list.items.is_empty());
    let rows = Memo::new(move |_| tokens.data.get().map(|list| list.items).unwrap_or_default());
    let idle = Memo::new(move |_| !making.get() && !matches!(shape.get(), Shape::Waiting | Shape::Failed));
    let begin = move || {
        let button = move || {
            let press = move |_| {
                made.set(None);
                making.set(true);
            };
            idle.get().then(|| view! { <Button label=t(Msg::NewToken) icon=Glyph::Key on_press=press /> })
        };
        view! { {button} }
    };
    let form = move || {
        making.get().then(|| {
            let done = move |token: MadePersonalToken| {
                making.set(false);
                made.set(Some(token));
                tokens.reload();
            };
            view! { <div class="card__body"><NewToken on_made=done on_cancel=move |()| making.set(false) /></div> }
        })
    };
    let body = move || {
        match shape.get() {
        Shape::Rows => view! {
            <DataTable
                caption=t(Msg::TokensCaption)
                columns=Signal::stored(COLUMNS.to_vec())
                rows=rows
                key=|token| format!("{} {:?}", token.id, token.used_at)
            />
        }
        .into_any(),
        Shape::Empty if making.get() || made.with(Option::is_some) => ().into_any(),
        Shape::Empty => view! { <NoTokens /> }.into_any(),
        Shape::Failed => view! {
            <div class="card__body">
                {move || {
                    tokens
                        .error
                        .get()
                        .map(|error| view! { <ErrorPanel title=t(Msg::TokensFailed) error=error on_retry=move |()| tokens.reload() /> })
                }}
            </div>
        }
        .into_any(),
        Shape::Waiting => view! { <div class="card__body"><Skeleton lines=3 /></div> }.into_any(),
    }
    };
    let question = move || {
        let name = asked.get().map(|token| token.name).unwrap_or_default();
        view! { <p>{Msg::RevokeText.with(&[("name", &name)])}</p> }
    };
    view! {
        <Card title=t(Msg::Tokens) actions=begin flush=true>
            {form}
            <Made made=made />
            <div class="table-box">{body}</div>
        </Card>
        <Dialog
            title=t(Msg::RevokeToken)
            open=asking
            content=question
            foot=move || {
                view! {
                    <Button label=t(Msg::Cancel) on_press=move |_| asking.set(false) />
                    <Button label=t(Msg::RevokeToken) variant=Variant::Danger on_press=revoke />
                }
            }
        />
    }
}

/// A token that was just made: the only time that it shows.
#[component]
fn Made(made: RwSignal<Option<MadePersonalToken>>) -> impl IntoView {
    move || {
        made.get().map(|MadePersonalToken { token, secret }| {
            let panel = NodeRef::<html::Div>::new();
            // It came in the place of the form, which had the focus.
            Effect::new(move |_| {
                if let Some(panel) = panel.get() {
                    // An element that is on the page and has a tab index takes the focus.
                    let _ = panel.focus();
                }
            });
            let copied = secret.clone();
            let title = Msg::TokenMade.with(&[("name", &token.name)]);
            view! {
                <div class="card__body made-now" node_ref=panel tabindex="-1">
                    <Alert level=Level::Ok title=title text=t(Msg::TokenMadeText).to_owned()>
                        <div class="made"><Code label=t(Msg::Token) text=secret /></div>
                        <div class="alert__actions">
                            <CopyButton text=move || copied.clone() label=t(Msg::CopyToken) />
                            <Button label=t(Msg::TokenKept) on_press=move |_| made.set(None) />
                        </div>
                    </Alert>
                </div>
            }
        })
    }
}

/// What tokens are for.
#[component]
fn NoTokens() -> impl IntoView {
    let example = format!(
        "curl -H \"Authorization: Bearer $TOKEN\" \\\n  '{}'",
        browser::absolute("/api/catalog/entities/by-query?limit=5")
    );
    view! {
        <EmptyState title=t(Msg::NoTokens) text=t(Msg::NoTokensText).to_owned() glyph=Glyph::Key>
            <div class="example"><Code label=t(Msg::Example) text=example /></div>
        </EmptyState>
    }
}

const COLUMNS: [Column<PersonalToken>; 6] = [
    Column {
        key: "name",
        label: Msg::Name,
        sorts: false,
        importance: Importance::Text,
        cell: |token| view! { <strong>{token.name.clone()}</strong> }.into_any(),
    },
    Column {
        key: "scope",
        label: Msg::Permissions,
        sorts: false,
        importance: Importance::Text,
        cell: |token| {
            let chips = token.scope.iter().map(|permission| view! { <Chip text=permission.clone() /> }).collect_view();
            view! { <span class="chips">{chips}</span> }.into_any()
        },
    },
    Column {
        key: "made",
        label: Msg::Made,
        sorts: false,
        importance: Importance::Less,
        cell: |token| view! { <Time at=token.created_at.clone() /> }.into_any(),
    },
    Column {
        key: "expires",
        label: Msg::Expires,
        sorts: false,
        importance: Importance::Always,
        cell: |token| {
            let over = browser::parse_time(&token.expires_at).is_some_and(|moment| moment < browser::now());
            if over {
                view! { <Status level=Level::Warning text=t(Msg::Expired) /> }.into_any()
            } else {
                view! { <Time at=token.expires_at.clone() /> }.into_any()
            }
        },
    },
    Column {
        key: "used",
        label: Msg::LastUsed,
        sorts: false,
        importance: Importance::Always,
        cell: |token| match token.used_at.clone() {
            Some(at) => view! { <Time at=at /> }.into_any(),
            None => view! { <span class="muted">{t(Msg::Never)}</span> }.into_any(),
        },
    },
    Column {
        key: "revoke",
        label: Msg::Actions,
        sorts: false,
        importance: Importance::Always,
        cell: |token| {
            let Some(Revoke(revoke)) = use_context::<Revoke>() else { return table::none() };
            let asked = token.clone();
            let name = Msg::RevokeNamed.with(&[("name", &token.name)]);
            view! { <Button label=t(Msg::Revoke) name=name small=true on_press=move |_| revoke.run(asked.clone()) /> }
                .into_any()
        },
    },
];
