//! Signature version 4 of AWS, for S3.

use std::{sync::Arc, time::SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use url::Url;

use crate::{
    Error,
    aws::{BucketUrl, Keys},
    scrub::Pattern,
};

/// Everything but the unreserved characters of RFC 3986, as the signature wants it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How requests to one bucket are signed.
pub(crate) struct Signing {
    keys: Arc<Keys>,
    region: Option<String>,
    default_region: &'static str,
}

impl Signing {
    /// Without a region, the host of each request says which it is, or else the default holds.
    pub(crate) fn new(keys: Arc<Keys>, region: Option<String>, default_region: &'static str) -> Self {
        Self { keys, region, default_region }
    }

    /// Adds the headers of the signature.
    pub(crate) async fn attach(&self, request: &mut reqwest::Request) -> Result<Vec<Pattern>, Error> {
        let credentials = self.keys.current().await?;
        let named = BucketUrl::on_aws(request.url()).and_then(|at| at.region);
        let region = named.as_deref().or(self.region.as_deref()).unwrap_or(self.default_region);
        attach(request, credentials, region, SystemTime::now())
    }

    /// Tells whose signature it is, without anything secret.
    pub(crate) fn identity(&self) -> String {
        format!("{:?} {:?}", self.keys.recipe(), self.region)
    }
}

fn attach(
    request: &mut reqwest::Request,
    credentials: Credentials,
    region: &str,
    now: SystemTime,
) -> Result<Vec<Pattern>, Error> {
    let failed = |what: &dyn std::fmt::Display| Error::Credential(format!("the request could not be signed: {what}"));
    let url = spelled_for_signature(request.url()).map_err(|error| failed(&error))?;
    *request.url_mut() = url;

    let mut masked = vec![Pattern::new(credentials.secret_access_key()), Pattern::new(credentials.access_key_id())];
    masked.extend(credentials.session_token().map(Pattern::new));

    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let body = request.body().map(|body| body.as_bytes().ok_or("its body is a stream")).transpose();
    let body = body.map_err(|error| failed(&error))?.unwrap_or_default();
    let signed: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-amz-") || *name == http::header::CONTENT_TYPE)
        .map(|(name, value)| value.to_str().map(|value| (name.as_str(), value)))
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.url().as_str(),
        signed.into_iter(),
        SignableBody::Bytes(body),
    )
    .map_err(|error| failed(&error))?;
    let (instructions, signature) = sign(signable, &params).map_err(|error| failed(&error))?.into_parts();
    let headers: Vec<_> = instructions
        .headers()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| failed(&error))?;
            let mut value = HeaderValue::from_str(value).map_err(|error| failed(&error))?;
            value.set_sensitive(true);
            Ok((name, value))
        })
        .collect::<Result<_, Error>>()?;
    request.headers_mut().extend(headers);
    masked.push(Pattern::new(&signature));
    Ok(masked)
}

/// The same resource, spelled as the signature is calculated: each segment of the path and each part of the query
/// percent-encoded once. `+` in a path is a plus and becomes `%2B`, because services disagree about it.
fn spelled_for_signature(url: &Url) -> Result<Url, String> {
    let encode = |text: &[u8]| percent_encode(text, ENCODED).to_string();
    let path: Vec<String> =
        url.path().split('/').map(|part| encode(&percent_decode_str(part).collect::<Vec<u8>>())).collect();
    let path = path.join("/");
    let query: Option<Vec<String>> = url.query().map(|_| {
        url.query_pairs()
            .map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes())))
            .collect()
    });
    let mut spelled = url.clone();
    spelled.set_path(&path);
    spelled.set_query(query.map(|query| query.join("&")).as_deref());
    if spelled.path() == path { Ok(spelled) } else { Err(format!("its path cannot be spelled as {path}")) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;

    /// The examples that AWS publishes for "Authenticating Requests: Using the Authorization Header".
    #[test]
    fn published_examples() {
        let check = |url: &str, headers: &[(&'static str, &'static str)], expected: &str| {
            let mut request = reqwest::Request::new(Method::GET, Url::parse(url).unwrap());
            for (name, value) in headers {
                request.headers_mut().insert(*name, HeaderValue::from_static(value));
            }
            let credentials = Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "test",
            );
            // 24 May 2013, 00:00:00 UTC.
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
            attach(&mut request, credentials, "us-east-1", now).unwrap();
            let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            assert_eq!(request.headers()["x-amz-content-sha256"], empty);
            let authorization = request.headers()["authorization"].to_str().unwrap();
            assert!(authorization.starts_with(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
            ));
            assert!(authorization.ends_with(expected), "{authorization}");
        };
        let lifecycle = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        check("https://examplebucket.s3.amazonaws.com/?lifecycle", &[], lifecycle);
        let list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        check("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", &[], list);
        check("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2", &[("accept", "*/*")], list);
    }

    #[test]
    fn a_session_token_is_signed_and_masked() {
        let mut request = reqwest::Request::new(Method::GET, Url::parse("https://b.s3.amazonaws.com/k").unwrap());
        let credentials = Credentials::new("AKIDEXAMPLE", "secret-key", Some("the-token".to_owned()), None, "test");
        let masked = attach(&mut request, credentials, "us-east-1", SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(request.headers()["x-amz-security-token"], "the-token");
        assert!(request.headers()["authorization"].to_str().unwrap().contains("x-amz-security-token"));
        assert_eq!(masked.len(), 4);
    }

    #[test]
    fn spelling() {
        let check = |path: &str, expected: &str| {
            let url = Url::parse(&format!("https://b.s3.amazonaws.com{path}")).unwrap();
            let spelled = spelled_for_signature(&url).unwrap();
            assert_eq!(spelled.as_str(), format!("https://b.s3.amazonaws.com{expected}"), "{path}");
            assert_eq!(spelled_for_signature(&spelled).unwrap(), spelled, "spelling twice changes nothing");
        };
        check("/a b", "/a%20b");
        check("/a%20b", "/a%20b");
        check("/a+b", "/a%2Bb");
        check("/a%2Bb", "/a%2Bb");
        check("/100%25", "/100%25");
        check("/a%2520b", "/a%2520b");
        check("/ünï/日本", "/%C3%BCn%C3%AF/%E6%97%A5%E6%9C%AC");
        check("/a//b/", "/a//b/");
        check("//a", "//a");
        check("/it's(1)!*~-_.", "/it%27s%281%29%21%2A~-_.");
        check("/a=b&c:d@e,f;g$h", "/a%3Db%26c%3Ad%40e%2Cf%3Bg%24h");
        check("/a%2Fb", "/a%2Fb");
        check("/a/..%2Fb", "/a/..%2Fb");
        check("/%00%FF", "/%00%FF");
        check("/?list-type=2&prefix=a b+c%2B", "/?list-type=2&prefix=a%20b%20c%2B");
        check("/?lifecycle", "/?lifecycle=");
        check("/", "/");
    }
}
