//! The real reader against a real server: conditions on the wire, and what may not be read.

use std::sync::{Arc, Mutex};

use callboard_catalog::{Catalog, ProcessingInterval, Settings};
use callboard_egress::Egress;
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::component;

/// Serves one text under every path, with an ETag, and notes each request's path and condition.
async fn serve(text: Arc<Mutex<String>>, log: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (text, log) = (Arc::clone(&text), Arc::clone(&log));
            tokio::spawn(async move {
                let (read, mut write) = stream.split();
                let mut lines = BufReader::new(read).lines();
                let mut path = String::new();
                let mut condition = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if path.is_empty() {
                        path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                    }
                    if let Some((name, value)) = line.split_once(": ")
                        && name.eq_ignore_ascii_case("if-none-match")
                    {
                        condition = value.to_owned();
                    }
                    if line.is_empty() {
                        let text = text.lock().unwrap().clone();
                        let etag = format!("\"{}\"", text.len());
                        let answer = if condition == etag {
                            format!("HTTP/1.1 304 Not Modified\r\netag: {etag}\r\nconnection: close\r\n\r\n")
                        } else {
                            format!(
                                "HTTP/1.1 200 OK\r\netag: {etag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                                text.len()
                            )
                        };
                        log.lock().unwrap().push(format!("{path} {condition}"));
                        write.write_all(answer.as_bytes()).await.unwrap();
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}/a.yaml")
}

#[tokio::test]
async fn conditions_and_refusals() {
    let (text, log) = (Arc::new(Mutex::new(component("a", ""))), Arc::default());
    let url = serve(Arc::clone(&text), Arc::clone(&log)).await;
    let host = url::Url::parse(&url).unwrap();
    let host = format!("{}:{}", host.host_str().unwrap(), host.port().unwrap());
    let rule = serde_json::from_value(json!({"host": host})).unwrap();
    let reading = callboard_egress::Settings { reading: vec![rule], ..callboard_egress::Settings::default() };
    let egress = Egress::new(reading).unwrap();
    let mut settings: Settings = serde_json::from_value(json!({"locations": [
        {"type": "url", "target": url}, {"type": "url", "target": "http://127.0.0.1:9/none.yaml"},
    ]}))
    .unwrap();
    let second = std::time::Duration::from_secs(1);
    settings.processing_interval = ProcessingInterval::Between(second, second);
    let db = crate::support::database().await;
    let catalog = Catalog::open(db.clone(), egress.reader(), settings).await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(catalog.clone().run(shutdown.clone()));
    let mut changes = catalog.changes();
    let a = EntityRef::parse("component:default/a", None, None).unwrap();
    let mut edited = false;
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            changes.borrow_and_update();
            let document = catalog.by_ref(&Access::All, &a).await.unwrap();
            if edited && document.is_some_and(|document| document.get().contains("edited")) {
                return;
            }
            // Once it was asked for and found unchanged, it changes.
            if !edited && log.lock().unwrap().iter().any(|line: &String| line.starts_with("/a.yaml \"")) {
                *text.lock().unwrap() = component("a", "  system: edited\n");
                edited = true;
            }
            changes.changed().await.unwrap();
        }
    });
    waited.await.unwrap();
    assert_eq!(log.lock().unwrap()[0], "/a.yaml ");
    let errors = callboard_store::query("SELECT errors FROM entity WHERE errors IS NOT NULL", vec![]);
    let errors: String = db.fetch_all(errors).await.unwrap()[0].get(0).unwrap();
    assert!(errors.contains("backend.reading.allow"), "{errors}");
    shutdown.cancel();
    running.await.unwrap();
}
