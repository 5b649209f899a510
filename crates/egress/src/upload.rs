//! The body of a request that is read while it is sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use tokio::time::Instant;

/// The body of a request that is read while it is sent, and so can be sent once.
pub struct Upload {
    stream: BoxStream<'static, Result<Bytes, Cut>>,
    length: Option<u64>,
    moved: Moved,
}

/// Why a body ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// It is larger than it may be.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// Whoever sent it to us stopped.
    #[error("its sender stopped: {0}")]
    Broken(String),
}

impl Upload {
    /// A body of at most `limit` bytes. With a length it is sent with `Content-Length`, otherwise in chunks.
    ///
    /// # Errors
    /// The length is more than the limit.
    pub fn new<E: std::fmt::Display + Send + 'static>(
        stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        length: Option<u64>,
        limit: u64,
    ) -> Result<Self, Cut> {
        if length.is_some_and(|length| length > limit) {
            return Err(Cut::TooLarge(limit));
        }
        let moved = Moved::now();
        let (mark, mut sent) = (moved.clone(), 0_u64);
        let stream = stream.map(move |part| {
            mark.mark();
            let part = part.map_err(|error| Cut::Broken(error.to_string()))?;
            sent = sent.saturating_add(part.len() as u64);
            if sent > limit { Err(Cut::TooLarge(limit)) } else { Ok(part) }
        });
        Ok(Self { stream: stream.boxed(), length, moved })
    }

    /// Its length, where it is known before it is sent.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// When its last part was taken.
    pub(crate) fn moved(&self) -> Moved {
        self.moved.clone()
    }

    pub(crate) fn into_body(self) -> reqwest::Body {
        reqwest::Body::wrap_stream(self.stream)
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).finish_non_exhaustive()
    }
}

/// When something last moved.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    begun: Instant,
    /// Milliseconds since `begun`.
    last: Arc<AtomicU64>,
}

impl Moved {
    pub(crate) fn now() -> Self {
        Self { begun: Instant::now(), last: Arc::default() }
    }

    pub(crate) fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    fn mark(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn limits() {
        async fn check(parts: &[&'static str], length: Option<u64>, expected: Result<usize, Cut>) {
            let parts: Vec<_> = parts.iter().map(|part| Ok::<_, String>(Bytes::from_static(part.as_bytes()))).collect();
            let seen = match Upload::new(stream::iter(parts), length, 4) {
                Ok(upload) => upload.stream.try_fold(0, async |sum, part| Ok(sum + part.len())).await,
                Err(cut) => Err(cut),
            };
            assert_eq!(seen, expected);
        }
        check(&[], None, Ok(0)).await;
        check(&["ab", "cd"], None, Ok(4)).await;
        check(&["ab", "cd"], Some(4), Ok(4)).await;
        check(&["ab", "cd", "e"], None, Err(Cut::TooLarge(4))).await;
        check(&["ab", "cd", "e"], Some(4), Err(Cut::TooLarge(4))).await;
        check(&[], Some(5), Err(Cut::TooLarge(4))).await;
    }
}
