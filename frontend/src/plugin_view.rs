//! What a plugin shows, in its own slot: fetched by itself, with its own skeleton, error and retry, so that a slow or
//! broken plugin never holds the page. What becomes of the slot when the plugin fails is the contribution's own choice.

mod focus;
mod last;
mod slot;

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_model::manifest::OnFailure;
use callboard_model::ui::{Poll, TableState, Tree};
use leptos::html;
use leptos::prelude::*;
use leptos::task;

use crate::api::ApiError;
use crate::api::plugins::{self, Place};
use crate::browser;
use crate::live::{Habits, Live, live};
use crate::messages::{Msg, t};
use crate::render::{self, Action, Host, Memory};
use crate::session::use_portal;
use crate::ui::{Button, Dialog, ErrorPanel, Variant, use_toasts};

pub(crate) use slot::{Slow, StaleSlot};

/// A plugin's answer is asked for again at most this often, in milliseconds.
const SHORTEST_POLL: u32 = 1_000;
/// After this long without an answer the slot says whom it waits for.
const SLOW: Duration = Duration::from_secs(2);

/// What is asked for: the place, where to go on, and what was done to tables.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    cursor: Option<String>,
    tables: BTreeMap<String, TableState>,
}

/// An extension of a plugin.
#[component]
pub(crate) fn PluginView(
    /// Which, and for which entity.
    place: Place,
    /// What becomes of it where the plugin fails.
    #[prop(optional)]
    on_failure: OnFailure,
    /// Which component it is of: with another one it is rendered again, and what was typed stays.
    #[prop(into)]
    digest: Signal<String>,
    /// Set while there is nothing to show, for whoever drew a frame around it.
    #[prop(optional)]
    hidden: RwSignal<bool>,
) -> impl IntoView {
    let who = use_portal().user.get_untracked().map(|user| user.entity_ref).unwrap_or_default();
    let place = StoredValue::new(place);
    let asked = RwSignal::new(Asked::default());
    let tree = live(
        move || Some((place.get_value(), asked.get(), digest.get())),
        |(place, Asked { cursor, tables }, _): (Place, Asked, String)| async move {
            plugins::render(&place, cursor.as_deref(), &tables).await
        },
        Habits { beats: false, keeps: true },
    );
    poll(tree, asked);
    last::keep(tree, asked, who.clone(), place, on_failure);

    let memory = Memory::new();
    let (pressed, pressing) = (RwSignal::new(None::<Action>), RwSignal::new(false));
    let busy = RwSignal::new(false);
    let act = acting(tree, place, memory, busy);
    let host = Host {
        act: Callback::new(move |action: Action| {
            if action.confirm.is_some() || action.destructive {
                pressed.set(Some(action));
                pressing.set(true);
            } else {
                act.run(action);
            }
        }),
        table: Callback::new(move |(id, state): (String, TableState)| {
            asked.update(|asked| {
                // A table without an id is the only one, and older plugins look for its page here.
                if id.is_empty() {
                    asked.cursor.clone_from(&state.cursor);
                }
                if state == TableState::default() {
                    asked.tables.remove(&id);
                } else {
                    asked.tables.insert(id, state);
                }
            });
        }),
        again: Callback::new(move |()| tree.reload()),
        busy: Signal::derive(move || busy.get() || tree.busy.get()),
        memory,
    };

    let root = NodeRef::<html::Div>::new();
    focus::keep(root, tree);
    let plugin = place.with_value(|place| place.plugin.clone());
    let failed = {
        let plugin = plugin.clone();
        move |error: ApiError| {
            let title = Msg::PluginFailed.with(&[("plugin", &plugin)]);
            let about = place.with_value(|place| place.entity_ref.clone());
            view! { <ErrorPanel title=title error=error on_retry=move |()| tree.reload() about=about /> }.into_any()
        }
    };
    let is_hidden = Memo::new(move |_| on_failure == OnFailure::Hide && tree.error.with(Option::is_some));
    Effect::new(move |_| hidden.set(is_hidden.get()));
    let body = move || match (tree.data.get(), tree.error.get()) {
        (_, Some(_)) if on_failure == OnFailure::Hide => ().into_any(),
        (data, Some(error)) if on_failure == OnFailure::Stale => {
            let kept = last::of(&who, &place.get_value(), &asked.get_untracked());
            let kept = data.map(|tree| (tree, None)).or(kept.map(|(tree, at)| (tree, Some(at))));
            match kept {
                Some((old, at)) => view! {
                    <div class="stack">
                        <StaleSlot plugin=plugin.clone() at=at.or(tree.read_at.get()) error=error on_retry=move |()| tree.reload() />
                        {render::tree(old.root, host, "0")}
                    </div>
                }
                .into_any(),
                None => failed(error),
            }
        }
        (_, Some(error)) => failed(error),
        (Some(tree), None) => render::tree(tree.root, host, "0"),
        (None, None) => view! { <Slow plugin=plugin.clone() after=SLOW /> }.into_any(),
    };
    view! {
        <div node_ref=root class="slot">{body}</div>
        <Question action=pressed open=pressing act=act />
    }
}

