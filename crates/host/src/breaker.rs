//! Repeated faults suspend one plugin for a while, and the rest of the portal never notices.

use std::time::{Duration, Instant};

use crate::limits::{LONGEST_SUSPENSION, Limits};
use crate::plugin::Suspension;

/// Counts faults without a success in between. When a suspension is over, the next call is the trial: another fault
/// suspends the plugin at once and for twice as long.
#[derive(Debug)]
pub(crate) struct Breaker {
    faults_allowed: u32,
    first: Duration,
    faults: u32,
    /// How long the next suspension is.
    next: Duration,
    suspended: Option<(Instant, String)>,
}

impl Breaker {
    pub(crate) fn new(limits: &Limits) -> Breaker {
        Breaker {
            faults_allowed: limits.faults_before_suspension,
            first: limits.first_suspension,
            faults: 0,
            next: limits.first_suspension,
            suspended: None,
        }
    }

    pub(crate) fn suspension(&self, now: Instant) -> Option<Suspension> {
        let (until, reason) = self.suspended.as_ref()?;
        let remaining = until.checked_duration_since(now).filter(|remaining| !remaining.is_zero())?;
        Some(Suspension { remaining, reason: reason.clone() })
    }

    pub(crate) fn success(&mut self) {
        self.faults = 0;
        self.next = self.first;
        self.suspended = None;
    }

    pub(crate) fn fault(&mut self, now: Instant, reason: &str) {
        self.faults = self.faults.saturating_add(1);
        // Calls that began before the suspension must not prolong it.
        if self.faults >= self.faults_allowed && self.suspension(now).is_none() {
            self.suspended = Some((now + self.next, reason.to_owned()));
            self.next = self.next.saturating_mul(2).min(LONGEST_SUSPENSION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Step {
        Fault,
        Success,
        /// Lets seconds pass.
        Wait(u64),
        /// Expects a suspension of so many seconds; 0 for none.
        Suspended(u64),
    }

    fn check(steps: &[Step]) {
        let limits =
            Limits { faults_before_suspension: 3, first_suspension: Duration::from_secs(10), ..Limits::default() };
        let mut breaker = Breaker::new(&limits);
        let mut now = Instant::now();
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Fault => breaker.fault(now, "it trapped"),
                Step::Success => breaker.success(),
                Step::Wait(seconds) => now += Duration::from_secs(*seconds),
                Step::Suspended(seconds) => {
                    let remaining = breaker.suspension(now).map_or(0, |suspension| suspension.remaining.as_secs());
                    assert_eq!(remaining, *seconds, "step {index}");
                }
            }
        }
    }

    #[test]
    fn suspends_with_growing_pauses() {
        use Step::{Fault, Success, Suspended, Wait};
        check(&[Fault, Fault, Suspended(0), Fault, Suspended(10)]);
        check(&[Fault, Fault, Success, Fault, Fault, Suspended(0)]);
        check(&[Fault, Fault, Fault, Wait(4), Suspended(6), Wait(6), Suspended(0)]);
        check(&[Fault, Fault, Fault, Wait(10), Fault, Suspended(20), Wait(20), Fault, Suspended(40)]);
        check(&[Fault, Fault, Fault, Fault, Fault, Fault, Suspended(10)]);
        check(&[Fault, Fault, Fault, Wait(10), Success, Fault, Fault, Suspended(0), Fault, Suspended(10)]);
        let mut long = vec![Fault, Fault];
        for _ in 0..10 {
            long.extend([Fault, Wait(600)]);
        }
        long.extend([Fault, Suspended(600)]);
        check(&long);
    }
}
