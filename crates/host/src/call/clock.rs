//! Clocks of one millisecond: fine enough for schedules and retries, too coarse to time the host's caches.

use std::time::{Duration, Instant, SystemTime};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

const RESOLUTION: Duration = Duration::from_millis(1);

/// The time of day, as plugins see it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WallClock {
    /// The system's.
    Running,
    /// Always the same, for tests.
    StandsAt(SystemTime),
}

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        let now = match self {
            WallClock::Running => SystemTime::now(),
            WallClock::StandsAt(time) => *time,
        };
        // Before 1970 there is nothing better to say than 1970.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Duration::new(now.as_secs(), now.subsec_millis() * 1_000_000)
    }
}

pub(super) struct CoarseSince(Instant);

impl CoarseSince {
    pub(super) fn now() -> CoarseSince {
        CoarseSince(Instant::now())
    }
}

impl HostMonotonicClock for CoarseSince {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        let milliseconds = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        milliseconds.saturating_mul(1_000_000)
    }
}