/// Carries out what a button or a form names, and says what became of it.
fn acting(tree: Live<Tree>, place: StoredValue<Place>, memory: Memory, busy: RwSignal<bool>) -> Callback<Action> {
    let toasts = use_toasts();
    Callback::new(move |action: Action| {
        busy.set(true);
        let place = place.get_value();
        task::spawn_local(async move {
            let outcome = plugins::act(&place, &action.name, action.value.as_ref()).await;
            // False: the reader has left this page; the toast still tells them what became of it.
            let here = busy.try_set(false).is_none();
            match outcome {
                Ok(outcome) if !outcome.errors.is_empty() => {
                    if let Some(form) = action.form.filter(|_| here) {
                        memory.refuse(&form, outcome.errors.into_iter().map(|error| (error.field, error.message)));
                    }
                    toasts.error(outcome.message);
                }
                Ok(outcome) => {
                    toasts.ok(outcome.message);
                    if let Some(form) = action.form.filter(|_| here) {
                        memory.forget(&form);
                    }
                    if here && outcome.refresh {
                        tree.reload();
                    }
                }
                Err(error) => {
                    let text = Msg::ActionFailed.with(&[("name", &action.label), ("error", &error.message)]);
                    toasts.failed(text, &error, place.entity_ref.as_deref());
                }
            }
        });
    })
}

/// Asks before something is done.
#[component]
fn Question(action: RwSignal<Option<Action>>, open: RwSignal<bool>, act: Callback<Action>) -> impl IntoView {
    let question = move || {
        let action = action.get()?;
        Some(
            view! { <p class="break" dir="auto">{action.confirm.unwrap_or_else(|| t(Msg::ConfirmDestructive).to_owned())}</p> },
        )
    };
    let answers = move || {
        let action = action.get()?;
        let variant = if action.destructive { Variant::Danger } else { Variant::Primary };
        let yes = {
            let action = action.clone();
            move |_| {
                open.set(false);
                act.run(action.clone());
            }
        };
        Some(view! {
            <Button label=t(Msg::Cancel) on_press=move |_| open.set(false) />
            <Button label=action.label variant=variant on_press=yes />
        })
    };
    let title = Signal::derive(move || action.get().map(|action| action.label).unwrap_or_default());
    view! { <Dialog title=title open=open content=question foot=answers /> }
}

/// Renders again after a while, where the tree asks for it and somebody looks.
fn poll(tree: Live<Tree>, asked: RwSignal<Asked>) {
    Effect::new(move |_| {
        tree.read_at.track();
        let Some(Poll { after_ms, cursor: next }) =
            tree.data.with(|tree| tree.as_ref().and_then(|tree| tree.poll.clone()))
        else {
            return;
        };
        let again = move || {
            let is_other = next.is_some() && asked.with_untracked(|asked| asked.cursor != next);
            if browser::visible() && is_other {
                asked.update(|asked| asked.cursor.clone_from(&next));
            } else {
                tree.reload();
            }
        };
        let after = Duration::from_millis(after_ms.max(SHORTEST_POLL).into());
        if let Ok(waiting) = set_timeout_with_handle(again, after) {
            // For when a newer answer is there, and for when nobody waits any more.
            on_cleanup(move || waiting.clear());
        }
    });
}
