//! How much memory the worst of it takes: the portal is a process of its own here, whose memory can be told.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use callboard_tests::portal::{BASE, KINDS};
use callboard_tests::process::Server;
use serde_json::json;

use super::{SOUND, TOKEN, files};

/// What the process may have held, at most, in MiB. It is the largest file (32 MiB) and the largest document (16 MiB) a
/// few times over, as text and as values, for those that are read side by side. The bombs stand for gigabytes.
const MOST: u64 = 512;

/// Longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// All the bad files at once, and pushes and requests of the largest size beside them.
#[tokio::test(flavor = "multi_thread")]
async fn the_worst_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bad = files::all();
    let mut locations = Vec::new();
    for (name, ..) in &bad {
        std::fs::write(folder.path().join(name), files::sound(name))?;
        locations.push(json!({ "type": "file", "target": name }));
    }
    let config = json!({
        "catalog": {
            "push": { "ci": { "token": TOKEN } },
            "rules": [{ "allow": KINDS }],
            "locations": locations,
        },
    });
    std::fs::write(folder.path().join("app-config.yaml"), format!("{BASE}{}", in_block(&config)?))?;
    let server = Server::start_quietly(folder.path()).await?;
    let found = async || {
        let path = "api/catalog/entities/by-query?limit=1000&filter=kind=component&filter=kind=location";
        server.client().json::<serde_json::Value>(path).await.map(|page| page["items"].to_string())
    };
    until("everything was read", async || Ok(found().await?.matches("\"Component\"").count() == bad.len())).await?;
    let (before, _) = server.memory()?;
    for (name, text, _) in &bad {
        std::fs::write(folder.path().join(name), text)?;
    }
    let pushes: Vec<_> =
        [format!("{{\"x\": {}", "[".repeat((32 << 20) - 10)), "[1,".repeat(10 << 20), "x".repeat(40 << 20)]
            .into_iter()
            .map(|body| {
                let request = http::Request::post(server.client().base().join("api/catalog/push/ci")?.as_str())
                    .header("authorization", format!("Bearer {TOKEN}"))
                    .header("content-type", "application/json")
                    .body(body.into())?;
                let client = server.client().clone();
                Ok(tokio::spawn(async move { client.request(request).await }))
            })
            .collect::<Result<_>>()?;
    for push in pushes {
        let answer = push.await??;
        ensure!(answer.status.is_client_error(), "{} {}", answer.status, answer.text());
    }
    for (name, _, message) in &bad {
        let told = serde_json::to_string(message)?;
        let told = told.trim_matches('"');
        until(&format!("{name}: {message}"), async || Ok(found().await?.contains(told))).await?;
    }
    let (_, most) = server.memory()?;
    assert!(most >> 20 <= MOST, "it held {} MiB, and {} MiB before", most >> 20, before >> 20);
    // And everything goes on.
    std::fs::write(folder.path().join("values.yaml"), SOUND)?;
    until("a file is read again", async || Ok(found().await?.contains("\"name\":\"sound\""))).await
}

/// The same in YAML's block style at the outermost level, so that it may follow other keys.
fn in_block(config: &serde_json::Value) -> Result<String> {
    let keys = config.as_object().into_iter().flatten();
    keys.map(|(key, value)| Ok(format!("{key}: {}\n", serde_json::to_string(value)?))).collect()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !holds().await? {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
