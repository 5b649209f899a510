//! A portal for a test: a folder with a configuration and entities, and clients for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callboard::config::load;
use callboard::config::sources::Sources;
use callboard::{Options, Portal};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// Users that may be chosen at sign-in.
pub(crate) const AUTH: &str = r#"
app: { title: Test portal }
organization: { name: Acme }
backend:
  listen: "127.0.0.1:0"
  database: { client: better-sqlite3, connection: ":memory:" }
auth:
  environment: development
  providers:
    guest: { userEntityRef: "user:default/guest" }
    development:
      users:
        - { entityRef: "user:default/ada", displayName: Ada Lovelace }
        - { entityRef: "user:default/bob" }
"#;

/// What is in the catalog.
pub(crate) const ENTITIES: &str = r#"
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: readers }
spec: { type: team, children: [] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: ada }
spec: { memberOf: [readers] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: Shelf, title: The shelf, tags: [books, wood], annotations: { example.org/slug: books/shelf } }
spec: { type: service, lifecycle: production, owner: readers, providesApis: [shelf-api] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: lamp }
spec: { type: website, lifecycle: experimental, owner: user:bob }
"#;

pub(crate) struct TestPortal {
    pub(crate) portal: Portal,
    _folder: TempDir,
}

impl TestPortal {
    /// With [`AUTH`], [`ENTITIES`] and more of either.
    pub(crate) async fn start(config: &Value, entities: &str) -> TestPortal {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("base.yaml", AUTH);
        write("app-config.yaml", &config.to_string());
        write("entities.yaml", &format!("{ENTITIES}{entities}"));
        let catalog = json!({ "catalog": {
            "rules": [{ "allow": ["Component", "API", "Group", "User", "Location"] }],
            "locations": [{ "type": "file", "target": "entities.yaml" }],
        } });
        write("catalog.yaml", &catalog.to_string());
        let files = ["base.yaml", "catalog.yaml", "app-config.yaml"].map(|name| folder.path().join(name)).to_vec();
        let loaded = load(&Sources { files, dir: folder.path().to_owned(), env: BTreeMap::new() });
        let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.report));
        let data_dir = folder.path().join("data");
        let portal = callboard::start(Options { config, listen: None, data_dir }).await.unwrap();
        let test = TestPortal { portal, _folder: folder };
        test.wait_for_entities().await;
        test
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client { base: self.portal.url.clone(), cookie: None }
    }

    pub(crate) async fn signed_in(&self, entity_ref: &str) -> Client {
        let client = self.anonymous();
        let answer = client.post("/api/session", &json!({ "entityRef": entity_ref })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
        Client { cookie: Some(cookie), ..client }
    }

    /// Until everything in the files is there, with its relations. The guest may read everything in every test.
    async fn wait_for_entities(&self) {
        let guest = self.signed_in("user:default/guest").await;
        let related = |shelf: &Value| shelf["relations"].as_array().is_some_and(|relations| !relations.is_empty());
        until(&guest, "/api/catalog/entities/by-name/component/default/shelf", related).await;
        until(&guest, "/api/catalog/entities/by-name/component/default/lamp", |_| true).await;
        until(&guest, "/api/catalog/entities/by-name/user/default/ada", related).await;
    }
}

/// Asks again until there is an answer of the right kind.
pub(crate) async fn until(client: &Client, path: &str, right: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let answer = client.get(path).await;
        if answer.status == 200 && right(&answer.json()) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{path} in vain: {}", answer.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
