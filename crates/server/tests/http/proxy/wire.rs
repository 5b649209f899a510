//! What passes in either direction: methods, headers, bodies, statuses.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Upstream, portal, reader};
use crate::portal::TestPortal;

#[tokio::test(flavor = "multi_thread")]
async fn methods() {
    let upstream = Upstream::start().await;
    let target = upstream.url("/base");
    let policy = json!([{ "allow": ["**"], "to": ["signed-in"] }]);
    let config = json!({ "permission": { "policy": policy }, "proxy": { "endpoints": {
        "/default": target,
        "/get": { "target": target, "allowedMethods": ["get"] },
        "/post": { "target": target, "allowedMethods": ["POST"] },
        "/all": { "target": target, "allowedMethods": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE"] },
    } } });
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    let check = async |endpoint: &str, taken: &[&str]| {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE", "TRACE", "get"] {
            let answer = client.mutate(method, &format!("/api/proxy/{endpoint}/x"), b"").await;
            let asked: Vec<String> = upstream.asked().into_iter().map(|asked| asked.line).collect();
            if taken.contains(&method) {
                assert_eq!((answer.status, asked), (200, vec![format!("{method} /base/x")]), "{method} {endpoint}");
            } else {
                assert_eq!((answer.status, answer.text(), asked), (404, String::new(), vec![]), "{method} {endpoint}");
            }
        }
    };
    check("default", &["GET", "HEAD"]).await;
    check("get", &["GET"]).await;
    check("post", &["POST"]).await;
    check("all", &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE"]).await;
    check("none", &[]).await;
}

const SENT: &[(&str, &str)] = &[
    ("Cache-Control", "no-cache"),
    ("Content-Language", "de"),
    ("Content-Type", "text/plain"),
    ("Expires", "0"),
    ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Pragma", "no-cache"),
    ("Accept", "text/plain"),
    ("Accept-Language", "de"),
    ("User-Agent", "tester"),
    ("Authorization", "Basic bWU6bXktb3duLXBhc3N3b3Jk"),
    ("X-Request-Id", "request-1"),
    ("x-LOWER-upper", "case"),
    ("X-Other", "other"),
    ("X-Key", "the caller's"),
    ("X-Hop", "hop"),
    ("Connection", "X-Hop, X-Key"),
    ("Accept-Encoding", "gzip"),
    ("If-None-Match", "\"1\""),
    ("Range", "bytes=0-1"),
    ("Referer", "http://portal.example/secret"),
    ("TE", "trailers"),
    ("Trailer", "X-Trailer"),
    ("Keep-Alive", "timeout=5"),
    ("Upgrade", "websocket"),
    ("Proxy-Authorization", "Basic x"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("X-Original-URL", "/admin"),
];

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_requests() {
    let upstream = Upstream::start().await;
    let target = upstream.url("");
    let allowed = [
        "X-Request-Id",
        "X-Lower-Upper",
        "X-Hop",
        "Cookie",
        "Authorization",
        "Accept-Encoding",
        "Upgrade",
        "Connection",
        "TE",
        "Trailer",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Proxy-Authorization",
        "X-HTTP-Method-Override",
        "X-Original-URL",
    ];
    let (_portal, client) = reader(json!({
        "/plain": target,
        "/named": {
            "target": target,
            "headers": { "X-Key": "the operator's", "ACCEPT": "application/json" },
            "allowedHeaders": allowed,
        },
        "/forward": { "target": target, "credentials": "forward" },
        "/both": { "target": target, "credentials": "forward", "headers": { "authorization": "Bearer of-app-config" } },
        "/portal": { "target": target, "changeOrigin": false },
        "/host": { "target": target, "changeOrigin": false, "headers": { "Host": "virtual.example:8080" } },
    }))
    .await;
    let always = [
        ("cache-control", "no-cache"),
        ("content-language", "de"),
        ("content-type", "text/plain"),
        ("expires", "0"),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("pragma", "no-cache"),
        ("accept", "text/plain"),
        ("accept-language", "de"),
        ("user-agent", "tester"),
        ("content-length", "0"),
        // Of egress, which hands bodies on decoded.
        ("accept-encoding", "gzip,br"),
        ("host", upstream.host.as_str()),
    ];
    let check = async |endpoint: &str, more: &[(&str, &str)]| {
        let answer = client.send("GET", &format!("/api/proxy/{endpoint}"), SENT, b"").await;
        assert_eq!(answer.status, 200, "{endpoint}: {}", answer.text());
        let asked = upstream.one();
        let mut expected: std::collections::BTreeMap<&str, &str> = always.into_iter().collect();
        expected.extend(more.iter().copied());
        let found = asked.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(expected, found, "{endpoint}");
    };
    check("plain", &[]).await;
    let own = [("x-key", "the operator's"), ("accept", "application/json")];
    check("named", &[own[0], own[1], ("x-request-id", "request-1"), ("x-lower-upper", "case")]).await;
    check("forward", &[("authorization", "Basic bWU6bXktb3duLXBhc3N3b3Jk")]).await;
    check("both", &[("authorization", "Bearer of-app-config")]).await;
    let own = client.base.authority().to_owned();
    check("portal", &[("host", &own)]).await;
    check("host", &[("host", "virtual.example:8080")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_answers() {
    let upstream = Upstream::start().await;
    let target = upstream.url("");
    let allowed = [
        "Set-Cookie",
        "ETag",
        "Location",
        "X-Request-Id",
        "X-Key",
        "Access-Control-Allow-Origin",
        "Content-Security-Policy",
        "Clear-Site-Data",
        "Refresh",
    ];
    let (_portal, client) = reader(json!({
        "/plain": target,
        "/named": { "target": target, "allowedHeaders": allowed },
        "/keyed": { "target": target, "allowedHeaders": allowed, "headers": { "X-Key": "the operator's" } },
        "/set": { "target": target, "headers": { "X-Key": "the operator's" } },
        "/open": { "target": target, "credentials": "dangerously-allow-unauthenticated" },
    }))
    .await;
    let ask = async |endpoint: &str, query: &str| {
        let answer = client.get(&format!("/api/proxy/{endpoint}?{query}")).await;
        upstream.one();
        answer
    };
    let all = "etag=%221%22&location=/x&set-cookie=a%3D1&x-request-id=theirs&x-key=k&authorization=a&x-other=o\
               &access-control-allow-origin=*&content-security-policy=none&clear-site-data=*&refresh=0\
               &content-language=de&last-modified=then&server=secret/1.0&x-frame-options=none";
    let check = async |endpoint: &str, expected: &[(&str, &str)]| {
        let answer = ask(endpoint, all).await;
        assert_eq!(answer.text(), "an answer that is long enough to be compressed");
        let dropped = [
            "set-cookie",
            "etag",
            "location",
            "x-key",
            "authorization",
            "x-other",
            "access-control-allow-origin",
            "clear-site-data",
            "refresh",
            "server",
            "x-frame-options",
        ];
        for name in dropped {
            let expected = expected.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(answer.header(name), expected, "{endpoint} {name}");
        }
        assert_eq!(answer.header("content-language"), Some("de"));
        assert_eq!(answer.header("last-modified"), Some("then"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        // What is opened as a page acts as nobody.
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'; sandbox"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        answer
    };
    let plain = check("plain", &[]).await;
    assert_eq!(plain.header("x-request-id").map(str::len), Some(16), "the portal's own");
    assert_eq!(plain.header("content-length"), Some("46"));
    let named = [("set-cookie", "a=1"), ("etag", "\"1\""), ("location", "/x"), ("x-key", "k")];
    assert_eq!(check("named", &named).await.header("x-request-id"), Some("theirs"));
    // A session of whoever has the key is as good as the key.
    check("keyed", &named[1..]).await;
    check("set", &[]).await;
    for cookie in ["callboard-session%3D1", "Callboard-Session%3D1", "backstage-auth%3D1", "callboard-session"] {
        assert_eq!(ask("named", &format!("set-cookie={cookie}")).await.header("set-cookie"), None, "{cookie}");
    }
    let hop = ask("named", "connection=x-key,%20close&x-key=k&etag=1").await;
    assert_eq!((hop.header("x-key"), hop.header("etag")), (None, Some("1")));

    let cached = async |endpoint: &str, query: &str, expected: &str| {
        assert_eq!(ask(endpoint, query).await.header("cache-control"), Some(expected), "{endpoint} {query}");
    };
    cached("plain", "", "private, no-cache").await;
    cached("plain", "cache-control=public,%20max-age%3D60,%20s-maxage%3D90", "private, max-age=60").await;
    cached("plain", "cache-control=no-store", "private, no-store").await;
    cached("open", "cache-control=public,%20max-age%3D60", "public, max-age=60").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_and_bodies() {
    let upstream = Upstream::start().await;
    let target = upstream.url("/base");
    let endpoint = json!({ "target": target, "allowedMethods": ["GET", "HEAD", "POST", "PUT"] });
    let config = json!({
        "permission": { "policy": [{ "allow": ["**"], "to": ["signed-in"] }] },
        "proxy": { "endpoints": { "/x": endpoint } },
    });
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    for status in [200, 201, 204, 301, 302, 304, 307, 400, 401, 403, 404, 418, 429, 500, 503] {
        let answer = client.get(&format!("/api/proxy/x?status={status}&empty=1&location=http://evil.example/")).await;
        assert_eq!((answer.status, answer.header("location")), (status, None));
        assert_eq!(upstream.asked().len(), 1, "neither followed nor tried again");
    }
    let answer = client.mutate("POST", "/api/proxy/x/a?b=c", br#"{"d":"e"}"#).await;
    assert_eq!(answer.status, 200);
    let asked = upstream.one();
    assert_eq!((asked.line.as_str(), asked.body.as_slice()), ("POST /base/a?b=c", &br#"{"d":"e"}"#[..]));
    assert_eq!((asked.header("content-length"), asked.header("transfer-encoding")), (Some("9"), None));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("origin"), None);
    // What the service compresses is decoded, and compressed again for whoever can read it.
    let zipped = client.send("GET", "/api/proxy/x", &[("Accept-Encoding", "gzip")], b"").await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    let head = client.send("HEAD", "/api/proxy/x", &[], b"").await;
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, Some("46"), String::new()));
}

/// Another site's page changes nothing through the proxy either, and no page loads code through it.
#[tokio::test(flavor = "multi_thread")]
async fn browsers() {
    let upstream = Upstream::start().await;
    let open = json!({ "target": upstream.url(""), "allowedMethods": ["GET", "POST"], "credentials": "dangerously-allow-unauthenticated" });
    let portal = portal(json!({ "/open": open })).await;
    let client = portal.anonymous();
    let foreign = client.send("POST", "/api/proxy/open", &[("Origin", "https://evil.example")], b"").await;
    assert_eq!((foreign.status, upstream.asked().len()), (403, 0));
    for dest in ["script", "style", "worker", "sharedworker", "serviceworker", "iframe", "object", "embed"] {
        let answer = client.send("GET", "/api/proxy/open/x.js", &[("Sec-Fetch-Dest", dest)], b"").await;
        assert_eq!((answer.status, upstream.asked().len()), (403, 0), "{dest}: {}", answer.text());
    }
    for dest in ["empty", "image", "document"] {
        let answer = client.send("GET", "/api/proxy/open/x", &[("Sec-Fetch-Dest", dest)], b"").await;
        assert_eq!((answer.status, upstream.asked().len()), (200, 1), "{dest}");
    }
}

/// However a message is framed on its way in, one request with one length goes out.
#[tokio::test(flavor = "multi_thread")]
async fn shapes_that_smuggle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let endpoint = json!({
        "target": target,
        "allowedMethods": ["GET", "POST"],
        "allowedHeaders": ["Transfer-Encoding", "Content-Length", "Connection", "X-A"],
        "credentials": "dangerously-allow-unauthenticated",
        "proxyTimeout": 2000,
    });
    let portal = portal(json!({ "/x": endpoint })).await;
    let client = portal.anonymous();
    // Everything that arrives on a connection, until what must be its last request has ended.
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while !ended(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
                let _gone =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
                let _gone = stream.read_to_end(&mut bytes).await;
                sender.send(String::from_utf8(bytes).unwrap()).unwrap();
            });
        }
    });
    let host = client.base.authority().to_owned();
    let mut check = async |head: &str, body: &str, expected: Option<(&str, &str)>| {
        let request = format!("POST /api/proxy/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{head}\r\n{body}");
        let answer = client.raw(request.as_bytes()).await;
        let Some((framing, body)) = expected else {
            assert_eq!(answer.status, 400, "{head:?} {body:?}: {}", answer.text());
            assert!(received.try_recv().is_err(), "{head:?} {body:?}");
            return;
        };
        assert_eq!(answer.status, 200, "{head:?} {body:?}: {}", answer.text());
        let bytes = received.recv().await.unwrap();
        let (head, sent) = bytes.split_once("\r\n\r\n").unwrap();
        let lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
        assert_eq!(lines[0], "post / http/1.1");
        let framed: Vec<&String> = lines
            .iter()
            .filter(|line| line.starts_with("content-length") || line.starts_with("transfer-encoding"))
            .collect();
        assert_eq!((framed, sent), (vec![&framing.to_owned()], body), "{head:?}");
        assert!(!lines.iter().any(|line| line.starts_with("x-smuggled")), "{head}");
    };
    let smuggled = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    check("Content-Length: 2\r\n", "ab", Some(("content-length: 2", "ab"))).await;
    check(
        "Transfer-Encoding: chunked\r\n",
        "2\r\nab\r\n0\r\n\r\n",
        Some(("transfer-encoding: chunked", "2\r\nab\r\n0\r\n\r\n")),
    )
    .await;
    check(
        "Transfer-Encoding: chunked\r\n",
        "2;x=\"y\"\r\nab\r\n0\r\nX-Smuggled: 1\r\n\r\n",
        Some(("transfer-encoding: chunked", "2\r\nab\r\n0\r\n\r\n")),
    )
    .await;
    // What follows the last chunk is not sent on, whatever the length says.
    check(
        &format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", smuggled.len()),
        smuggled,
        Some(("transfer-encoding: chunked", "0\r\n\r\n")),
    )
    .await;
    check(
        &format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", smuggled.len()),
        smuggled,
        Some(("transfer-encoding: chunked", "0\r\n\r\n")),
    )
    .await;
    check("Content-Length: 2\r\nConnection: Content-Length\r\n", "ab", Some(("content-length: 2", "ab"))).await;
    check("Content-Length: 2\r\nContent-Length: 3\r\n", "abc", None).await;
    check("Content-Length: +2\r\n", "ab", None).await;
    check("Transfer-Encoding: chunked, identity\r\n", smuggled, None).await;
    check("Transfer-Encoding: xchunked\r\n", smuggled, None).await;
    check("Transfer-Encoding : chunked\r\n", smuggled, None).await;
    check("Content-Length: 2\r\nX-A: b\rX-Smuggled: c\r\n", "ab", None).await;
}

/// Whether the bytes are a whole request, as the strictest reader frames it.
fn ended(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}
