//! Objects in a bucket, with static keys.

use callboard_egress::{Egress, Error, Limits, Read, ReadError, Request, S3Binding, Settings, UrlReader, Validator};
use serde_json::{Value, json};

use crate::support::{NAMED, Reply, Seen, Server, get, quick, sigv4::verify, text};

const ID: &str = "AKIDEXAMPLE0000";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn egress(server: &Server) -> Egress {
    let integrations = json!({"awsS3": {
        "endpoint": server.url, "s3ForcePathStyle": true, "accessKeyId": ID, "secretAccessKey": SECRET, "region": "eu-west-1"
    }});
    let settings = Settings::from_values(&Value::Null, &integrations, &Value::Null).unwrap();
    Egress::new(Settings { limits: Limits { read_bytes: 1000, ..quick() }, ..settings }).unwrap()
}

fn reader(server: &Server) -> UrlReader {
    egress(server).reader()
}

fn error(code: &str, seen: &Seen) -> String {
    // S3 sends back what it was signed with.
    format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No &quot;{}&quot; &amp; {SECRET} {}</Message></Error>",
        seen.header("authorization"),
        ID
    )
}

#[tokio::test]
async fn keys_of_every_kind_are_signed_and_asked_for() {
    let server = Server::start(|seen| Reply::new(200, seen.target.clone()).with("etag", "\"1\"")).await;
    let reader = reader(&server);
    let check = async |path: &str, arrives: &str| {
        let url = server.at(&format!("/bucket/{path}"));
        let Read::Content(content) = reader.read(&url, None).await.unwrap() else { panic!("unchanged") };
        assert_eq!(content.url, url, "the URL that was asked for, not the one that was signed");
        assert_eq!(content.body, format!("/bucket/{arrives}"), "{path}");
        let signed = verify(&server.seen().pop().unwrap(), SECRET);
        assert_eq!((signed.access_key_id.as_str(), signed.region.as_str()), (ID, "eu-west-1"));
        assert_eq!(signed.signed_headers, "host;x-amz-content-sha256;x-amz-date");
    };
    check("catalog-info.yaml", "catalog-info.yaml").await;
    check("with%20space.yaml", "with%20space.yaml").await;
    check("with space.yaml", "with%20space.yaml").await;
    check("a+b.yaml", "a%2Bb.yaml").await;
    check("a%2Bb.yaml", "a%2Bb.yaml").await;
    check("100%25.yaml", "100%25.yaml").await;
    check("a%2520b.yaml", "a%2520b.yaml").await;
    check("ünïcode/日本語.yaml", "%C3%BCn%C3%AFcode/%E6%97%A5%E6%9C%AC%E8%AA%9E.yaml").await;
    check("🦀", "%F0%9F%A6%80").await;
    check("no-extension", "no-extension").await;
    check("a//b", "a//b").await;
    check("it's(1)!*.yaml", "it%27s%281%29%21%2A.yaml").await;
    check("a&b=c;d,e:f@g$h", "a%26b%3Dc%3Bd%2Ce%3Af%40g%24h").await;
    check("q%3Fx%23y", "q%3Fx%23y").await;
}

#[tokio::test]
async fn unchanged_objects() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        "\"abc-2\"" => Reply { status: 304, ..Reply::default() },
        _ => Reply::new(200, "text").with("etag", "\"abc-2\""),
    })
    .await;
    let reader = reader(&server);
    let url = server.at("/bucket/key");
    let Read::Content(content) = reader.read(&url, None).await.unwrap() else { panic!("unchanged") };
    assert_eq!(content.validator, Some(Validator("abc-2".to_owned())));
    assert!(matches!(reader.read(&url, content.validator.as_ref()).await, Ok(Read::Unchanged)));
}

#[tokio::test]
async fn errors_of_the_service() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/bucket/missing" => Reply::new(404, error("NoSuchKey", seen)),
        "/bucket/secret" => Reply::new(403, error("SignatureDoesNotMatch", seen)),
        "/bucket/slow" => Reply::new(503, error("SlowDown", seen)),
        "/bucket/odd" => Reply::new(400, "not XML"),
        "/bucket/moved" => Reply::to(307, "/other/key"),
        "/bucket/huge" => Reply::new(403, "x".repeat(20_000)),
        _ => Reply::new(200, "x".repeat(1001)),
    })
    .await;
    let reader = reader(&server);
    let check = async |path: &str, part: &str| {
        let error = reader.read(&server.at(path), None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part), "{path}: {text}");
        assert!(text.contains(server.at(path).as_str()), "{path}: {text}");
        for secret in [ID, SECRET] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
        error
    };
    assert!(matches!(check("/bucket/missing", "404 Not Found: NoSuchKey").await, ReadError::NotFound { .. }));
    let masked = "403 Forbidden: SignatureDoesNotMatch: No \"AWS4-HMAC-SHA256 Credential=[masked]/";
    assert!(matches!(check("/bucket/secret", masked).await, ReadError::Failed { transient: false, .. }));
    assert!(matches!(
        check("/bucket/secret", "Signature=[masked]\" & [masked] [masked]").await,
        ReadError::Failed { .. }
    ));
    let before = server.seen().len();
    assert!(matches!(check("/bucket/slow", "SlowDown").await, ReadError::Throttled { .. }));
    assert_eq!(server.seen().len() - before, 5, "throttled requests are sent again, each signed anew");
    check("/bucket/odd", "400 Bad Request").await;
    check("/bucket/moved", "307 Temporary Redirect").await;
    check("/bucket/huge", "no error of S3").await;
    assert!(matches!(check("/bucket/large", "1000 bytes").await, ReadError::TooLarge { .. }));
    check("/bucket/", "names a bucket and no object").await;
    check("/bucket", "names a bucket and no object").await;
}

