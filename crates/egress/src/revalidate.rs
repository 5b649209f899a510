//! Conditional requests for callers that keep nothing themselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue,
    header::{CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{Credential, Limits};

/// Whose copies a request may use and leave, such as one plugin on behalf of one user.
///
/// What one scope keeps is never given to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheScope(pub String);

/// Responses with their validators, bounded in all and for each scope; the least recently used go first.
#[derive(Clone)]
pub(crate) struct Cache {
    shared: Arc<Mutex<Entries>>,
    limits: Bounds,
}

#[derive(Clone, Copy)]
struct Bounds {
    all: usize,
    scope: usize,
    entry: usize,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Key, Entry>,
    clock: u64,
}

struct Entry {
    kept: Kept,
    used: u64,
}

/// A response that was kept.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The scope, and a digest of everything that the answer may depend on: URL, headers, credential.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    scope: CacheScope,
    request: [u8; 32],
}

impl Key {
    pub(crate) fn new(scope: &CacheScope, url: &Url, headers: &HeaderMap, credential: Option<&Credential>) -> Self {
        let mut hash = Sha256::new();
        hash.update(url.as_str());
        let mut lines: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        lines.sort_unstable();
        for (name, value) in lines {
            hash.update([0]);
            hash.update(name);
            hash.update([0]);
            hash.update(value);
        }
        if let Some(credential) = credential {
            hash.update([0, 0]);
            hash.update(credential.fingerprint());
        }
        Self { scope: scope.clone(), request: hash.finalize().into() }
    }
}

impl Cache {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limits =
            Bounds { all: limits.cache_bytes, scope: limits.cache_namespace_bytes, entry: limits.cache_entry_bytes };
        Self { shared: Arc::default(), limits }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Kept> {
        let mut entries = self.lock();
        entries.clock += 1;
        let now = entries.clock;
        let entry = entries.by_key.get_mut(key)?;
        entry.used = now;
        Some(entry.kept.clone())
    }

    /// A collector for the body of a response, if the response may be kept at all.
    pub(crate) fn keep(&self, key: Key, headers: &HeaderMap) -> Option<Keep> {
        let no_store = headers
            .get_all(CACHE_CONTROL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains("no-store"));
        let validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
        if no_store || !validator {
            self.remove(&key);
            return None;
        }
        Some(Keep { cache: self.clone(), key, headers: headers.clone(), body: BytesMut::new(), overflowed: false })
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.lock().by_key.remove(key);
    }

    fn put(&self, key: Key, kept: Kept) {
        let mut entries = self.lock();
        entries.clock += 1;
        let used = entries.clock;
        let scope = key.scope.clone();
        entries.by_key.insert(key, Entry { kept, used });
        entries.shrink(self.limits.scope, |key| key.scope == scope);
        entries.shrink(self.limits.all, |_| true);
    }

    /// A panic while the lock is held leaves the map whole, since every change to it is one call.
    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Removes the least recently used of the chosen entries until they fit.
    fn shrink(&mut self, limit: usize, chosen: impl Fn(&Key) -> bool) {
        let mut size: usize =
            self.by_key.iter().filter(|(key, _)| chosen(key)).map(|(_, entry)| entry.kept.size()).sum();
        while size > limit {
            let oldest = self
                .by_key
                .iter()
                .filter(|(key, _)| chosen(key))
                .min_by_key(|(_, entry)| entry.used)
                .map(|(key, _)| key.clone());
            let Some(removed) = oldest.and_then(|key| self.by_key.remove(&key)) else { return };
            size -= removed.kept.size();
        }
    }
}

impl Kept {
    /// The condition under which the copy may be used again.
    pub(crate) fn make_conditional(&self, headers: &mut HeaderMap) {
        if let Some(etag) = self.headers.get(ETAG) {
            headers.insert(IF_NONE_MATCH, etag.clone());
        } else if let Some(modified) = self.headers.get(LAST_MODIFIED) {
            headers.insert(IF_MODIFIED_SINCE, modified.clone());
        }
    }

    /// The headers of the copy, renewed by those of the answer that confirmed it.
    pub(crate) fn renewed(&self, answer: &HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in answer {
            if !matches!(name.as_str(), "content-length" | "content-encoding" | "content-type" | "content-range") {
                headers.insert(name.clone(), HeaderValue::clone(value));
            }
        }
        headers
    }

    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        self.body.len() + headers
    }
}

/// Collects a body while it is read and keeps it when it was read to its end.
pub(crate) struct Keep {
    cache: Cache,
    key: Key,
    headers: HeaderMap,
    body: BytesMut,
    overflowed: bool,
}

impl Keep {
    pub(crate) fn push(&mut self, part: &[u8]) {
        if self.overflowed {
            return;
        }
        if self.body.len() + part.len() > self.cache.limits.entry {
            self.overflowed = true;
            self.body = BytesMut::new();
            self.cache.remove(&self.key);
            return;
        }
        self.body.extend_from_slice(part);
    }

    pub(crate) fn finish(self) {
        if !self.overflowed {
            self.cache.put(self.key, Kept { headers: self.headers, body: self.body.freeze() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let limits = Limits { cache_bytes: 99, cache_namespace_bytes: 60, cache_entry_bytes: 50, ..Limits::default() };
        let cache = Cache::new(&limits);
        let key = |scope: &str, path: &str| {
            let url = Url::parse("https://example.com/").unwrap().join(path).unwrap();
            Key::new(&CacheScope(scope.to_owned()), &url, &HeaderMap::new(), None)
        };
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("\"abc\""));
        let put = |scope: &str, path: &str, size: usize| {
            let mut keep = cache.keep(key(scope, path), &headers).unwrap();
            keep.push(&vec![b'x'; size]);
            keep.finish();
        };
        let has = |scope: &str, path: &str| cache.get(&key(scope, path)).is_some();
        put("a", "1", 16);
        put("a", "2", 16);
        assert!(has("a", "1") && has("a", "2") && !has("b", "1"));
        assert!(has("a", "1"));
        put("a", "3", 16);
        assert!(has("a", "1") && !has("a", "2") && has("a", "3"), "the scope holds two; 2 was used least recently");
        put("b", "1", 16);
        put("b", "2", 16);
        assert!(has("b", "1") && has("b", "2") && has("a", "3") && !has("a", "1"), "the cache holds three");
        put("b", "1", 51);
        assert!(!has("b", "1"), "too large to keep, and the old copy is no longer right");
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, No-Store"));
        assert!(cache.keep(key("c", "1"), &headers).is_none());
        assert!(cache.keep(key("c", "1"), &HeaderMap::new()).is_none());
    }
}
