//! What portals of this kind have been attacked with, where no other suite has it already. `docs/security.md` lists all.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::TestPortal;

const SHELF: &str = "/api/catalog/entities/by-name/component/default/shelf";

/// Proxies that sign people in tell the service behind them who it is. Without such a proxy, anybody can.
#[tokio::test(flavor = "multi_thread")]
async fn headers_of_proxies_prove_nothing() {
    let portal = TestPortal::start(&json!({}), "").await;
    let (nobody, bob) = (portal.anonymous(), portal.signed_in("user:default/bob").await);
    // An unsigned token that says it is the guest, who is the admin here.
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyOmRlZmF1bHQvZ3Vlc3QiLCJlbWFpbCI6Imd1ZXN0QGV4YW1wbGUuY29tIn0.";
    for (name, value) in [
        ("X-Forwarded-User", "guest"),
        ("X-Forwarded-Email", "guest@example.com"),
        ("X-Forwarded-Preferred-Username", "guest"),
        ("X-Forwarded-Access-Token", token),
        ("X-Auth-Request-User", "guest"),
        ("X-Auth-Request-Email", "guest@example.com"),
        ("X-Remote-User", "guest"),
        ("Remote-User", "guest"),
        ("X-Backstage-User", "user:default/guest"),
        ("Cf-Access-Jwt-Assertion", token),
        ("Cf-Access-Authenticated-User-Email", "guest@example.com"),
        ("X-Goog-Iap-Jwt-Assertion", token),
        ("X-Goog-Authenticated-User-Email", "accounts.google.com:guest@example.com"),
        ("X-Amzn-Oidc-Data", token),
        ("X-Amzn-Oidc-Identity", "guest"),
        ("X-Ms-Client-Principal", "eyJ1c2VySWQiOiJndWVzdCJ9"),
        ("X-Ms-Token-Aad-Id-Token", token),
        ("X-Ssl-Client-S-Dn", "CN=guest"),
    ] {
        let headers = [(name, value)];
        assert_eq!(nobody.send("GET", SHELF, &headers, b"").await.status, 401, "{name}");
        assert_eq!(nobody.send("GET", "/api/session", &headers, b"").await.json()["user"], Value::Null, "{name}");
        let session = bob.send("GET", "/api/session", &headers, b"").await.json();
        assert_eq!(session["user"]["entityRef"], "user:default/bob", "{name}");
    }
}

