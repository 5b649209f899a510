//! The description of the API is a snapshot: whoever changes the API sees it in the diff.
//!
//! After a change that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p callboard --test http openapi` writes it anew.

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
    let mut ids = std::collections::BTreeSet::new();
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
