//! Pushing entities with a token.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";

async fn portal() -> TestPortal {
    // The example's own locations come from another file, and the two blocks are merged.
    let config = json!({
        "catalog": { "push": { "ci": { "token": TOKEN }, "other": { "token": OTHER } } },
        "permission": { "policy": [{ "allow": ["*"], "to": ["anyone"] }] },
    });
    TestPortal::start(&config, "").await
}

async fn send(client: &Client, token: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    let token = format!("Bearer {token}");
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    client.send(method, &format!("/api/catalog{path}"), &headers, body).await
}

fn component(name: &str, owner: Value) -> Value {
    json!({ "entity": {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": { "name": name },
        "spec": { "type": "service", "lifecycle": "production", "owner": owner },
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_can_be_read_when_the_answer_comes() {
    let portal = portal().await;
    let (nobody, guest) = (portal.anonymous(), portal.signed_in("user:default/guest").await);
    let push = async |body: Value| {
        let answer = send(&nobody, TOKEN, "POST", "/push/ci", body.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let status =
        async |name: &str| guest.get(&format!("/api/catalog/entities/by-name/component/default/{name}")).await.status;
    let answer =
        push(json!({ "mode": "full", "entities": [component("one", json!("x")), component("two", json!(2))] })).await;
    assert_eq!(answer["complete"], true);
    assert_eq!(answer["counts"], json!({ "listed": 2, "added": 2, "changed": 0, "removed": 0, "unchanged": 0 }));
    assert_eq!(
        (&answer["failedCount"], &answer["failed"][0]["entityRef"]),
        (&json!(1), &json!("component:default/two"))
    );
    assert_eq!(answer["failed"][0]["errors"][0]["name"], "InputError");
    assert_eq!((status("one").await, status("two").await), (200, 404));
    let answer =
        push(json!({ "mode": "delta", "entities": [component("three", json!("x"))], "removed": ["component:one"] }))
            .await;
    assert_eq!((&answer["counts"]["added"], &answer["counts"]["removed"]), (&json!(1), &json!(1)));
    assert_eq!((status("one").await, status("three").await), (404, 200));
    let three = guest.get("/api/catalog/entities/by-name/component/default/three").await.json();
    let uid = three["metadata"]["uid"].as_str().unwrap();
    let freshness = guest.get(&format!("/api/catalog/entities/by-uid/{uid}/freshness")).await.json();
    assert_eq!(freshness["source"]["kind"], "push", "{freshness:#}");
    assert_eq!(freshness["lastVerified"], freshness["source"]["lastVerified"]);
    assert_eq!(guest.get("/api/catalog/entities/by-uid/none/freshness").await.status, 404);
    // It came from no Location that is registered.
    let by_entity = guest.get("/api/catalog/locations/by-entity/component/default/three").await;
    let message = by_entity.json()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!((by_entity.status, message.as_str()), (404, "Found no location with type push and target ci"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_its_source_and_for_nothing_else() {
    let portal = portal().await;
    let nobody = portal.anonymous();
    let empty = json!({ "mode": "delta" }).to_string();
    let check = async |token: &str, method: &str, path: &str, body: &str, status: u16| {
        let answer = send(&nobody, token, method, path, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.text().contains(TOKEN) && !answer.text().contains(OTHER), "{}", answer.text());
    };
    check(TOKEN, "POST", "/push/ci", &empty, 200).await;
    check(TOKEN, "POST", "/push/other", &empty, 403).await;
    check(TOKEN, "POST", "/push/none", &empty, 403).await;
    check(OTHER, "POST", "/push/other", &empty, 200).await;
    for wrong in ["", "x", &TOKEN[1..], &format!("{TOKEN}0"), &TOKEN.to_uppercase()] {
        check(wrong, "POST", "/push/ci", &empty, 401).await;
    }
    // Anyone may do everything here, but the token is not anyone.
    assert_eq!(nobody.get("/api/catalog/entities").await.status, 200);
    check(TOKEN, "GET", "/entities", "", 403).await;
    check(TOKEN, "GET", "/entities/by-name/component/default/lamp", "", 403).await;
    check(TOKEN, "GET", "/locations", "", 403).await;
    check(TOKEN, "POST", "/entities/by-query", "{}", 403).await;
    check(TOKEN, "POST", "/refresh", r#"{"entityRef": "component:default/lamp"}"#, 403).await;
    check(TOKEN, "DELETE", "/entities/by-uid/none", "", 403).await;
    let without = nobody.post("/api/catalog/push/ci", &json!({ "mode": "delta" })).await;
    assert_eq!(without.status, 401, "{}", without.text());
    let guest = portal.signed_in("user:default/guest").await;
    let session = guest.post("/api/catalog/push/ci", &json!({ "mode": "delta" })).await;
    assert_eq!((session.status, session.json()["error"]["name"].as_str()), (403, Some("NotAllowedError")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_checked() {
    let portal = portal().await;
    let nobody = portal.anonymous();
    let check = async |body: &[u8], status: u16, message: &str| {
        let answer = send(&nobody, TOKEN, "POST", "/push/ci", body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let found = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(found.contains(message), "{found}");
    };
    check(b"{}", 400, "mode").await;
    check(br#"{"mode": "some"}"#, 400, "some").await;
    check(br#"{"mode": "full", "more": 1}"#, 400, "more").await;
    check(br#"{"mode": "full", "entities": [{}]}"#, 400, "entity").await;
    check(br#"{"mode": "full", "entities": [{"entity": {}}]}"#, 400, "entities/0: Malformed envelope").await;
    check(br#"{"mode": "full", "removed": ["component:default/x"]}"#, 400, "a full push removes").await;
    let user = json!({ "mode": "full", "entities": [{ "entity": { "apiVersion": "backstage.io/v1alpha1", "kind": "Template", "metadata": { "name": "u" } } }] });
    check(user.to_string().as_bytes(), 403, "not of an allowed kind").await;
    let large = format!(r#"{{"mode": "full", "x": "{}"}}"#, "x".repeat(48 * 1024 * 1024));
    check(large.as_bytes(), 413, "this route takes 33554432 bytes at most").await;
    // More than other routes take is fine.
    let many: Vec<Value> = (0..400).map(|n| component(&format!("many-{n}"), json!("x".repeat(400)))).collect();
    let body = json!({ "mode": "delta", "entities": many }).to_string();
    assert!(body.len() > 200 * 1024);
    let answer = send(&nobody, TOKEN, "POST", "/push/ci", body.as_bytes()).await;
    assert_eq!((answer.status, answer.json()["counts"]["added"].as_u64()), (200, Some(400)), "{}", answer.text());
}
