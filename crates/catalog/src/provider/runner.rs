//! Running providers, each on its own schedule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use callboard_store::schedule;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::EntityProvider;
use super::run::{self, Ended};
use crate::engine::Shared;
use crate::limits::{AGAIN_PAUSE, STORE_RETRY};

/// The providers that there are.
#[derive(Clone)]
pub(crate) struct Runner {
    providers: watch::Sender<BTreeMap<String, Arc<Running>>>,
}

/// A provider with what is known of it in this process.
pub(crate) struct Running {
    pub(crate) provider: Arc<dyn EntityProvider>,
    asked: Notify,
    stop: CancellationToken,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    pub(crate) running: bool,
    pub(crate) next: Option<DateTime<Utc>>,
}

impl Runner {
    pub(crate) fn new() -> Runner {
        Runner { providers: watch::Sender::new(BTreeMap::new()) }
    }

    /// Sets the providers. Those that were there before and are the same object go on.
    pub(crate) fn set(&self, providers: Vec<Arc<dyn EntityProvider>>) {
        self.providers.send_modify(|current| {
            let mut next = BTreeMap::new();
            for provider in providers {
                let name = provider.name().to_owned();
                let same = current.remove(&name).filter(|running| Arc::ptr_eq(&running.provider, &provider));
                let running = same.unwrap_or_else(|| {
                    let (asked, stop) = (Notify::new(), CancellationToken::new());
                    Arc::new(Running { provider, asked, stop, state: Mutex::default() })
                });
                next.insert(name, running);
            }
            // A provider that was replaced is no longer in `current` either, so it is found by its token.
            for running in current.values() {
                running.stop.cancel();
            }
            *current = next;
        });
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Arc<Running>> {
        self.providers.borrow().clone()
    }

    /// Has a provider run now; false where there is none of this name.
    pub(crate) fn trigger(&self, name: &str) -> bool {
        self.providers.borrow().get(name).map(|running| running.asked.notify_one()).is_some()
    }

    /// Runs providers until `shutdown`.
    pub(crate) async fn run(&self, shared: Shared, shutdown: CancellationToken) {
        let mut changes = self.providers.subscribe();
        let mut started: BTreeMap<String, Arc<Running>> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        loop {
            let wanted = changes.borrow_and_update().clone();
            for (name, running) in &wanted {
                let before = started.insert(name.clone(), Arc::clone(running));
                if before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, running)) {
                    if let Some(before) = before {
                        before.stop.cancel();
                    }
                    tasks.spawn(one(shared.clone(), Arc::clone(running)));
                }
            }
            started.retain(|name, running| {
                let keep = wanted.contains_key(name);
                if !keep {
                    running.stop.cancel();
                }
                keep
            });
            tokio::select! {
                () = shutdown.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a provider's task ended");
                    }
                }
            }
        }
        // What is under way is in the database and goes on at the next start.
        tasks.shutdown().await;
    }
}

impl Running {
    pub(crate) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

async fn one(shared: Shared, running: Arc<Running>) {
    let work = async {
        let provider = running.provider.as_ref();
        let mut next = first(&shared, provider).await;
        loop {
            running.set_state(State { running: false, next });
            shared.changed();
            wait(next, &running.asked).await;
            let began = Utc::now();
            running.set_state(State { running: true, next: None });
            match run::run(&shared, provider).await {
                Ok(Ended::AppliedAgain) => next = Some(Utc::now() + AGAIN_PAUSE),
                Ok(Ended::Applied | Ended::Failed) => next = following(provider, began),
                Err(error) => {
                    tracing::error!(%error, provider = provider.name(), "a provider's run will go on");
                    next = Some(Utc::now() + STORE_RETRY);
                }
            }
        }
    };
    tokio::select! {
        () = running.stop.cancelled() => {}
        () = work => {}
    }
}

/// A run that a restart cut off goes on at once; otherwise the schedule says.
async fn first(shared: &Shared, provider: &dyn EntityProvider) -> Option<DateTime<Utc>> {
    let cut_off = super::status::has_open_run(&shared.db, provider.name()).await.unwrap_or_else(|error| {
        tracing::error!(%error, provider = provider.name(), "cannot tell whether a run was cut off");
        false
    });
    if cut_off {
        return Some(Utc::now());
    }
    schedule::first(provider.schedule(), Utc::now()).unwrap_or_else(|error| {
        tracing::error!(%error, provider = provider.name(), "the provider runs only when somebody asks for it");
        None
    })
}

fn following(provider: &dyn EntityProvider, began: DateTime<Utc>) -> Option<DateTime<Utc>> {
    schedule::next_after(provider.schedule(), began, Utc::now()).unwrap_or_else(|error| {
        tracing::error!(%error, provider = provider.name(), "the provider runs only when somebody asks for it");
        None
    })
}

async fn wait(until: Option<DateTime<Utc>>, asked: &Notify) {
    let time = async {
        match until {
            Some(until) => tokio::time::sleep((until - Utc::now()).to_std().unwrap_or_default()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        () = asked.notified() => {}
    }
}
