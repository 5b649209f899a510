//! Sends headers that are not a plugin's to send.

use callboard_sdk::Error;
use callboard_sdk::http::{Method, Request};

callboard_guests::hostile!("examples/header_smuggler.yaml", attack);

/// Names and values that would speak for somebody else, make two requests of one, or hide what the request does.
const HEADERS: [(&str, &str); 20] = [
    ("host", "169.254.169.254"),
    ("Host", "a.example"),
    ("authorization", "Bearer smuggled"),
    ("AUTHORIZATION", "Basic smuggled"),
    ("cookie", "session=smuggled"),
    ("proxy-authorization", "Basic smuggled"),
    ("proxy-connection", "keep-alive"),
    ("connection", "upgrade"),
    ("upgrade", "h2c"),
    ("http2-settings", "AAMAAABkAAQAAP__"),
    ("transfer-encoding", "chunked"),
    ("content-length", "0"),
    ("expect", "100-continue"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "a.example"),
    ("forwarded", "for=127.0.0.1"),
    ("x-http-method-override", "DELETE"),
    ("x-a", "b\r\nauthorization: Bearer smuggled"),
    ("x-a\r\nauthorization", "Bearer smuggled"),
    ("x-a: b", "c"),
];

fn attack() -> Result<String, Error> {
    let url = callboard_guests::settings()?.url;
    let outcomes = HEADERS.map(|(name, value)| {
        let sent = Request::new(Method::Post, &url).header(name, value).body(b"x".to_vec()).send();
        format!("{name:?}: {:?}", sent.map(|answer| answer.status))
    });
    Ok(outcomes.join("\n"))
}
