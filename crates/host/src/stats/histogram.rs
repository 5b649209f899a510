//! How long things took, in fixed buckets.
//!
//! Buckets rather than a histogram of high resolution: they are what Prometheus takes, so that the plugin's page and a
//! dashboard are made of the same numbers; they add up over functions and replicas; and they cost 150 bytes. A percentile
//! is then an estimate, within its bucket.

use std::time::Duration;

use callboard_model::api::{Latency, LatencyBucket};

/// The ends of the buckets in microseconds: from a call that does nothing, which takes some 100 µs, to the longest
/// deadline of a provider's page. Two or three for each power of ten, so that an estimate is at most 2.5 times too large.
const BOUNDS: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    /// One for each bound.
    counts: [u64; BOUNDS.len()],
    /// Longer than the last bound.
    beyond: u64,
    sum: u64,
    longest: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match self.counts.iter_mut().zip(BOUNDS).find(|(_, bound)| micros <= *bound) {
            Some((count, _)) => *count += 1,
            None => self.beyond += 1,
        }
        self.sum = self.sum.saturating_add(micros);
        self.longest = self.longest.max(micros);
    }

    pub(super) fn told(&self) -> Latency {
        let bounded = self.counts.iter().zip(BOUNDS);
        let bounded = bounded.map(|(&count, bound)| LatencyBucket { up_to_ms: Some(millis(bound)), count });
        let count = self.count();
        let percentile = |share: f64| (count > 0).then(|| self.percentile(share));
        Latency {
            count,
            sum_ms: millis(self.sum),
            max_ms: millis(self.longest),
            p50_ms: percentile(0.5),
            p95_ms: percentile(0.95),
            p99_ms: percentile(0.99),
            buckets: bounded.chain([LatencyBucket { up_to_ms: None, count: self.beyond }]).collect(),
        }
    }

    fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.beyond
    }

    /// As `histogram_quantile` of Prometheus does it: straight from one end of the bucket to the other. No estimate is
    /// longer than the longest that there was.
    fn percentile(&self, share: f64) -> f64 {
        let wanted = share * real(self.count());
        let (mut before, mut from) = (0, 0);
        for (&count, bound) in self.counts.iter().zip(BOUNDS) {
            if count > 0 && real(before + count) >= wanted {
                let part = (wanted - real(before)) / real(count);
                let estimate = millis(from) + (millis(bound) - millis(from)) * part;
                return estimate.min(millis(self.longest));
            }
            before += count;
            from = bound;
        }
        millis(self.longest)
    }
}

fn millis(micros: u64) -> f64 {
    real(micros) / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which is 285 years in microseconds")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(micros: &[u64], expected: [Option<f64>; 3], max: f64) {
        let mut histogram = Histogram::default();
        micros.iter().for_each(|&each| histogram.add(Duration::from_micros(each)));
        let told = histogram.told();
        assert_eq!([told.p50_ms, told.p95_ms, told.p99_ms], expected, "{micros:?}");
        assert_eq!((told.count, told.max_ms), (micros.len() as u64, max), "{micros:?}");
        assert_eq!(told.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), told.count, "{micros:?}");
    }

    #[test]
    fn percentiles() {
        check(&[], [None; 3], 0.0);
        // Never more than there was.
        check(&[40], [Some(0.04); 3], 0.04);
        check(&[100, 100], [Some(0.05), Some(0.095), Some(0.099)], 0.1);
        let mut many = vec![1_000; 98];
        many.extend([4_000, 90_000_000]);
        let expected = [Some(0.5 + 0.5 * 50.0 / 98.0), Some(0.5 + 0.5 * 95.0 / 98.0), Some(5.0)];
        check(&many, expected, 90_000.0);
        check(&[70_000_000], [Some(70_000.0); 3], 70_000.0);
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut histogram = Histogram::default();
        for micros in [1_000, 1_001, 60_000_000, 60_000_001] {
            histogram.add(Duration::from_micros(micros));
        }
        let filled: Vec<_> = histogram.told().buckets.into_iter().filter(|bucket| bucket.count > 0).collect();
        let ends: Vec<_> = filled.iter().map(|bucket| bucket.up_to_ms).collect();
        assert_eq!(ends, [Some(1.0), Some(2.5), Some(60_000.0), None]);
    }
}
