//! Parts of entities, and entities as a whole, which are passed on as they are stored.

use callboard_store::{args, query};
use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

const ENTITY: &str = r#"---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: odd
  annotations: { github.com/project-slug: acme/x, github.com: y, example.org/a.b.c: z }
  tags: [a, b]
spec:
  type: service
  lifecycle: production
  owner: readers
  "a.b": { c: 1, "d.e": 2 }
  a: { x: 4 }
  "with blank": 5
  "ü ?&=%": w
  list: [{ a: 6 }]
  nothing: null
  "": 7
"#;

async fn portal() -> (TestPortal, Client) {
    let policy = json!({ "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] } });
    let portal = TestPortal::start_lasting(&policy, ENTITY).await;
    let client = portal.signed_in("user:default/guest").await;
    let related = |entity: &Value| entity["relations"].as_array().is_some_and(|relations| !relations.is_empty());
    until(&client, "/api/catalog/entities/by-name/component/default/odd", related).await;
    (portal, client)
}

/// The same projection through every route that has one.
#[tokio::test(flavor = "multi_thread")]
async fn fields() {
    let (_portal, client) = portal().await;
    let check = async |fields: &[&str], expected: Value| {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let together = format!("fields={}", encode(&fields.join(",")));
        let repeated = fields.iter().map(|field| format!("fields={}", encode(field))).collect::<Vec<_>>().join("&");
        for params in [together, repeated] {
            for path in ["/entities?", "/entities?limit=5&", "/entities/by-query?"] {
                let path = format!("/api/catalog{path}filter=metadata.name=odd&{params}");
                let answer = client.get(&path).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                let found = answer.json();
                let items = if found.is_array() { &found } else { &found["items"] };
                assert_eq!(*items, json!([expected]), "{path}");
            }
        }
        for (path, body) in [
            ("/entities/by-query", json!({ "query": { "metadata.name": "odd" }, "fields": fields })),
            ("/entities/by-refs", json!({ "entityRefs": ["component:default/odd"], "fields": fields })),
        ] {
            let found = client.post(&format!("/api/catalog{path}"), &body).await.json();
            assert_eq!(found["items"], json!([expected]), "{path} {fields:?}");
        }
    };
    check(&["kind"], json!({ "kind": "Component" })).await;
    check(&["kind", "metadata.name"], json!({ "kind": "Component", "metadata": { "name": "odd" } })).await;
    check(&["metadata.tags", "metadata.none", "none"], json!({ "metadata": { "tags": ["a", "b"] } })).await;
    let annotations = |annotations: Value| json!({ "metadata": { "annotations": annotations } });
    let slug = annotations(json!({ "github.com/project-slug": "acme/x" }));
    check(&["metadata.annotations.github.com/project-slug"], slug).await;
    check(&["metadata.annotations.github.com"], annotations(json!({ "github.com": "y" }))).await;
    check(&["metadata.annotations.example.org/a.b.c"], annotations(json!({ "example.org/a.b.c": "z" }))).await;
    check(&["spec.ü ?&=%"], json!({ "spec": { "ü ?&=%": "w" } })).await;
    // The longest key that fits is meant.
    check(&["spec.a.b.c"], json!({ "spec": { "a.b": { "c": 1 } } })).await;
    check(&["spec.a.b.d.e"], json!({ "spec": { "a.b": { "d.e": 2 } } })).await;
    check(&["spec.a.x"], json!({ "spec": { "a": { "x": 4 } } })).await;
    check(&["spec.with blank"], json!({ "spec": { "with blank": 5 } })).await;
    check(&["spec.nothing"], json!({ "spec": { "nothing": null } })).await;
    check(&["spec.list"], json!({ "spec": { "list": [{ "a": 6 }] } })).await;
    check(&["spec.list.a", "spec.type.x", "KIND", "spec..type"], json!({})).await;
    let relations = json!({ "relations": [{ "type": "ownedBy", "targetRef": "group:default/readers" }] });
    check(&["relations"], relations).await;

    for path in ["/entities?fields=kind,spec.list%5B0%5D", "/entities/by-query?fields=spec.list%5B0%5D.a"] {
        let answer = client.get(&format!("/api/catalog{path}")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains("array type fields are not supported"), "{path}: {}", answer.text());
    }
    for path in ["/entities/by-query", "/entities/by-refs"] {
        let body = json!({ "entityRefs": [], "fields": ["spec.list[0]"] });
        let answer = client.post(&format!("/api/catalog{path}"), &body).await;
        assert!(answer.text().contains("array type fields are not supported"), "{path}: {}", answer.text());
    }
}

/// Blanks that no writer of JSON makes are still there when the document arrives: nobody has parsed it on the way.
#[tokio::test(flavor = "multi_thread")]
async fn whole_entities_are_not_parsed() {
    let (portal, client) = portal().await;
    let db = portal.database().await;
    let marked = "\"spec\" :\t {";
    let changed = query(
        "UPDATE document SET document = replace(document, $1, $2) WHERE document LIKE '%acme/x%'",
        args!["\"spec\":{", marked],
    );
    assert_eq!(db.execute(changed).await.unwrap(), 1);
    // Asked for the first time: what another program writes may show a second later.
    let name = "/api/catalog/entities/by-name/Component/default/odd";
    let uid = client.get(name).await.json()["metadata"]["uid"].as_str().unwrap().to_owned();
    for path in [
        name,
        &format!("/api/catalog/entities/by-uid/{uid}"),
        "/api/catalog/entities",
        "/api/catalog/entities?limit=100",
        "/api/catalog/entities/by-query?filter=metadata.name=odd",
        &format!("{name}/ancestry"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.text().contains(marked), "{path}: {}", answer.text());
    }
    for (path, body) in [
        ("/entities/by-query", json!({})),
        ("/entities/by-refs", json!({ "entityRefs": ["component:default/odd"] })),
        ("/entities/by-refs?filter=metadata.name=odd", json!({ "entityRefs": ["component:default/odd"] })),
    ] {
        let answer = client.post(&format!("/api/catalog{path}"), &body).await;
        assert!(answer.text().contains(marked), "{path}: {}", answer.text());
    }
    let projected = client.get("/api/catalog/entities?filter=metadata.name=odd&fields=spec").await.text();
    assert!(projected.contains("\"spec\":{"), "{projected}");
}