#[tokio::test]
async fn only_configured_services_are_signed_for() {
    let own = Server::start(|_| Reply::new(200, "")).await;
    let other = Server::start(|_| Reply::new(200, "")).await;
    let reader = reader(&own);
    let error = reader.read(&other.at("/bucket/key"), None).await.unwrap_err();
    assert!(matches!(error, ReadError::NotAllowed { .. }), "{error:?}");
    // Not the name of a bucket: nothing of S3, and so not allowed either.
    let error = reader.read(&own.at("/UPPER/key"), None).await.unwrap_err();
    assert!(matches!(error, ReadError::NotAllowed { .. }), "{error:?}");
    assert!(own.seen().is_empty() && other.seen().is_empty());
}

#[tokio::test]
async fn a_key_is_only_used_for_its_own_service() {
    let (first, second) =
        (Server::start(|_| Reply::new(200, "1")).await, Server::start(|_| Reply::new(200, "2")).await);
    let integrations = json!({"awsS3": [
        {"endpoint": first.url, "accessKeyId": "AKIDFIRST", "secretAccessKey": "first"},
        {"endpoint": second.url, "accessKeyId": "AKIDSECOND", "secretAccessKey": "second"},
    ]});
    let settings = Settings::from_values(&Value::Null, &integrations, &Value::Null).unwrap();
    let egress = Egress::new(Settings { limits: quick(), ..settings }).unwrap();
    for (server, id, secret) in [(&first, "AKIDFIRST", "first"), (&second, "AKIDSECOND", "second")] {
        egress.reader().read(&server.at("/bucket/key"), None).await.unwrap();
        let signed = verify(&server.seen().pop().unwrap(), secret);
        assert_eq!((signed.access_key_id.as_str(), signed.region.as_str()), (id, "us-east-1"));
        let binding = S3Binding {
            bucket: "bucket".to_owned(),
            region: Some("eu-north-1".to_owned()),
            endpoint: Some(server.url.clone()),
            account_id: None,
        };
        let credential = egress.sigv4_credential(binding).await.unwrap();
        let request = Request { credential: Some(credential), ..get(server.at("/bucket/?list-type=2")) };
        text(&egress, request, &NAMED).await;
        assert_eq!(verify(&server.seen().pop().unwrap(), secret).region, "eu-north-1");
    }
    // Without an endpoint of its own a provider is the first integration's.
    let binding = S3Binding { bucket: "bucket".to_owned(), ..Default::default() };
    let credential = egress.sigv4_credential(binding).await.unwrap();
    let request = Request { credential: Some(credential), ..get(first.at("/bucket/?list-type=2")) };
    text(&egress, request, &NAMED).await;
    verify(&first.seen().pop().unwrap(), "first");
}

#[tokio::test]
async fn a_credential_for_one_bucket() {
    let server = Server::start(|seen| Reply::new(200, error("Echo", seen)).with("x-echo", SECRET)).await;
    let egress = egress(&server);
    let credential =
        egress.sigv4_credential(S3Binding { bucket: "bucket".to_owned(), ..Default::default() }).await.unwrap();
    assert!(!format!("{credential:?}").contains(ID));
    let signed = |path: &str| Request { credential: Some(credential.clone()), ..get(server.at(path)) };

    let mut request = signed("/bucket?list-type=2&prefix=a b/ü+%2B&continuation-token=1/x==");
    request.header("accept", "application/xml").unwrap();
    let response = egress.send(request, &NAMED).await.unwrap();
    assert_eq!(response.headers["x-echo"], "[masked]");
    verify(&server.seen().pop().unwrap(), SECRET);
    let body = text(&egress, signed("/bucket/key"), &NAMED).await;
    assert!(body.contains("Echo") && !body.contains(SECRET) && !body.contains(ID), "{body}");

    for path in ["/other?list-type=2", "/bucket2/key", "/", "/bucket/../other/key", "/bucket/%2e%2e/other/key"] {
        let error = egress.send(signed(path), &NAMED).await.unwrap_err();
        assert!(matches!(error, Error::CredentialNotForOrigin { .. }), "{path}: {error:?}");
    }
    let mut request = signed("/bucket/key");
    request.headers.insert("x-amz-security-token", "mine".parse().unwrap());
    assert!(matches!(egress.send(request, &NAMED).await, Err(Error::Header { .. })));
    assert_eq!(server.seen().len(), 2);

    let error =
        egress.sigv4_credential(S3Binding { bucket: "../x".to_owned(), ..Default::default() }).await.unwrap_err();
    assert!(error.to_string().contains("not the name of a bucket"), "{error}");
}
