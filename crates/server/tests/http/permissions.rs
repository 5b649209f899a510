//! Who may do what: a table of routes against people.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

/// Anonymous visitors see websites, readers (Ada) see what they own, Bob may only look at plugins.
fn policy() -> Value {
    json!({ "permission": { "policy": [
        { "allow": ["catalog.*.read", "plugin.*"], "to": ["user:default/guest"] },
        { "allow": ["catalog.entity.read"], "to": ["anyone"], "where": { "spec.type": "website" } },
        { "allow": ["catalog.entity.*"], "to": ["group:default/readers"], "where": { "spec.owner": "readers" } },
        { "allow": ["plugin.read"], "to": ["user:default/bob"] },
        { "allow": ["api.try"], "to": ["anyone"] },
    ] } })
}

async fn ask(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    match method {
        "GET" => client.get(path).await,
        _ => client.mutate(method, path, body.to_string().as_bytes()).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_against_people() {
    let portal = TestPortal::start(&policy(), "").await;
    let people = [
        portal.anonymous(),
        portal.signed_in("user:default/guest").await,
        portal.signed_in("user:default/ada").await,
        portal.signed_in("user:default/bob").await,
    ];
    let check = async |method: &str, path: &str, body: Value, expected: [u16; 4]| {
        for (person, (client, status)) in ["anonymous", "guest", "ada", "bob"].iter().zip(people.iter().zip(expected)) {
            let answer = ask(client, method, path, &body).await;
            assert_eq!(answer.status, status, "{method} {path} by {person}: {}", answer.text());
            let name = match status {
                401 => "AuthenticationError",
                403 => "NotAllowedError",
                404 => "NotFoundError",
                _ => continue,
            };
            assert_eq!(answer.json()["error"]["name"], name, "{method} {path} by {person}");
        }
    };
    let none = || Value::Null;
    check("GET", "/api/app", none(), [200; 4]).await;
    check("GET", "/api/session", none(), [200; 4]).await;
    check("GET", "/api/openapi.json", none(), [200; 4]).await;
    check("GET", "/viewer/swagger/", none(), [200; 4]).await;
    check("GET", "/healthcheck", none(), [200; 4]).await;
    check("GET", "/api/catalog/entities", none(), [200; 4]).await;
    check("GET", "/api/catalog/entities/by-name/component/default/lamp", none(), [200; 4]).await;
    check("GET", "/api/catalog/entities/by-name/component/default/shelf", none(), [404, 200, 200, 404]).await;
    check("GET", "/api/catalog/entities/by-name/component/default/shelf/ancestry", none(), [403, 200, 200, 403]).await;
    check("GET", "/api/catalog/entities/by-name/component/default/none/ancestry", none(), [404; 4]).await;
    check("GET", "/api/catalog/locations", none(), [401, 200, 200, 200]).await;
    check("GET", "/api/catalog/locations/none", none(), [401, 404, 404, 404]).await;
    check(
        "POST",
        "/api/catalog/locations",
        json!({ "type": "url", "target": "https://a.example/" }),
        [401, 403, 403, 403],
    )
    .await;
    check("DELETE", "/api/catalog/locations/none", none(), [401, 403, 403, 403]).await;
    check("POST", "/api/catalog/refresh", json!({ "entityRef": "component:default/shelf" }), [401, 403, 200, 403])
        .await;
    check("POST", "/api/catalog/refresh", json!({ "entityRef": "component:default/lamp" }), [401, 403, 403, 403]).await;
    check("DELETE", "/api/catalog/entities/by-uid/none", none(), [401, 403, 204, 403]).await;
    let location = || json!({ "type": "url", "target": "https://a.example/" });
    check("POST", "/api/catalog/locations/by-query", json!({}), [401, 200, 200, 200]).await;
    check("PUT", "/api/catalog/locations/none", location(), [401, 403, 403, 403]).await;
    check("POST", "/api/catalog/analyze-location", json!({ "location": location() }), [401, 403, 403, 403]).await;
    // The rule for readers has a condition on entities, and this is about one that is in no catalog.
    let entity = json!({ "entity": {}, "location": "url:https://a.example/" });
    check("POST", "/api/catalog/validate-entity", entity, [401, 403, 403, 403]).await;
    check("POST", "/api/catalog/push/ci", json!({ "mode": "delta" }), [401, 403, 403, 403]).await;
    check("GET", "/api/catalog/entities/by-uid/none/freshness", none(), [404; 4]).await;
    let conditions = "/api/catalog/.well-known/backstage/permissions/apply-conditions";
    check("POST", conditions, json!({ "items": [] }), [200; 4]).await;
    check("GET", "/api/catalog/.backstage/auth/v1/jwks.json", none(), [200; 4]).await;
    // What is their own no policy gives or takes.
    check("GET", "/api/user-settings/buckets/a/keys/b", none(), [401, 404, 404, 404]).await;
    check("PUT", "/api/user-settings/buckets/a/keys/b", json!({ "value": 1 }), [401, 200, 200, 200]).await;
    check("DELETE", "/api/user-settings/buckets/a/keys/b", none(), [401, 204, 204, 204]).await;
    check("POST", "/api/user-settings/multiget", json!({ "items": [] }), [401, 200, 200, 200]).await;
    check("GET", "/api/audit", none(), [401, 403, 403, 403]).await;
    check("GET", "/api/audit/export", none(), [401, 403, 403, 403]).await;
    check("GET", "/api/plugins", none(), [401, 200, 403, 200]).await;
    check("GET", "/api/plugins/none", none(), [401, 404, 403, 404]).await;
    check("GET", "/api/extensions", none(), [401, 200, 403, 403]).await;
    check("POST", "/api/plugins/none/providers/x/run", none(), [401, 404, 403, 403]).await;
    check("POST", "/api/plugins/none/ui/x/render", json!({}), [401, 404, 403, 403]).await;
    check("POST", "/api/plugins/none/ui/x/actions/y", json!({}), [401, 404, 403, 403]).await;
    // No policy lets somebody try an API who is not signed in.
    let wish = json!({ "entityRef": "api:default/none", "method": "GET", "url": "https://a.example/" });
    check("POST", "/api/apis/try", wish, [401, 404, 404, 404]).await;
}

/// The page shows some of its parts only to those who may use them.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_what_its_reader_may() {
    let policy = json!({ "permission": { "policy": [
        { "allow": ["catalog.entity.read"], "to": ["anyone"] },
        { "allow": ["audit.*", "policy.read"], "to": ["group:default/readers"] },
        { "allow": ["audit.read"], "to": ["user:default/bob"] },
        // A condition on entities gives nothing that is not about entities.
        { "allow": ["policy.read"], "to": ["user:default/bob"], "where": { "kind": "API" } },
    ] } });
    let portal = TestPortal::start(&policy, "").await;
    for (client, expected) in [
        (portal.anonymous(), json!([])),
        (portal.signed_in("user:default/guest").await, json!([])),
        (portal.signed_in("user:default/ada").await, json!(["audit.read", "policy.read"])),
        (portal.signed_in("user:default/bob").await, json!(["audit.read"])),
    ] {
        assert_eq!(client.get("/api/app").await.json()["may"], expected);
    }
}

/// Every way to list shows exactly what single reads show.
#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_single_reads_show() {
    let portal = TestPortal::start(&policy(), "").await;
    let refs = ["component:default/lamp", "component:default/shelf", "group:default/readers", "user:default/ada"];
    let check = async |client: &Client, visible: &[&str]| {
        let named = |items: &Value| -> Vec<String> {
            let items = items.as_array().unwrap().iter().filter(|item| item["kind"] != "Location");
            let mut names: Vec<String> =
                items.map(|item| item["metadata"]["name"].as_str().unwrap().to_lowercase()).collect();
            names.sort();
            names
        };
        let mut expected: Vec<&str> = visible.iter().map(|entity_ref| entity_ref.rsplit('/').next().unwrap()).collect();
        expected.sort_unstable();
        assert_eq!(named(&client.get("/api/catalog/entities").await.json()), expected);
        assert_eq!(named(&client.get("/api/catalog/entities?limit=100").await.json()), expected);
        let page = client
            .get("/api/catalog/entities/by-query?filter=kind=component&filter=kind=group&filter=kind=user")
            .await
            .json();
        assert_eq!(named(&page["items"]), expected);
        assert_eq!(page["totalItems"], expected.len());
        let by_refs = client.post("/api/catalog/entities/by-refs", &json!({ "entityRefs": refs })).await.json();
        for (entity_ref, item) in refs.iter().zip(by_refs["items"].as_array().unwrap()) {
            assert_eq!(!item.is_null(), visible.contains(entity_ref), "{entity_ref}");
            let path = format!("/api/catalog/entities/by-name/{}", entity_ref.replace(':', "/"));
            let expected = if visible.contains(entity_ref) { 200 } else { 404 };
            assert_eq!(client.get(&path).await.status, expected, "{path}");
        }
        let facets = client.get("/api/catalog/entity-facets?facet=metadata.name&filter=kind=component&filter=kind=group&filter=kind=user").await.json();
        assert_eq!(facets["facets"]["metadata.name"].as_array().unwrap().len(), expected.len(), "{facets}");
    };
    check(&portal.anonymous(), &["component:default/lamp"]).await;
    check(&portal.signed_in("user:default/ada").await, &["component:default/lamp", "component:default/shelf"]).await;
    check(&portal.signed_in("user:default/bob").await, &["component:default/lamp"]).await;
    check(&portal.signed_in("user:default/guest").await, &refs).await;
}

