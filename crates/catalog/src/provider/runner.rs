//! Running providers, each on its own schedule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use callboard_store::{Error, lease, schedule};
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::EntityProvider;
use super::run::{self, Ended};
use super::status::{self, Clock};
use crate::engine::held::Held;
use crate::engine::{Shared, now};
use crate::limits::{AGAIN_PAUSE, FAREWELL, STORE_BACKOFF, STORE_RETRY};

/// The providers that there are.
#[derive(Clone)]
pub(crate) struct Runner {
    providers: watch::Sender<BTreeMap<String, Arc<Running>>>,
}

/// A provider with what is known of it in this process.
pub(crate) struct Running {
    pub(crate) provider: Arc<dyn EntityProvider>,
    asked: Notify,
    /// Its run was begun by a replica that is gone.
    abandoned: Notify,
    stop: CancellationToken,
    /// Nothing of it is under way any more.
    ended: CancellationToken,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    pub(crate) running: bool,
    pub(crate) next: Option<DateTime<Utc>>,
    /// Changes when a run ends.
    pub(crate) ended: u64,
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
                    let (asked, abandoned) = (Notify::new(), Notify::new());
                    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
                    Arc::new(Running { provider, asked, abandoned, stop, ended, state: Mutex::default() })
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
        let mut look = tokio::time::interval(shared.replica.timeout);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wanted = changes.borrow_and_update().clone();
            for (name, running) in &wanted {
                let before = started.insert(name.clone(), Arc::clone(running));
                if before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, running)) {
                    if let Some(before) = &before {
                        before.stop.cancel();
                    }
                    tasks.spawn(one(shared.clone(), Arc::clone(running), before));
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
                _ = look.tick(), if shared.replica.several => match status::abandoned(&shared.db, now()).await {
                    Ok(names) => names.iter().filter_map(|name| started.get(name)).for_each(|one| one.abandoned.notify_one()),
                    Err(error) => tracing::debug!(%error, "cannot tell whether a run was cut off"),
                },
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a provider's task ended");
                    }
                }
            }
        }
        // What is under way is in the database and goes on at the next start.
        tasks.shutdown().await;
        if shared.replica.several {
            let released = lease::release_all(&shared.db, &shared.replica.id);
            if !matches!(tokio::time::timeout(FAREWELL, released).await, Ok(Ok(()))) {
                tracing::debug!("the other replicas take over a little later");
            }
        }
    }
}

impl Running {
    pub(crate) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn. True where somebody asked for it.
    async fn wait(&self, until: Option<DateTime<Utc>>) -> bool {
        let time = async {
            match until {
                Some(until) => tokio::time::sleep((until - Utc::now()).to_std().unwrap_or_default()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.asked.notified() => true,
            () = self.abandoned.notified() => false,
            () = time => false,
        }
    }

    fn set_state(&self, running: bool, next: Option<DateTime<Utc>>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { running, next, ended: state.ended.wrapping_add(u64::from(!running)) };
    }
}

/// When a provider's turn is, and by which run of before that was computed: where another replica has begun one since,
/// the turn was that one's.
#[derive(Clone, Copy, Debug)]
struct Turn {
    next: Option<DateTime<Utc>>,
    seen: Option<i64>,
}

/// Runs a provider until it is told to stop, once the one that it takes the place of has ended. A page that is being
/// read then is read to its end, because whoever provides it should not be cut off in the middle.
async fn one(shared: Shared, running: Arc<Running>, before: Option<Arc<Running>>) {
    let _ended = running.ended.clone().drop_guard();
    if let Some(before) = before {
        before.ended.cancelled().await;
    }
    let mut turn = first(&shared, running.provider.as_ref()).await;
    let (mut asked, mut held, mut pause) = (false, None, STORE_RETRY);
    loop {
        running.set_state(false, turn.next);
        shared.changed();
        asked |= tokio::select! {
            () = running.stop.cancelled() => return,
            asked = running.wait(turn.next) => asked,
        };
        match take_turn(&shared, &running, turn, &mut asked, &mut held).await {
            Ok(next) => (turn, pause) = (next, STORE_RETRY),
            Err(error) => {
                tracing::warn!(%error, provider = running.provider.name(), "a provider's run will go on");
                turn.next = Some(Utc::now() + pause);
                pause = (pause * 2).min(STORE_BACKOFF);
            }
        }
    }
}

/// Runs a provider where it is its turn and this replica's, and says when the next one is.
async fn take_turn(
    shared: &Shared,
    running: &Running,
    turn: Turn,
    asked: &mut bool,
    kept: &mut Option<Held>,
) -> Result<Turn, Error> {
    let (provider, replica) = (running.provider.as_ref(), &shared.replica);
    let later = Turn { next: Some(Utc::now() + replica.beat()), ..turn };
    let held = match kept.take() {
        Some(held) => held,
        None => match Held::take(&shared.db, replica, &status::lease_name(provider.name())).await? {
            Some(held) => held,
            // It runs elsewhere.
            None => return Ok(later),
        },
    };
    let clock = status::clock(&shared.db, provider.name()).await?;
    if !*asked && !clock.is_open {
        if clock.started_at != turn.seen {
            held.give_up().await?;
            return Ok(Turn { next: following(provider, clock.started_at), seen: clock.started_at });
        }
        // Woken for a run that seemed abandoned, and that has ended since.
        if turn.next.is_none_or(|next| next > Utc::now()) {
            held.give_up().await?;
            return Ok(turn);
        }
    }
    running.set_state(true, None);
    let ended = run::run(shared, provider, &held, &running.stop).await?;
    *asked = false;
    let seen = status::clock(&shared.db, provider.name()).await?.started_at;
    match ended {
        Ended::AppliedAgain => {
            // It is called all the time: it does not move without need.
            *kept = Some(held);
            Ok(Turn { next: Some(Utc::now() + AGAIN_PAUSE), seen })
        }
        Ended::Applied | Ended::Failed | Ended::Stopped => {
            held.give_up().await?;
            Ok(Turn { next: following(provider, seen), seen })
        }
        Ended::Lost => Ok(later),
    }
}

/// A run that a restart cut off goes on at once; otherwise the schedule says, which other replicas may have kept.
async fn first(shared: &Shared, provider: &dyn EntityProvider) -> Turn {
    let clock = status::clock(&shared.db, provider.name()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, provider = provider.name(), "cannot tell whether a run was cut off");
        Clock::default()
    });
    let seen = clock.started_at;
    let is_kept = shared.replica.several && clock.fingerprint.as_deref() == Some(provider.fingerprint());
    let next = if clock.is_open {
        Some(Utc::now())
    } else if is_kept && seen.is_some() {
        following(provider, seen)
    } else {
        or_never(provider, schedule::first(provider.schedule(), Utc::now()))
    };
    Turn { next, seen }
}

fn following(provider: &dyn EntityProvider, began: Option<i64>) -> Option<DateTime<Utc>> {
    let now = Utc::now();
    let began = began.and_then(DateTime::from_timestamp_millis).unwrap_or(now);
    or_never(provider, schedule::next_after(provider.schedule(), began, now))
}

fn or_never(
    provider: &dyn EntityProvider,
    next: Result<Option<DateTime<Utc>>, schedule::ScheduleError>,
) -> Option<DateTime<Utc>> {
    next.unwrap_or_else(|error| {
        tracing::error!(%error, provider = provider.name(), "the provider runs only when somebody asks for it");
        None
    })
}
