//! The limits of outgoing requests. All can be changed through [`Settings`](crate::Settings).

use std::time::Duration;

/// Limits of outgoing requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body that the URL reader takes.
    ///
    /// A descriptor file is held in memory while it is parsed; anyone who may register a location chooses its size.
    pub read_bytes: u64,
    /// How long one read by the URL reader may take, retries included.
    pub read_timeout: Duration,
    /// How many names a search for files looks through, so that a pattern over a whole bucket ends.
    pub search_keys: usize,
    /// How large the listing of a search may be in all. A name with what is known of it takes 350 bytes or so.
    pub search_bytes: u64,
    /// How long a search may take in all: a hundred pages of a service that is far away.
    pub search_timeout: Duration,
    /// How long a connection may take to open, TLS included.
    ///
    /// Shorter than any request's own time, so that an address that does not answer leaves time for the next one.
    pub connect_timeout: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
    /// How many times a throttled request is sent in all.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each one after that, and half of it is random.
    pub backoff: Duration,
    /// The longest wait between two attempts, whatever the upstream's `Retry-After` asks for.
    ///
    /// A scheduled run comes again anyway; to sleep through its whole time would only hide the reason.
    pub longest_wait: Duration,
    /// What the conditional-request cache holds in all.
    pub cache_bytes: usize,
    /// The largest body that the conditional-request cache keeps.
    pub cache_entry_bytes: usize,
    /// What one namespace may hold of the conditional-request cache, so that one plugin cannot push out the others.
    pub cache_namespace_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read_bytes: 32 << 20,
            read_timeout: Duration::from_secs(60),
            search_keys: 100_000,
            search_bytes: 64 << 20,
            search_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(10),
            redirects: 5,
            attempts: 5,
            backoff: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
            cache_bytes: 64 << 20,
            cache_entry_bytes: 4 << 20,
            cache_namespace_bytes: 16 << 20,
        }
    }
}
