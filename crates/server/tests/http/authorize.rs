//! `/api/permission`: what clients of Backstage ask, and why something is so.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

fn policy() -> Value {
    json!({ "permission": {
        "roles": { "admin": ["user:default/guest"] },
        "policy": [
            { "name": "everybody reads", "allow": ["catalog.entity.read"], "to": ["signed-in"] },
            { "name": "owners delete", "allow": ["catalog.entity.delete"], "to": ["signed-in"],
              "where": { "relations.ownedBy": "$me" } },
        ],
    } })
}

fn item(name: &str, resource: Option<Value>) -> Value {
    let mut item = json!({ "id": name, "permission": { "name": name, "attributes": { "action": "read" } } });
    match resource {
        Some(resource) => {
            item["permission"]["type"] = json!("resource");
            item["permission"]["resourceType"] = json!("catalog-entity");
            item["resourceRef"] = resource;
        }
        None => item["permission"]["type"] = json!("basic"),
    }
    item
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_backstage() {
    let portal = TestPortal::start(&policy(), "").await;
    let people = [
        portal.anonymous(),
        portal.signed_in("user:default/bob").await,
        portal.signed_in("user:default/ada").await,
        portal.signed_in("user:default/guest").await,
    ];
    let check = async |name: &str, resource: Option<Value>, expected: [Value; 4]| {
        for (index, (client, expected)) in people.iter().zip(expected).enumerate() {
            let body = json!({ "items": [item(name, resource.clone())] });
            let answer = client.post("/api/permission/authorize", &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.json(), json!({ "items": [{ "id": name, "result": expected }] }), "{name} {index}");
        }
    };
    let (yes, no) = (|| json!("ALLOW"), || json!("DENY"));
    let shelf = || Some(json!("component:default/shelf"));
    check("catalog.entity.read", shelf(), [no(), yes(), yes(), yes()]).await;
    check("catalog.entity.delete", shelf(), [no(), no(), yes(), yes()]).await;
    check("catalog.entity.delete", Some(json!("Component:Default/SHELF")), [no(), no(), yes(), yes()]).await;
    check("catalog.entity.delete", Some(json!("component:default/none")), [no(), no(), no(), yes()]).await;
    let both = json!(["component:default/lamp", "component:default/shelf"]);
    check(
        "catalog.entity.delete",
        Some(both),
        [json!(["DENY", "DENY"]), json!(["ALLOW", "DENY"]), json!(["DENY", "ALLOW"]), json!(["ALLOW", "ALLOW"])],
    )
    .await;
    check("catalog.entity.create", None, [no(), no(), no(), yes()]).await;
    check("catalog.location.read", None, [no(), no(), no(), yes()]).await;
    check("scaffolder.task.create", None, [no(), no(), no(), yes()]).await;
    // Another spelling is another permission.
    check("Catalog.entity.read", shelf(), [no(), no(), no(), yes()]).await;

    let bad = async |item: Value, expected: &str| {
        let answer = people[1].post("/api/permission/authorize", &json!({ "items": [item] })).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let error = answer.json()["error"].clone();
        assert_eq!(error["name"], "InputError");
        assert!(error["message"].as_str().unwrap().contains(expected), "{error}");
    };
    let mut without = item("catalog.entity.read", shelf());
    without.as_object_mut().unwrap().remove("resourceRef");
    bad(without, "needs a resourceRef").await;
    let mut with = item("catalog.entity.create", None);
    with["resourceRef"] = json!("component:default/shelf");
    bad(with, "has no resourceRef").await;
    bad(json!({ "id": "x" }), "permission").await;
    assert_eq!(people[1].post("/api/permission/authorize", &json!({})).await.status, 400);
    assert_eq!(people[0].get("/api/permission/health").await.json(), json!({ "status": "ok" }));
}

/// CVE-2025-32791: conditions told what the policy says. No answer has any.
#[tokio::test(flavor = "multi_thread")]
async fn conditions_stay_here() {
    let config = json!({ "permission": { "policy": [
        { "name": "some", "allow": ["catalog.entity.*"], "to": ["signed-in"],
          "where": { "metadata.annotations.canary": "c4n4ry" } },
        { "allow": ["catalog.*.read"], "to": ["user:default/guest"] },
    ] } });
    let portal = TestPortal::start(&config, "").await;
    let bob = portal.signed_in("user:default/bob").await;
    let body = json!({ "items": [item("catalog.entity.read", Some(json!("component:default/shelf")))] });
    for answer in [
        bob.post("/api/permission/authorize", &body).await,
        bob.get("/api/permission/explain?permission=catalog.entity.read").await,
        bob.get("/api/catalog/entities").await,
        bob.get("/api/app").await,
        bob.get("/api/catalog/.well-known/backstage/permissions/metadata").await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("c4n4ry") && !answer.text().contains("canary"), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why() {
    let portal = TestPortal::start(&policy(), "").await;
    let (bob, ada) = (portal.signed_in("user:default/bob").await, portal.signed_in("user:default/ada").await);
    let guest = portal.signed_in("user:default/guest").await;
    let ask = async |client: &Client, query: &str| client.get(&format!("/api/permission/explain?{query}")).await;
    let shelf = "permission=catalog.entity.delete&entityRef=component:default/shelf";
    let answer = ask(&bob, shelf).await.json();
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"], "no rule gives it");
    let rules = json!([
        { "name": "permission.roles.admin", "outcome": "for-others" },
        { "name": "owners delete", "outcome": "other-entities" },
    ]);
    assert_eq!(answer["rules"], rules);
    let answer = ask(&ada, shelf).await.json();
    assert_eq!((&answer["allowed"], &answer["reason"]), (&json!(true), &json!("owners delete")));
    assert_eq!(answer["ownership"], json!(["user:default/ada", "group:default/readers"]));
    // What one may not ask about others, an admin may, and is told where the rules stand.
    let about = format!("{shelf}&user=user:default/ada");
    let refused = ask(&bob, &about).await;
    assert_eq!((refused.status, refused.json()["error"]["permission"].clone()), (403, json!("policy.read")));
    let answer = ask(&guest, &about).await.json();
    assert_eq!((&answer["principal"], &answer["allowed"]), (&json!("user:default/ada"), &json!(true)));
    assert!(answer["rules"][1]["place"].as_str().unwrap().contains("app-config.yaml:"), "{answer}");
    assert_eq!(answer["rules"][1]["to"], json!(["signed-in"]));
    let about = "permission=catalog.entity.read&user=plugin:s3";
    assert_eq!(ask(&bob, about).await.status, 403);
    let answer = ask(&guest, about).await.json();
    assert_eq!((&answer["principal"], &answer["allowed"]), (&json!("plugin:s3"), &json!(false)), "{answer}");
    assert_eq!(ask(&bob, "permission=catalog.entity.delete&entityRef=component:default/none").await.status, 404);
    assert_eq!(ask(&bob, "").await.status, 400);
    assert_eq!(ask(&portal.anonymous(), shelf).await.status, 401);
    let names = bob.get("/api/permission/permissions").await.json();
    assert!(names["items"].as_array().unwrap().len() > 10, "{names}");
}

/// A changed policy is in force without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_followed() {
    let portal = TestPortal::start(&policy(), "").await;
    let bob = portal.signed_in("user:default/bob").await;
    assert_eq!(bob.get("/api/plugins").await.status, 403);
    portal.configure(&json!({ "permission": { "policy": [{ "allow": ["plugin.read"], "to": ["signed-in"] }] } }));
    until(&bob, "/api/plugins", |_| true).await;
}
