//! What others wait while something happens.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio_util::sync::CancellationToken;

/// Asks fifty times a second until it is over, and says how long each answer took.
pub(crate) async fn steadily(
    over: &CancellationToken,
    mut ask: impl AsyncFnMut() -> Result<()>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut turns = tokio::time::interval(Duration::from_millis(20));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !over.is_cancelled() {
        turns.tick().await;
        let begun = Instant::now();
        ask().await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// In milliseconds.
pub(crate) fn p99(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
