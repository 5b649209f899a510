//! URLs of buckets and objects.

use std::net::Ipv4Addr;

use url::{Host, Url};

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketUrl {
    /// The URL to ask.
    pub(crate) url: Url,
    /// The bucket.
    pub(crate) bucket: String,
    /// The path of the object below the bucket, as the URL spells it, without the slash before it.
    pub(crate) key: String,
    /// The region that the host names.
    pub(crate) region: Option<String>,
    /// The configured endpoint, unless it is AWS.
    pub(crate) endpoint: Option<Url>,
    /// Whether the bucket stands in the path.
    path_style: bool,
}

impl BucketUrl {
    /// Reads a URL of AWS: `<bucket>.s3[.-]<region>.amazonaws.com/<key>` or `s3.<region>.amazonaws.com/<bucket>/<key>`.
    pub(crate) fn on_aws(url: &Url) -> Option<Self> {
        if url.scheme() != "https" || url.port().is_some() {
            return None;
        }
        let Host::Domain(host) = url.host()? else { return None };
        let host = host.trim_end_matches('.');
        let service = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        let (bucket, region) = split_service(service)?;
        let path = url.path().strip_prefix('/')?;
        let (bucket, key, path_style) = match bucket {
            Some(bucket) => (bucket, path, false),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (bucket, key, true)
            }
        };
        is_name(bucket).then(|| Self {
            url: url.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            region: region.map(str::to_owned),
            endpoint: None,
            path_style,
        })
    }

    /// Reads a URL of a service of one's own: the bucket is the label before the endpoint's host, or stands in the path.
    pub(crate) fn on_endpoint(url: &Url, endpoint: &Url, force_path_style: bool) -> Option<Self> {
        if url.scheme() != endpoint.scheme() || url.port_or_known_default() != endpoint.port_or_known_default() {
            return None;
        }
        let (host, own) = (url.host_str()?.trim_end_matches('.'), endpoint.host_str()?.trim_end_matches('.'));
        let path = url.path().strip_prefix('/')?;
        let (bucket, key, path_style) = if host == own {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (bucket, key, true)
        } else if force_path_style {
            return None;
        } else {
            (host.strip_suffix(own)?.strip_suffix('.')?, path, false)
        };
        // One label below the endpoint is a bucket; more would be a wildcard that nobody configured.
        if !is_name(bucket) || (!path_style && bucket.contains('.')) {
            return None;
        }
        Some(Self {
            url: url.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            region: None,
            endpoint: Some(endpoint.clone()),
            path_style,
        })
    }

    /// The bucket without the object, as a listing is asked for.
    pub(crate) fn bucket_alone(&self) -> Self {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_path(&if self.path_style { format!("/{}/", self.bucket) } else { "/".to_owned() });
        Self { url, key: String::new(), ..self.clone() }
    }

    /// The URL to send, which differs from the one that was given where that could not work: a bucket with dots in its
    /// name does not fit the certificate of its own host, and a bucket of another region is asked there.
    pub(crate) fn to_send(&self, region: Option<&str>) -> Url {
        let moved = region.is_some() && region != self.region.as_deref();
        let dotted = !self.path_style && self.bucket.contains('.');
        if self.endpoint.is_some() || !(moved || dotted) {
            return self.url.clone();
        }
        let region = region.or(self.region.as_deref()).unwrap_or(super::DEFAULT_REGION);
        let tail = if self.url.host_str().is_some_and(|host| host.ends_with(".cn")) { ".cn" } else { "" };
        let mut url = self.url.clone();
        let host = format!("s3.{region}.amazonaws.com{tail}");
        if dotted || self.path_style {
            url.set_path(&format!("/{}/{}", self.bucket, self.key));
            return if url.set_host(Some(&host)).is_ok() { url } else { self.url.clone() };
        }
        if url.set_host(Some(&format!("{}.{host}", self.bucket))).is_ok() { url } else { self.url.clone() }
    }
}

