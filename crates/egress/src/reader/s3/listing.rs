//! The answer of ListObjectsV2.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// One page of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// None on the last page.
    pub(super) next: Option<String>,
}

/// One object of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    /// The ETag, or what stands in for one where the service lists none.
    pub(super) version: String,
}

/// By the name of its root: any other document would read as the listing of an empty bucket.
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

/// Reads the XML of a page; an error says what is wrong with it.
pub(super) fn read(xml: &[u8]) -> Result<Page, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("its answer is not a listing of S3's: {error}");
    let xml = std::str::from_utf8(xml).map_err(|error| wrong(&error))?;
    let Answer::ListBucketResult(result) = quick_xml::de::from_str(xml).map_err(|error| wrong(&error))?;
    let encoded = result.encoding_type.as_deref() == Some("url");
    let object = |contents: Contents| {
        let key = if encoded { decoded(&contents.key)? } else { contents.key };
        let etag = contents.e_tag.map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
        let version = etag.unwrap_or_else(|| format!("{}:{}", contents.size, contents.last_modified));
        Ok(Object { key, version })
    };
    let objects = result.contents.into_iter().map(object).collect::<Result<_, String>>()?;
    let next = result.next_continuation_token.filter(|_| result.is_truncated);
    if result.is_truncated && next.is_none() {
        return Err("its listing goes on, but it does not say where (no NextContinuationToken)".to_owned());
    }
    Ok(Page { objects, next })
}

/// S3 encodes as forms do: a space is a plus.
fn decoded(key: &str) -> Result<String, String> {
    let key = key.replace('+', " ");
    match percent_decode_str(&key).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(format!("it lists a key that is not UTF-8: {key}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let contents = "<Contents><Key>a/pet+store%2B.yaml</Key><ETag>&quot;70ee-2&quot;</ETag><Size>1</Size></Contents>\
                        <Contents><Key>%C3%BCber</Key><Size>7</Size><LastModified>2026-11-05T10:51:54.000Z</LastModified>\
                        </Contents>";
        let page = |rest: &str| {
            let xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
            read(format!("<ListBucketResult xmlns=\"{xmlns}\">{rest}{contents}</ListBucketResult>").as_bytes())
        };
        let object = |key: &str, version: &str| Object { key: key.to_owned(), version: version.to_owned() };
        let without_etag = "7:2026-11-05T10:51:54.000Z";
        let last = page("<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>").unwrap();
        assert_eq!(last.objects, [object("a/pet store+.yaml", "70ee-2"), object("über", without_etag)]);
        assert_eq!(last.next, None);
        let plain = page("<IsTruncated>true</IsTruncated><NextContinuationToken>1u/=</NextContinuationToken>").unwrap();
        assert_eq!(plain.objects[0], object("a/pet+store%2B.yaml", "70ee-2"));
        assert_eq!(plain.next.as_deref(), Some("1u/="));
        assert!(page("<IsTruncated>true</IsTruncated>").unwrap_err().contains("NextContinuationToken"));
        for wrong in [&b"<html></html>"[..], b"", b"<ListBucketResult><", b"\xFF"] {
            assert!(read(wrong).unwrap_err().contains("not a listing"));
        }
        let not_text =
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%FF</Key></Contents></ListBucketResult>";
        assert!(read(not_text.as_bytes()).unwrap_err().contains("not UTF-8"));
    }
}
