//! Bodies pass through and are never held.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::{Router, routing};
use futures::StreamExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpSocket, TcpStream};

use crate::client::Client;
use crate::portal::TestPortal;

const PART: usize = 64 * 1024;

/// 32 MiB.
const WHOLE: usize = 512;

/// 128 MiB, which nobody reads.
const UNREAD: usize = 2048;

/// What may be under way of it: the system's buffers of the portal's two connections. Those of the other ends are small.
const UNDER_WAY: usize = 64 * 1024 * 1024;

/// What the buffers of a test's own connections hold.
const BUFFER: u32 = 64 * 1024;

fn part(index: usize) -> Bytes {
    Bytes::from(vec![u8::try_from(index % 251).unwrap(); PART])
}

/// Whether these bytes are what the parts have from here on.
fn is_from(offset: usize, bytes: &[u8]) -> bool {
    let (mut offset, mut rest) = (offset, bytes);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(PART - offset % PART));
        if now != &part(offset / PART)[..now.len()] {
            return false;
        }
        (offset, rest) = (offset + now.len(), later);
    }
    true
}

#[derive(Clone)]
struct Upstream {
    /// Bytes that were handed out.
    sent: Arc<AtomicUsize>,
    host: String,
}

impl Upstream {
    async fn start() -> Upstream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let upstream = Upstream { sent: Arc::default(), host: listener.local_addr().unwrap().to_string() };
        let router = Router::new()
            .route("/down/{parts}", routing::get(down))
            .route("/up", routing::post(up))
            .route("/never", routing::post(|_: Body| std::future::pending::<()>()))
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }
}

async fn down(State(upstream): State<Upstream>, Path(parts): Path<usize>) -> Body {
    let parts = futures::stream::iter(0..parts).map(move |index| {
        upstream.sent.fetch_add(PART, Ordering::SeqCst);
        Ok::<_, Infallible>(part(index))
    });
    Body::from_stream(parts)
}

/// Answers with how many bytes came that were as they should be.
async fn up(body: Body) -> String {
    let mut received = 0;
    let mut stream = body.into_data_stream();
    while let Some(Ok(part)) = stream.next().await {
        assert!(is_from(received, &part), "after {received} bytes");
        received += part.len();
    }
    received.to_string()
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
        "{method} /api/proxy/x/{path} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nCookie: {cookie}\r\n\
         Connection: close\r\n{more}\r\n"
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
    let whole = client.get(&format!("/api/proxy/x/down/{WHOLE}")).await;
    assert!(whole.body.len() == WHOLE * PART && is_from(0, &whole.body), "{} bytes", whole.body.len());

    upstream.sent.store(0, Ordering::SeqCst);
    let mut stream = connect(&client).await;
    stream.write_all(head(&client, "GET", &format!("down/{UNREAD}"), "").as_bytes()).await.unwrap();
    // Nobody reads, so the service is not read from either.
    let under_way = settled(|| upstream.sent.load(Ordering::SeqCst)).await;
    assert!(under_way < UNDER_WAY, "{under_way} bytes of {}", UNREAD * PART);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests() {
    let upstream = Upstream::start().await;
    let (_portal, client) = portal(&upstream).await;
    for chunked in [false, true] {
        let (mut reader, taken) = send(&client, "up", WHOLE, chunked).await;
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.unwrap();
        let answer = crate::client::parse(&answer);
        let all = WHOLE * PART;
        assert_eq!((answer.status, answer.text()), (200, all.to_string()), "chunked: {chunked}");
        // The answer may come before whoever sent the last part has counted it.
        assert_eq!(settled(|| taken.load(Ordering::SeqCst)).await, all);

        // The service does not read, so neither does the portal.
        let (_reader, taken) = send(&client, "never", UNREAD, chunked).await;
        let under_way = settled(|| taken.load(Ordering::SeqCst)).await;
        assert!(under_way < UNDER_WAY, "chunked: {chunked}, {under_way} bytes of {}", UNREAD * PART);
    }
}

/// A connection that holds little itself.
async fn connect(client: &Client) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(BUFFER).unwrap();
    socket.set_send_buffer_size(BUFFER).unwrap();
    let port = client.base.port().unwrap();
    socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
}

/// Begins to send so many parts. Gives where the answer comes, and how much was taken so far.
async fn send(client: &Client, path: &str, parts: usize, chunked: bool) -> (OwnedReadHalf, Arc<AtomicUsize>) {
    let framing = match chunked {
        true => "Transfer-Encoding: chunked\r\n".to_owned(),
        false => format!("Content-Length: {}\r\n", parts * PART),
    };
    let (reader, mut writer) = connect(client).await.into_split();
    writer.write_all(head(client, "POST", path, &framing).as_bytes()).await.unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    tokio::spawn(async move {
        let (before, after) = if chunked { (format!("{PART:x}\r\n"), "\r\n") } else { (String::new(), "") };
        for index in 0..parts {
            let framed = [before.as_bytes(), &part(index), after.as_bytes()].concat();
            // It ends when the test does.
            if writer.write_all(&framed).await.is_err() {
                return;
            }
            counter.fetch_add(PART, Ordering::SeqCst);
        }
        if chunked {
            writer.write_all(b"0\r\n\r\n").await.unwrap();
        }
        // The other half reads the answer, and this one must not close before.
        std::future::pending::<()>().await;
    });
    (reader, taken)
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
