//! Everything that an upstream can do wrong.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use callboard_egress::{Error, Request};
use http::Method;
use tokio::net::TcpListener;
use url::Url;

use crate::support::{NAMED, Reply, Server, egress, get};

/// 64 KiB of zeros, compressed.
const BOMB: &str = "H4sIAAAAAAACA+3BgQAAAACAIKX96RapCgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAGoLUUloAAABAA==";

#[tokio::test]
async fn too_large() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/announced" => Reply::new(200, "x".repeat(101)).with("content-length", "101"),
        "/streamed" => Reply { status: 200, chunks: vec![Bytes::from(vec![b'x'; 60]); 2], ..Reply::default() },
        "/endless" => {
            Reply { status: 200, chunks: vec![Bytes::from(vec![b'x'; 99]); 2], open: true, ..Reply::default() }
        }
        "/fits" => Reply::new(200, "x".repeat(100)),
        _ => Reply { status: 200, chunks: vec![STANDARD.decode(BOMB).unwrap().into()], ..Reply::default() }
            .with("content-encoding", "gzip"),
    })
    .await;
    let egress = egress();
    let limited = |path: &str, max_body| Request { max_body, ..get(server.at(path)) };
    let error = egress.send(limited("/announced", 100), &NAMED).await.unwrap_err();
    assert!(error.to_string().ends_with("/announced is larger than 100 bytes (it says 101)"), "{error}");
    for path in ["/streamed", "/endless", "/bomb"] {
        let response = egress.send(limited(path, 100), &NAMED).await.unwrap();
        let error = response.body.collect(u64::MAX).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 100, length: None, .. }), "{path}: {error:?}");
    }
    let response = egress.send(limited("/fits", 100), &NAMED).await.unwrap();
    assert_eq!(response.body.collect(100).await.unwrap().len(), 100);
    let response = egress.send(limited("/fits", 1000), &NAMED).await.unwrap();
    assert!(matches!(response.body.collect(99).await, Err(Error::TooLarge { limit: 99, .. })));
    let response = egress.send(limited("/bomb", 65_536), &NAMED).await.unwrap();
    assert_eq!(response.body.collect(u64::MAX).await.unwrap().len(), 65_536);
}

#[tokio::test]
async fn too_slow() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/silent" => Reply { silent: true, ..Reply::new(200, "") },
        _ => Reply { open: true, ..Reply::new(200, "begins") },
    })
    .await;
    let egress = egress();
    let hurried = |path: &str| Request { timeout: Duration::from_millis(100), ..get(server.at(path)) };
    let error = egress.send(hurried("/silent"), &NAMED).await.unwrap_err();
    assert!(error.to_string().ends_with("/silent did not answer within 100 ms"), "{error}");
    assert!(error.is_transient());
    // A server in debug may need its time to answer, so the body gets more.
    let request = Request { timeout: Duration::from_secs(1), ..get(server.at("/open")) };
    let response = egress.send(request, &NAMED).await.unwrap();
    let error = response.body.collect(100).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let egress = egress();
    let error = egress.send(get(format!("http://127.0.0.1:{port}/").parse().unwrap()), &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("no connection to http://127.0.0.1:{port}: ")), "{error}");
    let error = egress.send(get("http://does-not-exist.invalid/".parse().unwrap()), &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::Resolve { .. }), "{error:?}");
    assert!(error.is_transient() && !error.is_refusal());
}

#[tokio::test]
async fn no_secure_connection() {
    let server = Server::start(|_| Reply::new(200, "")).await;
    let url: Url = server.url.as_str().replace("http:", "https:").parse().unwrap();
    let error = egress().send(get(url), &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn not_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _length = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH\r\n").await.unwrap();
    });
    let error = egress().send(get(url), &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }) && error.is_transient(), "{error:?}");
    task.await.unwrap();
}

#[tokio::test]
async fn methods_that_are_not_sent() {
    for method in [Method::CONNECT, Method::TRACE] {
        let request = Request::new(method.clone(), "http://127.0.0.1:1/".parse().unwrap());
        let error = egress().send(request, &NAMED).await.unwrap_err();
        assert!(error.to_string().contains(&format!("{method} is not sent")), "{error}");
        assert!(error.is_refusal());
    }
}
