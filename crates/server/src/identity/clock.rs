//! What time it is, for what ends at some time.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// What time it is. Cheap to clone; a test has its own.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

impl Clock {
    /// The one of this machine.
    #[must_use]
    pub fn system() -> Clock {
        Clock::of(Utc::now)
    }

    /// One that says what it is told to.
    #[must_use]
    pub fn of(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Clock {
        Clock { now: Arc::new(now) }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// Now, in milliseconds since 1970, as the database has it.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.now().timestamp_millis()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