/// Answers are remembered for those who may see everything. Whoever asks for the same after them gets their own.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_were_answered() {
    let portal = TestPortal::start(&policy(), "").await;
    let guest = portal.signed_in("user:default/guest").await;
    let bob = portal.signed_in("user:default/bob").await;
    let shelf = guest.get("/api/catalog/entities/by-name/component/default/shelf").await.json();
    let uid = shelf["metadata"]["uid"].as_str().unwrap().to_owned();
    for (path, status) in [
        ("/api/catalog/entities/by-name/component/default/shelf".to_owned(), 404),
        (format!("/api/catalog/entities/by-uid/{uid}"), 404),
        ("/api/catalog/entities/by-query?filter=kind=component".to_owned(), 200),
        ("/api/catalog/entity-facets?facet=metadata.name".to_owned(), 200),
    ] {
        let all = guest.get(&path).await;
        assert_eq!(all.status, 200, "{path}");
        assert_eq!(guest.get(&path).await.text(), all.text(), "{path}");
        for client in [&bob, &portal.anonymous()] {
            let some = client.get(&path).await;
            assert_eq!(some.status, status, "{path}");
            assert!(status == 404 || all.text().contains("\"Shelf\""), "{path}: {}", all.text());
            assert!(!some.text().contains("\"Shelf\""), "{path}: {}", some.text());
        }
    }
}

