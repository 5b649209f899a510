//! Bodies pass through and are never held.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::{Router, routing};
use futures::StreamExt;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::portal::TestPortal;

const PART: usize = 64 * 1024;

/// 32 MiB, of which what two connections' buffers hold is a part.
const PARTS: usize = 512;

/// What may be under way at a time: the system's buffers of two connections and a few parts. Without them being full it is
/// much less.
const UNDER_WAY: usize = 24 * 1024 * 1024;

fn part(index: usize) -> Bytes {
    Bytes::from(vec![u8::try_from(index % 251).unwrap(); PART])
}

fn digest() -> String {
    let mut hash = Sha256::new();
    (0..PARTS).for_each(|index| hash.update(part(index)));
    hex::encode(hash.finalize())
}

#[derive(Clone)]
struct Upstream {
    /// Bytes that were handed out.
    sent: Arc<AtomicUsize>,
    /// Lets the service begin to read.
    reads: Arc<Semaphore>,
    host: String,
}

impl Upstream {
    async fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let upstream = Upstream { sent: Arc::default(), reads: Arc::new(Semaphore::new(0)), host };
        let router = Router::new()
            .route("/down", routing::get(down))
            .route("/up", routing::post(up))
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }
}

async fn down(State(upstream): State<Upstream>) -> Body {
    let parts = futures::stream::iter(0..PARTS).map(move |index| {
        upstream.sent.fetch_add(PART, Ordering::SeqCst);
        Ok::<_, Infallible>(part(index))
    });
    Body::from_stream(parts)
}

async fn up(State(upstream): State<Upstream>, body: Body) -> String {
    upstream.reads.acquire().await.unwrap().forget();
    let mut hash = Sha256::new();
    let mut stream = body.into_data_stream();
    while let Some(part) = stream.next().await {
        hash.update(part.unwrap());
    }
    hex::encode(hash.finalize())
}

async fn portal(upstream: &Upstream) -> (TestPortal, Client) {
    let endpoint = json!({
        "target": format!("http://{}", upstream.host),
        "allowedMethods": ["GET", "POST"],
        "headers": { "X-Api-Key": "canary-key" },
    });
    let config = json!({
        "permission": { "policy": [{ "allow": ["**"], "to": ["signed-in"] }] },
        "proxy": { "endpoints": { "/x": endpoint } },
    });
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    (portal, client)
}

fn head(client: &Client, method: &str, path: &str, more: &str) -> String {
    let origin = client.base.origin().ascii_serialization();
    let cookie = client.cookie.as_deref().unwrap();
    format!(
        "{method} /api/proxy/x/{path} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nCookie: {cookie}\r\nConnection: close\r\n{more}\r\n"
    )
}

/// Waits until a number no longer grows.
async fn settled(number: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (number(), 0);
    while same < 25 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = number();
        same = if now == last && now > 0 { same + 1 } else { 0 };
        last = now;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn answers() {
    let upstream = Upstream::start().await;
    let (_portal, client) = portal(&upstream).await;
    let mut stream = client.connect().await;
    stream.write_all(head(&client, "GET", "down", "").as_bytes()).await.unwrap();
    // Nobody reads, so the service is not read from either.
    let under_way = settled(|| upstream.sent.load(Ordering::SeqCst)).await;
    assert!(under_way < UNDER_WAY, "{under_way} bytes of {}", PARTS * PART);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let body = crate::client::parse(&answer).body;
    assert_eq!(body.len(), PARTS * PART);
    assert_eq!(hex::encode(Sha256::digest(&body)), digest());
    assert_eq!(upstream.sent.load(Ordering::SeqCst), PARTS * PART);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests() {
    let upstream = Upstream::start().await;
    let (_portal, client) = portal(&upstream).await;
    for framing in [format!("Content-Length: {}\r\n", PARTS * PART), "Transfer-Encoding: chunked\r\n".to_owned()] {
        let chunked = framing.starts_with('T');
        let (mut reader, mut writer) = client.connect().await.into_split();
        writer.write_all(head(&client, "POST", "up", &framing).as_bytes()).await.unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let writing = tokio::spawn(async move {
            for index in 0..PARTS {
                if chunked {
                    writer.write_all(format!("{PART:x}\r\n").as_bytes()).await.unwrap();
                }
                writer.write_all(&part(index)).await.unwrap();
                if chunked {
                    writer.write_all(b"\r\n").await.unwrap();
                }
                counter.fetch_add(PART, Ordering::SeqCst);
            }
            if chunked {
                writer.write_all(b"0\r\n\r\n").await.unwrap();
            }
            writer
        });
        // The service does not read, so neither does the portal.
        let under_way = settled(|| taken.load(Ordering::SeqCst)).await;
        assert!(under_way < UNDER_WAY, "{framing}: {under_way} bytes of {}", PARTS * PART);
        upstream.reads.add_permits(1);
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.unwrap();
        let answer = crate::client::parse(&answer);
        assert_eq!((answer.status, answer.text()), (200, digest()), "{framing}");
        drop(writing.await.unwrap());
    }
}

/// One that says how large it is is refused at once, and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn too_large() {
    let upstream = Upstream::start().await;
    let (_portal, client) = portal(&upstream).await;
    let request = head(&client, "POST", "up", "Content-Length: 1073741825\r\n");
    let answer = client.raw(request.as_bytes()).await;
    assert_eq!((answer.status, answer.json()["error"]["name"].as_str()), (413, Some("PayloadTooLargeError")));
}
