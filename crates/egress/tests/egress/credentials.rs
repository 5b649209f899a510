//! Credentials are attached, and nothing of them comes back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use callboard_egress::{Credential, Error, HeaderProfile, Secret, SetHeader};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::support::{NAMED, Reply, Server, egress, get};

/// Sends back what it was sent, in pieces of three bytes and in several spellings.
async fn echo() -> Server {
    Server::start(|seen| {
        let line = seen.header("authorization").to_owned() + seen.header("x-key");
        let text = format!("[{line}] {} {}", line.replace('/', "\\/"), line.replace('/', "%2F").replace('+', "%2B"));
        let chunks = text.as_bytes().chunks(3).map(Bytes::copy_from_slice).collect();
        Reply { status: 200, chunks, ..Reply::default() }
            .with("x-echo", line)
            .with("set-cookie", "session=as-good-as-the-token")
            .with("x-plain", "plain")
    })
    .await
}

#[tokio::test]
async fn attached_and_masked() {
    let server = echo().await;
    let egress = egress();
    let key = HeaderName::from_static("x-key");
    let password = Secret::new("pa/ss+word");
    let url = &server.url;
    let encoded = STANDARD.encode("me:pa/ss+word");
    let check = async |credential: Credential, header: &str, sent: &str, secrets: &[&str]| {
        let mut request = get(url.clone());
        let debug = format!("{credential:?}");
        request.credential = Some(credential);
        let response = egress.send(request, &NAMED).await.unwrap();
        assert_eq!(server.seen().pop().unwrap().header(header), sent);
        assert!(!response.headers.contains_key("set-cookie"));
        assert_eq!(response.headers["x-plain"], "plain");
        let echoed = response.headers["x-echo"].to_str().unwrap().to_owned();
        let body = String::from_utf8(response.body.collect(10_000).await.unwrap().to_vec()).unwrap();
        for secret in secrets {
            for place in [&echoed, &body, &debug] {
                assert!(!place.contains(secret), "{secret} in {place}");
            }
        }
        assert!(body.matches("[masked]").count() >= 3, "{body}");
    };
    let bearer = Credential::bearer(url, &Secret::new("abc/def+ghi")).unwrap();
    check(bearer, "authorization", "Bearer abc/def+ghi", &["abc/def+ghi", "abc\\/def", "abc%2Fdef"]).await;
    let basic = Credential::basic(url, "me", &password).unwrap();
    check(basic, "authorization", &format!("Basic {encoded}"), &[&encoded, "pa/ss+word"]).await;
    let header = Credential::header(url, key.clone(), &password).unwrap();
    check(header, "x-key", "pa/ss+word", &["pa/ss+word", "pa\\/ss", "pa%2Fss%2Bword"]).await;
    let set = |name, value: &str, is_masked| SetHeader { name, value: Secret::new(value), is_masked };
    let both =
        [set(AUTHORIZATION, &format!("Basic {encoded}"), true), set(key, "Token token=\"another-secret\"", true)];
    let both = Credential::headers(url, both).unwrap();
    check(both, "x-key", "Token token=\"another-secret\"", &[&encoded, "pa/ss+word", "another-secret"]).await;

    let mut request = get(url.clone());
    request.credential = Some(Credential::headers(url, [set(AUTHORIZATION, "in clear", false)]).unwrap());
    let response = egress.send(request, &NAMED).await.unwrap();
    assert_eq!(response.headers["x-echo"], "in clear");
}

#[tokio::test]
async fn reading_in_parts() {
    let server = Server::start(|seen| {
        let chunks = vec![Bytes::from(format!("{}!", seen.header("authorization"))), Bytes::from_static(b"rest")];
        Reply { status: 200, chunks, ..Reply::default() }
    })
    .await;
    let mut request = get(server.url.clone());
    request.credential = Some(Credential::bearer(&server.url, &Secret::new("0123456789")).unwrap());
    let mut body = egress().send(request, &NAMED).await.unwrap().body;
    let mut parts = Vec::new();
    while let Some(part) = body.read(4).await.unwrap() {
        assert!((1..=4).contains(&part.len()));
        parts.extend_from_slice(&part);
    }
    assert_eq!(String::from_utf8(parts).unwrap(), "[masked]!rest");
    assert_eq!(body.read(4).await.unwrap(), None);
}

#[tokio::test]
async fn secrets_that_no_header_may_hold() {
    let url = "https://example.com".parse().unwrap();
    let error = Credential::bearer(&url, &Secret::new("s3cr3t\r\nHost: x")).unwrap_err();
    assert!(error.to_string().contains("line break"), "{error}");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}

#[tokio::test]
async fn headers_of_a_plugin() {
    let server = Server::start(|_| Reply::new(200, "")).await;
    let egress = egress();
    for name in ["host", "authorization", "cookie", "proxy-authorization", "x-http-method-override", "te"] {
        let mut request = get(server.url.clone());
        request.headers.insert(name, HeaderValue::from_static("x"));
        let error = egress.send(request, &NAMED).await.unwrap_err();
        assert!(matches!(error, Error::Header { .. }), "{name}: {error:?}");
    }
    let mut request = get(server.url.clone());
    assert!(request.header("x-a", "b\r\nc: d").is_err());
    assert!(server.seen().is_empty());

    request.profile = HeaderProfile::TryItOut;
    for (name, value) in [("user-agent", "browser"), ("origin", "http://portal"), ("sec-fetch-mode", "cors")] {
        request.header(name, value).unwrap();
    }
    egress.send(request, &NAMED).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert!(seen.header("user-agent").starts_with("callboard/"), "{seen:?}");
    let mut names: Vec<&str> = seen.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}
