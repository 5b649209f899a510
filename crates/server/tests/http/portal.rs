//! A portal for a test: a folder with a configuration and entities, and clients for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callboard::config::load;
use callboard::config::sources::Sources;
use callboard::{Follow, Options, Portal};
use callboard_store::{DatabaseConfig, Db};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// Users that may be chosen at sign-in.
pub(crate) const AUTH: &str = r#"
app: { title: Test portal }
organization: { name: Acme }
backend:
  listen: "127.0.0.1:0"
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

#[path = "../../../../tests/src/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the portal's tests")]
mod server;

/// The suite is part of two test programs, one for each engine.
fn is_on_postgres() -> bool {
    env!("CARGO_CRATE_NAME").ends_with("postgres")
}

pub(crate) struct TestPortal {
    pub(crate) portal: Portal,
    folder: TempDir,
    database: DatabaseConfig,
}

/// A test cannot be started as a compiler of plugins; the program can.
pub(crate) fn compiler() -> callboard_host::Compiler {
    callboard_host::Compiler {
        program: env!("CARGO_BIN_EXE_callboard").into(),
        arguments: vec!["compile-plugin".into()],
    }
}

impl TestPortal {
    /// With [`AUTH`], [`ENTITIES`] and more of either, and a database that is gone with the portal.
    pub(crate) async fn start(config: &Value, entities: &str) -> TestPortal {
        TestPortal::start_with(r#"{ client: better-sqlite3, connection: ":memory:" }"#, config, entities).await
    }

    /// The same with a database that [`TestPortal::restart`] finds again.
    pub(crate) async fn start_lasting(config: &Value, entities: &str) -> TestPortal {
        TestPortal::start_with("{ client: better-sqlite3 }", config, entities).await
    }

    async fn start_with(sqlite: &str, config: &Value, entities: &str) -> TestPortal {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("base.yaml", AUTH);
        write("app-config.yaml", &config.to_string());
        write("entities.yaml", &format!("{ENTITIES}{entities}"));
        write("catalog.yaml", &json!({ "catalog": catalog() }).to_string());
        let (database, written) = database_in(&folder, sqlite);
        write("database.yaml", &format!("backend: {{ database: {written} }}"));
        TestPortal::start_in(folder, database).await
    }

    /// Ends, and starts again over the same data.
    pub(crate) async fn restart(self) -> TestPortal {
        self.portal.shutdown().await;
        TestPortal::start_in(self.folder, self.database).await
    }

    /// Changes the configuration under a portal that runs.
    pub(crate) fn configure(&self, config: &Value) {
        std::fs::write(self.folder.path().join("app-config.yaml"), config.to_string()).unwrap();
    }

    /// The database of a portal whose data lasts, as another program would see it.
    pub(crate) async fn database(&self) -> Db {
        Db::open(&self.database).await.unwrap()
    }

    async fn start_in(folder: TempDir, database: DatabaseConfig) -> TestPortal {
        let test = TestPortal::launch(folder, database).await;
        test.wait_for_entities().await;
        test
    }

    async fn launch(folder: TempDir, database: DatabaseConfig) -> TestPortal {
        let files = ["base.yaml", "database.yaml", "catalog.yaml", "app-config.yaml"];
        let files = files.map(|name| folder.path().join(name)).to_vec();
        let sources = Sources { files, dir: folder.path().to_owned(), env: BTreeMap::new() };
        let loaded = load(&sources);
        let follow = Some(Follow { sources, strict: false });
        let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.report));
        let data_dir = folder.path().join("data");
        let portal =
            callboard::start(Options { config, listen: None, data_dir, compiler: compiler(), follow }).await.unwrap();
        TestPortal { portal, folder, database }
    }

    /// In an environment where nobody may sign in without a proof.
    pub(crate) async fn start_without_guest(config: &Value) -> TestPortal {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("base.yaml", AUTH);
        write("app-config.yaml", &config.to_string());
        let (database, written) = database_in(&folder, r#"{ client: better-sqlite3, connection: ":memory:" }"#);
        write("database.yaml", &format!("backend: {{ database: {written} }}"));
        write("catalog.yaml", "{}");
        TestPortal::launch(folder, database).await
    }

    /// The settings of its catalog, for another one over the same data.
    pub(crate) fn catalog_settings(&self) -> callboard_catalog::Settings {
        let mut settings: callboard_catalog::Settings = serde_json::from_value(catalog()).unwrap();
        settings.base_dir = self.folder.path().to_owned();
        settings
    }

    /// Until the catalog has it: `kind/namespace/name`.
    pub(crate) async fn until_entity(&self, path: &str) {
        let guest = self.signed_in("user:default/guest").await;
        until(&guest, &format!("/api/catalog/entities/by-name/{path}"), |_| true).await;
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

fn catalog() -> Value {
    json!({
        "rules": [{ "allow": ["Component", "API", "Group", "User", "Location"] }],
        "locations": [{ "type": "file", "target": "entities.yaml" }],
    })
}

/// A database for a portal in a folder, and how app-config has it.
fn database_in(folder: &TempDir, sqlite: &str) -> (DatabaseConfig, String) {
    match is_on_postgres() {
        true => {
            let config = server::fresh();
            let url = std::env::var(server::VARIABLE).unwrap();
            let connection = json!({ "connectionString": url, "schema": config.schema });
            let written = json!({ "client": "pg", "connection": connection }).to_string();
            (DatabaseConfig::Postgres(Box::new(config)), written)
        }
        false => (DatabaseConfig::File(folder.path().join("data/callboard.sqlite")), sqlite.to_owned()),
    }
}

/// An empty database of the engine that this program tests.
pub(crate) async fn empty_database() -> Db {
    let config = if is_on_postgres() { server::database() } else { DatabaseConfig::Memory };
    Db::open(&config).await.unwrap()
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
