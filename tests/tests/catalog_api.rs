//! The catalog's HTTP API over a portal that has read files, and what holds for every route.

use anyhow::{Context, Result};
use callboard_tests::portal::{KINDS, TestPortal};
use http::Method;
use serde_json::{Value, json};

const ORGANISATION: &str = r"
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: readers }
spec: { type: team, children: [], members: [ada] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: ada }
spec: { memberOf: [readers] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Shelf
  title: The shelf
  annotations: { example.org/slug: books/shelf }
  tags: [books, wood]
spec: { type: service, lifecycle: production, owner: readers, providesApis: [shelf-api] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: lamp }
spec: { type: website, lifecycle: experimental, owner: readers }
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: shelf-api }
spec: { type: openapi, lifecycle: production, owner: readers, definition: { $text: ./shelf.json } }
";

/// A portal over one file, all of it read.
async fn portal() -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("organisation.yaml"), ORGANISATION)?;
    std::fs::write(folder.path().join("shelf.json"), r#"{ "openapi": "3.1.0" }"#)?;
    let config = json!({ "catalog": {
        "rules": [{ "allow": KINDS }],
        "locations": [{ "type": "file", "target": "organisation.yaml" }],
    } });
    let portal = TestPortal::start_in(folder, config).await?;
    for entity in ["api:default/shelf-api", "component:default/shelf", "user:default/ada", "component:default/lamp"] {
        portal.until_entity(entity).await?;
    }
    portal
        .until("the relations", async || {
            let shelf = portal.entity("component:default/shelf").await?.context("the shelf")?;
            Ok(shelf["relations"].as_array().is_some_and(|relations| relations.len() >= 2))
        })
        .await?;
    Ok(portal)
}

