//! What a plugin shows, in its own slot: fetched by itself, with its own skeleton, error and retry, so that a slow or
//! broken plugin never holds the page.

use callboard_model::ui::{Poll, Tree};
use leptos::prelude::*;
use leptos::task;

use crate::api::plugins::{self, Place};
use crate::browser;
use crate::live::{Habits, Live, live};
use crate::messages::{Msg, t};
use crate::render::{self, Action, Host};
use crate::ui::{Button, Dialog, ErrorPanel, Glyph, Skeleton, Variant, use_toasts};

/// A plugin's answer is asked for again at most this often, in milliseconds.
const SHORTEST_POLL: u32 = 1_000;

/// An extension of a plugin.
#[component]
pub(crate) fn PluginView(
    /// Which, and for which entity.
    place: Place,
) -> impl IntoView {
    let place = StoredValue::new(place);
    let cursor = RwSignal::new(None::<String>);
    let tree = live(
        move || Some((place.get_value(), cursor.get())),
        |(place, cursor): (Place, Option<String>)| async move { plugins::render(&place, cursor.as_deref()).await },
        Habits { beats: false, keeps: true },
    );
    poll(tree, cursor);

    let busy = RwSignal::new(false);
    let asked = RwSignal::new(None::<Action>);
    let asking = RwSignal::new(false);
    let toasts = use_toasts();
    let act = move |action: Action| {
        busy.set(true);
        let place = place.get_value();
        task::spawn_local(async move {
            let outcome = plugins::act(&place, &action.name, action.value.as_ref()).await;
            // False: the reader has left this page; the toast still tells them what became of it.
            let here = busy.try_set(false).is_none();
            match outcome {
                Ok(outcome) => {
                    toasts.ok(outcome.message);
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
    };
    let host = Host {
        act: Callback::new(move |action: Action| {
            if action.confirm.is_some() || action.destructive {
                asked.set(Some(action));
                asking.set(true);
            } else {
                act(action);
            }
        }),
        more: Callback::new(move |next| cursor.set(Some(next))),
        busy: Signal::derive(move || busy.get() || tree.busy.get()),
    };

    let body = move || match (tree.data.get(), tree.error.get()) {
        (data, Some(error)) => {
            let title = Msg::PluginFailed.with(&[("plugin", &place.with_value(|place| place.plugin.clone()))]);
            view! {
                <div class="stack">
                    <ErrorPanel title=title error=error on_retry=move |()| tree.reload() about=place.with_value(|place| place.entity_ref.clone()) />
                    {data.map(|tree| render::tree(tree.root, host))}
                </div>
            }
            .into_any()
        }
        (Some(tree), None) => render::tree(tree.root, host),
        (None, None) => view! { <Skeleton lines=6 /> }.into_any(),
    };
    let first = move || {
        cursor.get().map(|_| {
            view! {
                <p class="plugin-note">
                    <Button
                        label=t(Msg::FirstRows)
                        variant=Variant::Quiet
                        icon=Glyph::ChevronLeft
                        on_press=move |_| cursor.set(None)
                    />
                </p>
            }
        })
    };
    let question = move || {
        let action = asked.get()?;
        Some(view! { <p>{action.confirm.unwrap_or_else(|| t(Msg::ConfirmDestructive).to_owned())}</p> })
    };
    let answers = move || {
        let action = asked.get()?;
        let variant = if action.destructive { Variant::Danger } else { Variant::Primary };
        let yes = {
            let action = action.clone();
            move |_| {
                asking.set(false);
                act(action.clone());
            }
        };
        Some(view! {
            <Button label=t(Msg::Cancel) on_press=move |_| asking.set(false) />
            <Button label=action.label variant=variant on_press=yes />
        })
    };
    let title = Signal::derive(move || asked.get().map(|action| action.label).unwrap_or_default());
    view! {
        {body}
        {first}
        <Dialog title=title open=asking content=question foot=answers />
    }
}

/// Renders again after a while, where the tree asks for it and somebody looks.
fn poll(tree: Live<Tree>, cursor: RwSignal<Option<String>>) {
    Effect::new(move |_| {
        tree.read_at.track();
        let Some(Poll { after_ms, cursor: next }) =
            tree.data.with(|tree| tree.as_ref().and_then(|tree| tree.poll.clone()))
        else {
            return;
        };
        let again = move || {
            if !browser::visible() || next == cursor.get_untracked() {
                tree.reload();
            } else {
                cursor.set(next.clone());
            }
        };
        let after = std::time::Duration::from_millis(after_ms.max(SHORTEST_POLL).into());
        if let Ok(waiting) = set_timeout_with_handle(again, after) {
            // For when a newer answer is there, and for when nobody waits any more.
            on_cleanup(move || waiting.clear());
        }
    });
}
