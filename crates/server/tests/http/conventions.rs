//! What holds for every route of `/api/catalog`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::TestPortal;

/// Every route, with a body that it takes.
const ROUTES: [(&str, &str, &str); 26] = [
    ("GET", "/entities", ""),
    ("GET", "/entities/by-query", ""),
    ("POST", "/entities/by-query", "{}"),
    ("GET", "/entities/by-uid/x", ""),
    ("DELETE", "/entities/by-uid/x", ""),
    ("GET", "/entities/by-uid/x/freshness", ""),
    ("GET", "/entities/by-name/component/default/lamp", ""),
    ("GET", "/entities/by-name/component/default/lamp/ancestry", ""),
    ("POST", "/entities/by-refs", r#"{"entityRefs": []}"#),
    ("GET", "/entity-facets?facet=kind", ""),
    ("POST", "/entity-facets", r#"{"facets": ["kind"]}"#),
    ("POST", "/refresh", r#"{"entityRef": "component:default/lamp"}"#),
    ("POST", "/validate-entity", r#"{"entity": {}, "location": "url:https://a.example/"}"#),
    ("POST", "/analyze-location", r#"{"location": {"type": "url", "target": "https://a.example/b"}}"#),
    ("GET", "/locations", ""),
    ("POST", "/locations", r#"{"type": "url", "target": "https://a.example/b"}"#),
    ("POST", "/locations?dryRun=true", r#"{"type": "url", "target": "https://a.example/b"}"#),
    ("POST", "/locations/by-query", "{}"),
    ("GET", "/locations/x", ""),
    ("PUT", "/locations/x", r#"{"type": "url", "target": "https://a.example/b"}"#),
    ("DELETE", "/locations/x", ""),
    ("GET", "/locations/by-entity/component/default/lamp", ""),
    ("POST", "/push/ci", r#"{"mode": "delta"}"#),
    ("GET", "/.well-known/backstage/permissions/metadata", ""),
    ("POST", "/.well-known/backstage/permissions/apply-conditions", r#"{"items": []}"#),
    ("GET", "/.backstage/auth/v1/jwks.json", ""),
];

const PUBLIC: &str = "/.backstage/auth/v1/jwks.json";

async fn portal() -> (TestPortal, Client) {
    let policy = json!({ "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] } });
    let portal = TestPortal::start(&policy, "").await;
    let client = portal.signed_in("user:default/guest").await;
    (portal, client)
}

/// The error that there must be, in the common envelope, with the URL relative to the mount.
async fn error(
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let answer = client.send(method, &format!("/api/catalog{path}"), headers, body.as_bytes()).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=utf-8"),
        "{method} {path}: {}",
        answer.text()
    );
    let found = answer.json();
    assert_eq!(found["request"], json!({ "method": method, "url": path }));
    assert_eq!(found["response"], json!({ "statusCode": answer.status }));
    let text =
        |key: &str| found["error"][key].as_str().unwrap_or_else(|| panic!("{method} {path}: {found}")).to_owned();
    (answer.status, text("name"), text("message"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_every_route() {
    let (_portal, client) = portal().await;
    let description = client.get("/api/catalog/openapi.json").await.json();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let segments: Vec<&str> = path.strip_prefix("/api/catalog").unwrap().split('/').collect();
            let known = ROUTES.iter().any(|(known, route, _)| {
                let route: Vec<&str> = route.split('?').next().unwrap().split('/').collect();
                known.eq_ignore_ascii_case(method)
                    && route.len() == segments.len()
                    && route.iter().zip(&segments).all(|(route, segment)| route == segment || segment.starts_with('{'))
            });
            assert!(known, "{method} {path} is not in the table");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_credentials() {
    let (portal, client) = portal().await;
    let nobody = portal.anonymous();
    let origin = client.base.origin().ascii_serialization();
    let own = [("Origin", origin.as_str()), ("Content-Type", "application/json")];
    for (method, path, body) in ROUTES {
        let and = if path.contains('?') { '&' } else { '?' };
        // Without the source's token nothing gets as far as the parameters of a push.
        if !path.starts_with("/push/") {
            let unknown = error(&client, method, &format!("{path}{and}foo=1"), &own, body).await;
            let expected = (400, "InputError".to_owned(), "Unknown query parameter 'foo'".to_owned());
            assert_eq!(unknown, expected, "{method} {path}");
        }
        if path != PUBLIC {
            let without = error(&nobody, method, path, &own, body).await;
            let expected = (401, "AuthenticationError".to_owned(), "Missing credentials".to_owned());
            assert_eq!(without, expected, "{method} {path}");
        }
        let token = [("Authorization", "Bearer nonsense"), ("Content-Type", "application/json")];
        let illegal = error(&nobody, method, path, &token, body).await;
        let expected = (401, "AuthenticationError".to_owned(), "Illegal token".to_owned());
        assert_eq!(illegal, expected, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies() {
    let (_portal, client) = portal().await;
    let origin = client.base.origin().ascii_serialization();
    let own = [("Origin", origin.as_str()), ("Content-Type", "application/json")];
    let large = format!(r#"{{"x": "{}"}}"#, "x".repeat(100 * 1024));
    for (method, path, body) in
        ROUTES.into_iter().filter(|(_, path, body)| !body.is_empty() && !path.starts_with("/push/"))
    {
        let check = async |sent: &str, headers: &[(&str, &str)], status: u16, name: &str, part: &str| {
            let (found, found_name, message) = error(&client, method, path, headers, sent).await;
            assert_eq!((found, found_name.as_str()), (status, name), "{method} {path}: {message}");
            assert!(message.contains(part), "{method} {path}: {message}");
        };
        check("{", &own, 400, "InputError", "request/body is not JSON").await;
        check("[]", &own, 400, "InputError", "request/body must be object").await;
        check(&large, &own, 413, "PayloadTooLargeError", "this route takes 102400 bytes at most").await;
        let text = [("Origin", origin.as_str()), ("Content-Type", "text/plain")];
        check(body, &text, 415, "UnsupportedMediaTypeError", "Content-Type: application/json").await;
    }
    // What needs nothing of a body needs no body.
    let only_origin = [("Origin", origin.as_str())];
    for path in ["/entities/by-query", "/locations/by-query"] {
        let bare = client.send("POST", &format!("/api/catalog{path}"), &only_origin, b"").await;
        let empty = client.post(&format!("/api/catalog{path}"), &json!({})).await;
        assert_eq!((bare.status, bare.json()), (200, empty.json()), "{path}");
    }
    let (status, _, message) = error(&client, "POST", "/entities/by-refs", &only_origin, "").await;
    assert_eq!((status, message.as_str()), (400, "request/body must have required property 'entityRefs'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_has_no_body() {
    let (_portal, client) = portal().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("PUT", "/entities"),
        ("DELETE", "/locations"),
        ("PATCH", "/locations/x"),
        ("GET", "/refresh"),
        ("GET", "/validate-entity"),
        ("POST", "/entities/by-uid/x/freshness"),
        ("GET", "/push/ci"),
        ("GET", "/.well-known/nothing"),
    ] {
        let answer = client.mutate(method, &format!("/api/catalog{path}"), b"").await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{method} {path}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_ask_for_permissions() {
    let (_portal, client) = portal().await;
    assert_eq!(client.get(&format!("/api/catalog{PUBLIC}")).await.json(), json!({ "keys": [] }));
    let base = "/api/catalog/.well-known/backstage/permissions";
    let metadata = client.get(&format!("{base}/metadata")).await.json();
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let rules = ["HAS_ANNOTATION", "HAS_LABEL", "HAS_METADATA", "HAS_SPEC", "IS_ENTITY_KIND", "IS_ENTITY_OWNER"];
    assert_eq!(names(&metadata["rules"]), rules);
    assert!(names(&metadata["permissions"]).contains(&"catalog.entity.read".to_owned()));
    assert_eq!(metadata["rules"][0]["paramsSchema"]["required"], json!(["annotation"]));

    let owner = json!({ "rule": "IS_ENTITY_OWNER", "resourceType": "catalog-entity", "params": { "claims": ["group:default/readers"] } });
    let item = |id: &str, what: Value, conditions: &Value| json!({ "id": id, "resourceRef": what, "resourceType": "catalog-entity", "conditions": conditions });
    let (shelf, lamp) = (json!("component:default/shelf"), json!("component:default/lamp"));
    let body = json!({ "items": [
        item("1", shelf.clone(), &owner),
        item("2", lamp.clone(), &owner),
        item("3", json!([lamp.clone(), shelf.clone(), "component:default/none"]), &json!({ "not": owner })),
    ] });
    let answer = client.post(&format!("{base}/apply-conditions"), &body).await;
    let expected = json!({ "items": [
        { "id": "1", "result": "ALLOW" },
        { "id": "2", "result": "DENY" },
        { "id": "3", "result": ["ALLOW", "DENY", "DENY"] },
    ] });
    assert_eq!(answer.json(), expected);
    for (body, message) in [
        (json!({}), "request/body must have required property 'items'"),
        (json!({ "items": [{}] }), "items/0: request/body must have required property 'id'"),
        (json!({ "items": [{ "id": "1", "resourceType": "x" }] }), "Unexpected resource types: x."),
        (json!({ "items": [item("1", shelf, &json!({ "rule": "X" }))] }), "items/0: conditions: there is no rule X"),
    ] {
        let answer = client.post(&format!("{base}/apply-conditions"), &body).await;
        assert_eq!((answer.status, answer.json()["error"]["message"].as_str()), (400, Some(message)));
    }
}
