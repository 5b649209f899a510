//! Data of the server that keeps itself fresh.
//!
//! What is on the page stays there until something else has arrived: a slow or failed refresh never blanks it, and an
//! answer equal to the last one changes nothing.

use std::future::Future;

use leptos::prelude::*;
use leptos::task;

use crate::api::ApiError;
use crate::browser;
use crate::pulse::Pulse;

/// Data that is fetched by a key, again when the key changes, and again at each beat where it is wanted.
pub(crate) struct Live<T: Send + Sync + 'static> {
    /// The last answer that was one.
    pub data: RwSignal<Option<T>>,
    /// Why the last try failed; none where it did not.
    pub error: RwSignal<Option<ApiError>>,
    /// Whether the data of another key is under way.
    pub busy: RwSignal<bool>,
    /// When the data was read, in milliseconds since 1970.
    pub read_at: RwSignal<Option<f64>>,
    again: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Live<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Live<T> {}

/// How a [`Live`] behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Habits {
    /// Fetched again at each beat.
    pub beats: bool,
    /// What is there stays while the data of another key is under way.
    pub keeps: bool,
}

/// What a list looks like, which matters more than what is in it: only a change of this builds it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Waiting,
    Failed,
    Empty,
    Rows,
}

/// Fetches by `key`; nothing where there is no key.
pub(crate) fn live<K, T, Fetch, Answer>(
    key: impl Fn() -> Option<K> + Send + Sync + 'static,
    fetch: Fetch,
    habits: Habits,
) -> Live<T>
where
    K: Clone + PartialEq + Send + Sync + 'static,
    T: PartialEq + Send + Sync + 'static,
    Fetch: Fn(K) -> Answer + 'static,
    Answer: Future<Output = Result<T, ApiError>> + 'static,
{
    let live = Live {
        data: RwSignal::new(None),
        error: RwSignal::new(None),
        busy: RwSignal::new(false),
        read_at: RwSignal::new(None),
        again: RwSignal::new(0),
    };
    let key = Memo::new(move |_| key());
    let pulse = use_context::<Pulse>().filter(|_| habits.beats);
    // Counts the requests: the answer to any but the last is of no interest any more.
    let latest = StoredValue::new(0_u64);
    Effect::new(move |last: Option<Option<K>>| {
        live.again.track();
        if let Some(pulse) = pulse {
            pulse.beat.track();
        }
        let current = key.get();
        let changed = last.as_ref() != Some(&current);
        if changed && !habits.keeps {
            live.data.set(None);
            live.error.set(None);
        }
        let Some(wanted) = current.clone() else {
            live.busy.set(false);
            return current;
        };
        if changed {
            live.busy.set(true);
        } else if live.busy.get_untracked() {
            // A beat must not overtake the request that it would repeat.
            return current;
        }
        latest.update_value(|latest| *latest += 1);
        let mine = latest.get_value();
        let answer = fetch(wanted);
        task::spawn_local(async move {
            let answer = answer.await;
            // None: the page that wanted this is gone, and its signals with it.
            if latest.try_get_value() == Some(mine) {
                live.take(answer);
            }
        });
        current
    });
    live
}

impl<T: PartialEq + Send + Sync + 'static> Live<T> {
    fn take(self, answer: Result<T, ApiError>) {
        match answer {
            Ok(new) => {
                if self.data.with_untracked(|old| old.as_ref() != Some(&new)) {
                    self.data.set(Some(new));
                }
                self.read_at.set(Some(browser::now()));
                if self.error.with_untracked(Option::is_some) {
                    self.error.set(None);
                }
            }
            Err(error) => {
                // What is not there any more must not look as if it were.
                if error.is_gone() && self.data.with_untracked(Option::is_some) {
                    self.data.set(None);
                }
                if self.error.with_untracked(|old| old.as_ref() != Some(&error)) {
                    self.error.set(Some(error));
                }
            }
        }
        if self.busy.get_untracked() {
            self.busy.set(false);
        }
    }

    /// Fetches again.
    pub(crate) fn reload(self) {
        self.again.update(|again| *again = again.wrapping_add(1));
    }

    /// What its list looks like, with what says whether that is empty.
    pub(crate) fn shape(self, is_empty: impl Fn(&T) -> bool + Send + Sync + 'static) -> Memo<Shape> {
        Memo::new(move |_| match self.data.with(|data| data.as_ref().map(&is_empty)) {
            Some(true) => Shape::Empty,
            Some(false) => Shape::Rows,
            None if self.error.with(Option::is_some) => Shape::Failed,
            None => Shape::Waiting,
        })
    }

    /// Whether there is nothing to show yet, neither data nor error.
    pub(crate) fn waiting(self) -> bool {
        self.data.with(Option::is_none) && self.error.with(Option::is_none)
    }
}
