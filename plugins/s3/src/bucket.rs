//! Where a bucket is: the URLs of its listing and of its objects.

use callboard_sdk::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::settings::{BucketSettings, Integration};

/// Amazon's default, too.
const REGION: &str = "us-east-1";
/// S3's own maximum.
const KEYS_PER_PAGE: u32 = 1_000;

/// What RFC 3986 calls unreserved stays; that is also what a signature is computed over.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// A key's slashes separate the segments of a path.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A bucket and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) region: String,
    prefix: String,
    /// Without a slash at the end.
    base: String,
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Start,
    /// As S3 gave it.
    Token(String),
    /// Behind this key.
    After(String),
}

impl Bucket {
    pub(crate) fn new(settings: &BucketSettings, integration: &Integration) -> Result<Bucket, Error> {
        let name = &settings.bucket_name;
        if name.is_empty() || !name.chars().all(|each| each.is_ascii_alphanumeric() || ".-_".contains(each)) {
            return Err(Error::Invalid(format!(
                "catalog.providers.awsS3 in app-config: `{name}` cannot be the name of a bucket"
            )));
        }
        let region = settings.region.clone().unwrap_or_else(|| REGION.to_owned());
        if !region.chars().all(|each| each.is_ascii_alphanumeric() || each == '-') {
            return Err(Error::Invalid(format!(
                "catalog.providers.awsS3 in app-config: `{region}` cannot be a region"
            )));
        }
        Ok(Bucket {
            name: name.clone(),
            prefix: settings.prefix.clone().unwrap_or_default(),
            base: base(name, &region, integration),
            region,
        })
    }

    /// The URL of one page of the listing.
    pub(crate) fn listing(&self, position: &Position) -> String {
        let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
        // In the order of the alphabet, as a signature wants it.
        let (continuation, after) = match position {
            Position::Start => (String::new(), String::new()),
            Position::Token(token) => (format!("continuation-token={}&", encode(token)), String::new()),
            Position::After(key) => (String::new(), format!("&start-after={}", encode(key))),
        };
        format!(
            "{}/?{continuation}encoding-type=url&list-type=2&max-keys={KEYS_PER_PAGE}&prefix={}{after}",
            self.base,
            encode(&self.prefix),
        )
    }

    /// The URL of an object.
    pub(crate) fn object(&self, key: &str) -> String {
        format!("{}/{}", self.base, utf8_percent_encode(key, PATH))
    }
}

impl Position {
    pub(crate) fn from_cursor(cursor: Option<&str>) -> Result<Position, Error> {
        let Some(cursor) = cursor else { return Ok(Position::Start) };
        match cursor.split_once(':') {
            Some(("token", token)) => Ok(Position::Token(token.to_owned())),
            Some(("after", key)) => Ok(Position::After(key.to_owned())),
            _ => Err(Error::Invalid(format!("`{cursor}` is not a cursor of this plugin"))),
        }
    }

    pub(crate) fn to_cursor(&self) -> Option<String> {
        match self {
            Position::Start => None,
            Position::Token(token) => Some(format!("token:{token}")),
            Position::After(key) => Some(format!("after:{key}")),
        }
    }
}

fn base(name: &str, region: &str, integration: &Integration) -> String {
    if let Some(endpoint) = &integration.endpoint {
        // Every server understands this form, whatever else it understands, and the right to ask the endpoint covers it.
        return format!("{}/{name}", endpoint.trim_end_matches('/'));
    }
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    // Amazon's certificates cover one label before `s3`, so a name with a dot goes into the path.
    if integration.s3_force_path_style || name.contains('.') {
        format!("https://s3.{region}.{domain}/{name}")
    } else {
        format!("https://{name}.s3.{region}.{domain}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, region: Option<&str>) -> BucketSettings {
        BucketSettings {
            bucket_name: name.to_owned(),
            prefix: Some("a b/ü+".to_owned()),
            region: region.map(str::to_owned),
            schedule: None,
            credential: None,
        }
    }

    #[test]
    fn places() {
        let check = |name: &str, region: Option<&str>, endpoint: Option<&str>, path_style: bool, expected: &str| {
            let integration = Integration { endpoint: endpoint.map(str::to_owned), s3_force_path_style: path_style };
            let bucket = Bucket::new(&settings(name, region), &integration).unwrap();
            assert_eq!(bucket.object("k"), format!("{expected}/k"));
        };
        check("sample", Some("ap-southeast-1"), None, false, "https://sample.s3.ap-southeast-1.amazonaws.com");
        check("sample", None, None, false, "https://sample.s3.us-east-1.amazonaws.com");
        check("sample", Some("eu-west-1"), None, true, "https://s3.eu-west-1.amazonaws.com/sample");
        check("my.sample", Some("eu-west-1"), None, false, "https://s3.eu-west-1.amazonaws.com/my.sample");
        check("sample", Some("cn-north-1"), None, false, "https://sample.s3.cn-north-1.amazonaws.com.cn");
        check("sample", None, Some("http://localhost:9000/"), true, "http://localhost:9000/sample");
        check("sample", None, Some("https://objects.example"), false, "https://objects.example/sample");
        for name in ["", "a/b", "a?b", "a@b", "ü"] {
            assert!(Bucket::new(&settings(name, None), &Integration::default()).is_err(), "{name}");
        }
        assert!(Bucket::new(&settings("a", Some("x.evil.example")), &Integration::default()).is_err());
    }

    #[test]
    fn urls() {
        let bucket = Bucket::new(&settings("sample", None), &Integration::default()).unwrap();
        let base = "https://sample.s3.us-east-1.amazonaws.com";
        let prefix = "prefix=a%20b%2F%C3%BC%2B";
        let list = format!("{base}/?encoding-type=url&list-type=2&max-keys=1000&{prefix}");
        assert_eq!(bucket.listing(&Position::Start), list);
        assert_eq!(bucket.listing(&Position::After("k/ü".to_owned())), format!("{list}&start-after=k%2F%C3%BC"));
        assert_eq!(
            bucket.listing(&Position::Token("1/+=".to_owned())),
            format!("{base}/?continuation-token=1%2F%2B%3D&encoding-type=url&list-type=2&max-keys=1000&{prefix}")
        );
        for (key, path) in [
            ("a/b.yaml", "a/b.yaml"),
            ("with space+plus%.yaml", "with%20space%2Bplus%25.yaml"),
            ("ü/中?#&", "%C3%BC/%E4%B8%AD%3F%23%26"),
            ("a//b", "a//b"),
        ] {
            assert_eq!(bucket.object(key), format!("{base}/{path}"));
        }
    }

    #[test]
    fn cursors() {
        for position in [Position::Token("a:b=".to_owned()), Position::After("k:1".to_owned())] {
            assert_eq!(Position::from_cursor(position.to_cursor().as_deref()), Ok(position));
        }
        assert_eq!(Position::from_cursor(None), Ok(Position::Start));
        assert!(Position::from_cursor(Some("other")).is_err());
    }
}
