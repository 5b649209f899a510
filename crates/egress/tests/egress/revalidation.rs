//! Conditional requests on behalf of callers that keep nothing.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use callboard_egress::{CacheScope, Credential, Request, Secret};
use http::{Method, header::IF_NONE_MATCH};

use crate::support::{NAMED, Reply, Server, egress, get, text};

fn keeping(server: &Server, path: &str, scope: &str) -> Request {
    Request { revalidate: Some(CacheScope(scope.to_owned())), ..get(server.at(path)) }
}

#[tokio::test]
async fn unchanged_answers_come_from_the_copy() {
    let version = Arc::new(AtomicU32::new(1));
    let now = version.clone();
    let server = Server::start(move |seen| {
        let version = now.load(Ordering::SeqCst);
        match seen.target.as_str() {
            "/none" => Reply::new(200, "no validator"),
            "/store" => Reply::new(200, "secret").with("etag", "\"x\"").with("cache-control", "no-store"),
            "/time" if !seen.header("if-modified-since").is_empty() => Reply { status: 304, ..Reply::default() },
            "/time" => Reply::new(200, "dated").with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            "/moved" => Reply::to(302, "/etag"),
            _ if seen.header("if-none-match") == format!("\"v{version}\"") => Reply { status: 304, ..Reply::default() }
                .with("x-seen", "again")
                .with("etag", format!("\"v{version}\"")),
            _ => Reply::new(200, format!("version {version}"))
                .with("etag", format!("\"v{version}\""))
                .with("content-type", "text/x"),
        }
    })
    .await;
    let egress = egress();
    let condition = || {
        let last = server.seen().pop().unwrap();
        last.header("if-none-match").to_owned() + last.header("if-modified-since")
    };

    assert_eq!(text(&egress, keeping(&server, "/etag", "a"), &NAMED).await, "version 1");
    assert_eq!(condition(), "");
    let again = egress.send(keeping(&server, "/etag", "a"), &NAMED).await.unwrap();
    assert_eq!(condition(), "\"v1\"");
    assert_eq!((again.status.as_u16(), &again.headers["content-type"]), (200, &"text/x".parse().unwrap()));
    assert_eq!(again.headers["x-seen"], "again");
    assert_eq!(again.body.collect(100).await.unwrap(), "version 1");

    // Not for others, not for another method, other headers or another credential.
    text(&egress, keeping(&server, "/etag", "b"), &NAMED).await;
    assert_eq!(condition(), "");
    egress.send(Request { method: Method::HEAD, ..keeping(&server, "/etag", "a") }, &NAMED).await.unwrap();
    assert_eq!(condition(), "");
    let mut other = keeping(&server, "/etag", "a");
    other.header("accept", "text/y").unwrap();
    text(&egress, other, &NAMED).await;
    assert_eq!(condition(), "");
    let mut other = keeping(&server, "/etag", "a");
    other.credential = Some(Credential::bearer(&server.url, &Secret::new("token")).unwrap());
    text(&egress, other, &NAMED).await;
    assert_eq!(condition(), "");

    // Who asks conditionally is answered so.
    let mut own = keeping(&server, "/etag", "a");
    own.headers.insert(IF_NONE_MATCH, "\"v1\"".parse().unwrap());
    assert_eq!(egress.send(own, &NAMED).await.unwrap().status, 304);

    version.store(2, Ordering::SeqCst);
    assert_eq!(text(&egress, keeping(&server, "/etag", "a"), &NAMED).await, "version 2");
    assert_eq!(text(&egress, keeping(&server, "/etag", "a"), &NAMED).await, "version 2");
    assert_eq!(condition(), "\"v2\"");

    assert_eq!(text(&egress, keeping(&server, "/time", "a"), &NAMED).await, "dated");
    assert_eq!(text(&egress, keeping(&server, "/time", "a"), &NAMED).await, "dated");
    assert_eq!(condition(), "Sun, 06 Nov 1994 08:49:37 GMT");

    for path in ["/none", "/store", "/moved"] {
        text(&egress, keeping(&server, path, "c"), &NAMED).await;
        text(&egress, keeping(&server, path, "c"), &NAMED).await;
        assert_eq!(condition(), "", "{path}");
    }
}

#[tokio::test]
async fn a_copy_stands_for_its_own_url_only() {
    let moved = Arc::new(AtomicU32::new(0));
    let now = moved.clone();
    let server = Server::start(move |seen| match seen.target.as_str() {
        "/here" if now.load(Ordering::SeqCst) == 1 => Reply::to(302, "/there"),
        "/here" => Reply::new(200, "here").with("etag", "\"1\""),
        _ if seen.header("if-none-match") == "\"1\"" => Reply { status: 304, ..Reply::default() },
        _ => Reply::new(200, "there").with("etag", "\"1\""),
    })
    .await;
    let egress = egress();
    assert_eq!(text(&egress, keeping(&server, "/here", "a"), &NAMED).await, "here");
    moved.store(1, Ordering::SeqCst);
    assert_eq!(text(&egress, keeping(&server, "/here", "a"), &NAMED).await, "there");
}

#[tokio::test]
async fn a_body_that_was_not_read_is_not_kept() {
    let server = Server::start(|_| Reply::new(200, "some text").with("etag", "\"1\"")).await;
    let egress = egress();
    let mut half = egress.send(keeping(&server, "/", "a"), &NAMED).await.unwrap().body;
    assert_eq!(half.read(4).await.unwrap().unwrap(), "some");
    drop(half);
    text(&egress, keeping(&server, "/", "a"), &NAMED).await;
    assert_eq!(server.seen().pop().unwrap().header("if-none-match"), "");
    text(&egress, keeping(&server, "/", "a"), &NAMED).await;
    assert_eq!(server.seen().pop().unwrap().header("if-none-match"), "\"1\"");
}
