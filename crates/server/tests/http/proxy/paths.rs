//! Which endpoint a path belongs to, and what the service is asked for.

use serde_json::json;

use super::{Upstream, portal, reader};
use crate::client::Client;

/// CVE-2026-106491: a path led out of what was configured.
#[tokio::test(flavor = "multi_thread")]
async fn what_leads_elsewhere() {
    let upstream = Upstream::start().await;
    let (_portal, client) = reader(json!({
        "/x": upstream.url("/base"),
        "/y": { "target": upstream.url("/base"), "pathRewrite": { "^/api/proxy/y/(.*)": "/$1" } },
    }))
    .await;
    let host = client.base.authority().to_owned();
    for endpoint in ["x", "y"] {
        for path in [
            "/..",
            "/../",
            "/../admin",
            "/../../admin",
            "/a/../../admin",
            "/a/..",
            "/a/../b",
            "/.",
            "/./a",
            "/%2e%2e/admin",
            "/%2E%2E/admin",
            "/.%2e/admin",
            "/%2e./admin",
            "/%2e%2e%2fadmin",
            "/..%2fadmin",
            "/..%5cadmin",
            "/%2e%2e%5cadmin",
            "/..\\admin",
            "/a\\b",
            "/%252e%252e/admin",
            "/%252e%252e%252fadmin",
            "/..%252fadmin",
            "/..%255cadmin",
            "/%25252e%25252e/admin",
            "//admin",
            "//evil.example/",
            "/a//b",
            "/..;/admin",
            "/..;a=b/admin",
            "/..%3b/admin",
            "/%2e%2e;/admin",
            "/..%00/admin",
            "/a%00",
            "/%00",
            "/a%0d%0aHost:%20evil",
            "/%c0%ae%c0%ae/admin",
            "/%e0%80%ae%e0%80%ae/admin",
            "/%u002e%u002e/admin",
            "/%ef%bc%8e%ef%bc%8e/admin",
            "/..%ef%bc%8fadmin",
            "/%e2%80%a5/admin",
            "/..%e2%88%95admin",
            "/..%20/admin",
            "/%ff",
            "/%",
            "/%zz",
            "/..?a=b",
        ] {
            let request = format!(
                "GET /api/proxy/{endpoint}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: {}\r\n\r\n",
                client.cookie.as_deref().unwrap()
            );
            let answer = client.raw(request.as_bytes()).await;
            let seen = (answer.status, answer.text(), answer.header("content-type"));
            assert_eq!(seen, (400, "Bad Request".to_owned(), Some("text/plain; charset=utf-8")), "{endpoint}{path}");
            assert_eq!(upstream.asked().len(), 0, "{endpoint}{path}");
        }
    }
    // As somebody who is not signed in, and to the proxy as a whole.
    for path in
        ["/api/proxy/x/../admin", "/api/proxy/../catalog/entities", "/api/proxy/..", "/api/proxy/%2e%2e/catalog"]
    {
        assert_eq!(Client { cookie: None, ..client.clone() }.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for() {
    let upstream = Upstream::start().await;
    let base = upstream.url("/base");
    let (_portal, client) = reader(json!({
        "/root": upstream.url(""),
        "/x": base,
        "/slash": upstream.url("/base/"),
        "/deep/er": base,
        "/re": { "target": base, "pathRewrite": {
            "^/api/proxy/re/(?<name>[^/]+)/swap/([^/]+)$": "/$2/$<name>",
            "^/api/proxy/re/(old)/(.*)": "/new/$2",
            "^/api/proxy/re/(old)er?": "/older",
            "^/api/proxy/re/?": "/",
        } },
        "/keep": { "target": base, "pathRewrite": { "^/nothing": "/" } },
        "/strip": { "target": base, "pathRewrite": { "^/api/proxy/strip/": "" } },
    }))
    .await;
    for (path, expected) in [
        ("/root", "/"),
        ("/root/", "/"),
        ("/root/a/b?c=d", "/a/b?c=d"),
        ("/x", "/base/"),
        ("/x/", "/base/"),
        ("/x/a", "/base/a"),
        ("/x/a/", "/base/a/"),
        ("/x?", "/base/?"),
        ("/x/a?b=/../c&d=%2e%2e%2f&e=//f?g", "/base/a?b=/../c&d=%2e%2e%2f&e=//f?g"),
        ("/slash/a", "/base/a"),
        ("/deep/er/a", "/base/a"),
        ("/x/a%20b%2Fc%3Fd%23e", "/base/a%20b%2Fc%3Fd%23e"),
        ("/x/group%2Fproject/issues", "/base/group%2Fproject/issues"),
        ("/x/https%3A%2F%2Fexample.org%2F", "/base/https%3A%2F%2Fexample.org%2F"),
        ("/x/base...head", "/base/base...head"),
        ("/x/.well-known/a.b", "/base/.well-known/a.b"),
        ("/x/a;b=c/@d:e,f+g!$&'()*", "/base/a;b=c/@d:e,f+g!$&'()*"),
        ("/x/%C3%BCber", "/base/%C3%BCber"),
        ("/x/X", "/base/X"),
        ("/x/root", "/base/root"),
        ("/re/old/a%20b?c", "/base/new/a%20b?c"),
        ("/re/a/swap/b", "/base/b/a"),
        ("/re/older/old/b", "/base/older/old/b"),
        ("/re/b", "/base/b"),
        ("/keep/a", "/base/api/proxy/keep/a"),
        ("/strip/a", "/base/a"),
    ] {
        let answer = client.get(&format!("/api/proxy{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(upstream.one().line, format!("GET {expected}"), "{path}");
    }
    for path in
        ["", "/", "/none", "/none/a", "/xx", "/deep", "/deep/e", "/X/a", "/ROOT", "/Deep/er", "/%78/a", "/x;a/b"]
    {
        let answer = client.get(&format!("/api/proxy{path}")).await;
        assert_eq!((answer.status, answer.text()), (404, String::new()), "{path}");
        assert_eq!(upstream.asked().len(), 0, "{path}");
    }
}

/// CVE-2026-106456: a nested endpoint was as open as the one around it. The order in which they are written is nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nested_endpoints() {
    let (outer, inner) = (Upstream::start().await, Upstream::start().await);
    let open = "dangerously-allow-unauthenticated";
    let first = json!({
        "/open": { "target": outer.url(""), "credentials": open },
        "/open/closed": inner.url(""),
        "/closed": outer.url(""),
        "/closed/open": { "target": inner.url(""), "credentials": open },
    });
    let last = json!({
        "/closed/open": { "target": inner.url(""), "credentials": open },
        "/closed": outer.url(""),
        "/open/closed": inner.url(""),
        "/open": { "target": outer.url(""), "credentials": open },
    });
    for endpoints in [first, last] {
        let portal = portal(endpoints).await;
        let (nobody, guest) = (portal.anonymous(), portal.signed_in("user:default/guest").await);
        let check = async |path: &str, anonymous: u16, signed_in: u16, by_outer: usize, by_inner: usize| {
            for (client, status) in [(&nobody, anonymous), (&guest, signed_in)] {
                let answer = client.get(&format!("/api/proxy{path}")).await;
                assert_eq!(answer.status, status, "{path}: {}", answer.text());
                let reached = if status == 200 { (by_outer, by_inner) } else { (0, 0) };
                assert_eq!((outer.asked().len(), inner.asked().len()), reached, "{path}");
            }
        };
        check("/open", 200, 200, 1, 0).await;
        check("/open/a", 200, 200, 1, 0).await;
        check("/open/closedly", 200, 200, 1, 0).await;
        check("/open/closed", 401, 200, 0, 1).await;
        check("/open/closed/", 401, 200, 0, 1).await;
        check("/open/closed/a", 401, 200, 0, 1).await;
        check("/closed", 401, 200, 1, 0).await;
        check("/closed/a", 401, 200, 1, 0).await;
        check("/closed/open/a", 200, 200, 0, 1).await;
        for path in [
            "/open/Closed/a",
            "/open/CLOSED",
            "/open/%63losed/a",
            "/open/%43losed/a",
            "/open/closed%2fa",
            "/open/closed%5ca",
            "/open/%2fclosed/a",
            "/open/closed;a=b/c",
            "/open/closed%3ba/c",
            "/open/closed./a",
            "/open/closed%20/a",
            "/open/%2563losed/a",
            "/open/clo%c5%bfed/a",
            "/open/a/../closed/b",
            "/open/./closed",
            "/open//closed",
            "/closed/open/../a",
        ] {
            check(path, 400, 400, 0, 0).await;
        }
        // What does not take the method is not there, and falls through to nothing.
        let post = |client: Client, path: &'static str| async move { client.mutate("POST", path, b"").await.status };
        assert_eq!(post(nobody.clone(), "/api/proxy/open/closed/a").await, 401);
        assert_eq!(post(guest.clone(), "/api/proxy/open/closed/a").await, 404);
        assert_eq!(post(nobody.clone(), "/api/proxy/open/a").await, 404);
        assert_eq!(post(nobody.clone(), "/api/proxy/none").await, 401);
        assert_eq!((outer.asked().len(), inner.asked().len()), (0, 0));
    }
}

/// What stands below `proxy` may change while the portal runs.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let (portal, client) = reader(json!({ "/x": first.url("") })).await;
    assert_eq!(client.get("/api/proxy/x/a").await.status, 200);
    assert_eq!(first.asked().len(), 1);
    portal.configure(&json!({ "proxy": { "endpoints": { "/x": second.url(""), "/y": second.url("") } } }));
    let begun = std::time::Instant::now();
    while client.get("/api/proxy/y/a").await.status != 200 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "the change was not followed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    second.asked();
    assert_eq!(client.get("/api/proxy/x/a").await.status, 200);
    assert_eq!((first.asked().len(), second.asked().len()), (0, 1));
}
