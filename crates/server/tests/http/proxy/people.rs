//! Who may use an endpoint.

use serde_json::{Value, json};

use super::Upstream;
use crate::client::Client;
use crate::portal::TestPortal;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn endpoints(upstream: &Upstream) -> Value {
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
    let endpoint = |more: Value| {
        let mut endpoint = json!({ "target": upstream.url(""), "allowedMethods": methods });
        endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        endpoint
    };
    json!({
        "/a": endpoint(json!({})),
        "/a/b": endpoint(json!({})),
        "/forward": endpoint(json!({ "credentials": "forward" })),
        "/open": endpoint(json!({ "credentials": "dangerously-allow-unauthenticated" })),
    })
}

async fn check(client: &Client, upstream: &Upstream, method: &str, path: &str, status: u16) {
    let answer = client.mutate(method, path, b"").await;
    assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    assert_eq!(upstream.asked().len(), usize::from(status == 200), "{method} {path}");
    let name = match status {
        401 => "AuthenticationError",
        403 => "NotAllowedError",
        _ => return,
    };
    if method != "HEAD" {
        let error = answer.json();
        assert_eq!((&error["error"]["name"], &error["response"]["statusCode"]), (&json!(name), &json!(status)));
        assert_eq!(error["request"]["url"], path.trim_start_matches("/api/proxy"), "as the proxy sees it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions() {
    let upstream = Upstream::start().await;
    let config = json!({
        "permission": { "policy": [
            { "allow": ["catalog.*.read"], "to": ["user:default/guest"] },
            { "allow": ["proxy.a.read"], "to": ["user:default/guest"] },
            { "allow": ["proxy.a.read", "proxy.a.write", "proxy.a.b.write"], "to": ["user:default/ada"] },
            { "allow": ["proxy.a.b.read"], "to": ["anyone"] },
            { "allow": ["proxy.forward.read"], "to": ["user:default/ada"], "where": { "kind": "API" } },
        ] },
        "catalog": { "push": { "ci": { "token": TOKEN } } },
        "proxy": { "endpoints": endpoints(&upstream) },
    });
    let portal = TestPortal::start(&config, "").await;
    let people = [
        portal.anonymous(),
        portal.signed_in("user:default/guest").await,
        portal.signed_in("user:default/ada").await,
        portal.signed_in("user:default/bob").await,
    ];
    let reads = ["GET", "HEAD", "OPTIONS"];
    let writes = ["POST", "PUT", "PATCH", "DELETE"];
    for (path, reading, writing) in [
        ("/api/proxy/a/x", [401, 200, 200, 403], [401, 403, 200, 403]),
        // `anyone` is whoever it is, and `require` wants to know who.
        ("/api/proxy/a/b/x", [401, 200, 200, 200], [401, 403, 200, 403]),
        // A condition on entities does not hold for an endpoint.
        ("/api/proxy/forward/x", [401, 403, 403, 403], [401, 403, 403, 403]),
        ("/api/proxy/open/x", [200; 4], [200; 4]),
        ("/api/proxy/none", [401, 404, 404, 404], [401, 404, 404, 404]),
    ] {
        for (methods, expected) in [(&reads[..], reading), (&writes[..], writing)] {
            for method in methods {
                for (client, status) in people.iter().zip(expected) {
                    check(client, &upstream, method, path, status).await;
                }
            }
        }
    }
    let denied = people[3].get("/api/proxy/a/x").await.json();
    let message = denied["error"]["message"].as_str().unwrap();
    assert!(message.contains("user:default/bob does not have the permission proxy.a.read"), "{message}");
    // A token that is no token, and one that is for something else.
    for (token, status) in [("Bearer unknown", 401), (&format!("Bearer {TOKEN}"), 403)] {
        let answer = people[0].send("GET", "/api/proxy/a/x", &[("Authorization", token)], b"").await;
        assert_eq!((answer.status, upstream.asked().len()), (status, 0), "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_whoever_is_signed_in_reads() {
    let upstream = Upstream::start().await;
    let portal = TestPortal::start(&json!({ "proxy": { "endpoints": endpoints(&upstream) } }), "").await;
    let (nobody, bob) = (portal.anonymous(), portal.signed_in("user:default/bob").await);
    for path in ["/api/proxy/a/x", "/api/proxy/a/b/x", "/api/proxy/forward"] {
        check(&bob, &upstream, "GET", path, 200).await;
        check(&bob, &upstream, "HEAD", path, 200).await;
        check(&bob, &upstream, "POST", path, 403).await;
        check(&bob, &upstream, "DELETE", path, 403).await;
        check(&nobody, &upstream, "GET", path, 401).await;
        check(&nobody, &upstream, "POST", path, 401).await;
    }
    check(&nobody, &upstream, "DELETE", "/api/proxy/open", 200).await;
}

/// Older versions had the endpoints directly below `proxy`.
#[tokio::test(flavor = "multi_thread")]
async fn where_older_versions_had_them() {
    let (older, newer) = (Upstream::start().await, Upstream::start().await);
    let proxy = json!({ "/old": older.url(""), "/both": older.url(""), "endpoints": { "/both": newer.url("") } });
    let portal = TestPortal::start(&json!({ "proxy": proxy }), "").await;
    let bob = portal.signed_in("user:default/bob").await;
    assert_eq!(bob.get("/api/proxy/old/x").await.status, 200);
    assert_eq!((older.asked().len(), newer.asked().len()), (1, 0));
    assert_eq!(bob.get("/api/proxy/both/x").await.status, 200);
    assert_eq!((older.asked().len(), newer.asked().len()), (0, 1));
}
