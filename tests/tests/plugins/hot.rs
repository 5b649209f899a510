//! Plugins come, change and go while the portal runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result};
use callboard_model::api::{PluginInfo, PluginState};
use callboard_tests::client::Client;
use callboard_tests::generations::{ID, name, shown, version};
use callboard_tests::portal::{TestPortal, merge};
use http::StatusCode;
use serde_json::{Value, json};

/// A portal with the first version, in a file that the test changes.
struct Hot {
    portal: TestPortal,
    component: PathBuf,
}

fn config(grant: &Value) -> Value {
    json!({ "plugins": { ID: { "source": "generations.wasm", "grant": grant } } })
}

fn all() -> Value {
    json!({ "log": true, "kv": true })
}

impl Hot {
    async fn start() -> Result<Hot> {
        Hot::start_with(config(&all())).await
    }

    async fn start_with(config: Value) -> Result<Hot> {
        let folder = tempfile::tempdir()?;
        let component = folder.path().join("generations.wasm");
        std::fs::write(&component, version(1, "works")?)?;
        Ok(Hot { portal: TestPortal::start_in(folder, config).await?, component })
    }

    async fn restart(self, config: Value) -> Result<Hot> {
        Ok(Hot { portal: self.portal.restart(config).await?, component: self.component })
    }

    /// What the plugin's page shows.
    async fn shows(&self) -> Result<String> {
        shows(self.portal.client()).await
    }

    async fn keep(&self, value: &str) -> Result<()> {
        let path = format!("api/plugins/{ID}/ui/page/actions/{value}");
        self.portal.client().post(&path, &json!({})).await?.ok()?;
        Ok(())
    }

    /// Asks for a change, and hands back what the portal says to it.
    async fn change(&self, change: &str) -> Result<(StatusCode, String)> {
        let answer = self.portal.client().post(&format!("api/plugins/{ID}/{change}"), &json!({})).await?;
        Ok((answer.status, answer.text()))
    }

    async fn reload(&self, number: u8, what: &str) -> Result<(StatusCode, String)> {
        std::fs::write(&self.component, version(number, what)?)?;
        self.change("reload").await
    }

    async fn info(&self) -> Result<PluginInfo> {
        self.portal.plugin(ID).await
    }

    fn configure(&self, config: &Value) -> Result<()> {
        Ok(std::fs::write(self.portal.folder().join("app-config.yaml"), config.to_string())?)
    }
}

