//! The secrets of a session: how one takes over from another.
//!
//! A session's secret is replaced from time to time, so that a stolen one does not last, and so that its use is noticed.
//! The browser may have requests under way with the old one, and the answer that brings the new one may be lost. So the
//! new one is only *offered* with an answer, and takes over when a request comes with it; the old one is good for a
//! moment longer. From then on, nobody has a reason to come with the old one but whoever copied it.
//!
//! An offer stays good as long as the session: an answer may reach the browser late, after another offer was taken.

use std::time::Duration;

use rand::Rng as _;
use sha2::{Digest, Sha256};

/// How old a secret becomes before another one is offered.
pub const ROTATE_AFTER: Duration = Duration::from_secs(60 * 60);

/// How long the secret before the current one is good: the requests that were under way with it have arrived by then.
pub const GRACE: Duration = Duration::from_secs(60);

/// The time between two offers. A page sends some requests at once, and one offer is enough for all of them.
pub const OFFER_EVERY: Duration = Duration::from_secs(60);

/// How many offers that nobody took are kept. A program that never takes one would fill the table; a browser that takes
/// one later than so many others has been away from its own answers for minutes.
pub const OFFERS: u64 = 16;

/// What a secret is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Handed out, and not used yet.
    Offered,
    /// The one that the browser has.
    Current,
    /// The browser has another one since.
    Retired,
}

impl State {
    /// As the database has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Offered => "offered",
            State::Current => "current",
            State::Retired => "retired",
        }
    }

    /// The one with this name. What a later version may have written is not trusted.
    #[must_use]
    pub fn named(name: &str) -> State {
        match name {
            "offered" => State::Offered,
            "current" => State::Current,
            _ => State::Retired,
        }
    }
}

/// What becomes of a request with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good.
    Good,
    /// It is good, and the browser has it now.
    Taken,
    /// It is good, and old enough for another one to be offered.
    Due,
    /// Somebody else has it: the session ends.
    Stolen,
}

/// What becomes of a request with a secret that is in a state since some time. Times are milliseconds.
#[must_use]
pub fn verdict(state: State, since: i64, offered_at: Option<i64>, now: i64) -> Verdict {
    let age = now.saturating_sub(since);
    match state {
        State::Offered => Verdict::Taken,
        State::Retired if age >= millis(GRACE) => Verdict::Stolen,
        State::Retired => Verdict::Good,
        State::Current => {
            let may_offer = offered_at.is_none_or(|offered_at| now.saturating_sub(offered_at) >= millis(OFFER_EVERY));
            if age >= millis(ROTATE_AFTER) && may_offer { Verdict::Due } else { Verdict::Good }
        }
    }
}

/// A new secret: 256 random bits, in hexadecimal.
#[must_use]
pub fn new() -> String {
    hex::encode(rand::rng().random::<[u8; 32]>())
}

/// What is kept of a secret. They are 256 random bits, so one round of a plain hash is enough: there is nothing to guess.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A duration as the database counts it.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        fn check(state: State, age: i64, offered: Option<i64>, expected: Verdict) {
            const NOW: i64 = 1_000_000_000_000;
            let second = |ago: i64| NOW - ago * 1000;
            assert_eq!(verdict(state, second(age), offered.map(second), NOW), expected, "{state:?} {age} {offered:?}");
        }
        const HOUR: i64 = 3600;
        check(State::Current, 0, None, Verdict::Good);
        check(State::Current, HOUR - 1, None, Verdict::Good);
        check(State::Current, HOUR, None, Verdict::Due);
        check(State::Current, HOUR, Some(59), Verdict::Good);
        check(State::Current, HOUR, Some(60), Verdict::Due);
        check(State::Current, 100 * HOUR, Some(99 * HOUR), Verdict::Due);
        check(State::Offered, 0, Some(0), Verdict::Taken);
        check(State::Offered, 100 * HOUR, Some(0), Verdict::Taken);
        check(State::Retired, 0, None, Verdict::Good);
        check(State::Retired, 59, None, Verdict::Good);
        check(State::Retired, 60, None, Verdict::Stolen);
        check(State::Retired, 100 * HOUR, None, Verdict::Stolen);
        // The clock of another replica may be ahead.
        check(State::Retired, -5, None, Verdict::Good);
        check(State::Current, -5, Some(-5), Verdict::Good);
        assert_eq!(State::named("anything else"), State::Retired);
    }
}
