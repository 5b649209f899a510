//! The time of guests: the engine's epoch, which advances while one of them runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::EngineWeak;

use crate::error::HostError;

/// How often a guest that computes gives way to others, and how late its deadline is noticed at worst.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// How late the thread notices that its engine is gone, where nothing runs.
const IDLE: Duration = Duration::from_secs(1);

/// Ticks while anybody wants it to: a portal whose plugins do nothing is not woken for them.
#[derive(Default)]
pub(crate) struct Ticker {
    wanted: Mutex<usize>,
    is_wanted: Condvar,
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
                if !own.wait() {
                    std::thread::sleep(TICK);
                }
            }
        };
        let started = std::thread::Builder::new().name("plugin-epoch".to_owned()).spawn(tick);
        let failed = |error| HostError::Engine(format!("the thread that keeps plugins' time does not start: {error}"));
        started.map(|_| ticker).map_err(failed)
    }

    /// From now on.
    pub(crate) fn begin(self: &Arc<Ticker>) -> Ticking {
        let mut wanted = self.wanted();
        *wanted += 1;
        if *wanted == 1 {
            self.is_wanted.notify_one();
        }
        Ticking(self.clone())
    }

    /// Waits where nobody wants ticks, and says whether it did.
    fn wait(&self) -> bool {
        let wanted = self.wanted();
        let has_waited = *wanted == 0;
        if has_waited {
            // Whether it was woken or not, the engine is to be looked at.
            drop(self.is_wanted.wait_timeout_while(wanted, IDLE, |wanted| *wanted == 0));
        }
        has_waited
    }

    /// A number is never half changed.
    fn wanted(&self) -> MutexGuard<'_, usize> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        *self.0.wanted() -= 1;
    }
}