/// Takes `[bucket.]s3[.-]region` apart; the variants for IPv6 and FIPS name themselves before the region.
fn split_service(service: &str) -> Option<(Option<&str>, Option<&str>)> {
    let labels: Vec<&str> = service.split('.').collect();
    for at in (0..labels.len()).rev() {
        let label = labels.get(at)?;
        let after = labels.get(at + 1..)?;
        let region = match (*label, after) {
            ("s3" | "s3-fips", []) => None,
            ("s3" | "s3-fips", ["dualstack", region] | [region]) if is_region(region) => Some(*region),
            (legacy, []) => match legacy.strip_prefix("s3-") {
                Some(region) if is_region(region) => Some(region),
                _ => continue,
            },
            _ => continue,
        };
        let before: usize = labels.get(..at)?.iter().map(|label| label.len() + 1).sum();
        let bucket = service.get(..before.saturating_sub(1)).filter(|bucket| !bucket.is_empty());
        return Some((bucket, region));
    }
    None
}

fn is_region(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether the endpoint is one of AWS itself, so that its buckets have AWS's URLs.
pub(crate) fn is_aws(endpoint: &Url) -> bool {
    endpoint.scheme() == "https"
        && endpoint.port().is_none()
        && endpoint
            .host_str()
            .is_some_and(|host| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

/// After the naming rules of S3, a little wider for the older buckets that other services have.
pub(crate) fn is_name(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_'))
        && !text.starts_with(['.', '-'])
        && !text.ends_with(['.', '-'])
        && !text.contains("..")
        && text.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_urls() {
        let check = |url: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let seen = BucketUrl::on_aws(&Url::parse(url).unwrap());
            let seen = seen.as_ref().map(|at| (at.bucket.as_str(), at.key.as_str(), at.region.as_deref()));
            assert_eq!(seen, expected, "{url}");
        };
        check("https://bucket.s3.eu-west-1.amazonaws.com/a/b.yaml", Some(("bucket", "a/b.yaml", Some("eu-west-1"))));
        check("https://bucket.s3-eu-west-1.amazonaws.com/a", Some(("bucket", "a", Some("eu-west-1"))));
        check("https://bucket.s3.amazonaws.com/a", Some(("bucket", "a", None)));
        check("https://my.own.bucket.s3.us-east-2.amazonaws.com/a", Some(("my.own.bucket", "a", Some("us-east-2"))));
        check("https://s3.bucket.s3.us-east-2.amazonaws.com/a", Some(("s3.bucket", "a", Some("us-east-2"))));
        check("https://s3.eu-west-1.amazonaws.com/bucket/a/b", Some(("bucket", "a/b", Some("eu-west-1"))));
        check("https://s3-eu-west-1.amazonaws.com/bucket/a", Some(("bucket", "a", Some("eu-west-1"))));
        check("https://s3.amazonaws.com/bucket/a", Some(("bucket", "a", None)));
        check("https://s3.amazonaws.com/bucket", Some(("bucket", "", None)));
        check("https://s3.dualstack.eu-west-1.amazonaws.com/bucket/a", Some(("bucket", "a", Some("eu-west-1"))));
        check("https://bucket.s3.cn-north-1.amazonaws.com.cn/a", Some(("bucket", "a", Some("cn-north-1"))));
        check("https://bucket.s3.eu-west-1.amazonaws.com//a", Some(("bucket", "/a", Some("eu-west-1"))));
        check("https://bucket.s3.eu-west-1.amazonaws.com/a%20b%2Bc", Some(("bucket", "a%20b%2Bc", Some("eu-west-1"))));
        check("http://bucket.s3.eu-west-1.amazonaws.com/a", None);
        check("https://bucket.s3.eu-west-1.amazonaws.com:8443/a", None);
        check("https://bucket.s3.eu-west-1.amazonaws.com.evil.test/a", None);
        check("https://bucket.s3.evil.test/a", None);
        check("https://ec2.eu-west-1.amazonaws.com/bucket/a", None);
        check("https://s3.amazonaws.com/", None);
        check("https://s3.amazonaws.com/No/a", None);
        check("https://amazonaws.com/bucket/a", None);
        check("https://execute-api.s3x.amazonaws.com/a", None);
    }

    #[test]
    fn own_endpoints() {
        let check = |endpoint: &str, path_style: bool, url: &str, expected: Option<(&str, &str)>| {
            let seen = BucketUrl::on_endpoint(&Url::parse(url).unwrap(), &Url::parse(endpoint).unwrap(), path_style);
            let parts = seen.as_ref().map(|at| (at.bucket.as_str(), at.key.as_str()));
            assert_eq!(parts, expected, "{url} on {endpoint}");
        };
        let minio = "http://minio:9000";
        check(minio, true, "http://minio:9000/bucket/a/b", Some(("bucket", "a/b")));
        check(minio, false, "http://minio:9000/bucket/a", Some(("bucket", "a")));
        check(minio, false, "http://bucket.minio:9000/a", Some(("bucket", "a")));
        check(minio, true, "http://bucket.minio:9000/a", None);
        check(minio, false, "http://other.bucket.minio:9000/a", None);
        check(minio, true, "http://minio:9001/bucket/a", None);
        check(minio, true, "https://minio:9000/bucket/a", None);
        check(minio, false, "http://notminio:9000/bucket/a", None);
        check("http://127.0.0.1:9000", true, "http://127.0.0.1:9000/bucket/a", Some(("bucket", "a")));
    }

    #[test]
    fn urls_to_send() {
        let check = |url: &str, region: Option<&str>, expected: &str| {
            let at = BucketUrl::on_aws(&Url::parse(url).unwrap()).unwrap();
            assert_eq!(at.to_send(region).as_str(), expected);
        };
        let plain = "https://bucket.s3.eu-west-1.amazonaws.com/a%20b";
        check(plain, None, plain);
        check(plain, Some("eu-west-1"), plain);
        check(plain, Some("us-west-2"), "https://bucket.s3.us-west-2.amazonaws.com/a%20b");
        check("https://a.b.s3.eu-west-1.amazonaws.com/k", None, "https://s3.eu-west-1.amazonaws.com/a.b/k");
        check("https://s3.amazonaws.com/bucket/k", Some("eu-west-1"), "https://s3.eu-west-1.amazonaws.com/bucket/k");
        check(
            "https://bucket.s3.cn-north-1.amazonaws.com.cn/k",
            Some("cn-northwest-1"),
            "https://bucket.s3.cn-northwest-1.amazonaws.com.cn/k",
        );
    }

    #[test]
    fn buckets_alone() {
        let check = |url: &str, region: Option<&str>, expected: &str| {
            let at = BucketUrl::on_aws(&Url::parse(url).unwrap()).unwrap().bucket_alone();
            assert_eq!(at.to_send(region).as_str(), expected);
        };
        let host = "https://bucket.s3.eu-west-1.amazonaws.com/";
        check("https://bucket.s3.eu-west-1.amazonaws.com/a/*.yaml?x", None, host);
        check("https://bucket.s3.amazonaws.com/a/*.yaml", Some("eu-west-1"), host);
        check("https://s3.amazonaws.com/bucket/**", Some("eu-west-1"), "https://s3.eu-west-1.amazonaws.com/bucket/");
        check("https://a.b.s3.eu-west-1.amazonaws.com/*", None, "https://s3.eu-west-1.amazonaws.com/a.b/");
    }

    #[test]
    fn names() {
        let check = |name: &str, expected: bool| assert_eq!(is_name(name), expected, "{name}");
        for name in ["abc", "my-bucket", "my.bucket", "a1b", "old_bucket"] {
            check(name, true);
        }
        for name in ["ab", "UPPER", "-abc", "abc.", "a..b", "127.0.0.1", "a/b", "a%2fb", "", "a b"] {
            check(name, false);
        }
    }
}
