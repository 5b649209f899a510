//! Signing in and out, and whose requests count.

use serde_json::json;

use crate::client::Client;
use crate::portal::TestPortal;

#[tokio::test(flavor = "multi_thread")]
async fn in_and_out() {
    let portal = TestPortal::start(&json!({}), "").await;
    let nobody = portal.anonymous();
    let before = nobody.get("/api/session").await.json();
    assert_eq!(before["user"], json!(null));
    assert_eq!(before["anonymousMayRead"], false);
    assert_eq!(
        before["choices"],
        json!([
            { "entityRef": "user:default/ada", "displayName": "Ada Lovelace", "guest": false },
            { "entityRef": "user:default/bob", "displayName": "bob", "guest": false },
            { "entityRef": "user:default/guest", "displayName": "Guest", "guest": true },
        ])
    );

    let answer = nobody.post("/api/session", &json!({ "entityRef": "user:default/ada" })).await;
    assert_eq!(answer.json()["user"], json!({ "entityRef": "user:default/ada", "displayName": "Ada Lovelace" }));
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in ["callboard-session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "this portal has no TLS: {cookie}");

    let ada = Client { cookie: Some(cookie.split(';').next().unwrap().to_owned()), ..nobody.clone() };
    let app = ada.get("/api/app").await.json();
    assert_eq!(app["title"], "Test portal");
    assert_eq!(app["organization"], "Acme");
    assert_eq!(app["session"]["user"]["entityRef"], "user:default/ada");
    assert_eq!(ada.get("/api/catalog/entities").await.status, 200);

    let out = ada.mutate("DELETE", "/api/session", b"").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "{out:?}");
    assert_eq!(ada.get("/api/catalog/entities").await.status, 401, "the session is over, not only the cookie");
    assert_eq!(ada.get("/api/session").await.json()["user"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not() {
    let portal = TestPortal::start(&json!({}), "").await;
    let nobody = portal.anonymous();
    let check = async |body: serde_json::Value, status: u16| {
        let answer = nobody.post("/api/session", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(answer.header("set-cookie"), None, "{body}");
    };
    check(json!({ "entityRef": "user:default/eve" }), 403).await;
    check(json!({ "entityRef": "group:default/readers" }), 403).await;
    check(json!({ "entityRef": "" }), 403).await;
    check(json!({}), 400).await;
    for cookie in ["callboard-session=", "callboard-session=0", "callboard-session=' OR 1=1"] {
        let client = Client { cookie: Some(cookie.to_owned()), ..nobody.clone() };
        assert_eq!(client.get("/api/catalog/entities").await.status, 401, "{cookie}");
    }
    let bearer = nobody.send("GET", "/api/catalog/entities", &[("Authorization", "Bearer abc")], b"").await;
    assert_eq!((bearer.status, bearer.json()["error"]["message"].as_str()), (401, Some("Illegal token")));
}

/// A request that changes something comes from the portal's own pages, or from no browser at all.
#[tokio::test(flavor = "multi_thread")]
async fn other_sites() {
    let portal = TestPortal::start(&json!({}), "").await;
    let guest = portal.signed_in("user:default/guest").await;
    let own = guest.base.origin().ascii_serialization();
    let body = json!({ "entityRef": "component:default/lamp" }).to_string();
    let check = async |client: &Client, method: &str, path: &str, origin: Option<&str>, status: u16| {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        let answer = client.send(method, path, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{method} {path} from {origin:?}: {}", answer.text());
    };
    check(&guest, "POST", "/api/catalog/refresh", Some(&own), 200).await;
    check(&guest, "POST", "/api/catalog/refresh", Some("https://evil.example"), 403).await;
    check(&guest, "POST", "/api/catalog/refresh", Some("null"), 403).await;
    check(&guest, "POST", "/api/catalog/refresh", None, 403).await;
    check(&guest, "DELETE", "/api/session", Some("https://evil.example"), 403).await;
    check(&guest, "GET", "/api/catalog/entities", Some("https://evil.example"), 200).await;
    let nobody = portal.anonymous();
    check(&nobody, "POST", "/api/session", Some("https://evil.example"), 403).await;
    check(&nobody, "POST", "/api/session", None, 403).await;
    check(&guest, "POST", "/api/catalog/refresh", Some(&own), 200).await;
}
