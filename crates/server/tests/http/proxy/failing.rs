//! Services that are away, slow or hostile.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Upstream, reader};

/// A service that reads the head of a request, writes this, and ends the connection or not.
async fn writes(answer: &'static [u8], ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _length = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(answer).await.unwrap();
            if !ends {
                open.push(stream);
            }
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_do_not_answer() {
    let upstream = Upstream::start().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hurried = |target: String| json!({ "target": target, "proxyTimeout": 200 });
    let (_portal, client) = reader(json!({
        "/refused": format!("http://{nobody}"),
        "/nowhere": "http://does-not-exist.invalid",
        "/silent": hurried(writes(b"", false).await),
        "/slow": hurried(writes(b"HTTP/1.1 200 OK\r\nContent-Le", false).await),
        "/reset": writes(b"", true).await,
        "/half": writes(b"HTTP/1.1 200 OK\r\nContent-Le", true).await,
        "/ssh": writes(b"SSH-2.0-OpenSSH\r\n", true).await,
        "/split": writes(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", true).await,
        "/switch": writes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false).await,
        "/tls": upstream.url("").replace("http:", "https:"),
        "/large": writes(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", false).await,
    }))
    .await;
    for (endpoint, status, reason) in [
        ("refused", 504, "there is no connection to its target"),
        ("nowhere", 504, "the name of its target cannot be resolved"),
        ("silent", 504, "its target did not answer in time"),
        ("slow", 504, "its target did not answer in time"),
        ("reset", 504, "the connection to its target broke"),
        ("half", 504, "the connection to its target broke"),
        ("ssh", 502, "its target did not answer in HTTP"),
        ("split", 502, "its target did not answer in HTTP"),
        ("switch", 502, "its target wants another protocol"),
        ("tls", 500, "there is no secure connection to its target"),
        ("large", 500, "the answer of its target is too large"),
    ] {
        let answer = client.get(&format!("/api/proxy/{endpoint}/a?b")).await;
        let expected = format!("Error occurred while trying to proxy: /{endpoint}: {reason}");
        assert_eq!((answer.status, answer.text()), (status, expected));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{endpoint}");
        // The portal goes on, and so does the next request to the same service.
        assert_eq!(client.get(&format!("/api/proxy/{endpoint}")).await.status, status, "{endpoint}");
    }
}

/// A body that ends too early is not one that has ended.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_off() {
    let hurried = |target: String| json!({ "target": target, "proxyTimeout": 200 });
    let (_portal, client) = reader(json!({
        "/length": writes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true).await,
        "/chunks": writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true).await,
        "/stalls": hurried(writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false).await),
    }))
    .await;
    for endpoint in ["length", "chunks", "stalls"] {
        let mut stream = client.connect().await;
        let request = format!(
            "GET /api/proxy/{endpoint} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {}\r\n\r\n",
            client.cookie.as_deref().unwrap()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // It may be a clean end or a reset, and is no end of the message.
        let _end = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        // The connection may end before the head was written.
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let head = head.to_lowercase();
        assert!(head.is_empty() || head.starts_with("http/1.1 200"), "{endpoint}: {head}");
        let whole = match head.contains("transfer-encoding: chunked") {
            true => body.ends_with("0\r\n\r\n"),
            false => !head.is_empty() && (!head.contains("content-length: 10") || body.len() >= 10),
        };
        assert!(!whole, "{endpoint}: {answer:?}");
    }
}

/// A redirect is an answer. Nothing follows it, whatever is there.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_redirects() {
    let (upstream, inside) = (Upstream::start().await, Upstream::start().await);
    let headers = json!({ "X-Api-Key": "canary-key" });
    let (_portal, client) = reader(json!({
        "/x": { "target": upstream.url(""), "headers": headers },
        "/location": { "target": upstream.url(""), "headers": headers, "allowedHeaders": ["Location"] },
    }))
    .await;
    for target in
        [inside.url("/admin"), "http://169.254.169.254/latest/meta-data/".to_owned(), "file:///etc/passwd".to_owned()]
    {
        for status in [301, 302, 303, 307, 308] {
            let query = format!("status={status}&location={target}");
            let answer = client.get(&format!("/api/proxy/x?{query}")).await;
            assert_eq!((answer.status, answer.header("location")), (status, None), "{target}");
            let answer = client.get(&format!("/api/proxy/location?{query}")).await;
            assert_eq!((answer.status, answer.header("location")), (status, Some(target.as_str())), "{target}");
            assert_eq!((upstream.asked().len(), inside.asked().len()), (2, 0), "{target}");
        }
    }
}
