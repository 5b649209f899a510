//! The answer of ListObjectsV2.

use callboard_sdk::Error;
use serde::Deserialize;

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<Object>,
    /// None on the last page.
    pub(crate) next: Option<String>,
}

/// One object of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) etag: Option<String>,
    pub(crate) size: u64,
    /// RFC 3339.
    pub(crate) last_modified: String,
}

/// By the name of its root: an error page of a proxy would otherwise be a bucket without objects, and everything that
/// came from it would go.
#[derive(Deserialize)]
enum Answer {
    ListBucketResult(ListBucketResult),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    is_truncated: bool,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
    #[serde(default)]
    contents: Vec<Contents>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    #[serde(default)]
    key: String,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    last_modified: String,
}

/// Reads the XML of a listing.
pub(crate) fn read(xml: &[u8]) -> Result<Listing, Error> {
    let Answer::ListBucketResult(result) = quick_xml::de::from_reader(xml)
        .map_err(|error| Error::Unavailable(format!("the server's answer is not a listing of S3's: {error}")))?;
    let encoded = result.encoding_type.as_deref() == Some("url");
    let objects = result
        .contents
        .into_iter()
        .map(|contents| {
            let key = if encoded { decode(&contents.key)? } else { contents.key };
            let etag = contents.e_tag.map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
            Ok(Object { key, etag, size: contents.size, last_modified: contents.last_modified })
        })
        .collect::<Result<_, Error>>()?;
    let next = result.next_continuation_token.filter(|_| result.is_truncated);
    if result.is_truncated && next.is_none() {
        return Err(Error::Unavailable(
            "the server says that its listing goes on, but not where (no NextContinuationToken)".to_owned(),
        ));
    }
    Ok(Listing { objects, next })
}

/// S3 encodes as forms do: a space is a plus.
fn decode(key: &str) -> Result<String, Error> {
    percent_encoding::percent_decode_str(&key.replace('+', " "))
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::Unavailable(format!("the server lists a key that is not UTF-8: {key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of the example in Amazon's reference of ListObjectsV2, with the keys in question.
    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>example-bucket</Name>
  <Prefix>apis%2F</Prefix>
  <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
  <KeyCount>3</KeyCount>
  <MaxKeys>3</MaxKeys>
  <EncodingType>url</EncodingType>
  <IsTruncated>true</IsTruncated>
  <Contents>
    <Key>apis/pet+store.yaml</Key>
    <LastModified>2026-11-05T10:51:54.000Z</LastModified>
    <ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag>
    <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>
    <Size>1111</Size>
    <StorageClass>STANDARD</StorageClass>
  </Contents>
  <Contents>
    <Key>apis/100%25+a%2Bb%26c.yaml</Key>
    <LastModified>2026-11-05T10:51:54.000Z</LastModified>
    <ETag>"b2-2"</ETag>
    <Size>5368709121</Size>
  </Contents>
  <Contents>
    <Key>apis/%C3%BCber%0A%E4%B8%AD</Key>
    <LastModified>2026-11-05T10:51:54.000Z</LastModified>
    <Size>0</Size>
  </Contents>
  <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>
</ListBucketResult>"#;

    #[test]
    fn a_page() {
        let listing = read(PAGE.as_bytes()).unwrap();
        assert_eq!(listing.next.as_deref(), Some("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="));
        let found: Vec<_> =
            listing.objects.iter().map(|object| (object.key.as_str(), object.etag.as_deref(), object.size)).collect();
        assert_eq!(
            found,
            [
                ("apis/pet store.yaml", Some("70ee1738b6b21e2c8a43f3a5ab0eee71"), 1111),
                ("apis/100% a+b&c.yaml", Some("b2-2"), 5_368_709_121),
                ("apis/über\n中", None, 0),
            ]
        );
    }

    #[test]
    fn other_answers() {
        let check = |xml: &str, expected: Result<&[&str], &str>| match (read(xml.as_bytes()), expected) {
            (Ok(listing), Ok(keys)) => {
                assert_eq!(listing.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), keys);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (result, _) => panic!("{xml}: {result:?}"),
        };
        check("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", Ok(&[]));
        // Servers that do not know `encoding-type` send keys as they are.
        check(
            "<ListBucketResult><Contents><Key>a+b%20c &amp; d</Key></Contents></ListBucketResult>",
            Ok(&["a+b%20c & d"]),
        );
        check(
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%FF</Key></Contents></ListBucketResult>",
            Err("not UTF-8"),
        );
        check("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", Err("but not where"));
        check("<html>login</html", Err("not a listing"));
        check("<html><body>Sign in</body></html>", Err("not a listing"));
        check("<Error><Code>SlowDown</Code></Error>", Err("not a listing"));
        check("", Err("not a listing"));
    }
}
