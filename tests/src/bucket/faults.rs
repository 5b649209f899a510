//! What goes wrong with a bucket, and a count of what was asked of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};
use tokio::sync::watch;

/// The faults of a bucket, all absent at first. Requests with a wrong signature come this far never.
pub struct Faults {
    throttled: AtomicU32,
    latency: Mutex<Duration>,
    held: watch::Sender<bool>,
    held_listings: watch::Sender<Option<String>>,
    listed_too: Mutex<Vec<String>>,
    without_etags: Mutex<bool>,
    good_lists: Mutex<Option<u64>>,
    requests: Mutex<Requests>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            throttled: AtomicU32::new(0),
            latency: Mutex::default(),
            held: watch::Sender::new(false),
            held_listings: watch::Sender::new(None),
            listed_too: Mutex::default(),
            without_etags: Mutex::default(),
            good_lists: Mutex::default(),
            requests: Mutex::default(),
        }
    }
}

impl Faults {
    /// Answers the next so many requests with 503 SlowDown.
    pub fn throttle(&self, requests: u32) {
        self.throttled.store(requests, Ordering::SeqCst);
    }

    /// Makes each request take so much longer.
    pub fn slow(&self, by: Duration) {
        *lock(&self.latency) = by;
    }

    /// Holds every request back until it is let go.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Holds listings of one prefix back, until there is another such prefix or none. The prefix has nothing to encode.
    pub fn hold_listings(&self, prefix: Option<&str>) {
        self.held_listings.send_replace(prefix.map(|prefix| format!("prefix={prefix}")));
    }

    /// Lists these keys too, although there is no object: names that no file can have.
    pub fn list_too(&self, keys: &[&str]) {
        *lock(&self.listed_too) = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// Lists objects without their ETags, as some servers do.
    pub fn hide_etags(&self, hidden: bool) {
        *lock(&self.without_etags) = hidden;
    }

    /// Answers so many more listings and then fails for good.
    pub fn fail_after_lists(&self, lists: u64) {
        *lock(&self.good_lists) = Some(lists);
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        lock(&self.requests).clone()
    }

    /// Counts from zero again.
    pub fn forget_requests(&self) {
        *lock(&self.requests) = Requests::default();
    }

    pub(super) fn listed_too(&self) -> Vec<String> {
        lock(&self.listed_too).clone()
    }

    pub(super) fn etags_hidden(&self) -> bool {
        *lock(&self.without_etags)
    }

    /// Whether this listing is still to be answered.
    pub(super) fn may_list(&self) -> bool {
        match &mut *lock(&self.good_lists) {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    pub(super) fn count_sent(&self, bytes: usize) {
        lock(&self.requests).sent += bytes as u64;
    }

    pub(super) fn count_unchanged(&self) {
        lock(&self.requests).unchanged += 1;
    }
}

/// How often each operation was asked for, with each key.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    counts: BTreeMap<(String, String), u64>,
    unchanged: u64,
    sent: u64,
}

impl Requests {
    /// `ListObjectsV2` requests.
    #[must_use]
    pub fn lists(&self) -> u64 {
        self.of("ListObjectsV2")
    }

    /// `GetObject` requests.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.of("GetObject")
    }

    /// `GetObject` requests for one key.
    #[must_use]
    pub fn reads_of(&self, key: &str) -> u64 {
        self.counts.get(&("GetObject".to_owned(), key.to_owned())).copied().unwrap_or(0)
    }

    /// `GetObject` requests that were answered with 304.
    #[must_use]
    pub fn unchanged(&self) -> u64 {
        self.unchanged
    }

    /// Bytes of objects that were handed to the network.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Requests in all.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.counts.values().sum()
    }

    fn of(&self, operation: &str) -> u64 {
        self.counts.iter().filter(|((name, _), _)| name == operation).map(|(_, count)| count).sum()
    }
}

/// Where every request with a valid signature passes.
pub(super) struct Gate(pub(super) Arc<Faults>);

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let key = context.s3_path().as_object().map(|(_, key)| key.to_owned()).unwrap_or_default();
        *lock(&self.0.requests).counts.entry((context.s3_op().name().to_owned(), key)).or_default() += 1;

        let latency = *lock(&self.0.latency);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        // The sender lives as long as the bucket.
        drop(self.0.held.subscribe().wait_for(|held| !held).await);
        let asked = context.uri().query().unwrap_or_default().to_owned();
        let is_other =
            |held: &Option<String>| held.as_ref().is_none_or(|held| !asked.split('&').any(|part| part == held));
        drop(self.0.held_listings.subscribe().wait_for(is_other).await);
        let throttled = self.0.throttled.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if throttled.is_ok() {
            return Err(s3_error!(SlowDown, "Please reduce your request rate."));
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
