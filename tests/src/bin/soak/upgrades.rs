//! A plugin that changes while it is used.

use std::time::Duration;

use anyhow::{Result, ensure};
use callboard_tests::process::Server;
use callboard_tests::{generations, s3};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::probe::{p99, steadily};
use crate::{MIB, count, folder, until};

/// Twenty upgrades and ways back while the plugin and the catalog are looked at, and twenty again: nobody gets anything
/// but an answer, and the second twenty take no more memory than the first.
pub(crate) async fn run() -> Result<()> {
    const CHANGES: u8 = 20;
    const MOST_GROWTH: u64 = 16 * MIB;
    let source = format!("{}.wasm", generations::ID);
    let mut config =
        json!({ "plugins": { generations::ID: { "source": source, "grant": { "log": true, "kv": true } } } });
    config["catalog"]["locations"] = json!([{ "type": "file", "target": "component.yaml" }]);
    let folder = folder(config)?;
    std::fs::write(folder.path().join("component.yaml"), s3::component("bystander"))?;
    let component = folder.path().join(source);
    std::fs::write(&component, generations::version(1, "works")?)?;
    let server = Server::start(folder.path()).await?;
    let client = server.client();
    until(Duration::from_secs(60), async || Ok(count(client).await? == 1)).await?;
    let over = CancellationToken::new();
    let catalog = steadily(&over, async || {
        client.get("api/catalog/entities/by-query?limit=20").await?.ok()?;
        Ok(())
    });
    let tab = steadily(&over, async || {
        client.post(&format!("api/plugins/{}/ui/page/render", generations::ID), &json!({})).await?.ok()?;
        Ok(())
    });
    let changes = async {
        let mut memory = Vec::new();
        for change in 0..2 * CHANGES {
            let action = if change % 4 == 3 { "rollback" } else { "reload" };
            std::fs::write(&component, generations::version(2 + change % 3, "works")?)?;
            client.post(&format!("api/plugins/{}/{action}", generations::ID), &json!({})).await?.ok()?;
            if (change + 1) % CHANGES == 0 {
                memory.push(server.memory()?.0);
            }
        }
        over.cancel();
        anyhow::Ok(memory)
    };
    let (memory, catalog, tab) = tokio::join!(changes, catalog, tab);
    let (memory, catalog, tab) = (memory?, catalog?, tab?);
    println!(
        "{CHANGES} upgrades and ways back: memory {} MiB; {CHANGES} more: {} MiB; {} answers of the catalog (p99 {:.1} ms) and \
         {} of the plugin (p99 {:.1} ms) meanwhile, none lost",
        memory[0] / MIB,
        memory[1] / MIB,
        catalog.len(),
        p99(&catalog),
        tab.len(),
        p99(&tab)
    );
    ensure!(memory[1] < memory[0] + MOST_GROWTH, "from {} to {} MiB", memory[0] / MIB, memory[1] / MIB);
    server.kill().await
}
