//! Requests whose bodies are read while they are sent.

use std::time::Duration;

use bytes::Bytes;
use callboard_egress::{Credential, Cut, Error, HeaderProfile, Request, Secret, Upload};
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{Any, NAMED, Reply, Server, egress, get};

fn post(url: Url) -> Request {
    Request { method: Method::POST, profile: HeaderProfile::Proxy, ..get(url) }
}

fn upload(parts: &[&'static str], length: Option<u64>) -> Upload {
    let parts: Vec<_> = parts.iter().map(|part| Ok::<_, String>(Bytes::from_static(part.as_bytes()))).collect();
    Upload::new(stream::iter(parts), length, 100).unwrap()
}

#[tokio::test]
async fn bodies() {
    let server = Server::start(|_| Reply::new(200, "taken")).await;
    let egress = egress();
    let check = async |upload: Option<Upload>, length: &str, chunked: &str, body: &str| {
        let response = egress.pass_on(post(server.at("/a?b=c")), upload, &NAMED).await.unwrap();
        assert_eq!(response.body.collect(100).await.unwrap(), "taken");
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.header("content-length"), seen.header("transfer-encoding")), (length, chunked));
        assert_eq!((seen.target.as_str(), seen.body.as_ref()), ("/a?b=c", body.as_bytes()));
    };
    check(Some(upload(&["ab", "cd"], Some(4))), "4", "", "abcd").await;
    check(Some(upload(&["ab", "cd"], None)), "", "chunked", "abcd").await;
    check(Some(upload(&[], Some(0))), "0", "", "").await;
    check(None, "", "", "").await;
    // What is more than was announced would be read as the next request.
    check(Some(upload(&["ab", "cdGET /evil"], Some(4))), "4", "", "abcd").await;
}

#[tokio::test]
async fn bodies_that_end_early() {
    let server = Server::start(|_| Reply::new(200, "taken")).await;
    let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err("gone")]);
    let broken = Upload::new(broken, None, 100).unwrap();
    let large = stream::iter([Ok::<_, String>(Bytes::from(vec![b'x'; 60])), Ok(Bytes::from(vec![b'x'; 60]))]);
    let large = Upload::new(large, None, 100).unwrap();
    for (upload, expected) in [(broken, Cut::Broken("gone".to_owned())), (large, Cut::TooLarge(100))] {
        let error = egress().pass_on(post(server.at("/")), Some(upload), &NAMED).await.unwrap_err();
        assert!(matches!(&error, Error::Upload { cut, .. } if *cut == expected), "{error:?}");
        assert!(!error.is_transient());
    }
    let less = egress().pass_on(post(server.at("/")), Some(upload(&["ab"], Some(4))), &NAMED).await;
    assert!(matches!(less, Err(Error::Broken { .. })), "{less:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn nothing_is_followed_or_tried_again() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/busy" => Reply::new(503, "").with("retry-after", "0"),
        _ => Reply::to(307, "/elsewhere"),
    })
    .await;
    for (path, status) in [("/busy", 503), ("/redirect", 307)] {
        let request = Request { retry: true, method: Method::GET, ..post(server.at(path)) };
        assert_eq!(egress().pass_on(request, None, &NAMED).await.unwrap().status, status);
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn what_stalls() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/silent" => Reply { silent: true, ..Reply::default() },
        "/open" => Reply { open: true, ..Reply::new(200, "begins") },
        _ => Reply::new(200, "taken"),
    })
    .await;
    let egress = egress();
    let hurried = |path: &str, millis| Request { stall: Some(Duration::from_millis(millis)), ..post(server.at(path)) };
    let error = egress.pass_on(hurried("/silent", 100), None, &NAMED).await.unwrap_err();
    assert!(error.to_string().ends_with("/silent did not answer within 100 ms"), "{error}");
    let response = egress.pass_on(hurried("/open", 1000), None, &NAMED).await.unwrap();
    let error = response.body.collect(100).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { after, .. } if after == Duration::from_secs(1)), "{error:?}");
    // One that takes longer in all than anything may stand still.
    let slow = stream::iter(0..10).then(|_| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok::<_, String>(Bytes::from_static(b"x"))
    });
    let slow = Upload::new(slow, Some(10), 100).unwrap();
    assert_eq!(egress.pass_on(hurried("/", 1000), Some(slow), &NAMED).await.unwrap().status, 200);
    let never = Upload::new(stream::pending::<Result<Bytes, String>>(), None, 100).unwrap();
    let error = egress.pass_on(hurried("/", 100), Some(never), &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn another_host() {
    let server = Server::start(|_| Reply::new(200, "")).await;
    let request = || Request { host: Some(HeaderValue::from_static("portal.example")), ..post(server.at("/")) };
    egress().pass_on(request(), None, &NAMED).await.unwrap();
    assert_eq!(server.seen().pop().unwrap().header("host"), "portal.example");
    let wildcard = Any(callboard_egress::Reach::Public);
    let url: Url = "http://93.184.216.34/".parse().unwrap();
    let error = egress().pass_on(Request { url, ..request() }, None, &wildcard).await.unwrap_err();
    assert!(matches!(error, Error::Header { .. }), "{error:?}");
}

/// What was masked has another length than the upstream announced.
#[tokio::test]
async fn lengths() {
    let server = Server::start(|seen| {
        let body = format!("-{}-", seen.header("x-key"));
        let length = body.len().to_string();
        Reply::new(200, body).with("content-length", length)
    })
    .await;
    let send = async |credential: Option<Credential>| {
        let response = egress().pass_on(Request { credential, ..post(server.at("/")) }, None, &NAMED).await.unwrap();
        let length = response.headers.get("content-length").map(|length| length.to_str().unwrap().to_owned());
        (length, response.body.collect(100).await.unwrap())
    };
    assert_eq!(send(None).await, (Some("2".to_owned()), Bytes::from_static(b"--")));
    let key = Credential::header(&server.url, "x-key".parse().unwrap(), &Secret::new("s3cr3t")).unwrap();
    assert_eq!(send(Some(key)).await, (None, Bytes::from_static(b"-[masked]-")));
}

/// A server that ends the connection, and one that is none.
#[tokio::test]
async fn connections_that_end() {
    for (answer, malformed) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Le", false),
        ("SSH-2.0-OpenSSH\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", true),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _length = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = egress().pass_on(post(url), None, &NAMED).await.unwrap_err();
        let seen = (matches!(error, Error::Malformed { .. }), matches!(error, Error::Broken { .. }));
        assert_eq!(seen, (malformed, !malformed), "{answer:?}: {error:?}");
    }
}