/// Without a policy whoever is signed in reads and refreshes, owners change what they own, and nobody else does anything.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy() {
    let portal = TestPortal::start(&json!({}), "").await;
    let check = async |client: &Client, method: &str, path: &str, body: Value, status: u16| {
        let answer = ask(client, method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    };
    let (nobody, bob) = (portal.anonymous(), portal.signed_in("user:default/bob").await);
    let lamp = json!({ "entityRef": "component:default/lamp" });
    check(&nobody, "GET", "/api/catalog/entities", Value::Null, 401).await;
    check(&nobody, "POST", "/api/catalog/refresh", lamp.clone(), 401).await;
    check(&bob, "GET", "/api/catalog/entities", Value::Null, 200).await;
    check(&bob, "GET", "/api/catalog/locations", Value::Null, 200).await;
    check(&bob, "POST", "/api/catalog/refresh", lamp, 200).await;
    check(&bob, "GET", "/api/plugins", Value::Null, 200).await;
    // Whoever owns something changes it, and nobody else does.
    for (name, status) in [("shelf", 403), ("lamp", 204)] {
        let entity = bob.get(&format!("/api/catalog/entities/by-name/component/default/{name}")).await.json();
        let uid = entity["metadata"]["uid"].as_str().expect("a uid").to_owned();
        check(&bob, "DELETE", &format!("/api/catalog/entities/by-uid/{uid}"), Value::Null, status).await;
    }
    check(&bob, "POST", "/api/catalog/locations", json!({ "type": "url", "target": "https://a.example/" }), 403).await;
    let denied = nobody.get("/api/catalog/entities?limit=1").await.json();
    assert_eq!(denied["error"]["message"], "Missing credentials");
    assert_eq!(denied["request"]["url"], "/entities?limit=1");
}
