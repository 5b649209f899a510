//! `/api/audit`: who may read what was changed or attempted, and how.

use callboard::audit::{AuditLog, Entry};
use callboard_model::api::AuditEntry;
use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::TestPortal;

/// Ada may read the log.
fn policy() -> Value {
    json!({ "permission": { "policy": [
        { "allow": ["catalog.*.read"], "to": ["signed-in"] },
        { "allow": ["audit.read"], "to": ["user:default/ada"] },
    ] } })
}

fn entry(actor: &str, permission: &str, path: &str) -> Entry {
    Entry {
        actor: actor.to_owned(),
        credential: "session".to_owned(),
        permission: permission.to_owned(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        resource: Some("component:default/lamp".to_owned()),
        remote: Some("10.0.0.7".to_owned()),
        rule: "default".to_owned(),
        request_id: "00ff00ff".to_owned(),
    }
}

/// Only what is written here: a portal that records its own requests may have rows of them, too, whose path begins
/// otherwise.
const OURS: &str = "path=/test/";

/// A portal with 1,203 rows of ours: 1,200 changes of Bob's, two of a pipeline, and a denied attempt.
async fn portal() -> (TestPortal, AuditLog) {
    let portal = TestPortal::start_lasting(&policy(), "").await;
    let log = AuditLog::open(portal.database().await).await.unwrap();
    for number in 0..1_200 {
        let path = format!("/test/{number}");
        log.allowed(entry("user:default/bob", "catalog.entity.refresh", &path)).await.unwrap().ended(200);
    }
    for path in ["/test/push", "/test/push"] {
        log.allowed(entry("push:ci", "catalog.push", path)).await.unwrap().ended(200);
    }
    log.denied(entry("anonymous", "catalog.entity.delete", "/test/denied"));
    log.start().finish().await;
    (portal, log)
}

async fn page(client: &Client, query: &str) -> (Vec<AuditEntry>, Option<String>) {
    let answer = client.get(&format!("/api/audit?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let page = answer.json();
    let next = page["pageInfo"]["nextCursor"].as_str().map(ToOwned::to_owned);
    (serde_json::from_value(page["items"].clone()).unwrap(), next)
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_exports() {
    let (portal, log) = portal().await;
    let ada = portal.signed_in("user:default/ada").await;

    // The answer has what the log has, and is in its order.
    let (items, next) = page(&ada, &format!("{OURS}&limit=500")).await;
    let filter = callboard::audit::Filter { path: Some("/test/".to_owned()), ..Default::default() };
    assert_eq!(items, log.newest(&filter, None, 500).await.unwrap());
    let (mut all, mut cursor) = (items, next);
    while let Some(next) = cursor {
        let (items, next) = page(&ada, &format!("{OURS}&limit=500&cursor={next}")).await;
        assert!(!items.is_empty());
        all.extend(items);
        cursor = next;
    }
    assert_eq!(all.len(), 1_203);
    assert!(all.is_sorted_by(|left, right| left.seq > right.seq), "the newest first, and each once");
    assert_eq!(page(&ada, OURS).await.0.len(), 50);

    let count = async |query: &str, expected: usize| {
        let (items, _) = page(&ada, &format!("{OURS}&limit=500&{query}")).await;
        assert_eq!(items.len(), expected, "{query}");
        let export = ada.get(&format!("/api/audit/export?{OURS}&{query}")).await;
        let lines = export.text().lines().count();
        assert!(lines == expected || (expected == 500 && lines > 500), "{query}: {lines}");
    };
    count("actor=push:ci", 2).await;
    count("actor=push:c", 0).await;
    count("permission=catalog.push", 2).await;
    count("permission=catalog.entity.*", 500).await;
    count("permission=catalog.entity.*&decision=denied", 1).await;
    count("permission=*.delete", 1).await;
    count("decision=denied", 1).await;
    count("resource=component:default/lamp&actor=anonymous", 1).await;
    count("resource=component:default/none", 0).await;
    count("since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00%2B02:00", 0).await;
    count("since=2020-01-01T00:00:00Z&actor=push:ci", 2).await;

    let export = ada.get(&format!("/api/audit/export?{OURS}")).await;
    assert_eq!(export.status, 200);
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(export.header("content-disposition"), Some("attachment; filename=\"audit.ndjson\""));
    let text = export.text();
    let lines: Vec<AuditEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.reverse();
    assert_eq!(lines, all, "the same, the oldest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters() {
    let portal = TestPortal::start(&policy(), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    let check = async |path: &str, message: &str| {
        let answer = ada.get(&format!("/api/audit{path}")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert_eq!(answer.json()["error"]["message"], message, "{path}");
    };
    for route in ["", "/export"] {
        check(&format!("{route}?who=ada"), "Unknown query parameter 'who'").await;
        check(&format!("{route}?actor="), "Empty value found for query parameter 'actor'").await;
        check(&format!("{route}?actor=%00"), "request/query/actor must not hold the character NUL").await;
        let decisions = "request/query/decision must be equal to one of the allowed values: allowed, denied";
        check(&format!("{route}?decision=Denied"), decisions).await;
        let time = "must be a time such as 2026-11-21T10:00:00Z";
        check(&format!("{route}?since=yesterday"), &format!("request/query/since {time}")).await;
        check(&format!("{route}?until=2026-11-21"), &format!("request/query/until {time}")).await;
    }
    check("?limit=0", "request/query/limit must be 1 to 500").await;
    check("?limit=501", "request/query/limit must be 1 to 500").await;
    check("?cursor=abc", "request/query/cursor must be the nextCursor of a page").await;
    check("/export?limit=1", "Unknown query parameter 'limit'").await;
}

/// Without a rule that names it, nobody reads the log, whatever else they may do.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_it() {
    let check = async |portal: &TestPortal, expected: [u16; 3]| {
        let people = [
            portal.anonymous(),
            portal.signed_in("user:default/bob").await,
            portal.signed_in("user:default/ada").await,
        ];
        for path in ["/api/audit", "/api/audit/export"] {
            for (client, status) in people.iter().zip(expected) {
                let answer = client.get(path).await;
                assert_eq!(answer.status, status, "{path}: {}", answer.text());
                assert!(status == 200 || answer.json()["error"]["name"].is_string());
            }
        }
    };
    check(&TestPortal::start(&policy(), "").await, [401, 403, 200]).await;
    check(&TestPortal::start(&json!({}), "").await, [401, 403, 403]).await;
}

/// What the routes themselves record: changes, what is refused, and what somebody does about their tokens.
/// What a proxy says of where a request comes from counts where app-config has the proxy, and not otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn where_requests_come_from() {
    for (trust, expected) in
        [(json!(false), "127.0.0.1"), (json!(1), "203.0.113.9"), (json!("loopback, 10.0.0.0/8"), "203.0.113.9")]
    {
        let config =
            json!({ "backend": { "trustProxy": trust }, "permission": { "roles": { "admin": ["user:default/ada"] } } });
        let portal = TestPortal::start(&config, "").await;
        let origin = portal.anonymous().base.origin().ascii_serialization();
        let headers = [
            ("Origin", origin.as_str()),
            ("Content-Type", "application/json"),
            ("X-Forwarded-For", "198.51.100.1, 203.0.113.9"),
        ];
        let body = json!({ "entityRef": "user:default/bob" }).to_string();
        let answer = portal.anonymous().send("POST", "/api/session", &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let ada = portal.signed_in("user:default/ada").await;
        let page = ada.get("/api/audit?actor=user:default/bob&permission=sign-in").await.json();
        assert_eq!(page["items"][0]["remote"], expected, "{trust}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do() {
    let config = json!({ "permission": { "roles": { "admin": ["user:default/ada"] } } });
    let portal = TestPortal::start_lasting(&config, "").await;
    let (bob, ada) = (portal.signed_in("user:default/bob").await, portal.signed_in("user:default/ada").await);
    let nobody = portal.anonymous();
    let by_name = "/api/catalog/entities/by-name/component/default/";
    let uid = |entity: Value| entity["metadata"]["uid"].as_str().unwrap().to_owned();
    let (lamp, shelf) =
        (uid(bob.get(&format!("{by_name}lamp")).await.json()), uid(bob.get(&format!("{by_name}shelf")).await.json()));
    let delete = async |client: &Client, uid: &str| {
        client.mutate("DELETE", &format!("/api/catalog/entities/by-uid/{uid}"), b"").await.status
    };
    assert_eq!(delete(&nobody, &lamp).await, 401);
    assert_eq!(delete(&bob, &shelf).await, 403);
    assert_eq!(delete(&bob, &lamp).await, 204);
    assert_eq!(bob.get("/api/audit").await.status, 403);
    let made = bob.post("/api/auth/tokens", &json!({ "name": "ci", "scope": ["*"], "days": 1 })).await;
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    nobody.send("GET", "/api/plugins", &[("Authorization", "Bearer guessed")], b"").await;
    let other = portal.signed_in("user:default/bob").await;
    assert_eq!(other.mutate("DELETE", "/api/session", b"").await.status, 204);
    assert_eq!(nobody.post("/api/session", &json!({ "entityRef": "user:default/eve" })).await.status, 403);
    // What somebody reads is nobody's business.
    bob.get(&format!("{by_name}shelf")).await;

    let row = |actor: &str, permission: &str, decision: &str, resource: Value, rule: &str| {
        json!([actor, permission, decision, resource, rule])
    };
    let owners = "default: owners change what they own";
    let expected = [
        row("user:default/bob", "catalog.entity.delete", "allowed", json!(shelf), owners),
        row("user:default/bob", "catalog.entity.delete", "allowed", json!(lamp), owners),
        row("anonymous", "catalog.entity.delete", "denied", json!(lamp), "no rule gives it"),
        row("user:default/bob", "audit.read", "denied", Value::Null, "no rule gives it"),
        row("user:default/bob", "own", "allowed", Value::Null, "their own"),
        row("user:default/bob", "sign-in", "allowed", json!("development"), "auth.providers.development"),
        row("user:default/bob", "sign-out", "allowed", json!("development"), "auth.providers.development"),
        row("anonymous", "sign-in", "denied", json!("development"), "not one of the choices"),
        row("anonymous", "plugin.read", "denied", Value::Null, "AuthenticationError: Illegal token"),
    ];
    let mut found = Vec::new();
    let complete = async || {
        let page = ada.get("/api/audit?limit=500").await.json();
        page["items"].as_array().unwrap().clone()
    };
    // Denied attempts are written in the background.
    for _ in 0..600 {
        found = complete().await;
        let rows: Vec<Value> = found
            .iter()
            .map(|item| json!([item["actor"], item["permission"], item["decision"], item["resource"], item["rule"]]))
            .collect();
        if expected.iter().all(|row| rows.contains(row)) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|item| json!([item["actor"], item["permission"], item["decision"], item["resource"], item["rule"]]))
        .collect();
    for row in &expected {
        assert!(rows.contains(row), "{row} is not in {rows:#?}");
    }
    let refused = found.iter().find(|item| item["status"] == 403).expect("how it ended that was not theirs to delete");
    assert_eq!((&refused["resource"], &refused["decision"]), (&json!(shelf), &json!("denied")));
    assert!(found.iter().all(|item| item["remote"] == "127.0.0.1"), "{found:#?}");
    assert!(!json!(found).to_string().contains(&secret), "a secret is nowhere");
    assert!(!found.iter().any(|item| item["permission"] == "catalog.entity.read"), "{found:#?}");
}
