//! Checks a signature as a service does it: from the request as it arrived, by the published steps, with no help of the
//! library that signed it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest as _, Sha256};

use super::Seen;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the signature says about itself, when it is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    pub(crate) signed_headers: String,
}

pub(crate) fn verify(seen: &Seen, secret: &str) -> Signed {
    let authorization = seen.header("authorization").strip_prefix("AWS4-HMAC-SHA256 ").expect("a signature");
    let part = |name: &str| {
        authorization.split(", ").find_map(|part| part.strip_prefix(&format!("{name}="))).expect(name).to_owned()
    };
    let credential = part("Credential");
    let scope: Vec<&str> = credential.split('/').collect();
    let [id, date, region, service, end] = scope[..] else { panic!("{credential}") };
    assert_eq!((service, end), ("s3", "aws4_request"));

    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let again = |text: &str| percent_encode(&percent_decode_str(text).collect::<Vec<u8>>(), ENCODED).to_string();
    let path = path.split('/').map(again).collect::<Vec<_>>().join("/");
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", again(name), again(value))
        })
        .collect();
    pairs.sort();
    let signed_headers = part("SignedHeaders");
    let headers: String =
        signed_headers.split(';').map(|name| format!("{name}:{}\n", seen.header(name).trim())).collect();
    let payload = hex(&Sha256::digest(&seen.body));
    assert_eq!(seen.header("x-amz-content-sha256"), payload);
    let canonical = format!("{}\n{path}\n{}\n{headers}\n{signed_headers}\n{payload}", seen.method, pairs.join("&"));
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{date}/{region}/s3/aws4_request\n{}",
        seen.header("x-amz-date"),
        hex(&Sha256::digest(&canonical))
    );
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    for step in [region, "s3", "aws4_request"] {
        key = hmac(&key, step.as_bytes());
    }
    assert_eq!(part("Signature"), hex(&hmac(&key, text.as_bytes())), "of {canonical}");
    Signed { access_key_id: id.to_owned(), region: region.to_owned(), signed_headers }
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
