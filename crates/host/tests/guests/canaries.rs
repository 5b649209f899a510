//! What a plugin can observe never has a secret in it: every capability and every way for it to fail, for secrets of
//! many spellings, against an upstream that gives back what it was sent wherever HTTP has room for it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::{Fixture, attack, guest, nobody};

/// Part of every secret, and spelled alike however the rest is spelled.
const CANARY: &str = "canary7f3a9c";

/// Secrets that are spelled in other ways in JSON, in URLs, in XML, or in a pattern.
fn secrets() -> Vec<String> {
    ["", "/+=", "\"\\", "&<>", "%2F%25", "a b", ".*[(", "canary7f3a9c"].map(|end| format!("{CANARY}{end}")).into()
}

/// Ways for an upstream to give back what it was sent.
const WAYS: [&str; 19] = [
    "body",
    "chunks",
    "json",
    "percent",
    "form",
    "xml",
    "header",
    "header-name",
    "reason",
    "status",
    "redirect",
    "redirect-path",
    "redirect-away",
    "challenge",
    "short",
    "reset",
    "etag",
    "trailer",
    "error",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_plugin_sees_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    subscriber.with_writer(move || writer.clone()).init();
    let fixture = Fixture::new().await;
    let mirror = Mirror::start().await;
    for secret in secrets() {
        let urls: Vec<String> = WAYS.iter().map(|way| format!("{}/{way}", mirror.origin)).collect();
        let mut spec = guest("observer").spec();
        spec.limits.ui_deadline = Some(std::time::Duration::from_secs(60));
        spec.limits.page_deadline = Some(std::time::Duration::from_secs(60));
        spec.limits.log_bytes = Some(16 * 1024 * 1024);
        spec.config = json!({
            "hostile": {
                "url": mirror.origin, "urls": urls, "token": secret, "key": secret, "other": secret,
                "user": { "username": "somebody", "password": secret },
            },
            "backend": { "password": secret, "auth": { "keys": [secret] } },
            "integrations": { "github": [{ "host": "github.com", "token": secret }] },
        });
        let plugin = fixture.host.load(spec).await.unwrap_or_else(|error| panic!("{error}"));
        let shown = attack(&plugin).await.unwrap_or_else(|error| panic!("{secret}: {error}"));
        let told = plugin.read(&nobody(), "observer", None).await.expect_err("it tells by an error").to_string();
        for (what, text) in [("its answer", &shown), ("its error", &told)] {
            without(&secret, what, text);
            assert!(text.contains("credential:"), "{secret}: it has handles: {text}");
        }
        // All of the ways were gone, or nothing above would prove anything.
        for way in WAYS {
            assert!(mirror.was_sent(&secret, way), "{secret}: {way}");
        }
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("observer"), "the log was kept");
    for line in log.lines() {
        assert!(!line.contains(CANARY), "the log: {line}");
    }
}

/// Where app-config does not fit, the plugin is refused, and whoever reads why is told no value.
#[tokio::test(flavor = "multi_thread")]
async fn no_refusal_has_a_secret() {
    let fixture = Fixture::new().await;
    for secret in secrets() {
        for wrong in [
            json!({ "url": { "a": secret } }),
            json!({ "url": secret, "token": secret }),
            json!({ "url": format!("http://somebody:{secret}@a.example"), "token": secret }),
            json!({ "url": "http://a.example", "token": [secret] }),
            json!({ "url": "http://a.example", "user": secret }),
            json!({ "url": "http://a.example", "user": { "username": [secret], "password": secret } }),
            json!({ "url": "http://a.example", "key": { "a": secret } }),
            json!({ "url": "http://a.example", "key": format!("{secret}\r\nx: y") }),
            json!({ "url": "http://a.example", "token": format!("{secret}\0") }),
            json!({ "url": "http://a.example", "urls": secret }),
            json!({ "url": "http://a.example", "urls": [[secret]] }),
            json!([secret]),
            json!(secret),
        ] {
            let mut spec = guest("observer").spec();
            spec.config = json!({ "hostile": wrong });
            if let Err(error) = fixture.host.load(spec).await {
                without(&secret, "the refusal", &error.to_string());
                without(&secret, "the refusal", &format!("{error:?}"));
            }
        }
    }
}

