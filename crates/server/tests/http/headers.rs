//! What every answer carries, the pages, and health.

use serde_json::json;

use crate::portal::TestPortal;

#[tokio::test(flavor = "multi_thread")]
async fn policies() {
    let portal = TestPortal::start(&json!({}), "").await;
    let client = portal.signed_in("user:default/guest").await;
    let html = [("Accept", "text/html")];
    for path in ["/catalog", "/api/app", "/api/catalog/entities", "/healthcheck", "/api/none"] {
        let answer = client.send("GET", path, &html, b"").await;
        let policy = answer.header("content-security-policy").expect("a policy");
        for part in
            ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("'unsafe-"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("x-request-id").map(str::len), Some(16), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_viewer() {
    let portal = TestPortal::start(&json!({}), "").await;
    let client = portal.anonymous();
    let page = client.get("/viewer/swagger/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy").to_owned();
    for part in ["default-src 'none'", "connect-src 'none'", "frame-ancestors 'self'", "sandbox allow-scripts"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.text();
    let files: Vec<&str> = text.split('"').filter(|part| part.ends_with(".js") || part.ends_with(".css")).collect();
    assert_eq!(files.len(), 4, "{text}");
    for file in files {
        let answer = client.get(&format!("/viewer/swagger/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.header("cache-control").is_some_and(|value| value.contains("immutable")), "{file}");
        assert!(answer.body.len() > 500, "{file}");
    }
    assert_eq!(client.get("/viewer/swagger/none.js").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn health() {
    let portal = TestPortal::start(&json!({}), "").await;
    let client = portal.anonymous();
    for path in ["/.backstage/health/v1/liveness", "/.backstage/health/v1/readiness", "/healthcheck"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "status": "ok" })), "{path}");
    }
    portal.portal.shutdown().await;
}

/// A portal whose address is taken says so, and leaves nothing running.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken() {
    let portal = TestPortal::start(&json!({}), "").await;
    let taken = callboard::config::Listen { host: Some("127.0.0.1".to_owned()), port: portal.portal.address.port() };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app-config.yaml"), crate::portal::AUTH).unwrap();
    let sources = callboard::config::sources::Sources {
        files: vec![folder.path().join("app-config.yaml")],
        dir: folder.path().to_owned(),
        env: std::collections::BTreeMap::new(),
    };
    let config = callboard::config::load(&sources).config.expect("a configuration");
    let data_dir = folder.path().join("data");
    let compiler = crate::portal::compiler();
    let options = callboard::Options { config, listen: Some(taken), data_dir, compiler, follow: None };
    let Err(error) = callboard::start(options).await else { panic!("it started") };
    assert!(error.to_string().starts_with("cannot listen on 127.0.0.1:"), "{error}");
}
