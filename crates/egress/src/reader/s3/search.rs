//! Lists the objects of a bucket that a pattern stands for.

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::super::search::FoundFile;
use super::super::{ReadError, UrlPattern, UrlReader};
use super::{Region, error_document, listing};
use crate::{aws::BucketUrl, target};

/// What RFC 3986 calls unreserved stays, and the slashes: no key then looks like a pattern.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl UrlReader {
    /// Lists what begins as the pattern does before its first wildcard, with the keys that read the objects.
    pub(in super::super) async fn search_s3(
        &self,
        pattern: &UrlPattern,
        at: &BucketUrl,
    ) -> Result<Vec<FoundFile>, ReadError> {
        let limits = &self.egress.inner.settings.limits;
        let shown = || target::shown(pattern.url());
        let failed = |reason: String| ReadError::Failed { url: shown(), reason, transient: false };
        let bucket = at.bucket_alone();
        let root = percent_decode_str(bucket.url.path()).decode_utf8_lossy().into_owned();
        let Some(prefix) = pattern.prefix().strip_prefix(&root) else {
            return Err(failed("its bucket has to be named in full".to_owned()));
        };
        let (mut files, mut keys, mut bytes) = (Vec::new(), 0, 0);
        let (mut region, mut next): (Region, Option<String>) = (None, None);
        loop {
            let mut page = bucket.clone();
            page.url.query_pairs_mut().extend_pairs([("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)]);
            if let Some(token) = &next {
                page.url.query_pairs_mut().append_pair("continuation-token", token);
            }
            let left = limits.search_bytes.saturating_sub(bytes);
            let response =
                self.ask(&page, &mut region, None, left).await.map_err(|error| error.about(pattern.url()))?;
            if response.status != StatusCode::OK {
                let status = response.status;
                let mut detail = error_document(response).await;
                if status == StatusCode::FORBIDDEN {
                    let right = "a pattern needs the right to list the bucket (s3:ListBucket)";
                    detail = Some(detail.map_or(right.to_owned(), |detail| format!("{detail}; {right}")));
                }
                return Err(ReadError::from_status(shown(), status, detail));
            }
            let body = response.body.collect(left).await.map_err(|error| ReadError::from(error).about(pattern.url()));
            let body = match body {
                Err(ReadError::TooLarge { .. }) => {
                    let limit = limits.search_bytes;
                    return Err(ReadError::TooMany { url: shown(), limit: format!("{limit} bytes of listing") });
                }
                body => body?,
            };
            bytes += u64::try_from(body.len()).unwrap_or(u64::MAX);
            let listed = listing::read(&body).map_err(failed)?;
            keys += listed.objects.len();
            if keys > limits.search_keys {
                return Err(ReadError::TooMany { url: shown(), limit: format!("{} objects", limits.search_keys) });
            }
            for object in listed.objects {
                if !is_skipped(&object.key) && pattern.matches(&format!("{root}{}", object.key)) {
                    let mut url = bucket.url.clone();
                    url.set_path(&format!("{}{}", bucket.url.path(), utf8_percent_encode(&object.key, KEY)));
                    files.push(FoundFile { url, version: object.version });
                }
            }
            next = listed.next;
            if next.is_none() {
                return Ok(files);
            }
        }
    }
}

/// Folder markers, and keys that a URL would resolve to another object.
fn is_skipped(key: &str) -> bool {
    key.is_empty() || key.ends_with('/') || key.split('/').any(|segment| segment == "." || segment == "..")
}
