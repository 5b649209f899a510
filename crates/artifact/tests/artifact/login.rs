//! A real registry that asks for a name and a password.

use callboard_artifact::oci::Repository;
use serde_json::{Value, json};

use crate::{
    registry::{LOGIN, OciRegistry},
    support::{fetch, fetcher, push},
};

#[tokio::test]
async fn a_name_and_a_password() {
    let server = OciRegistry::start_with_login().await.unwrap();
    let host = server.host();
    let (name, password) = LOGIN;
    let entry = |password: &str| json!([{ "host": host, "username": name, "password": password }]);
    let repository = Repository::parse(&host, "acme/s3").unwrap();
    let right = fetcher(entry(password));
    push(&right.registries().of(&repository).unwrap(), &repository, "1.0.0", b"inside").await;
    let source = format!("oci://{repository}");
    for _ in 0..2 {
        assert_eq!(fetch(&right, &source, Some("^1")).await.unwrap().bytes, "inside");
    }
    let check = async |settings: Value, part: &str| {
        let error = fetch(&fetcher(settings), &source, None).await.unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("plugins.registries"), "{error}");
        assert!(!error.contains("hunter2") && !error.contains(password), "{error}");
    };
    check(json!([]), "asks who we are").await;
    check(entry("hunter2"), "does not accept the name and password").await;
    check(json!([{"host": "127.0.0.1:1", "username": name, "password": password}]), "asks who we are").await;
}
