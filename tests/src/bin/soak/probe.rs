//! What others wait while something happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use callboard_tests::client::Client;
use tokio_util::sync::CancellationToken;

/// Fifty times a second.
const BETWEEN: Duration = Duration::from_millis(20);

/// Asks fifty times a second until it is over, and says how long each answer took.
pub(crate) async fn steadily(
    over: &CancellationToken,
    mut ask: impl AsyncFnMut() -> Result<()>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut turns = tokio::time::interval(BETWEEN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !over.is_cancelled() {
        turns.tick().await;
        let begun = Instant::now();
        ask().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Asks on a thread of its own, so that what the one who watches does meanwhile is not counted. Times are told by the phase
/// in which the answer was asked for.
pub(crate) struct Probe<const PHASES: usize> {
    phase: Arc<AtomicUsize>,
    over: CancellationToken,
    thread: JoinHandle<Result<[Vec<Duration>; PHASES]>>,
}

impl<const PHASES: usize> Probe<PHASES> {
    /// Begins to ask, by a client of its own, and counts nothing yet.
    pub(crate) fn start(
        client: &Client,
        ask: fn(Client) -> futures::future::BoxFuture<'static, Result<()>>,
    ) -> Result<Self> {
        let (phase, over) = (Arc::new(AtomicUsize::new(PHASES)), CancellationToken::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, now, ended) = (client.apart(), phase.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let mut times = std::array::from_fn(|_| Vec::new());
                let mut turns = tokio::time::interval(BETWEEN);
                turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                while !ended.is_cancelled() {
                    turns.tick().await;
                    let (phase, begun) = (now.load(Ordering::Relaxed), Instant::now());
                    ask(client.clone()).await?;
                    if let Some(times) = times.get_mut(phase) {
                        times.push(begun.elapsed());
                    }
                }
                Ok(times)
            })
        });
        Ok(Self { phase, over, thread })
    }

    /// From now on.
    pub(crate) fn is_in(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// How long answers took, by phases.
    pub(crate) fn end(self) -> Result<[Vec<Duration>; PHASES]> {
        self.over.cancel();
        self.thread.join().map_err(|_| anyhow!("the probe panicked"))?
    }
}

/// In milliseconds.
pub(crate) fn p99(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
