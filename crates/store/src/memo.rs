//! What was read, for as long as it is known that nobody has written.

use std::hash::Hash;
use std::time::Instant;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::db::State;
use crate::limits::MEMO_AGE;
use crate::{Db, Error};

/// Keeps what was read from a database until somebody writes to it, whatever they write.
///
/// That is as good as reading again. On SQLite nobody else writes. On PostgreSQL other replicas do, so the server is asked
/// each time whether anything was: who registered something through one replica finds it through another at once.
pub struct Memo<K, V> {
    kept: Cache<K, Kept<V>, Weigh<K, V>>,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    seen: Seen,
}

/// The state of the database when something was about to be read.
#[derive(Clone, Debug)]
pub struct Seen {
    state: State,
    at: Instant,
}

impl Seen {
    /// The state of now.
    ///
    /// # Errors
    /// The database cannot be asked, so that it could not be read either.
    pub async fn now(db: &Db) -> Result<Seen, Error> {
        let at = Instant::now();
        Ok(Seen { state: db.state().await?, at })
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// Of so many bytes, as `weigh` counts those of one.
    #[must_use]
    pub fn new(bytes: u64, weigh: fn(&K, &V) -> usize) -> Memo<K, V> {
        let about = usize::try_from(bytes).unwrap_or(usize::MAX) / 1_024;
        Memo { kept: Cache::with_weighter(about, bytes, Weigh(weigh)) }
    }

    /// What there is under a key that is true in a state.
    pub fn at(&self, seen: &Seen, key: &K) -> Option<V> {
        let kept = self.kept.get(key)?;
        // Another program may have opened the file, a command of ours for example.
        (kept.seen.state == seen.state && kept.seen.at.elapsed() < MEMO_AGE).then_some(kept.value)
    }

    /// Keeps what was read after a state was seen.
    pub fn keep(&self, key: K, seen: Seen, value: V) {
        self.kept.insert(key, Kept { value, seen });
    }
}

struct Weigh<K, V>(fn(&K, &V) -> usize);

impl<K, V> Clone for Weigh<K, V> {
    fn clone(&self) -> Self {
        Weigh(self.0)
    }
}

impl<K, V> Weighter<K, Kept<V>> for Weigh<K, V> {
    fn weight(&self, key: &K, kept: &Kept<V>) -> u64 {
        u64::try_from((self.0)(key, &kept.value)).unwrap_or(u64::MAX).max(1)
    }
}
