//! The bytes that a digest names.

use bytes::{Bytes, BytesMut};
use callboard_egress::Response;
use http::StatusCode;

use super::{Registry, RegistryError, Repository, call::Call};
use crate::{Digest, digest::Hasher, limits};

/// Told how many bytes came so far, and how many there will be where that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

impl Registry {
    /// Downloads a blob of a known size. It is checked while it arrives, and what is not what was asked for is not
    /// returned.
    ///
    /// # Errors
    /// It is too large, breaks off, or has another digest.
    pub(crate) async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        limit: u64,
        progress: Progress<'_>,
    ) -> Result<Bytes, RegistryError> {
        let what = format!("the blob {digest} of {repository}");
        if size > limit {
            return Err(RegistryError::TooLarge { what, size, limit });
        }
        let url = self.url(repository, &format!("blobs/{digest}"));
        // One more, so that a body that is longer than it was said to be is told from one that is not; and room for an
        // error, where that takes more than a small blob.
        let max_body = size.saturating_add(1).max(limits::ERROR_BYTES);
        let call = Call { timeout: limits::TRANSFER_TIME, ..Call::get(url, max_body) };
        let response = self.call(repository, call).await?;
        let response = self.expect(response, &what, &[StatusCode::OK]).await?;
        let received = receive(response, Some(size), progress).await?;
        let got = received.bytes.len() as u64;
        if got < size {
            return Err(RegistryError::BrokenOff { what, expected: size, received: got });
        }
        if got > size {
            let reason = format!("it has {got} bytes, and its manifest says {size}");
            return Err(RegistryError::Malformed { what, reason });
        }
        if received.digest != *digest {
            return Err(RegistryError::OtherDigest { what, expected: *digest, got: received.digest });
        }
        Ok(received.bytes)
    }
}

pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// Reads a body to its end. How much that may be, egress was told with the request.
pub(crate) async fn receive(
    mut response: Response,
    size: Option<u64>,
    progress: Progress<'_>,
) -> Result<Received, callboard_egress::Error> {
    let total = size.or(response.body.length());
    let (mut whole, mut hasher) = (BytesMut::new(), Hasher::default());
    progress(0, total);
    while let Some(part) = response.body.read(usize::MAX).await? {
        hasher.update(&part);
        whole.extend_from_slice(&part);
        progress(whole.len() as u64, total);
    }
    Ok(Received { bytes: whole.freeze(), digest: hasher.finish() })
}
