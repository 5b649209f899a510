//! The operations: those of `s3s-fs`, with listings and reads as S3 has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures::StreamExt;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use super::faults::Faults;

/// As many keys as S3 lists at once.
const PAGE: usize = 1000;

pub(super) struct Objects {
    files: FileSystem,
    state: PathBuf,
    faults: Arc<Faults>,
    /// By path: the digest of a file, and the size and time at which it was taken.
    etags: Mutex<HashMap<PathBuf, (u64, SystemTime, String)>>,
    /// The listing that continuation tokens go on in: a page does not walk the folder again.
    listing: Mutex<Arc<Vec<Listed>>>,
}

/// A key and what is known of it without reading it.
struct Listed {
    key: String,
    size: u64,
    modified: SystemTime,
}

impl Objects {
    pub(super) fn new(files: FileSystem, state: PathBuf, faults: Arc<Faults>) -> Self {
        Self { files, state, faults, etags: Mutex::default(), listing: Mutex::default() }
    }

    fn folder(&self, bucket: &str) -> S3Result<PathBuf> {
        let folder = self.state.join(bucket);
        if !folder.is_dir() {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        Ok(folder)
    }

    /// The MD5 of a file's content, computed once for each version of it.
    fn etag(&self, path: &Path) -> S3Result<String> {
        let metadata = std::fs::metadata(path).map_err(|error| s3_error!(error, NoSuchKey))?;
        let modified = metadata.modified().map_err(S3Error::internal_error)?;
        let known = |etags: &HashMap<PathBuf, (u64, SystemTime, String)>| {
            let (size, time, etag) = etags.get(path)?;
            (*size == metadata.len() && *time == modified).then(|| etag.clone())
        };
        if let Some(etag) = known(&self.etags.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(etag);
        }
        let etag = md5(path).map_err(|error| s3_error!(error, NoSuchKey))?;
        let mut etags = self.etags.lock().unwrap_or_else(PoisonError::into_inner);
        etags.insert(path.to_owned(), (metadata.len(), modified, etag.clone()));
        Ok(etag)
    }

    /// The whole bucket in the order of its keys; from memory where a token continues.
    fn listing(&self, folder: &Path, continued: bool) -> S3Result<Arc<Vec<Listed>>> {
        let mut kept = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if !continued || kept.is_empty() {
            let mut listed = Vec::new();
            walk(folder, "", &mut listed).map_err(S3Error::internal_error)?;
            listed.extend(self.faults.listed_too().into_iter().map(|key| Listed {
                key,
                size: 1,
                modified: SystemTime::UNIX_EPOCH,
            }));
            listed.sort_by(|a, b| a.key.cmp(&b.key));
            *kept = Arc::new(listed);
        }
        Ok(Arc::clone(&kept))
    }

    fn object(&self, folder: &Path, listed: &Listed, encoded: bool) -> Object {
        let etag = if self.faults.etags_hidden() { None } else { self.etag(&folder.join(&listed.key)).ok() };
        Object {
            key: Some(if encoded { form_encoded(&listed.key) } else { listed.key.clone() }),
            size: i64::try_from(listed.size).ok(),
            last_modified: Some(Timestamp::from(listed.modified)),
            e_tag: etag.map(ETag::Strong),
            ..Object::default()
        }
    }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "this server lists no folders"));
        }
        if !self.faults.may_list() {
            return Err(s3_error!(InternalError, "We encountered an internal error. Please try again."));
        }
        let folder = self.folder(&input.bucket)?;
        let listing = self.listing(&folder, input.continuation_token.is_some())?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let after = input.continuation_token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
        let page = input.max_keys.and_then(|keys| usize::try_from(keys).ok()).unwrap_or(PAGE).min(PAGE);

        let mut rest = listing.iter().filter(|listed| listed.key.starts_with(prefix) && listed.key.as_str() > after);
        let found: Vec<&Listed> = rest.by_ref().take(page).collect();
        let more = rest.next().is_some();
        let encoded = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: i32::try_from(found.len()).ok(),
            max_keys: i32::try_from(page).ok(),
            is_truncated: Some(more),
            next_continuation_token: found.last().filter(|_| more).map(|last| last.key.clone()),
            contents: Some(found.iter().map(|listed| self.object(&folder, listed, encoded)).collect()),
            continuation_token: input.continuation_token,
            prefix: Some(if encoded { form_encoded(prefix) } else { prefix.to_owned() }),
            encoding_type: input.encoding_type,
            name: Some(input.bucket),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let path = self.folder(&request.input.bucket)?.join(&request.input.key);
        if !path.is_file() {
            return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
        }
        let etag = ETag::Strong(self.etag(&path)?);
        let condition = (request.input.if_none_match.clone(), request.input.if_modified_since.clone());
        let mut response = self.files.get_object(request).await?;
        let unchanged = match condition {
            (Some(ETagCondition::Any), _) => true,
            (Some(ETagCondition::ETag(known)), _) => known.weak_cmp(&etag),
            (None, Some(since)) => {
                response.output.last_modified.as_ref().is_some_and(|modified| seconds(modified) <= seconds(&since))
            }
            (None, None) => false,
        };
        if unchanged {
            self.faults.count_unchanged();
            return Err(S3Error::new(S3ErrorCode::NotModified));
        }
        response.output.e_tag = Some(etag);
        let faults = Arc::clone(&self.faults);
        response.output.body = response.output.body.map(|body| {
            StreamingBlob::wrap(body.map(move |part| {
                let part = part.map_err(std::io::Error::other)?;
                faults.count_sent(part.len());
                Ok::<_, std::io::Error>(part)
            }))
        });
        Ok(response)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let path = self.folder(&request.input.bucket)?.join(&request.input.key);
        let etag = self.etag(&path)?;
        let mut response = self.files.head_object(request).await?;
        response.output.e_tag = Some(ETag::Strong(etag));
        Ok(response)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.files.put_object(request).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        self.files.list_buckets(request).await
    }
}

/// Dot files, such as `.gitkeep` and an editor's own, are not objects.
fn walk(folder: &Path, prefix: &str, listed: &mut Vec<Listed>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let metadata = match entry.metadata() {
            // Deleted since the folder was read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let key = format!("{prefix}{name}");
        if metadata.is_dir() {
            walk(&entry.path(), &format!("{key}/"), listed)?;
        } else {
            listed.push(Listed { key, size: metadata.len(), modified: metadata.modified()? });
        }
    }
    Ok(())
}

fn md5(path: &Path) -> std::io::Result<String> {
    use std::fmt::Write as _;
    use std::io::Read as _;

    let mut file = std::fs::File::open(path)?;
    let mut hasher = Md5::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            break;
        }
        hasher.update(part.get(..read).unwrap_or_default());
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// HTTP dates have no fractions, so conditions are compared without them.
fn seconds(timestamp: &Timestamp) -> i64 {
    time_of(timestamp).unwrap_or_default()
}

fn time_of(timestamp: &Timestamp) -> Option<i64> {
    let mut text = Vec::new();
    timestamp.format(TimestampFormat::EpochSeconds, &mut text).ok()?;
    String::from_utf8(text).ok()?.split('.').next()?.parse().ok()
}

/// As `encoding-type=url` has it.
fn form_encoded(key: &str) -> String {
    percent_encoded(key).replace("%20", "+")
}

/// Everything but `/` and what RFC 3986 calls unreserved.
pub(super) fn percent_encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
