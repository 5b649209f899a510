//! What a plugin cannot do: each hostile guest of tests/guests is loaded into a portal and attacks, and the portal
//! serves its other pages meanwhile.

mod actions;
mod catalog;
mod events;
mod faults;
mod processors;
mod reach;
mod routes;
mod secrets;

use std::time::Duration;

use anyhow::{Context, Result};
use callboard_model::api::PluginState;
use callboard_tests::client::{Answer, Client};
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use serde_json::{Value, json};

/// A guest by the name of its file.
struct Guest {
    id: String,
    name: &'static str,
}

fn guest(name: &'static str) -> Guest {
    Guest { id: name.replace('_', "-"), name }
}

/// For attacks on the deadline itself.
const SHORT: &str = "2 seconds";

/// For all others, so that a busy machine does not end them before what they are about does.
const PATIENT: &str = "60 seconds";

/// A portal with one component in it and this guest, which has every right that it declares.
async fn portal_with(guest: &Guest, settings: Value, deadline: &str) -> Result<TestPortal> {
    let component = environment::guest(guest.name)?;
    let inspection = callboard_host::inspect(&std::fs::read(&component)?).context(guest.name)?;
    let mut config = with_plugin(&guest.id, &component, &serde_json::to_value(&inspection.manifest.rights)?);
    let rest = json!({
        "hostile": settings,
        "plugins": { &guest.id: { "limits": {
            "uiDeadline": deadline, "pageDeadline": deadline, "faultsBeforeSuspension": 100,
        } } },
        "catalog": { "locations": [{ "type": "file", "target": "component.yaml" }] },
    });
    merge(&mut config, rest);
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("component.yaml"), callboard_tests::s3::component("bystander"))?;
    let portal = TestPortal::start_in(folder, config).await?;
    portal.until_entity("component:default/bystander").await?;
    Ok(portal)
}

/// Lets the guest attack, and asks for the portal's other pages as long as that takes.
async fn attack(guest: &Guest, portal: &TestPortal) -> Result<Answer> {
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", guest.id, plugin.reason);
    let path = format!("api/plugins/{}/ui/attack/render", guest.id);
    let body = json!({});
    let attack = portal.client().post(&path, &body);
    tokio::pin!(attack);
    let answer = loop {
        tokio::select! {
            answer = &mut attack => break answer?,
            served = others_are_served(portal.client()) => served?,
        }
    };
    others_are_served(portal.client()).await?;
    Ok(answer)
}

/// The front page, the catalog and the list of plugins answer, and in a time that a person bears.
async fn others_are_served(client: &Client) -> Result<()> {
    for path in ["", "api/plugins", "api/catalog/entities/by-name/component/default/bystander"] {
        let answer = tokio::time::timeout(Duration::from_secs(20), client.get(path)).await;
        answer.with_context(|| format!("/{path} was not served meanwhile"))??.ok()?;
    }
    Ok(())
}

/// The attack goes on until its time is up.
async fn is_stopped_by_the_clock(guest: Guest, settings: Value) -> Result<()> {
    let portal = portal_with(&guest, settings, SHORT).await?;
    comes_to_nothing(&guest, &portal, &["within 2s"]).await
}

/// The attack is ended for what it does, long before its time is up.
async fn is_stopped(guest: Guest, settings: Value, words: &[&str]) -> Result<()> {
    let portal = portal_with(&guest, settings, PATIENT).await?;
    comes_to_nothing(&guest, &portal, words).await
}

/// The error names the plugin, the call and the reason.
async fn comes_to_nothing(guest: &Guest, portal: &TestPortal, words: &[&str]) -> Result<()> {
    let answer = attack(guest, portal).await?;
    let text = answer.text();
    assert!(answer.status.is_server_error(), "{}: {}", guest.id, text);
    for word in [guest.id.as_str(), "ui", "render"].iter().chain(words) {
        assert!(text.contains(word), "\"{word}\" is not in: {text}");
    }
    // The next call begins afresh, and as a provider it fares no better.
    let answer = attack(guest, portal).await?;
    assert!(answer.status.is_server_error(), "{}: {}", guest.id, answer.text());
    if !portal.plugin(&guest.id).await?.providers.is_empty() {
        let run = portal.run_provider(&guest.id, &guest.id).await?;
        let error = run.last_error.context("the provider's run")?;
        for word in words {
            assert!(error.contains(word), "\"{word}\" is not in: {error}");
        }
    }
    Ok(())
}

/// What the guest found out, which it puts into its tree.
async fn finds(guest: Guest, settings: Value) -> Result<String> {
    let portal = portal_with(&guest, settings, PATIENT).await?;
    let answer = attack(&guest, &portal).await?.ok()?;
    let tree: Value = answer.json()?;
    Ok(tree.pointer("/root/text").and_then(Value::as_str).context("a text")?.to_owned())
}

/// The guest is not even loaded, whatever it was granted.
async fn is_refused(guest: Guest, words: &[&str]) -> Result<()> {
    let portal = portal_with(&guest, json!({}), PATIENT).await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Refused, "{}", guest.id);
    let reason = plugin.reason.unwrap_or_default();
    for word in words {
        assert!(reason.contains(word), "\"{word}\" is not in: {reason}");
    }
    others_are_served(portal.client()).await
}