/// All that any test of this program logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn without(secret: &str, what: &str, text: &str) {
    let encoded = STANDARD.encode(format!("somebody:{secret}"));
    for word in [CANARY, &encoded] {
        if let Some((before, after)) = text.split_once(word) {
            let start = before.chars().count().saturating_sub(200);
            let near: String = before.chars().skip(start).chain(word.chars()).chain(after.chars().take(200)).collect();
            panic!("{secret}: {what} has it: {near}");
        }
    }
}

/// Answers with the credential of the request: what is in `Authorization` or `X-Api-Key`, and a password in it.
struct Mirror {
    origin: String,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Mirror {
    async fn start() -> Mirror {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (home, noted) = (origin.clone(), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, home.clone(), noted.clone()));
            }
        });
        Mirror { origin, seen }
    }

    fn was_sent(&self, secret: &str, way: &str) -> bool {
        self.seen.lock().unwrap().iter().any(|(at, sent)| at == way && sent.contains(secret))
    }
}

async fn answer(mut stream: TcpStream, home: String, seen: Arc<Mutex<Vec<(String, String)>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let way = path.trim_start_matches('/').split(['?', '/']).next().unwrap_or_default().to_owned();
    let sent: Vec<String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("x-api-key"))
        .flat_map(|(_, value)| {
            let bare = value.trim_start_matches("Bearer ").trim_start_matches("Basic ").to_owned();
            let decoded = STANDARD.decode(&bare).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let password =
                decoded.as_ref().and_then(|text| text.split_once(':')).map(|(_, password)| password.to_owned());
            [Some(value.to_owned()), Some(bare), decoded.filter(|text| text.is_ascii()), password].into_iter().flatten()
        })
        .collect();
    let all = sent.join(" ");
    seen.lock().unwrap().push((way.clone(), all.clone()));
    let one = sent.last().cloned().unwrap_or_default();
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let form = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let json = serde_json::to_string(&sent).unwrap_or_default();
    let xml = all.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let whole = |head: &str, body: &str| {
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let text = match way.as_str() {
        "body" => whole("200 OK", &all),
        "json" => whole("200 OK", &json),
        // What is not escaped stays as it is, as every encoder does it.
        "percent" => whole("200 OK", &form(&all).replace('+', "%20")),
        "form" => whole("200 OK", &form(&all)),
        "xml" => whole("200 OK", &xml),
        "header" => whole(&format!("200 OK\r\nx-echo: {all}\r\nserver: {one}"), "x"),
        "header-name" => whole(&format!("200 OK\r\nx-{}: 1", percent(&one).replace('%', "")), "x"),
        "reason" => whole(&format!("200 {all}"), "x"),
        "status" => format!("HTTP/1.1 {all}\r\n\r\n"),
        "redirect" if !path.contains('?') => whole(&format!("302 Found\r\nlocation: /redirect?{one}"), ""),
        "redirect-path" if path.len() < 16 => {
            whole(&format!("307 Moved\r\nlocation: {home}/redirect-path/{}", form(&one)), "")
        }
        "redirect-away" => whole(&format!("302 Found\r\nlocation: http://a.example/{one}"), ""),
        "challenge" => whole(&format!("401 Unauthorized\r\nwww-authenticate: Bearer realm=\"{all}\""), &all),
        "etag" => whole(&format!("200 OK\r\netag: \"{one}\"\r\nlast-modified: {one}"), &all),
        "short" => format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{all}"),
        "error" => whole("500 Internal", &format!("{{\"error\": {json}}}")),
        "trailer" => {
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n1\r\nx\r\n0\r\nx-t: {all}\r\n\r\n"
            )
        }
        "chunks" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.ok()?;
            for part in all.as_bytes().chunks(3) {
                stream.write_all(format!("{:x}\r\n", part.len()).as_bytes()).await.ok()?;
                stream.write_all(part).await.ok()?;
                stream.write_all(b"\r\n").await.ok()?;
                stream.flush().await.ok()?;
            }
            "0\r\n\r\n".to_owned()
        }
        _ => all,
    };
    stream.write_all(text.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
