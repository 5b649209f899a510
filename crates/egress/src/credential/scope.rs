//! Where a credential is valid.

use std::fmt;

use url::{Origin, Url};

use crate::aws::BucketUrl;

/// An origin, below it a path prefix where one origin serves several owners; or a bucket at AWS, wherever that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `prefix` has no slash at its end and is empty for the whole origin.
    Origin { origin: Origin, shown: String, prefix: String },
    /// The name of a bucket is unique among all accounts and regions, and has several hosts.
    AwsBucket(String),
}

impl Scope {
    pub(crate) fn origin(url: &Url) -> Self {
        let url = crate::target::without_trailing_dot(url.clone());
        Self::Origin { origin: url.origin(), shown: crate::target::origin(&url), prefix: String::new() }
    }

    /// The origin and path of the URL, and everything below.
    pub(crate) fn below(url: &Url) -> Self {
        let origin = url.origin();
        let prefix = url.path().trim_end_matches('/').to_owned();
        Self::Origin { origin, shown: crate::target::origin(url), prefix }
    }

    pub(crate) fn aws_bucket(bucket: &str) -> Self {
        Self::AwsBucket(bucket.to_owned())
    }

    pub(crate) fn covers(&self, url: &Url) -> bool {
        match self {
            Self::Origin { origin, prefix, .. } => {
                let inside = match url.path().strip_prefix(prefix.as_str()) {
                    Some(rest) => prefix.is_empty() || rest.is_empty() || rest.starts_with('/'),
                    None => false,
                };
                // An opaque origin equals only itself, and http(s) URLs never have one.
                inside && origin.is_tuple() && *origin == url.origin()
            }
            Self::AwsBucket(bucket) => BucketUrl::on_aws(url).is_some_and(|at| at.bucket == *bucket),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin { shown, prefix, .. } => write!(f, "{shown}{prefix}"),
            Self::AwsBucket(bucket) => write!(f, "the bucket {bucket} at AWS"),
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
        let bucket = Scope::below(&Url::parse("http://minio:9000/bucket/").unwrap());
        check(&bucket, "http://minio:9000/bucket", true);
        check(&bucket, "http://minio:9000/bucket?list-type=2", true);
        check(&bucket, "http://minio:9000/bucket/key", true);
        check(&bucket, "http://minio:9000/bucket2/key", false);
        check(&bucket, "http://minio:9000/", false);
        check(&bucket, "http://minio:9000/bucket/../other/key", false);
        check(&bucket, "http://minio:9000//bucket/key", false);
        let bucket = Scope::aws_bucket("bucket");
        check(&bucket, "https://bucket.s3.eu-west-1.amazonaws.com/key", true);
        check(&bucket, "https://bucket.s3.amazonaws.com/?list-type=2", true);
        check(&bucket, "https://s3.eu-west-1.amazonaws.com/bucket/key", true);
        check(&bucket, "https://s3.eu-west-1.amazonaws.com/other/key", false);
        check(&bucket, "https://other.s3.eu-west-1.amazonaws.com/bucket/key", false);
        check(&bucket, "http://bucket.s3.eu-west-1.amazonaws.com/key", false);
        check(&bucket, "https://bucket.s3.eu-west-1.amazonaws.com.evil.test/key", false);
    }
}
