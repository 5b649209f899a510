//! The body of a response.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, stream::BoxStream};
use tokio::time::Instant;

use crate::{Error, revalidate::Keep, scrub::Scrubber};

/// The body of a response, read in parts. Dropping it closes the connection.
pub struct Body {
    stream: BoxStream<'static, Result<Bytes, reqwest::Error>>,
    scrubber: Scrubber,
    /// What was passed on by the stream and not yet by [`read`](Self::read).
    ready: Bytes,
    ended: bool,
    received: u64,
    limit: u64,
    length: Option<u64>,
    url: String,
    deadline: Instant,
    timeout: Duration,
    stall: Option<Duration>,
    keep: Option<Keep>,
}

/// Everything that a body is read under.
pub(crate) struct Terms {
    pub(crate) scrubber: Scrubber,
    pub(crate) limit: u64,
    pub(crate) url: String,
    pub(crate) deadline: Instant,
    pub(crate) timeout: Duration,
    pub(crate) stall: Option<Duration>,
    pub(crate) keep: Option<Keep>,
}

impl Body {
    /// Wraps the body of a response. One that says itself that it is too large is refused at once.
    pub(crate) fn new(response: reqwest::Response, terms: Terms) -> Result<Self, Error> {
        let length = response.content_length();
        if let Some(length) = length.filter(|length| *length > terms.limit) {
            return Err(Error::TooLarge { url: terms.url, limit: terms.limit, length: Some(length) });
        }
        Ok(Self::from_stream(response.bytes_stream().boxed(), length, terms))
    }

    /// A body that is already here.
    pub(crate) fn from_bytes(bytes: Bytes, terms: Terms) -> Result<Self, Error> {
        let length = bytes.len() as u64;
        if length > terms.limit {
            return Err(Error::TooLarge { url: terms.url, limit: terms.limit, length: Some(length) });
        }
        Ok(Self::from_stream(futures::stream::iter([Ok(bytes)]).boxed(), Some(length), terms))
    }

    fn from_stream(
        stream: BoxStream<'static, Result<Bytes, reqwest::Error>>,
        length: Option<u64>,
        terms: Terms,
    ) -> Self {
        let Terms { scrubber, limit, url, deadline, timeout, stall, keep } = terms;
        Self {
            stream,
            scrubber,
            ready: Bytes::new(),
            ended: false,
            received: 0,
            limit,
            length,
            url,
            deadline,
            timeout,
            stall,
            keep,
        }
    }

    /// The length that the upstream announced, if it did.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next part, of at most `max` bytes and at least one, or `None` at the end.
    pub async fn read(&mut self, max: usize) -> Result<Option<Bytes>, Error> {
        while self.ready.is_empty() {
            if self.ended {
                return Ok(None);
            }
            self.ready = self.fill().await?;
        }
        Ok(Some(self.ready.split_to(self.ready.len().min(max.max(1)))))
    }

    /// The whole rest, if it is not larger than `limit`.
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, Error> {
        let too_large = |body: &Self| Error::TooLarge { url: body.url.clone(), limit, length: body.length };
        if self.length.is_some_and(|length| length > limit) {
            return Err(too_large(&self));
        }
        let Some(first) = self.read(usize::MAX).await? else { return Ok(Bytes::new()) };
        let mut whole = BytesMut::from(first);
        while (whole.len() as u64) <= limit {
            match self.read(usize::MAX).await? {
                Some(part) => whole.extend_from_slice(&part),
                None => return Ok(whole.freeze()),
            }
        }
        Err(too_large(&self))
    }

    async fn fill(&mut self) -> Result<Bytes, Error> {
        // The reader's own pauses do not count: this is asked for when they want more.
        let until = self.stall.map_or(self.deadline, |stall| self.deadline.min(Instant::now() + stall));
        let next = tokio::time::timeout_at(until, self.stream.next()).await;
        match next {
            Err(_) => {
                let after = self.stall.filter(|_| until < self.deadline).unwrap_or(self.timeout);
                Err(Error::Timeout { url: self.url.clone(), after })
            }
            Ok(Some(Err(error))) => {
                self.keep = None;
                Err(Error::Broken { url: self.url.clone(), reason: crate::send::cause(&error) })
            }
            Ok(Some(Ok(chunk))) => {
                self.received += chunk.len() as u64;
                if self.received > self.limit {
                    self.keep = None;
                    return Err(Error::TooLarge { url: self.url.clone(), limit: self.limit, length: self.length });
                }
                let chunk = self.scrubber.push(chunk);
                if let Some(keep) = &mut self.keep {
                    keep.push(&chunk);
                }
                Ok(chunk)
            }
            Ok(None) => {
                self.ended = true;
                let rest = self.scrubber.finish();
                if let Some(mut keep) = self.keep.take() {
                    keep.push(&rest);
                    keep.finish();
                }
                Ok(rest)
            }
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("length", &self.length).field("received", &self.received).finish_non_exhaustive()
    }
}
