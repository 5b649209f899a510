//! Objects in S3, signed with the keys that the configuration names.

mod listing;
mod search;

use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{Read, ReadError, UrlReader, Validator};
use crate::{Error, Policy, Reach, Refused, Response, aws::BucketUrl, target};

/// How much of an error document is read for its code and message.
const ERROR_DOCUMENT: u64 = 16 << 10;

impl UrlReader {
    pub(super) async fn read_s3(
        &self,
        url: &Url,
        at: &BucketUrl,
        known: Option<&Validator>,
    ) -> Result<Read, ReadError> {
        if at.key.is_empty() {
            let reason = "it names a bucket and no object in it".to_owned();
            return Err(ReadError::Failed { url: target::shown(url), reason, transient: false });
        }
        let limit = self.egress.inner.settings.limits.read_bytes;
        let response = self.ask(at, &mut None, known, limit).await.map_err(|error| error.about(url))?;
        match response.status {
            StatusCode::OK | StatusCode::NOT_MODIFIED => {
                let read = Self::take(response, known).await.map_err(|error| error.about(url))?;
                Ok(match read {
                    // The object is where it was asked for, whatever spelling or region the request took.
                    Read::Content(content) => Read::Content(super::Content { url: url.clone(), ..content }),
                    Read::Unchanged => Read::Unchanged,
                })
            }
            status => {
                let detail = error_document(response).await;
                Err(ReadError::from_status(target::shown(url), status, detail))
            }
        }
    }

    /// Asks for an object or a listing. Without a region, or with the wrong one, the answer says where the bucket is, and
    /// it is asked there.
    async fn ask(
        &self,
        at: &BucketUrl,
        region: &mut Region,
        known: Option<&Validator>,
        limit: u64,
    ) -> Result<Response, ReadError> {
        let response = self.get(at, region.as_deref(), known, limit).await?;
        if response.status.is_success() || at.endpoint.is_some() || region.is_some() {
            return Ok(response);
        }
        match bucket_region(&response.headers).filter(|region| Some(region) != at.region.as_ref()) {
            Some(found) => self.get(at, Some(region.insert(found)), known, limit).await,
            None => Ok(response),
        }
    }

    async fn get(
        &self,
        at: &BucketUrl,
        region: Option<&str>,
        known: Option<&Validator>,
        limit: u64,
    ) -> Result<Response, ReadError> {
        let credential = self.egress.inner.aws.credential_to_read(at, region)?;
        let mut request = self.request(at.to_send(region), known)?;
        // S3 redirects only to tell the region, and says it in a header as well.
        request.max_redirects = 0;
        request.max_body = limit;
        request.credential = Some(credential);
        let reach = if at.endpoint.is_some() { Reach::Named } else { Reach::Public };
        self.send(request, &Object { reach }).await
    }
}

/// Where a bucket turned out to be.
type Region = Option<String>;

/// The one request that was built here; with no redirects there is no other.
struct Object {
    reach: Reach,
}

impl Policy for Object {
    fn check(&self, _method: &Method, _url: &Url) -> Result<Reach, Refused> {
        Ok(self.reach)
    }
}

fn bucket_region(headers: &HeaderMap) -> Option<String> {
    let region = headers.get("x-amz-bucket-region")?.to_str().ok()?;
    // It becomes part of a host.
    region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        .then(|| region.to_owned())
}

/// The code and message of S3's answer; the scrubber has taken the keys out of it.
async fn error_document(response: Response) -> Option<String> {
    let body = match response.body.collect(ERROR_DOCUMENT).await {
        Ok(body) => body,
        Err(error @ Error::TooLarge { .. }) => return Some(format!("with an answer that is no error of S3 ({error})")),
        Err(error) => return Some(format!("and the answer broke off ({error})")),
    };
    let text = String::from_utf8_lossy(&body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inside, _) = rest.split_once(&format!("</{name}>"))?;
        let inside = inside.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        Some(inside.trim().to_owned()).filter(|inside| !inside.is_empty())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}