async fn shows(client: &Client) -> Result<String> {
    let answer = client.post(&format!("api/plugins/{ID}/ui/page/render"), &json!({})).await?;
    anyhow::ensure!(answer.status == StatusCode::OK, "{} {}", answer.status, answer.text());
    let tree: Value = answer.json()?;
    Ok(tree.pointer("/root/text").and_then(Value::as_str).context("a text")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_and_the_way_back() -> Result<()> {
    let hot = Hot::start().await?;
    assert_eq!(hot.shows().await?, shown(1, ""));
    hot.keep("one").await?;
    assert_eq!(hot.change("rollback").await?.0, StatusCode::CONFLICT, "there is nothing before it");

    let (status, text) = hot.reload(2, "works").await?;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.contains(&name(2)) && text.contains("generation 2"), "{text}");
    assert_eq!(hot.shows().await?, shown(2, "one"), "it finds what the version before kept");
    hot.keep("two").await?;

    let hot = hot.restart(config(&all())).await?;
    assert_eq!(hot.shows().await?, shown(2, "two"));
    assert_eq!(hot.info().await?.generation, 2, "a restart decides nothing");

    let (status, text) = hot.change("rollback").await?;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(hot.shows().await?, shown(1, "one"), "and what it kept is there again");
    let info = hot.info().await?;
    assert_eq!((info.generation, info.version.clone()), (3, Some(name(1))));
    let states: Vec<_> = info.generations.iter().map(|one| (one.version.as_str(), one.state.as_str())).collect();
    assert_eq!(states, [("1.0.1", "accepted"), ("1.0.2", "rolled-back"), ("1.0.1", "past")]);
    assert!(info.generations[0].reason.as_deref().unwrap_or_default().contains("user:default/guest"), "{info:?}");

    // The file still holds the second one; a restart does not take it up again, and somebody who asks for it does.
    let hot = hot.restart(config(&all())).await?;
    assert_eq!(hot.shows().await?, shown(1, "one"));
    assert_eq!(hot.change("reload").await?.0, StatusCode::OK);
    assert_eq!(hot.shows().await?, shown(2, "one"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_pass_its_trial_changes_nothing() -> Result<()> {
    let hot = Hot::start().await?;
    hot.keep("one").await?;
    for (number, what, expected) in [(2, "mute", "it cannot say"), (3, "works", "")] {
        let (status, text) = hot.reload(number, what).await?;
        if expected.is_empty() {
            assert_eq!(status, StatusCode::OK, "{text}");
            assert_eq!(hot.shows().await?, shown(number, "one"));
            assert_eq!(hot.info().await?.notice, None);
        } else {
            assert_eq!(status, StatusCode::CONFLICT, "{text}");
            assert!(text.contains(expected), "{text}");
            assert_eq!(hot.shows().await?, shown(1, "one"));
            let info = hot.info().await?;
            assert_eq!((info.state, info.version), (PluginState::Running, Some(name(1))));
            assert!(info.notice.as_deref().unwrap_or_default().contains(expected), "{:?}", info.notice);
        }
    }
    std::fs::write(&hot.component, "not WebAssembly")?;
    assert_eq!(hot.change("reload").await?.0, StatusCode::CONFLICT);
    std::fs::remove_file(&hot.component)?;
    let (status, text) = hot.change("reload").await?;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("generations.wasm could not be read"), "{text}");
    assert_eq!(hot.shows().await?, shown(3, "one"));
    // What was decided is in the database, and does not need the file.
    let hot = hot.restart(config(&all())).await?;
    assert_eq!(hot.shows().await?, shown(3, "one"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_again_and_again_is_given_up() -> Result<()> {
    let hot = Hot::start().await?;
    hot.keep("one").await?;
    assert_eq!(hot.reload(2, "traps").await?.0, StatusCode::OK, "until somebody looks it seems to work");
    // Calls fail until it is suspended; then the portal goes back by itself.
    hot.portal
        .until("the version before", async || Ok(hot.shows().await.is_ok_and(|text| text == shown(1, "one"))))
        .await?;
    let info = hot.info().await?;
    assert_eq!(info.version, Some(name(1)));
    let given_up = info.generations.iter().find(|one| one.version == name(2)).context("the second version")?;
    assert_eq!(given_up.state, "rolled-back");
    assert!(given_up.reason.as_deref().unwrap_or_default().contains("this version traps"), "{given_up:?}");
    assert_eq!(info.generations[0].decided_by, "portal");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_a_say_when_it_takes_over() -> Result<()> {
    let hot = Hot::start().await?;
    hot.keep("one").await?;
    for (what, expected) in [
        ("stuck", "it cannot take over from 1.0.1: nothing can be done with what 1.0.1 kept"),
        ("ill", "it says it cannot work: it is ill"),
    ] {
        let (status, text) = hot.reload(2, what).await?;
        assert_eq!(status, StatusCode::CONFLICT, "{text}");
        assert!(text.contains(expected), "{text}");
        assert_eq!(hot.shows().await?, shown(1, "one"), "what it did to the copy is gone with it");
    }
    let (status, text) = hot.reload(2, "moves").await?;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(hot.shows().await?, "MARK: 2:moves kept one of 1.0.1");
    // The same component with another grant has nothing to move.
    hot.configure(&config(&json!({ "log": true, "kv": true, "config": ["app.title"] })))?;
    hot.portal.until("the other grant", async || Ok(hot.info().await?.generation == 5)).await?;
    assert_eq!(hot.shows().await?, "MARK: 2:moves kept one of 1.0.1");
    // The way back is to what was kept then.
    assert_eq!(hot.reload(3, "works").await?.0, StatusCode::OK);
    hot.keep("poison").await?;
    hot.portal.until("the version before", async || Ok(hot.shows().await?.starts_with("MARK: 2"))).await?;
    assert_eq!(hot.shows().await?, "MARK: 2:moves kept one of 1.0.1");
    let info = hot.info().await?;
    let given_up = info.generations.iter().find(|one| one.version == name(3)).context("the third version")?;
    assert_eq!(given_up.reason.as_deref(), Some("it says it cannot work: it is ill"));
    assert_eq!(info.generations[0].decided_by, "portal");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn app_config_is_followed() -> Result<()> {
    let hot = Hot::start().await?;
    hot.keep("one").await?;
    // What is taken away is gone at once, though the component cannot work without it.
    hot.configure(&config(&json!({ "log": true })))?;
    hot.portal.until("a refusal", async || Ok(hot.info().await?.state == PluginState::Refused)).await?;
    let reason = hot.info().await?.reason.unwrap_or_default();
    assert!(reason.contains("kv: true") && reason.contains("does not run either"), "{reason}");
    hot.configure(&config(&all()))?;
    hot.portal.until("its return", async || Ok(hot.info().await?.state == PluginState::Running)).await?;
    assert_eq!(hot.shows().await?, shown(1, "one"));
    // A second plugin comes, and goes.
    std::fs::write(
        hot.portal.folder().join("other.wasm"),
        std::fs::read(callboard_tests::environment::guest("good_processor")?)?,
    )?;
    let mut more = config(&all());
    merge(&mut more, json!({ "plugins": { "good-processor": { "source": "other.wasm", "grant": {} } } }));
    hot.configure(&more)?;
    hot.portal.until("the other plugin", async || Ok(hot.portal.plugin("good-processor").await.is_ok())).await?;
    hot.configure(&json!({}))?;
    hot.portal.until("no plugin", async || Ok(hot.info().await.is_err())).await?;
    assert_eq!(
        shows(hot.portal.client()).await.map_err(|error| error.to_string().chars().take(3).collect::<String>()),
        Err("404".to_owned())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_switched_off_and_on() -> Result<()> {
    let hot = Hot::start().await?;
    hot.keep("one").await?;
    assert_eq!(hot.change("disable").await?.0, StatusCode::OK);
    let info = hot.info().await?;
    assert_eq!(info.state, PluginState::Disabled);
    assert!(info.reason.as_deref().unwrap_or_default().contains("user:default/guest"), "{:?}", info.reason);
    assert!(hot.shows().await.is_err());
    let hot = hot.restart(config(&all())).await?;
    assert_eq!(hot.info().await?.state, PluginState::Disabled, "it lasts");
    assert_eq!(hot.change("enable").await?.0, StatusCode::OK);
    assert_eq!(hot.shows().await?, shown(1, "one"));
    // Where app-config says it, nobody else does.
    let mut fixed = config(&all());
    merge(&mut fixed, json!({ "plugins": { ID: { "enabled": true } } }));
    let hot = hot.restart(fixed).await?;
    assert!(hot.info().await?.is_fixed);
    let (status, text) = hot.change("disable").await?;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("plugins.generations.enabled"), "{text}");
    assert_eq!(hot.shows().await?, shown(1, "one"));
    Ok(())
}

/// Nobody who asks for a page while versions come and go gets anything but the page of one of them.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_upgrades_under_load_lose_nothing() -> Result<()> {
    let hot = Hot::start().await?;
    let (ends, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut visitors = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let client = hot.portal.signed_in("user:default/guest").await?;
        let (ends, asked) = (ends.clone(), asked.clone());
        visitors.spawn(async move {
            while !ends.load(Ordering::Acquire) {
                let text = shows(&client).await?;
                anyhow::ensure!(text.starts_with("MARK:"), "{text}");
                client.get("api/catalog/entities/by-query?limit=1").await?.ok()?;
                asked.fetch_add(1, Ordering::AcqRel);
            }
            Ok(())
        });
    }
    for change in 0..20_u8 {
        let before = asked.load(Ordering::Acquire);
        if change % 4 == 3 {
            assert_eq!(hot.change("rollback").await?.0, StatusCode::OK, "{change}");
        } else {
            let number = 2 + change % 3;
            let (status, text) = hot.reload(number, "works").await?;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert_eq!(hot.shows().await?, shown(number, ""));
        }
        hot.portal.until("visitors", async || Ok(asked.load(Ordering::Acquire) > before)).await?;
    }
    ends.store(true, Ordering::Release);
    while let Some(visitor) = visitors.join_next().await {
        visitor??;
    }
    assert_eq!(hot.info().await?.generation, 21);
    Ok(())
}
