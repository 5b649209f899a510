//! Two replicas on one database: what one decides, both run.

use anyhow::{Context, Result};
use callboard_model::api::PluginInfo;
use callboard_tests::generations::{ID, name, shown, version};
use callboard_tests::portal::TestPortal;
use callboard_tests::postgres;
use serde_json::{Value, json};

/// A replica with a file of its own, which holds the first version.
async fn replica(database: &Value) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("generations.wasm"), version(1, "works")?)?;
    let config = json!({
        "backend": { "database": database },
        "plugins": { ID: { "source": "generations.wasm", "grant": { "log": true, "kv": true } } },
    });
    TestPortal::start_in(folder, config).await
}

async fn shows(portal: &TestPortal) -> Result<String> {
    let answer = portal.client().post(&format!("api/plugins/{ID}/ui/page/render"), &json!({})).await?;
    let tree: Value = answer.ok()?.json()?;
    Ok(tree.pointer("/root/text").and_then(Value::as_str).context("a text")?.to_owned())
}

/// What each replica runs, as one of them says it.
fn generations(plugin: &PluginInfo) -> Vec<i64> {
    plugin.replicas.iter().map(|replica| replica.generation).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reload_reaches_both() -> Result<()> {
    let config = postgres::fresh();
    let url = std::env::var(postgres::VARIABLE)?;
    let database = json!({ "client": "pg", "connection": { "connectionString": url, "schema": config.schema } });
    let (one, other) = (replica(&database).await?, replica(&database).await?);
    assert_eq!((shows(&one).await?, shows(&other).await?), (shown(1, ""), shown(1, "")));
    one.until("both to say what they run", async || Ok(generations(&one.plugin(ID).await?) == [1, 1])).await?;

    // A file of one of them is another now, and that one is told to look.
    std::fs::write(one.folder().join("generations.wasm"), version(2, "works")?)?;
    one.client().post(&format!("api/plugins/{ID}/reload"), &json!({})).await?.ok()?;
    assert_eq!(shows(&one).await?, shown(2, ""));
    other.until("the other one", async || Ok(shows(&other).await? == shown(2, ""))).await?;
    for portal in [&one, &other] {
        portal.until("both on its page", async || Ok(generations(&portal.plugin(ID).await?) == [2, 2])).await?;
    }

    // What is decided at the other one holds here, and what is kept is one.
    one.client().post(&format!("api/plugins/{ID}/ui/page/actions/kept"), &json!({})).await?.ok()?;
    assert_eq!(shows(&other).await?, shown(2, "kept"));
    other.client().post(&format!("api/plugins/{ID}/rollback"), &json!({})).await?.ok()?;
    one.until("the version before", async || Ok(shows(&one).await? == shown(1, ""))).await?;
    other.client().post(&format!("api/plugins/{ID}/disable"), &json!({})).await?.ok()?;
    one.until("it is off", async || Ok(shows(&one).await.is_err())).await?;

    // A replica that starts with the file of before follows what is decided.
    other.client().post(&format!("api/plugins/{ID}/enable"), &json!({})).await?.ok()?;
    std::fs::write(one.folder().join("generations.wasm"), version(3, "works")?)?;
    one.client().post(&format!("api/plugins/{ID}/reload"), &json!({})).await?.ok()?;
    let late = replica(&database).await?;
    assert_eq!(shows(&late).await?, shown(3, ""));
    let plugin = late.plugin(ID).await?;
    assert_eq!(plugin.version, Some(name(3)));
    assert!(plugin.notice.unwrap_or_default().contains("something newer"), "it says so");
    assert_eq!(shows(&one).await?, shown(3, ""), "and the others stay where they are");
    Ok(())
}
