//! What app-config sets on requests is seen by the service and by nobody else.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::net::TcpListener;

use crate::portal::TestPortal;

/// What no answer and no line of the log may hold.
const CANARIES: &[&str] =
    &["canary-bearer-1", "canary-key-2", "canary-password-3", "canary-token-4", "canary-caller-5"];

/// A service that tells everything that it was asked, in each way it can.
async fn echo() -> String {
    async fn answer(request: Request) -> Response {
        let lines = |headers: &HeaderMap| {
            let line = |(name, value): (_, &axum::http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
            headers.iter().map(line).collect::<Vec<_>>()
        };
        let lines = lines(request.headers());
        let text = lines.join(" | ");
        let decoded = lines
            .iter()
            .filter_map(|line| line.split_once("Basic "))
            .filter_map(|(_, encoded)| STANDARD.decode(encoded).ok());
        let decoded: Vec<String> = decoded.map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let body = json!({ "headers": lines, "decoded": decoded, "encoded": encoded }).to_string();
        let headers = [("x-echo", text.clone()), ("location", format!("/?{encoded}")), ("etag", format!("\"{text}\""))];
        let status =
            if request.uri().path().ends_with("/fail") { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        (status, headers, body).into_response()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, so that all of the portal's log is this thread's.
#[tokio::test(flavor = "current_thread")]
async fn canaries() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let echo = echo().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let basic = format!("Basic {}", STANDARD.encode("me:canary-password-3"));
    let headers = json!({
        "Authorization": "Bearer canary-bearer-1",
        "X-Api-Key": "canary-key-2",
        "X-Basic-Auth": basic,
        "X-Session": "Token token=\"canary-token-4\"",
        "X-Scope-OrgID": "acme",
    });
    let allowed = ["X-Echo", "Location", "ETag", "X-Api-Key"];
    let endpoint = |target: String| json!({ "target": target, "headers": headers, "allowedHeaders": allowed });
    let config = json!({ "proxy": { "endpoints": {
        "/echo": endpoint(echo.clone()),
        "/away": endpoint(format!("http://{nobody}")),
        "/tls": endpoint(echo.replace("http:", "https:")),
        "/forward": { "target": echo, "credentials": "forward", "allowedHeaders": allowed },
    } } });
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    let mut seen = String::new();
    for path in ["/echo", "/echo/fail", "/echo/../x", "/away", "/tls", "/forward", "/none", "/echo?a=b"] {
        let headers = [("Authorization", "Basic canary-caller-5"), ("X-Api-Key", "mine")];
        let answer = client.send("GET", &format!("/api/proxy{path}"), &headers, b"").await;
        let text = format!("{:?} {}", answer.headers, answer.text());
        if answer.header("x-echo").is_some() {
            assert!(text.matches("[masked]").count() >= 4, "{path}: {text}");
        }
        if path == "/echo" {
            assert!(text.contains("x-scope-orgid: acme"), "what is no secret is left alone: {text}");
        }
        seen.push_str(&text);
    }
    for path in ["/api/openapi.json", "/api/app", "/api/plugins"] {
        seen.push_str(&client.get(path).await.text());
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("callboard::proxy") && log.contains("/away"), "the log was not kept:\n{log}");
    for canary in CANARIES {
        assert!(!seen.contains(canary), "{canary} in an answer:\n{seen}");
        assert!(!log.contains(canary), "{canary} in the log:\n{log}");
        let encoded = STANDARD.encode(format!("me:{canary}"));
        assert!(!seen.contains(&encoded) && !log.contains(&encoded), "{canary}, encoded");
    }
}
