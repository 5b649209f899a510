//! The time of guests: the engine's epoch, which advances while one of them runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::EngineWeak;

use crate::error::HostError;

/// How often a guest that computes gives way to others, and how late its deadline is noticed at worst.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// How late the thread notices that its engine is gone, where nothing runs.
const IDLE: Duration = Duration::from_secs(1);

/// How many ticks nobody wants are made all the same: to wake the thread takes longer than most calls do, and one call
/// often follows another.
const SPARE: u32 = 100;

/// Ticks while anybody wants it to: a portal whose plugins do nothing is not woken for them.
#[derive(Default)]
pub(crate) struct Ticker {
    state: Mutex<State>,
    is_wanted: Condvar,
}

#[derive(Default)]
struct State {
    /// How many want ticks.
    wanted: usize,
    /// Ticks since nobody does.
    spare: u32,
    /// The thread waits to be woken.
    is_asleep: bool,
}

/// Wants ticks until it is dropped.
pub(crate) struct Ticking(Arc<Ticker>);

impl Ticker {
    /// Starts the thread that ticks. It ends with the engine.
    pub(crate) fn start(engine: EngineWeak) -> Result<Arc<Ticker>, HostError> {
        let ticker = Arc::new(Ticker::default());
        let own = ticker.clone();
        let tick = move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                own.wait();
                // Whoever woke it has a whole tick before them.
                std::thread::sleep(TICK);
            }
        };
        let started = std::thread::Builder::new().name("plugin-epoch".to_owned()).spawn(tick);
        let failed = |error| HostError::Engine(format!("the thread that keeps plugins' time does not start: {error}"));
        started.map(|_| ticker).map_err(failed)
    }

    /// From now on.
    pub(crate) fn begin(self: &Arc<Ticker>) -> Ticking {
        let mut state = self.state();
        state.wanted += 1;
        if state.is_asleep {
            self.is_wanted.notify_one();
        }
        Ticking(self.clone())
    }

    /// Waits where nobody has wanted ticks for a while.
    fn wait(&self) {
        let mut state = self.state();
        if state.wanted > 0 {
            state.spare = 0;
        } else if state.spare < SPARE {
            state.spare += 1;
        } else {
            state.is_asleep = true;
            // Whether it was woken or not, the engine is to be looked at.
            let woken = self.is_wanted.wait_timeout_while(state, IDLE, |state| state.wanted == 0);
            let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
            state.is_asleep = false;
        }
    }

    /// Each change of it is a single step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.state().wanted -= 1;
    }
}
