//! The description of the API is a snapshot: whoever changes the API sees it in the diff.
//!
//! After a change that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p callboard --test http openapi` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::portal::TestPortal;

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_the_snapshot() {
    let portal = TestPortal::start(&json!({}), "").await;
    let mut found = portal.anonymous().get("/api/openapi.json").await.json();
    found["info"]["version"] = json!("0.0.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&found).unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, (found, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of {}; UPDATE_SNAPSHOTS=1 writes it anew", line + 1, file.display());
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "UPDATE_SNAPSHOTS=1 writes it anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_says_what_it_needs() {
    let portal = TestPortal::start(&json!({}), "").await;
    let description = portal.anonymous().get("/api/openapi.json").await.json();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 20, "{}", paths.len());
    let mut ids = BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: its id is not its own");
            assert!(operation["x-permission"].is_string(), "{method} {path}");
        }
    }
    let catalog: Value = portal.anonymous().get("/api/catalog/openapi.json").await.json();
    let paths = catalog["paths"].as_object().unwrap();
    assert!(paths.contains_key("/api/catalog/entities/by-query"), "{paths:?}");
    assert!(paths.keys().all(|path| path.starts_with("/api/catalog/")), "{paths:?}");
}

/// A plugin cannot have a name under which the portal answers itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_its_own_apis_are_reserved() {
    let portal = TestPortal::start(&json!({}), "").await;
    let description = portal.anonymous().get("/api/openapi.json").await.json();
    let own = description["paths"]
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|path| path.strip_prefix("/api/")?.split('/').next());
    for id in own.filter(|id| !id.starts_with('{')) {
        assert!(callboard_model::route::CORE_APIS.contains(&id), "add {id} to CORE_APIS in crates/model/src/route.rs");
    }
}

/// `catalog-api.txt` has the routes of Backstage's catalog API with their parameters, and the fields of their bodies and
/// answers, one fact a line. Ours may say more, and never less.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_catalog_api_is_missing() {
    let portal = TestPortal::start(&json!({}), "").await;
    let description = portal.anonymous().get("/api/catalog/openapi.json").await.json();
    let ours = facts(&description, "/api/catalog");
    let theirs: BTreeSet<String> = include_str!("catalog-api.txt").lines().map(ToOwned::to_owned).collect();
    assert!(theirs.len() > 500, "{}", theirs.len());
    let more: Vec<&String> = ours.difference(&theirs).collect();
    println!("{} facts of ours are not in Backstage's description, such as {:?}", more.len(), more.iter().take(20));
    let missing: Vec<&str> = theirs.difference(&ours).map(String::as_str).collect();
    assert!(missing.is_empty(), "{} facts are missing:\n{}", missing.len(), missing.join("\n"));
}

/// What a description says of the routes below a path: `GET /a`, `GET /a query x`, `POST /a body x.y`,
/// `GET /a 200 items[].x`.
fn facts(description: &Value, mount: &str) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let path = path.strip_prefix(mount).unwrap();
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            facts.insert(name.clone());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let (place, parameter) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                facts.insert(format!("{name} {place} {parameter}"));
            }
            let mut content = |what: &Value, word: &str| {
                let schema = &what["content"]["application/json"]["schema"];
                let mut found = BTreeSet::new();
                fields(description, schema, "", 0, &mut found);
                facts.extend(found.into_iter().map(|field| format!("{name} {word} {field}")));
            };
            content(&operation["requestBody"], "body");
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses {
                content(response, status);
            }
            // What is not described for itself is the common error.
            if !responses.contains_key("400") {
                content(&responses["default"], "400");
                facts.insert(format!("{name} 400"));
            }
            facts.extend(responses.keys().map(|status| format!("{name} {status}")));
        }
    }
    facts
}

fn fields(description: &Value, schema: &Value, at: &str, depth: usize, found: &mut BTreeSet<String>) {
    assert!(depth < 20, "{at} has no end");
    if let Some(target) = schema["$ref"].as_str() {
        let schema =
            description.pointer(target.trim_start_matches('#')).unwrap_or_else(|| panic!("{target} is nowhere"));
        return fields(description, schema, at, depth + 1, found);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for part in schema[key].as_array().into_iter().flatten() {
            fields(description, part, at, depth + 1, found);
        }
    }
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(below(name));
        fields(description, property, &below(name), depth + 1, found);
    }
    if schema["items"].is_object() {
        fields(description, &schema["items"], &format!("{at}[]"), depth + 1, found);
    }
    if schema["additionalProperties"].is_object() {
        fields(description, &schema["additionalProperties"], &below("*"), depth + 1, found);
    }
}
