//! What S3 says when it does not list: its error codes, turned into what to do about them.

use std::time::Duration;

use callboard_sdk::Error;
use serde::Deserialize;

use crate::bucket::Bucket;

/// S3's error document, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) region: Option<String>,
}

impl Failure {
    /// From the body of an answer and its header `x-amz-bucket-region`.
    pub(crate) fn read(body: &[u8], region: Option<&str>) -> Failure {
        // A proxy in between may answer with anything at all; then only the status speaks.
        let mut failure: Failure = quick_xml::de::from_reader(body).unwrap_or_default();
        if failure.region.is_none() {
            failure.region = region.map(str::to_owned);
        }
        failure
    }
}

/// How long to wait before the next attempt; none where another attempt is pointless or there were enough.
pub(crate) fn retry_after(attempt: u32, status: u16, code: &str) -> Option<Duration> {
    const ATTEMPTS: u32 = 4;
    let passing = matches!(status, 429 | 500 | 502 | 503 | 504) || matches!(code, "SlowDown" | "RequestTimeout");
    (passing && attempt < ATTEMPTS).then(|| Duration::from_millis(250 << attempt))
}

/// The error that ends the run, for the person who set the bucket up.
pub(crate) fn explain(bucket: &Bucket, status: u16, failure: &Failure) -> Error {
    let name = &bucket.name;
    let code = failure.code.as_str();
    match code {
        "NoSuchBucket" => Error::NotFound(format!(
            "there is no bucket `{name}` (NoSuchBucket); check bucketName, and accountId where it is in another account"
        )),
        "AccessDenied" | "AllAccessDisabled" => Error::Denied(format!(
            "the credentials may not list the bucket `{name}` ({code}); they need s3:ListBucket on \
             arn:aws:s3:::{name} and s3:GetObject on arn:aws:s3:::{name}/*"
        )),
        "SignatureDoesNotMatch" => Error::Denied(format!(
            "S3 does not accept the signature for the bucket `{name}` (SignatureDoesNotMatch): the secret access key \
             does not belong to the access key id; check integrations.awsS3 or the credentials of the server's \
             environment"
        )),
        "InvalidAccessKeyId" => Error::Denied(format!(
            "S3 does not know the access key id used for the bucket `{name}` (InvalidAccessKeyId); check \
             integrations.awsS3 or the credentials of the server's environment"
        )),
        "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => Error::Denied(format!(
            "the temporary credentials used for the bucket `{name}` are not valid any more ({code})"
        )),
        "RequestTimeTooSkewed" => Error::Denied(format!(
            "S3 refuses the signature for the bucket `{name}` because the server's clock is wrong \
             (RequestTimeTooSkewed); set it right"
        )),
        "SlowDown" | "TooManyRequests" => Error::Throttled(format!(
            "S3 asks to slow down ({code}) and went on asking after several attempts at the bucket `{name}`; the next \
             run tries again"
        )),
        "InvalidBucketName" => Error::Invalid(format!("S3 does not take `{name}` for a bucket's name ({code})")),
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "TemporaryRedirect" => Error::Invalid(match &failure.region {
            Some(region) if *region != bucket.region => format!(
                "the bucket `{name}` is in the region {region}, not in {} ({code}); set `region: {region}` in \
                 catalog.providers.awsS3",
                bucket.region
            ),
            _ => format!(
                "the bucket `{name}` is not in the region {} ({code}); set `region` in catalog.providers.awsS3",
                bucket.region
            ),
        }),
        _ if status == 301 || status == 307 => {
            explain(bucket, status, &Failure { code: "PermanentRedirect".to_owned(), ..failure.clone() })
        }
        _ if status == 429 => {
            explain(bucket, status, &Failure { code: "TooManyRequests".to_owned(), ..failure.clone() })
        }
        "" if status == 403 => {
            Error::Denied(format!("the server refuses to list the bucket `{name}` (status 403, without a reason)"))
        }
        "" if status == 404 => Error::NotFound(format!("there is no bucket `{name}` (status 404)")),
        "" => Error::Unavailable(format!("the server answers the listing of `{name}` with status {status}")),
        _ if status >= 500 => Error::Unavailable(format!(
            "S3 cannot list the bucket `{name}` at the moment ({code}: {})",
            failure.message
        )),
        _ => Error::other(code, format!("S3 does not list the bucket `{name}`: {}", failure.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{BucketSettings, Integration};

    fn xml(code: &str, more: &str) -> String {
        // As Amazon's page on error responses shows it.
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>As it says.</Message>{more}\
             <RequestId>4442587FB7D0A2F9</RequestId><HostId>x</HostId></Error>"
        )
    }

    #[test]
    fn errors_say_what_to_do() {
        let settings = BucketSettings {
            bucket_name: "sample".to_owned(),
            prefix: None,
            region: Some("eu-west-1".to_owned()),
            schedule: None,
            credential: None,
        };
        let bucket = Bucket::new(&settings, &Integration::default()).unwrap();
        let check = |status: u16, body: &str, header: Option<&str>, case: fn(&Error) -> bool, parts: &[&str]| {
            let error = explain(&bucket, status, &Failure::read(body.as_bytes(), header));
            assert!(case(&error), "{error:?}");
            for part in parts {
                assert!(error.to_string().contains(part), "{error} lacks {part}");
            }
        };
        let denied = |error: &Error| matches!(error, Error::Denied(_));
        let missing = |error: &Error| matches!(error, Error::NotFound(_));
        let invalid = |error: &Error| matches!(error, Error::Invalid(_));
        let throttled = |error: &Error| matches!(error, Error::Throttled(_));
        let unavailable = |error: &Error| matches!(error, Error::Unavailable(_));
        let other = |error: &Error| matches!(error, Error::Other { .. });
        check(404, &xml("NoSuchBucket", "<BucketName>sample</BucketName>"), None, missing, &["`sample`", "bucketName"]);
        check(403, &xml("AccessDenied", ""), None, denied, &["s3:ListBucket", "arn:aws:s3:::sample"]);
        check(403, &xml("SignatureDoesNotMatch", ""), None, denied, &["secret access key", "integrations.awsS3"]);
        check(403, &xml("InvalidAccessKeyId", ""), None, denied, &["access key id"]);
        check(400, &xml("ExpiredToken", ""), None, denied, &["not valid any more"]);
        check(403, &xml("RequestTimeTooSkewed", ""), None, denied, &["clock"]);
        check(503, &xml("SlowDown", ""), None, throttled, &["slow down"]);
        check(429, "", None, throttled, &["slow down"]);
        check(
            301,
            &xml("PermanentRedirect", "<Endpoint>sample.s3.ap-southeast-1.amazonaws.com</Endpoint>"),
            Some("ap-southeast-1"),
            invalid,
            &["in the region ap-southeast-1, not in eu-west-1", "set `region: ap-southeast-1`"],
        );
        check(
            400,
            &xml("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"),
            None,
            invalid,
            &["region: us-west-2"],
        );
        check(301, "", None, invalid, &["set `region`"]);
        check(403, "<html>", None, denied, &["without a reason"]);
        check(404, "", None, missing, &["404"]);
        check(502, "Bad Gateway", None, unavailable, &["502"]);
        check(500, &xml("InternalError", ""), None, unavailable, &["As it says."]);
        check(400, &xml("InvalidArgument", ""), None, other, &["As it says.", "InvalidArgument"]);
    }

    #[test]
    fn retries_are_bounded() {
        let waits = |status: u16, code: &str| (0..20).map_while(|attempt| retry_after(attempt, status, code)).count();
        assert_eq!(waits(503, "SlowDown"), 4);
        assert_eq!(waits(500, "InternalError"), 4);
        assert_eq!(waits(403, "AccessDenied"), 0);
        assert_eq!(waits(200, ""), 0);
        assert_eq!(retry_after(0, 503, ""), Some(Duration::from_millis(250)));
        assert_eq!(retry_after(3, 503, ""), Some(Duration::from_secs(2)));
    }
}