#[tokio::test(flavor = "multi_thread")]
async fn reading() -> Result<()> {
    let portal = portal().await?;
    let client = portal.client();

    let shelf: Value = client.json("api/catalog/entities/by-name/Component/default/shelf").await?;
    assert_eq!(shelf["metadata"]["name"], "Shelf");
    let relations = shelf["relations"].as_array().context("relations")?;
    for (kind, target) in [("ownedBy", "group:default/readers"), ("providesApi", "api:default/shelf-api")] {
        assert!(relations.contains(&json!({ "type": kind, "targetRef": target })), "{relations:?}");
    }
    let api: Value = client.json("api/catalog/entities/by-name/api/default/shelf-api").await?;
    assert_eq!(api["spec"]["definition"], r#"{ "openapi": "3.1.0" }"#);
    let uid = shelf["metadata"]["uid"].as_str().context("a uid")?;
    let same: Value = client.json(&format!("api/catalog/entities/by-uid/{uid}")).await?;
    assert_eq!(same, shelf);

    for (query, total) in [
        ("filter=kind=component", 2),
        ("filter=kind=component,metadata.tags=books", 1),
        ("filter=kind=component,spec.type=website&filter=kind=api", 2),
        ("filter=metadata.annotations.example.org/slug=BOOKS/shelf", 1),
        ("filter=relations.ownedBy=group:default/readers", 3),
        ("filter=kind=component&fullTextFilterTerm=SHEL&fullTextFilterFields=metadata.name", 1),
    ] {
        let page: Value = client.json(&format!("api/catalog/entities/by-query?{query}")).await?;
        assert_eq!(page["totalItems"], total, "{query}: {page:#}");
        assert_eq!(page["items"].as_array().map(Vec::len), Some(total), "{query}");
    }
    let facets: Value = client.json("api/catalog/entity-facets?facet=spec.type&filter=kind=component").await?;
    assert_eq!(
        facets["facets"]["spec.type"],
        json!([{ "value": "service", "count": 1 }, { "value": "website", "count": 1 }])
    );
    let fields: Value =
        client.json("api/catalog/entities?filter=kind=component&fields=metadata.name&order=asc:metadata.name").await?;
    assert_eq!(fields, json!([{ "metadata": { "name": "lamp" } }, { "metadata": { "name": "Shelf" } }]));
    let refs = json!({ "entityRefs": ["component:default/lamp", "component:default/none"] });
    let refs: Value = client.post("api/catalog/entities/by-refs", &refs).await?.ok()?.json()?;
    assert_eq!((refs["items"][0]["metadata"]["name"].as_str(), &refs["items"][1]), (Some("lamp"), &Value::Null));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages() -> Result<()> {
    let portal = portal().await?;
    let mut seen = Vec::new();
    let mut path = "api/catalog/entities/by-query?limit=2&orderField=metadata.name".to_owned();
    loop {
        let page: Value = portal.client().json(&path).await?;
        seen.extend(page["items"].as_array().context("items")?.iter().map(|item| item["metadata"]["name"].clone()));
        let Some(cursor) = page["pageInfo"]["nextCursor"].as_str() else { break };
        path = format!("api/catalog/entities/by-query?limit=2&cursor={}", url_encoded(cursor));
    }
    let named: Vec<&str> =
        seen.iter().filter_map(Value::as_str).filter(|name| !name.starts_with("generated-")).collect();
    assert_eq!(named, ["ada", "lamp", "readers", "Shelf", "shelf-api"]);
    Ok(())
}

/// Errors are the envelope that clients know, with the URL as the API's part of the portal sees it.
#[tokio::test(flavor = "multi_thread")]
async fn errors() -> Result<()> {
    let portal = portal().await?;
    for (path, status, name, message) in [
        ("entities/by-name/component/default/none", 404, "NotFoundError", "none"),
        ("entities/by-query?foo=1", 400, "InputError", "foo"),
        ("entities/by-query?cursor=@@", 400, "InputError", "cursor"),
        ("entities/by-query?limit=x", 400, "InputError", "limit"),
        ("entity-facets", 400, "InputError", "facet"),
    ] {
        let answer = portal.client().get(&format!("api/catalog/{path}")).await?;
        let body: Value = answer.json()?;
        assert_eq!(answer.status.as_u16(), status, "{path}: {body}");
        assert_eq!(body["error"]["name"], name, "{path}: {body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains(message)), "{path}: {body}");
        assert_eq!(body["request"], json!({ "method": "GET", "url": format!("/{path}") }), "{path}");
        assert_eq!(body["response"]["statusCode"], status, "{path}");
    }
    let unknown = portal.client().get("api/catalog/none").await?;
    assert_eq!((unknown.status.as_u16(), unknown.body.len()), (404, 0));
    Ok(())
}

/// Who is not signed in reads nothing; a request that changes something must come from the portal's own page.
#[tokio::test(flavor = "multi_thread")]
async fn strangers() -> Result<()> {
    let portal = portal().await?;
    let stranger = portal.anonymous();
    for path in ["api/catalog/entities", "api/catalog/entities/by-query", "api/catalog/locations", "api/plugins"] {
        assert_eq!(stranger.get(path).await?.status.as_u16(), 401, "{path}");
    }
    for path in ["healthcheck", ".backstage/health/v1/readiness", ".backstage/health/v1/liveness", "api/app", ""] {
        assert_eq!(stranger.get(path).await?.status.as_u16(), 200, "{path}");
    }
    let forged = http::Request::builder()
        .method(Method::POST)
        .uri(portal.url().join("api/catalog/refresh")?.as_str())
        .header("origin", "https://evil.example")
        .header("content-type", "application/json")
        .header("cookie", portal.client().cookie.as_deref().unwrap_or_default())
        .body(json!({ "entityRef": "component:default/lamp" }).to_string().into())?;
    assert_eq!(portal.client().request(forged).await?.status.as_u16(), 403);
    Ok(())
}

/// Each page and answer has its headers.
#[tokio::test(flavor = "multi_thread")]
async fn headers() -> Result<()> {
    let portal = portal().await?;
    let page = portal.client().get("catalog").await?.ok()?;
    let policy = page.header("content-security-policy").context("a policy")?;
    for part in
        ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    let viewer = portal.client().get("viewer/swagger/").await?.ok()?;
    let policy = viewer.header("content-security-policy").context("a policy")?;
    assert!(policy.contains("connect-src 'none'"), "{policy}");
    for answer in [&page, &viewer, &portal.client().get("api/catalog/entities").await?] {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    Ok(())
}

/// A file that is edited is read again at once.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_file() -> Result<()> {
    let portal = portal().await?;
    let file = portal.folder().join("organisation.yaml");
    std::fs::write(&file, ORGANISATION.replace("The shelf", "The long shelf"))?;
    portal
        .until("the new title", async || {
            let shelf = portal.entity("component:default/shelf").await?;
            Ok(shelf.is_some_and(|shelf| shelf["metadata"]["title"] == "The long shelf"))
        })
        .await
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