/// CVE-2026-106503: what was forbidden in lower case was allowed in upper case. One entity has one verdict, however it is
/// spelt, and what merely looks alike is another one.
#[tokio::test(flavor = "multi_thread")]
async fn spelling_opens_nothing() {
    let config = json!({ "permission": { "policy": [
        { "allow": ["catalog.entity.read"], "to": ["user:default/bob"], "where": { "kind": "COMPONENT" } },
        { "allow": ["catalog.*.read"], "to": ["user:default/guest"] },
    ] } });
    let portal = TestPortal::start(&config, "").await;
    let bob = portal.signed_in("USER:Default/BOB").await;
    let guest = portal.signed_in("user:default/guest").await;
    for (path, of_guest) in [
        ("group/default/readers", 200),
        ("Group/default/readers", 200),
        ("GROUP/DEFAULT/READERS", 200),
        ("gRoUp/Default/reaDers", 200),
        ("%67roup/default/readers", 200),
        ("group/default/%52eaders", 200),
        ("group/default/readers%20", 404),
        ("group/default/readers%00", 404),
        ("group/default/readers%2f", 404),
        ("group/default/x%2f..%2freaders", 404),
        ("component/default/readers", 404),
        // The long s, full-width letters, and a group that is marked as read from right to left.
        ("group/default/reader%C5%BF", 404),
        ("%EF%BD%87roup/default/readers", 404),
        ("group/default/%E2%80%AEreaders", 404),
    ] {
        let path = format!("/api/catalog/entities/by-name/{path}");
        let answer = guest.get(&path).await;
        assert_eq!(answer.status, of_guest, "{path}: {}", answer.text());
        let answer = bob.get(&path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    let uid = bob.get(SHELF).await.json()["metadata"]["uid"].clone();
    for (path, found) in [
        ("component/default/SHELF", true),
        ("Component/DEFAULT/Shelf", true),
        ("component/default/%C5%BFhelf", false),
        ("component/default/shel%EF%AC%80", false),
    ] {
        let path = format!("/api/catalog/entities/by-name/{path}");
        let answer = bob.get(&path).await;
        assert_eq!(answer.status == 200 && answer.json()["metadata"]["uid"] == uid, found, "{path}: {}", answer.text());
    }
    // This one takes refs to the letter, as with Backstage.
    let refs = json!(["group:default/readers", "GROUP:DEFAULT/READERS", "Group:Readers", "component:default/shelf"]);
    let seen = async |client: &Client| -> Vec<bool> {
        let found = client.post("/api/catalog/entities/by-refs", &json!({ "entityRefs": refs })).await.json();
        found["items"].as_array().unwrap().iter().map(|item| !item.is_null()).collect()
    };
    assert_eq!(seen(&bob).await, [false, false, false, true]);
    assert_eq!(seen(&guest).await, [true, false, false, true]);
    for query in
        ["filter=kind=GROUP", "filter=KIND=group", "filter=kind=group,metadata.name=READERS", "filter=Kind=Group"]
    {
        let count = async |client: &Client| {
            let page = client.get(&format!("/api/catalog/entities/by-query?{query}")).await.json();
            assert_eq!(page["items"].as_array().map(Vec::len), page["totalItems"].as_u64().map(|n| n as usize));
            page["totalItems"].clone()
        };
        assert_eq!((count(&bob).await, count(&guest).await), (json!(0), json!(1)), "{query}");
    }
    // Nor is a permission another one in capitals.
    for name in ["catalog.entity.delete", "CATALOG.ENTITY.DELETE", "Catalog.Entity.Read", "catalog.entity.read "] {
        let answer = bob.get(&format!("/api/permission/explain?permission={}", name.replace(' ', "%20"))).await;
        assert_ne!(answer.json()["allowed"], true, "{name}: {}", answer.text());
    }
}

/// CVE-2026-106506: lists that could be ordered by what nobody is shown told it bit by bit.
#[tokio::test(flavor = "multi_thread")]
async fn ordering_tells_nothing() {
    let config = json!({ "permission": { "policy": [
        { "allow": ["catalog.entity.read"], "to": ["user:default/bob"], "where": { "kind": "component" } },
        { "allow": ["catalog.*.read", "audit.read"], "to": ["user:default/guest"] },
    ] } });
    let portal = TestPortal::start(&config, "").await;
    let bob = portal.signed_in("user:default/bob").await;
    let guest = portal.signed_in("user:default/guest").await;
    let refs = |page: &Value| -> Vec<String> {
        let mut names: Vec<String> =
            page["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].to_string()).collect();
        names.sort();
        names
    };
    // By whatever it is ordered, nobody is there or counted who is not there otherwise.
    let all = refs(&bob.get("/api/catalog/entities/by-query").await.json());
    for field in [
        "metadata.name",
        "metadata.uid",
        "spec.owner",
        "relations.ownedby",
        "metadata.etag",
        "hash",
        "final_entity",
        "id",
        "uid",
        "entity",
        "password",
        "secret",
        "1",
        "'",
        "metadata.name;",
        "metadata.name desc",
        "metadata.annotations.backstage.io/managed-by-location",
        "(SELECT 1)",
        "__proto__",
    ] {
        for direction in ["asc", "desc"] {
            let field: String = url::form_urlencoded::byte_serialize(field.as_bytes()).collect();
            let page = bob.get(&format!("/api/catalog/entities/by-query?orderField={field},{direction}")).await;
            assert!(matches!(page.status, 200 | 400), "{field}: {}", page.text());
            if page.status == 200 {
                let page = page.json();
                // As with Backstage, what has no such field is left out.
                let names = refs(&page);
                assert!(names.iter().all(|name| all.contains(name)), "{field} {direction}: {names:?}");
                assert_eq!(page["totalItems"], names.len(), "{field} {direction}");
            }
        }
    }
    // Lists that have no order to choose do not take one.
    let wish = json!({ "name": "one", "scope": ["*"], "days": 1 });
    assert_eq!(guest.post("/api/auth/tokens", &wish).await.status, 201);
    assert_eq!(guest.post("/api/auth/tokens", &json!({ "name": "two", "scope": ["*"], "days": 9 })).await.status, 201);
    for list in ["/api/auth/tokens", "/api/auth/sessions"] {
        let plain = guest.get(list).await.json();
        for parameter in ["order", "orderBy", "orderField", "sort", "sortBy"] {
            for column in ["secret", "sha256", "hash", "id,desc", "name,desc", "expires_at"] {
                let answer = guest.get(&format!("{list}?{parameter}={column}")).await;
                assert!(
                    answer.status == 400 || answer.json() == plain,
                    "{list} {parameter} {column}: {}",
                    answer.text()
                );
            }
        }
    }
    for parameter in ["order", "orderBy", "orderField", "sort", "sortBy"] {
        let answer = guest.get(&format!("/api/audit?{parameter}=hash,desc")).await;
        let sequence = |answer: &crate::client::Answer| -> Vec<u64> {
            answer.json()["items"].as_array().unwrap().iter().filter_map(|item| item["seq"].as_u64()).collect()
        };
        let is_newest_first = || sequence(&answer).windows(2).all(|pair| pair[0] > pair[1]);
        assert!(answer.status == 400 || is_newest_first(), "{parameter}: {}", answer.text());
    }
}

/// CVE-2026-106495: one door was less well guarded than another. To ask, to be told why, and to try are the same decision.
#[tokio::test(flavor = "multi_thread")]
async fn every_door_decides_alike() {
    let config = json!({ "permission": {
        "roles": { "keepers": ["group:default/readers"] },
        "policy": [
            { "allow": ["catalog.entity.read"], "to": ["signed-in"], "where": { "kind": { "$in": ["component", "group"] } } },
            { "allow": ["catalog.entity.refresh"], "to": ["signed-in"], "where": { "relations.ownedBy": "$me" } },
            { "allow": ["catalog.entity.*"], "to": ["role:keepers"], "where": { "metadata.name": "shelf" } },
            { "allow": ["catalog.*.read"], "to": ["user:default/guest"] },
        ],
    } });
    let portal = TestPortal::start(&config, "").await;
    let refs = ["component:default/shelf", "component:default/lamp", "group:default/readers", "user:default/ada"];
    for person in ["ada", "bob", "guest"] {
        let client = portal.signed_in(&format!("user:default/{person}")).await;
        for entity_ref in refs {
            let path = format!("/api/catalog/entities/by-name/{}", entity_ref.replace(':', "/"));
            let reads = client.get(&path).await.status == 200;
            let refreshed =
                client.post("/api/catalog/refresh", &json!({ "entityRef": entity_ref })).await.status == 200;
            for (permission, action, done) in
                [("catalog.entity.read", "read", reads), ("catalog.entity.refresh", "update", refreshed)]
            {
                let item = json!({ "id": "1", "resourceRef": entity_ref, "permission": {
                    "type": "resource", "name": permission, "attributes": { "action": action },
                    "resourceType": "catalog-entity" } });
                let asked = client.post("/api/permission/authorize", &json!({ "items": [item] })).await.json();
                assert_eq!(asked["items"][0]["result"] == "ALLOW", done, "{person} {permission} {entity_ref}: {asked}");
                let why = format!("/api/permission/explain?permission={permission}&entityRef={entity_ref}");
                let told = client.get(&why).await;
                // Who may not see it is not told that it is there.
                let allowed = told.status == 200 && told.json()["allowed"] == true;
                assert_eq!(allowed, done, "{person} {permission} {entity_ref}: {}", told.text());
                assert!(reads || told.status == 404, "{person} {permission} {entity_ref}: {}", told.text());
            }
        }
    }
}
