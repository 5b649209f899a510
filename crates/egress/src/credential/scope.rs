//! Where a credential is valid.

use std::fmt;

use url::{Origin, Url};

use crate::aws::BucketUrl;

/// An origin; or a bucket, which may share its origin with others, or have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Scheme, host and port.
    Origin { origin: Origin, shown: String },
    /// The name of a bucket is unique among all accounts and regions, and has several hosts.
    AwsBucket(String),
    /// A bucket of another service, in the path or, unless that is forced, before the host.
    Bucket { endpoint: Url, bucket: String, force_path_style: bool },
}

impl Scope {
    pub(crate) fn origin(url: &Url) -> Self {
        let url = crate::target::without_trailing_dot(url.clone());
        Self::Origin { origin: url.origin(), shown: crate::target::origin(&url) }
    }

    pub(crate) fn covers(&self, url: &Url) -> bool {
        match self {
            // An opaque origin equals only itself, and http(s) URLs never have one.
            Self::Origin { origin, .. } => origin.is_tuple() && *origin == url.origin(),
            Self::AwsBucket(bucket) => BucketUrl::on_aws(url).is_some_and(|at| at.bucket == *bucket),
            Self::Bucket { endpoint, bucket, force_path_style } => {
                BucketUrl::on_endpoint(url, endpoint, *force_path_style).is_some_and(|at| at.bucket == *bucket)
            }
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin { shown, .. } => f.write_str(shown),
            Self::AwsBucket(bucket) => write!(f, "the bucket {bucket} at AWS"),
            Self::Bucket { endpoint, bucket, .. } => {
                write!(f, "the bucket {bucket} at {}", crate::target::origin(endpoint))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers() {
        let check = |scope: &Scope, url: &str, expected: bool| {
            assert_eq!(scope.covers(&Url::parse(url).unwrap()), expected, "{scope} {url}");
        };
        let origin = Scope::origin(&Url::parse("https://api.example.com/ignored?x").unwrap());
        check(&origin, "https://api.example.com/", true);
        check(&origin, "https://api.example.com:443/a?b", true);
        check(&origin, "https://API.example.com/a", true);
        check(&origin, "http://api.example.com/", false);
        check(&origin, "https://api.example.com:8443/", false);
        check(&origin, "https://api.example.com.evil.test/", false);
        check(&origin, "https://evil.test/https://api.example.com/", false);
        let bucket = Scope::Bucket {
            endpoint: Url::parse("http://minio:9000").unwrap(),
            bucket: "bucket".to_owned(),
            force_path_style: false,
        };
        check(&bucket, "http://bucket.minio:9000/key", true);
        check(&bucket, "http://bucket2.minio:9000/key", false);
        check(&bucket, "http://x.bucket.minio:9000/key", false);
        check(&bucket, "http://minio:9000/%62ucket/key", false);
        check(&bucket, "http://minio:9000/bucket%2Fkey", false);
        check(&bucket, "http://minio:9000/bucket", true);
        check(&bucket, "http://minio:9000/bucket?list-type=2", true);
        check(&bucket, "http://minio:9000/bucket/key", true);
        check(&bucket, "http://minio:9000/bucket2/key", false);
        check(&bucket, "http://minio:9000/", false);
        check(&bucket, "http://minio:9000/bucket/../other/key", false);
        check(&bucket, "http://minio:9000//bucket/key", false);
        let bucket = Scope::AwsBucket("bucket".to_owned());
        check(&bucket, "https://bucket.s3.eu-west-1.amazonaws.com/key", true);
        check(&bucket, "https://bucket.s3.amazonaws.com/?list-type=2", true);
        check(&bucket, "https://s3.eu-west-1.amazonaws.com/bucket/key", true);
        check(&bucket, "https://s3.eu-west-1.amazonaws.com/other/key", false);
        check(&bucket, "https://other.s3.eu-west-1.amazonaws.com/bucket/key", false);
        check(&bucket, "http://bucket.s3.eu-west-1.amazonaws.com/key", false);
        check(&bucket, "https://bucket.s3.eu-west-1.amazonaws.com.evil.test/key", false);
    }
}
