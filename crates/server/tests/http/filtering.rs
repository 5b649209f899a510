//! What entities are asked for: filters in the query string, predicates in bodies, and that every route takes them alike.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

/// Entities with values of every sort.
fn entities() -> String {
    let description = "y".repeat(201);
    let key = "k".repeat(201);
    format!(
        "---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Odd
  title: 100%_sure
  description: {description}
  labels: {{ example.org/tier: Gold }}
  annotations: {{ example.org/a.b: x, \"example.org/blank\": \"a b+c\" }}
  tags: [java]
spec:
  type: service
  lifecycle: Production
  owner: readers
  num: 7
  flag: true
  nothing: null
  empty: ''
  list: [Red, green]
  deep: [{{ a: 1 }}, {{ a: 2 }}]
  Ünïcode: Straße
  {key}: long
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {{ name: shelf-api, tags: [java, x] }}
spec: {{ type: openapi, lifecycle: production, owner: readers, definition: d }}
"
    )
}

async fn portal() -> (TestPortal, Client) {
    let policy = json!({ "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] } });
    let portal = TestPortal::start(&policy, &entities()).await;
    let client = portal.signed_in("user:default/guest").await;
    let related = |entity: &Value| entity["relations"].as_array().is_some_and(|relations| !relations.is_empty());
    until(&client, "/api/catalog/entities/by-name/component/default/odd", related).await;
    let related = |entity: &Value| entity["relations"].as_array().is_some_and(|relations| relations.len() == 2);
    until(&client, "/api/catalog/entities/by-name/api/default/shelf-api", related).await;
    (portal, client)
}

/// Sorted names, but for those of Locations.
fn names(items: &Value) -> Vec<String> {
    let named = items.as_array().unwrap().iter().filter(|item| !item.is_null() && item["kind"] != "Location");
    let mut names: Vec<String> = named.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

const REFS: [&str; 6] = [
    "component:default/odd",
    "component:default/shelf",
    "component:default/lamp",
    "api:default/shelf-api",
    "group:default/readers",
    "user:default/ada",
];

/// Each filter through every route that takes one.
#[tokio::test(flavor = "multi_thread")]
async fn filters() {
    let (_portal, client) = portal().await;
    let check = async |filter: &str, expected: &[&str]| {
        let query: Vec<String> = filter.split('&').map(|filter| format!("filter={filter}")).collect();
        let query = query.join("&");
        let get = async |path: &str| {
            let answer = client.get(&format!("/api/catalog{path}{query}")).await;
            assert_eq!(answer.status, 200, "{path}{query}: {}", answer.text());
            answer.json()
        };
        assert_eq!(names(&get("/entities?").await), expected, "{filter}");
        assert_eq!(names(&get("/entities?limit=100&").await), expected, "pages: {filter}");
        let page = get("/entities/by-query?").await;
        assert_eq!(names(&page["items"]), expected, "by-query: {filter}");
        let facets = get("/entity-facets?facet=metadata.name&").await;
        let facets = facets["facets"]["metadata.name"].as_array().unwrap();
        assert_eq!(facets.len(), page["items"].as_array().unwrap().len(), "facets: {filter}");
        let refs = json!({ "entityRefs": REFS });
        let by_refs = client.post(&format!("/api/catalog/entities/by-refs?{query}"), &refs).await.json();
        assert_eq!(names(&by_refs["items"]), expected, "by-refs: {filter}");
        assert_eq!(by_refs["items"].as_array().unwrap().len(), REFS.len());
    };
    // Of one key one value must fit, of several keys each, of several filters one.
    check("kind=api,kind=user", &["ada", "shelf-api"]).await;
    check("kind=component,spec.type=service", &["Odd", "Shelf"]).await;
    check("kind=api&kind=user", &["ada", "shelf-api"]).await;
    check("kind=component,spec.type=website&kind=group", &["lamp", "readers"]).await;
    // What is there; beside a value of the same key that says nothing.
    check("metadata.title", &["Odd", "Shelf"]).await;
    check("metadata.title,metadata.title=The%20shelf", &["Shelf"]).await;
    check("kind=component,metadata.tags", &["Odd", "Shelf"]).await;
    check("%20kind%20=%20API%20", &["shelf-api"]).await;
    // In any case, and of any type.
    check("KIND=Api", &["shelf-api"]).await;
    check("spec.lifecycle=PRODUCTION", &["Odd", "Shelf", "shelf-api"]).await;
    check("SPEC.NUM=7", &["Odd"]).await;
    check("spec.flag=TRUE", &["Odd"]).await;
    check("spec.empty=", &["Odd"]).await;
    check("spec.nothing", &["Odd"]).await;
    check("spec.nothing=null", &[]).await;
    check("spec.%C3%BCn%C3%AFcode=STRASSE", &[]).await;
    check("spec.%C3%9Cn%C3%AFcode=stra%C3%9Fe", &["Odd"]).await;
    // Lists, by value and by name, and what is in objects within them.
    check("metadata.tags=java", &["Odd", "shelf-api"]).await;
    check("metadata.tags.java", &["Odd", "shelf-api"]).await;
    check("metadata.tags.JAVA=true", &["Odd", "shelf-api"]).await;
    check("metadata.tags.java=false", &[]).await;
    check("metadata.tags=java,metadata.tags.x", &["shelf-api"]).await;
    check("spec.list=red,spec.list.green", &["Odd"]).await;
    check("spec.deep.a=2", &["Odd"]).await;
    // Keys are taken as they are, and so are values behind the first sign.
    check("metadata.annotations.example.org/a.b=X", &["Odd"]).await;
    check("metadata.labels.example.org/tier=gold", &["Odd"]).await;
    check("metadata.annotations.example.org/blank=a%20b%2Bc", &["Odd"]).await;
    check("metadata.annotations.example.org/blank=a+b%2Bc", &["Odd"]).await;
    check("metadata.title=100%25_sure", &["Odd"]).await;
    check("metadata.title=100%25%25sure", &[]).await;
    // Long values are there, and have no value; long keys are not.
    check("metadata.description", &["Odd"]).await;
    check(&format!("metadata.description={}", "y".repeat(201)), &[]).await;
    check(&format!("spec.{}", "k".repeat(201)), &[]).await;
    // Relations, and what is no field.
    check("relations.ownedBy=group:default/readers", &["Odd", "Shelf", "shelf-api"]).await;
    check("relations.OWNEDBY=Group:Default/Readers,kind=api", &["shelf-api"]).await;
    check("relations.apiProvidedBy", &["shelf-api"]).await;
    check("relations.nothing", &[]).await;
    for key in ["relations", "relations.type", "relations.targetRef", "status", "metadata.etag"] {
        check(key, &[]).await;
    }
    check("metadata.uid,kind=user", &["ada"]).await;
}

/// Each predicate through every route that takes one.
#[tokio::test(flavor = "multi_thread")]
async fn predicates() {
    let (_portal, client) = portal().await;
    let check = async |query: Value, expected: &[&str]| {
        let post = async |path: &str, body: Value| {
            let answer = client.post(&format!("/api/catalog{path}"), &body).await;
            assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
            answer.json()
        };
        let page = post("/entities/by-query", json!({ "query": query })).await;
        assert_eq!(names(&page["items"]), expected, "{query}");
        assert_eq!(page["totalItems"], page["items"].as_array().unwrap().len(), "{query}");
        let by_refs = post("/entities/by-refs", json!({ "entityRefs": REFS, "query": query })).await;
        assert_eq!(names(&by_refs["items"]), expected, "by-refs: {query}");
        let facets = post("/entity-facets", json!({ "facets": ["metadata.name"], "query": query })).await;
        let facets = facets["facets"]["metadata.name"].as_array().unwrap().len();
        assert_eq!(facets, page["items"].as_array().unwrap().len(), "facets: {query}");
    };
    let everybody = ["Odd", "Shelf", "ada", "lamp", "readers", "shelf-api"];
    check(json!({}), &everybody).await;
    check(json!({ "$all": [] }), &everybody).await;
    check(json!({ "$any": [] }), &[]).await;
    check(json!({ "$all": [{}, { "$all": [] }] }), &everybody).await;
    check(json!({ "$any": [{ "$any": [] }, { "kind": "API" }] }), &["shelf-api"]).await;
    check(json!({ "$not": {} }), &[]).await;
    check(json!({ "$not": { "kind": { "$in": ["COMPONENT", "location", "api"] } } }), &["ada", "readers"]).await;
    check(json!({ "kind": "component", "spec.type": "SERVICE" }), &["Odd", "Shelf"]).await;
    check(json!({ "$all": [{ "kind": "component" }, { "$not": { "spec.type": "service" } }] }), &["lamp"]).await;
    check(json!({ "$any": [{ "kind": "user" }, { "metadata.name": "SHELF" }] }), &["Shelf", "ada"]).await;
    check(json!({ "spec.num": 7 }), &["Odd"]).await;
    check(json!({ "spec.num": "7" }), &["Odd"]).await;
    check(json!({ "spec.flag": true }), &["Odd"]).await;
    check(json!({ "spec.empty": "" }), &["Odd"]).await;
    check(json!({ "metadata.title": { "$exists": true } }), &["Odd", "Shelf"]).await;
    check(json!({ "metadata.title": { "$exists": false }, "kind": "component" }), &["lamp"]).await;
    check(json!({ "metadata.description": { "$exists": true } }), &["Odd"]).await;
    check(json!({ "spec.num": { "$in": [1, 7, true] } }), &["Odd"]).await;
    check(json!({ "metadata.name": { "$in": [] } }), &[]).await;
    // What stands for anything in a pattern stands for itself.
    check(json!({ "metadata.title": { "$hasPrefix": "100%_S" } }), &["Odd"]).await;
    check(json!({ "metadata.title": { "$hasPrefix": "1__%" } }), &[]).await;
    check(json!({ "metadata.title": { "$hasPrefix": "sure" } }), &[]).await;
    check(json!({ "metadata.name": { "$hasPrefix": "shelf" } }), &["Shelf", "shelf-api"]).await;
    check(json!({ "metadata.tags": { "$contains": "JAVA" } }), &["Odd", "shelf-api"]).await;
    check(json!({ "metadata.tags": "java" }), &["Odd", "shelf-api"]).await;
    check(json!({ "metadata.annotations.example.org/a.b": "x" }), &["Odd"]).await;
    check(json!({ "relations.ownedby": "group:default/readers", "kind": "api" }), &["shelf-api"]).await;
    let related = |relation: Value| json!({ "relations": { "$contains": relation } });
    check(related(json!({ "type": "APIPROVIDEDBY" })), &["shelf-api"]).await;
    let owned = json!({ "type": "ownedBy", "targetRef": "Group:default/READERS" });
    check(related(owned), &["Odd", "Shelf", "shelf-api"]).await;
    let several = json!({ "type": "ownedBy", "targetRef": { "$in": ["user:default/bob", "user:default/x"] } });
    check(related(several), &["lamp"]).await;
    check(related(json!({ "type": "ownedBy", "targetRef": "group:default/other" })), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn predicates_that_are_none() {
    let (_portal, client) = portal().await;
    for query in [
        json!("kind=api"),
        json!(1),
        json!(true),
        json!(null),
        json!([{ "kind": "api" }]),
        json!({ "$nope": [] }),
        json!({ "$all": {} }),
        json!({ "$any": "x" }),
        json!({ "$not": [] }),
        json!({ "$all": [], "kind": "api" }),
        json!({ "$all": ["x"] }),
        json!({ "kind": null }),
        json!({ "kind": ["api"] }),
        json!({ "kind": {} }),
        json!({ "kind": { "$like": "a" } }),
        json!({ "kind": { "$not": { "$in": ["api"] } } }),
        json!({ "kind": { "$exists": true, "$in": ["api"] } }),
        json!({ "kind": { "$exists": "true" } }),
        json!({ "kind": { "$in": "api" } }),
        json!({ "kind": { "$in": [null] } }),
        json!({ "kind": { "$hasPrefix": 1 } }),
        json!({ "kind": { "$contains": { "type": "x" } } }),
        json!({ "relations": { "$contains": {} } }),
        json!({ "relations": { "$contains": { "type": 1 } } }),
        json!({ "relations": { "$contains": { "type": "x", "more": 1 } } }),
        json!({ "relations": { "$contains": { "type": "x", "targetRef": { "$in": [] } } } }),
        json!({ "relations": { "$contains": { "type": "x", "targetRef": { "$in": ["a"], "more": 1 } } } }),
        json!({ "a\nb": "x" }),
    ] {
        for (path, body) in [
            ("/entities/by-query", json!({ "query": query })),
            ("/entities/by-refs", json!({ "entityRefs": [], "query": query })),
            ("/entity-facets", json!({ "facets": ["kind"], "query": query })),
        ] {
            let answer = client.post(&format!("/api/catalog{path}"), &body).await;
            let error = answer.json();
            assert_eq!((answer.status, &error["error"]["name"]), (400, &json!("InputError")), "{path} {body}: {error}");
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.starts_with("Invalid query"), "{path} {body}: {message}");
        }
    }
}

/// Both hold where both are given.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_and_a_predicate() {
    let (_portal, client) = portal().await;
    let body = json!({ "entityRefs": REFS, "query": { "metadata.tags": "java" }, "fields": ["metadata.name"] });
    let found = client.post("/api/catalog/entities/by-refs?filter=kind=component", &body).await.json();
    let odd = json!({ "metadata": { "name": "Odd" } });
    assert_eq!(found, json!({ "items": [odd, null, null, null, null, null] }));
}
