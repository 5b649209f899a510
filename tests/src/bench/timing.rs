//! Times of one thing that is done again and again.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Times in milliseconds, from the shortest to the longest.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    #[must_use]
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times.into_iter().map(|time| time.as_secs_f64() * 1000.0).collect())
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a hundred were done.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn p50(&self) -> f64 {
        self.percentile(50)
    }

    #[must_use]
    pub fn p99(&self) -> f64 {
        self.percentile(99)
    }
}

/// How often something is done, and for how long at most.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub warming: usize,
    pub counted: usize,
    pub most: Duration,
}

impl Rounds {
    /// What is done in fractions of a millisecond.
    pub const QUERY: Rounds = Rounds { warming: 20, counted: 201, most: Duration::from_secs(10) };
}

/// Does it again and again. Once it has taken too long in all it ends, but it is done at least once.
pub async fn repeat<F: Future<Output = Result<()>>>(rounds: Rounds, act: impl Fn() -> F) -> Result<Times> {
    let begun = Instant::now();
    let mut times = Vec::new();
    for round in 0..rounds.warming + rounds.counted {
        let started = Instant::now();
        act().await?;
        if round >= rounds.warming {
            times.push(started.elapsed());
        } else if begun.elapsed() > rounds.most / 2 {
            // Too slow to be warmed further.
            times.push(started.elapsed());
            break;
        }
        if begun.elapsed() > rounds.most {
            break;
        }
    }
    Ok(Times::new(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let times = Times::new((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!((times.p50(), times.p99(), times.percentile(100)), (100.0, 198.0, 200.0));
        assert_eq!(Times::new(vec![Duration::from_millis(3)]).p50(), 3.0);
        assert_eq!(Times::default().p99(), 0.0);
    }
}
