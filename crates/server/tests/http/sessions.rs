//! Signing in and out, and whose requests count.

use std::time::Duration;

use callboard_store::{args, query};
use serde_json::json;

use crate::client::{Answer, Client};
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

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_somebody() {
    let portal = TestPortal::start(&json!({}), "").await;
    let nobody = portal.anonymous();
    let agent = async |name: &str| {
        let origin = nobody.base.origin().ascii_serialization();
        let headers = [("Origin", origin.as_str()), ("Content-Type", "application/json"), ("User-Agent", name)];
        let answer = nobody.send("POST", "/api/session", &headers, br#"{"entityRef": "user:default/ada"}"#).await;
        Client { cookie: Some(cookie(&answer)), ..nobody.clone() }
    };
    let (desk, phone) = (agent("Desk/1").await, agent("Phone/1").await);
    let bob = portal.signed_in("user:default/bob").await;

    let list = desk.get("/api/auth/sessions").await.json();
    let items = list["items"].as_array().unwrap();
    let seen: Vec<_> =
        items.iter().map(|item| (item["userAgent"].as_str().unwrap(), item["current"] == true)).collect();
    assert_eq!(seen, [("Desk/1", true), ("Phone/1", false)]);
    assert!(items.iter().all(|item| item["provider"] == "development"), "{list}");
    let secret = desk.cookie.as_deref().and_then(|cookie| cookie.split_once('=')).unwrap().1;
    assert!(!list.to_string().contains(secret), "{list}");

    let of_phone = format!("/api/auth/sessions/{}", items[1]["id"].as_str().unwrap());
    let of_desk = format!("/api/auth/sessions/{}", items[0]["id"].as_str().unwrap());
    assert_eq!(bob.mutate("DELETE", &of_phone, b"").await.status, 404, "somebody else's");
    assert_eq!(nobody.mutate("DELETE", &of_phone, b"").await.status, 401);
    assert_eq!(phone.get("/api/auth/sessions").await.status, 200);
    let ended = desk.mutate("DELETE", &of_phone, b"").await;
    assert_eq!((ended.status, ended.header("set-cookie")), (204, None));
    assert_eq!(phone.get("/api/catalog/entities").await.status, 401);
    assert_eq!(desk.mutate("DELETE", &of_phone, b"").await.status, 404);
    let ended = desk.mutate("DELETE", &of_desk, b"").await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "{ended:?}");

    let (desk, phone) = (agent("Desk/1").await, agent("Phone/1").await);
    let ended = desk.mutate("DELETE", "/api/auth/sessions", b"").await;
    assert_eq!(ended.status, 204);
    for client in [&desk, &phone] {
        assert_eq!(client.get("/api/catalog/entities").await.status, 401);
    }
    assert_eq!(bob.get("/api/catalog/entities").await.status, 200);
    assert_eq!(nobody.get("/api/auth/sessions").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_leaves_the_session_before() {
    let portal = TestPortal::start(&json!({}), "").await;
    let planted = portal.signed_in("user:default/bob").await;
    let answer = planted.post("/api/session", &json!({ "entityRef": "user:default/ada" })).await;
    assert_ne!(Some(cookie(&answer)), planted.cookie, "a session that was there before is not gone on with");
    assert_eq!(planted.get("/api/catalog/entities").await.status, 401);
}

/// The new secret of a session goes along with whatever is answered, and nothing that lies between may keep it.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_comes_with_an_answer() {
    let portal = TestPortal::start_lasting(&json!({}), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    let before = ada.get("/api/catalog/entities").await;
    assert_eq!(before.header("set-cookie"), None);
    let aged = query("UPDATE session_secret SET since = since - $1", args![3_600_000_i64]);
    portal.database().await.execute(aged).await.unwrap();

    // Another program wrote to the database, which a portal on SQLite notices after a moment.
    let (answer, new) = loop {
        let answer = ada.get("/api/catalog/entities").await;
        assert_eq!(answer.status, 200);
        if let Some(set) = answer.header("set-cookie").map(str::to_owned) {
            break (answer, set);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for part in ["callboard-session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(new.contains(part), "{new}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let renewed = Client { cookie: Some(cookie(&answer)), ..ada.clone() };
    assert_ne!(renewed.cookie, ada.cookie);
    for client in [&ada, &renewed, &ada] {
        let answer = client.get("/api/catalog/entities").await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None));
    }
    let out = renewed.mutate("DELETE", "/api/session", b"").await;
    assert_eq!(out.status, 204);
    for client in [&ada, &renewed] {
        assert_eq!(client.get("/api/catalog/entities").await.status, 401);
    }
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

/// The cookie that an answer sets, as the next request carries it.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned()
}
