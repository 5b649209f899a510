//! What was read, for as long as it is known that nobody has written.

use std::hash::Hash;
use std::time::Instant;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::Db;
use crate::limits::MEMO_AGE;

/// Keeps what was read from a database until this process writes to it, whatever it writes.
///
/// That is as good as reading again where nobody else writes: on SQLite. On PostgreSQL other replicas do, so nothing is
/// kept there: who registered something through one of them finds it through another at once.
pub struct Memo<K, V> {
    kept: Cache<K, Kept<V>, Weigh<K, V>>,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    seen: Seen,
}

/// The state of the database when something was about to be read.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    writes: u64,
    at: Instant,
}

/// What a [`Memo`] has under a key.
#[derive(Debug)]
pub enum Known<V> {
    /// What reading it would come to.
    Value(V),
    /// Nothing that is still true. What is read now is kept with this; none where nothing can be kept.
    Nothing(Option<Seen>),
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// Of so many bytes, as `weigh` counts those of one.
    #[must_use]
    pub fn new(bytes: u64, weigh: fn(&K, &V) -> usize) -> Memo<K, V> {
        let about = usize::try_from(bytes).unwrap_or(usize::MAX) / 1_024;
        Memo { kept: Cache::with_weighter(about, bytes, Weigh(weigh)) }
    }

    /// What there is under a key.
    pub fn get(&self, db: &Db, key: &K) -> Known<V> {
        let Some(writes) = db.writes() else { return Known::Nothing(None) };
        match self.kept.get(key) {
            // Another program may have opened the file, a command of ours for example.
            Some(kept) if kept.seen.writes == writes && kept.seen.at.elapsed() < MEMO_AGE => Known::Value(kept.value),
            _ => Known::Nothing(Some(Seen { writes, at: Instant::now() })),
        }
    }

    /// Keeps what was read after [`Memo::get`] had nothing.
    pub fn keep(&self, key: K, seen: Option<Seen>, value: V) {
        if let Some(seen) = seen {
            self.kept.insert(key, Kept { value, seen });
        }
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
