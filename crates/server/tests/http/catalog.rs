//! `/api/catalog`, as clients of Backstage know it.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{TestPortal, until};

async fn portal() -> (TestPortal, Client) {
    let policy = json!({ "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] } });
    let more = r"---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: shelf-api }
spec: { type: openapi, lifecycle: production, owner: readers, definition: 'openapi: 3.1.0' }
";
    let portal = TestPortal::start(&policy, more).await;
    let client = portal.signed_in("user:default/guest").await;
    until(&client, "/api/catalog/entities/by-name/api/default/shelf-api", |_| true).await;
    let related = |shelf: &Value| shelf["relations"].as_array().is_some_and(|relations| relations.len() == 2);
    until(&client, "/api/catalog/entities/by-name/component/default/shelf", related).await;
    (portal, client)
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn entities() {
    let (_portal, client) = portal().await;
    let check = async |query: &str, expected: &[&str]| {
        let answer = client.get(&format!("/api/catalog/entities?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(names(&answer.json()), expected, "{query}");
    };
    check("filter=kind=component&order=asc:metadata.name", &["lamp", "Shelf"]).await;
    check("filter=kind=component&order=desc:metadata.name", &["Shelf", "lamp"]).await;
    check("filter=kind=component,metadata.tags=BOOKS", &["Shelf"]).await;
    check("filter=kind=component,spec.type=website&filter=kind=api&order=asc:metadata.name", &["lamp", "shelf-api"])
        .await;
    check("filter=metadata.annotations.example.org/slug=books/shelf", &["Shelf"]).await;
    check("filter=relations.ownedby=group:default/readers&order=asc:kind", &["shelf-api", "Shelf"]).await;
    // Whoever lacks the field of the order is left out, but not where there are pages.
    check("filter=kind=component&order=asc:metadata.title", &["Shelf"]).await;
    check("filter=kind=component&order=asc:metadata.title&limit=10", &["Shelf", "lamp"]).await;
    check("filter=kind=nothing", &[]).await;

    let fields = client.get("/api/catalog/entities?filter=metadata.name=lamp&fields=kind,metadata.name").await;
    assert_eq!(fields.json(), json!([{ "kind": "Component", "metadata": { "name": "lamp" } }]));
    let dotted = client
        .get("/api/catalog/entities?filter=metadata.name=shelf&fields=metadata.annotations.example.org/slug")
        .await;
    assert_eq!(dotted.json(), json!([{ "metadata": { "annotations": { "example.org/slug": "books/shelf" } } }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_between_pages() {
    let (_portal, client) = portal().await;
    let mut path = "/api/catalog/entities?limit=2&offset=0&filter=kind=component&filter=kind=api".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = client.get(&path).await;
        seen.extend(names(&answer.json()).into_iter().map(ToOwned::to_owned));
        let Some(link) = answer.header("link") else { break };
        let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect("a link");
        assert!(target.starts_with("/entities?limit=2&filter=kind%3Dcomponent&filter=kind%3Dapi&after="), "{target}");
        path = format!("/api/catalog{target}");
    }
    assert_eq!(seen, ["shelf-api", "lamp", "Shelf"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_query() {
    let (_portal, client) = portal().await;
    let check = async |answer: crate::client::Answer, total: u64, expected: &[&str]| {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        assert_eq!(page["totalItems"], total, "{page:#}");
        assert_eq!(names(&page["items"]), expected, "{page:#}");
        page
    };
    let base = "/api/catalog/entities/by-query";
    let get = async |query: &str| client.get(&format!("{base}?{query}")).await;
    let post = async |body: Value| client.post(base, &body).await;
    check(get("filter=kind=component&orderField=metadata.name").await, 2, &["lamp", "Shelf"]).await;
    check(get("filter=kind=component&orderField=metadata.name,desc").await, 2, &["Shelf", "lamp"]).await;
    check(get("filter=kind=component&orderField=metadata.title").await, 1, &["Shelf"]).await;
    check(get("filter=kind=component&limit=0").await, 2, &[]).await;
    check(get("filter=kind=component&orderField=metadata.name&totalItems=exclude").await, 0, &["lamp", "Shelf"]).await;
    check(
        get("fullTextFilterTerm=HEL&fullTextFilterFields=metadata.name&orderField=metadata.name").await,
        2,
        &["Shelf", "shelf-api"],
    )
    .await;

    check(post(json!({ "query": { "kind": "component", "metadata.tags": "books" } })).await, 1, &["Shelf"]).await;
    let several = json!({ "query": { "$any": [{ "kind": "API" }, { "spec.type": "website" }] }, "orderBy": [{ "field": "metadata.name", "order": "asc" }] });
    check(post(several).await, 2, &["lamp", "shelf-api"]).await;
    check(post(json!({ "query": { "$any": [] } })).await, 0, &[]).await;

    // Forth with what one form gave, in the other form, and back again.
    let first = check(get("filter=kind=component&orderField=metadata.name&limit=1").await, 2, &["lamp"]).await;
    assert_eq!(first["pageInfo"].get("prevCursor"), None);
    let next = first["pageInfo"]["nextCursor"].as_str().expect("a cursor");
    let second = check(post(json!({ "cursor": next, "limit": 1 })).await, 2, &["Shelf"]).await;
    assert_eq!(second["pageInfo"].get("nextCursor"), None);
    let back = second["pageInfo"]["prevCursor"].as_str().expect("a cursor");
    let encoded: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    check(get(&format!("cursor={encoded}&limit=1&fields=metadata.name")).await, 2, &["lamp"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_entities() {
    let (_portal, client) = portal().await;
    let shelf = client.get("/api/catalog/entities/by-name/COMPONENT/Default/shelf").await.json();
    assert_eq!(shelf["metadata"]["name"], "Shelf");
    assert_eq!(shelf["metadata"]["namespace"], "default");
    assert!(
        shelf["relations"]
            .as_array()
            .unwrap()
            .contains(&json!({ "type": "ownedBy", "targetRef": "group:default/readers" }))
    );
    let uid = shelf["metadata"]["uid"].as_str().unwrap();
    assert_eq!(client.get(&format!("/api/catalog/entities/by-uid/{uid}")).await.json(), shelf);

    let refs = json!({ "entityRefs": ["component:default/lamp", "component:default/Shelf", "component:default/none", "component:default/shelf"], "fields": ["metadata.name"] });
    let answer = client.post("/api/catalog/entities/by-refs", &refs).await;
    assert_eq!(
        answer.json(),
        json!({ "items": [{ "metadata": { "name": "lamp" } }, null, null, { "metadata": { "name": "Shelf" } }] })
    );
    let filtered = client.post("/api/catalog/entities/by-refs?filter=spec.type=website", &refs).await;
    assert_eq!(filtered.json(), json!({ "items": [{ "metadata": { "name": "lamp" } }, null, null, null] }));
    let ancestry = client.get("/api/catalog/entities/by-name/component/default/lamp/ancestry").await.json();
    assert_eq!(ancestry["rootEntityRef"], "component:default/lamp");
    assert_eq!(ancestry["items"][0]["entity"]["metadata"]["name"], "lamp");
}

#[tokio::test(flavor = "multi_thread")]
async fn facets() {
    let (_portal, client) = portal().await;
    let expected = json!({ "facets": {
        "spec.type": [{ "value": "service", "count": 1 }, { "value": "website", "count": 1 }],
        "nothing": [],
    } });
    let get = client.get("/api/catalog/entity-facets?facet=spec.type&facet=nothing&filter=kind=component").await;
    assert_eq!(get.json(), expected);
    let body = json!({ "facets": ["spec.type", "nothing"], "query": { "kind": "component" } });
    assert_eq!(client.post("/api/catalog/entity-facets", &body).await.json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn locations() {
    let (_portal, client) = portal().await;
    let location = json!({ "type": "url", "target": "https://example.com/catalog-info.yaml" });
    let created = client.post("/api/catalog/locations", &location).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    assert_eq!(created["entities"], json!([]));
    assert_eq!(created["location"]["target"], location["target"]);
    let id = created["location"]["id"].as_str().unwrap();
    let path = format!("/api/catalog/locations/{id}");

    let again = client.post("/api/catalog/locations", &location).await;
    assert_eq!((again.status, again.json()["error"]["name"].as_str()), (409, Some("ConflictError")));
    let refreshed = client.post("/api/catalog/locations?onConflict=refresh", &location).await;
    assert_eq!((refreshed.status, &refreshed.json()["location"]["id"]), (201, &created["location"]["id"]));
    let file = client.post("/api/catalog/locations", &json!({ "type": "file", "target": "/etc/passwd" })).await;
    assert_eq!(file.status, 400, "{}", file.text());
    let closed = client.post("/api/catalog/locations", &json!({ "type": "url", "target": "x", "more": 1 })).await;
    assert_eq!(closed.status, 400, "{}", closed.text());

    assert_eq!(client.get(&path).await.json(), created["location"]);
    let all = client.get("/api/catalog/locations").await.json();
    assert!(all.as_array().unwrap().contains(&json!({ "data": created["location"] })), "{all:#}");
    assert_eq!(client.mutate("DELETE", &path, b"").await.status, 204);
    assert_eq!(client.mutate("DELETE", &path, b"").await.status, 404);
    let gone = client.get(&path).await;
    assert_eq!(gone.json()["error"]["message"], format!("Found no location with ID {id}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshing() {
    let (_portal, client) = portal().await;
    let refresh = async |body: Value| {
        let answer = client.post("/api/catalog/refresh", &body).await;
        (answer.status, answer.text())
    };
    assert_eq!(refresh(json!({ "entityRef": "component:default/lamp" })).await, (200, String::new()));
    let with_token = json!({ "entityRef": "Component:lamp", "authorizationToken": "t" });
    assert_eq!(refresh(with_token).await, (200, String::new()));
    let (status, text) = refresh(json!({ "entityRef": "component:default/none" })).await;
    assert!(status == 404 && text.contains("Entity component:default/none not found"), "{status} {text}");
    assert_eq!(refresh(json!({})).await.0, 400);
    assert_eq!(refresh(json!({ "entityRef": "component:default/lamp", "more": 1 })).await.0, 400);
    let unknown = "/api/catalog/entities/by-uid/00000000-0000-0000-0000-000000000000";
    assert_eq!(client.mutate("DELETE", unknown, b"").await.status, 204);
}

/// Status, name and text, and the URL relative to the mount.
#[tokio::test(flavor = "multi_thread")]
async fn errors() {
    let (_portal, client) = portal().await;
    let check = async |path: &str, status: u16, name: &str, message: &str| {
        let answer = client.get(&format!("/api/catalog{path}")).await;
        let body = answer.json();
        assert_eq!(answer.status, status, "{path}: {body}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{path}");
        assert_eq!(body["error"]["name"], name, "{path}: {body}");
        let found = body["error"]["message"].as_str().unwrap();
        assert!(found.contains(message), "{path}: {found}");
        assert_eq!(body["request"], json!({ "method": "GET", "url": path }), "{path}");
        assert_eq!(body["response"], json!({ "statusCode": status }), "{path}");
    };
    check("/entities?foo=1", 400, "InputError", "Unknown query parameter 'foo'").await;
    check("/entities?filter%5B%5D=kind=api", 400, "InputError", "Unknown query parameter 'filter[]'").await;
    check("/entities?filter=", 400, "InputError", "Empty value found for query parameter 'filter'").await;
    check("/entities?limit=x", 400, "InputError", "request/query/limit must be integer").await;
    check("/entities?limit=0", 400, "InputError", "limit").await;
    check("/entities?order=metadata.name", 400, "InputError", "order").await;
    check("/entities?after=@@", 400, "InputError", "").await;
    check("/entities?fields=metadata.tags%5B0%5D", 400, "InputError", "array type fields are not supported").await;
    check("/entities?filter==x", 400, "InputError", "").await;
    check("/entities/by-query?cursor=@@", 400, "InputError", "Malformed cursor").await;
    check("/entities/by-query?totalItems=maybe", 400, "InputError", "totalItems").await;
    check("/entity-facets", 400, "InputError", "facet").await;
    let text = "No entity named 'None' found, with kind 'API' in namespace 'default'";
    check("/entities/by-name/API/default/None", 404, "NotFoundError", text).await;
    check("/entities/by-uid/none", 404, "NotFoundError", "No entity with uid none").await;
    check("/entities/by-name/api/default/none/ancestry", 404, "NotFoundError", "No such entity api:default/none").await;
    check("/locations/none", 404, "NotFoundError", "Found no location with ID none").await;
    check("/locations/by-entity/api/default/none", 404, "NotFoundError", "").await;

    for path in ["/api/catalog/none", "/api/none", "/api", "/api/catalog/entities/by-name/api"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
    }
    let method = client.mutate("PUT", "/api/catalog/entities", b"{}").await;
    assert_eq!((method.status, method.body.len()), (404, 0), "an unknown method is like an unknown route");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies() {
    let (_portal, client) = portal().await;
    let check = async |path: &str, body: &[u8], status: u16, message: &str| {
        let answer = client.mutate("POST", &format!("/api/catalog{path}"), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let found = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(found.contains(message), "{path}: {found}");
    };
    check("/entities/by-query", b"{", 400, "not JSON").await;
    check("/entities/by-query", b"[]", 400, "must be object").await;
    check("/entities/by-query", br#"{"query": {"kind": {"$like": "a"}}}"#, 400, "Invalid query").await;
    check("/entities/by-query", br#"{"cursor": ""}"#, 400, "cursor").await;
    check("/entities/by-refs", b"{}", 400, "must have required property 'entityRefs'").await;
    check("/entities/by-refs", br#"{"entityRefs": "a"}"#, 400, "request/body/entityRefs must be array").await;
    check("/entity-facets", br#"{"facets": []}"#, 400, "Missing or empty facets parameter").await;
    check("/refresh", b"{}", 400, "must have required property 'entityRef'").await;
    check("/refresh", &vec![b' '; 200 * 1024], 413, "").await;
    let origin = client.base.origin().ascii_serialization();
    let form = client
        .send("POST", "/api/catalog/refresh", &[("Origin", &origin), ("Content-Type", "text/plain")], b"{}")
        .await;
    assert_eq!(form.status, 415, "{}", form.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn not_modified() {
    let (_portal, client) = portal().await;
    let path = "/api/catalog/entities/by-name/component/default/lamp";
    let first = client.get(path).await;
    let tag = first.header("etag").expect("an ETag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = client.send("GET", path, &[("If-None-Match", &tag)], b"").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
    let other = client.send("GET", path, &[("If-None-Match", "W/\"x\"")], b"").await;
    assert_eq!(other.status, 200);
    let packed = client.send("GET", path, &[("Accept-Encoding", "gzip")], b"").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
}
