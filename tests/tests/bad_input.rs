//! What nobody should send, and what becomes of it: a clear refusal of the request, or an error of that entity alone. In
//! bounded time and memory, with everything else going on, and on both engines, which draw the line for texts differently.

mod files;
mod memory;
mod requests;

use std::time::{Duration, Instant};

use anyhow::Result;
use callboard_store::Engine;
use callboard_tests::portal::{KINDS, TestPortal};
use callboard_tests::postgres;
use serde_json::{Value, json};

/// Longer than anything here may take, a busy machine allowed for: what is refused is refused at once.
const AT_ONCE: Duration = Duration::from_secs(20);

const SOUND: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: sound }\n\
                     spec: { type: service, lifecycle: production, owner: readers }\n";

/// For `/push/ci`.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Runs tests on both engines.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() -> anyhow::Result<()> {
                super::$name(callboard_store::Engine::Sqlite).await
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() -> anyhow::Result<()> {
                super::$name(callboard_store::Engine::Postgres).await
            })*
        }
    };
}
use on_both;

/// A portal with a sound file and these beside it.
async fn portal(engine: Engine, files: &[(&str, String)]) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sound.yaml"), SOUND)?;
    let mut locations = vec![json!({ "type": "file", "target": "sound.yaml" })];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
        locations.push(json!({ "type": "file", "target": name }));
    }
    let database: Value = match engine {
        Engine::Sqlite => json!({ "client": "better-sqlite3" }),
        Engine::Postgres => {
            let url = std::env::var(postgres::VARIABLE)?;
            let connection = json!({ "connectionString": url, "schema": postgres::fresh().schema });
            json!({ "client": "pg", "connection": connection })
        }
    };
    let config = json!({
        "backend": { "database": database },
        "catalog": {
            "push": { "ci": { "token": TOKEN } },
            "rules": [{ "allow": KINDS }],
            "locations": locations,
        },
    });
    let portal = TestPortal::start_in(folder, config).await?;
    portal.until_entity("component:default/sound").await?;
    Ok(portal)
}

fn component(name: &str, more: &str) -> String {
    SOUND.replace("name: sound", &format!("name: {name}")) + more
}

fn in_time(begun: Instant, what: &str) {
    assert!(begun.elapsed() < AT_ONCE, "{what} took {} s", begun.elapsed().as_secs());
}
