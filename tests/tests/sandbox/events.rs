//! A subscriber that answers to events with what no subscriber should: what it spoils is put aside, what it takes is gone,
//! and the portal goes on. What exactly comes of each answer is in the tests of the plugin host.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use callboard_model::api::{DeadLetterPage, PluginState};
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use callboard_tests::webhook::{SECRET, send, signature};
use serde_json::json;

use super::{guest, others_are_served};

/// What ends among the dead, by the word that does it.
const SPOILED: [&str; 9] =
    ["panic", "loop-forever", "error", "no-json", "deep-answer", "giant-output", "too-many", "other-word", "at-once"];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_subscriber_spoils_is_put_aside() -> Result<()> {
    let guest = guest("hostile_subscriber");
    let component = environment::guest(guest.name)?;
    let manifest = callboard_host::inspect(&std::fs::read(&component)?).context(guest.name)?.manifest;
    let mut config = with_plugin(&guest.id, &component, &serde_json::to_value(&manifest.rights)?);
    let limits = json!({
        "eventDeadline": "1 second", "eventAttempts": 2, "eventRetry": "100 milliseconds", "faultsBeforeSuspension": 1_000,
    });
    let rest = json!({
        "hook": { "secret": SECRET },
        "plugins": { &guest.id: { "limits": limits } },
        "catalog": { "locations": [{ "type": "file", "target": "component.yaml" }] },
    });
    merge(&mut config, rest);
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("component.yaml"), callboard_tests::s3::component("bystander"))?;
    let portal = TestPortal::start_in(folder, &config).await?;
    portal.until_entity("component:default/bystander").await?;
    let client = portal.anonymous();
    let fine: Vec<String> = (0..20).map(|number| format!("fine-{number}")).collect();
    let words = SPOILED.into_iter().chain(["far-future"]).chain(fine.iter().map(String::as_str));
    for word in words {
        let body = json!({ "word": word }).to_string();
        let signature = signature(body.as_bytes());
        let answer = send(&client, "hostile", &[("x-hub-signature-256", &signature)], body.as_bytes()).await?;
        assert_eq!(answer.status.as_u16(), 202, "{word}");
    }
    let path = format!("api/events/dead-letters?plugin={}&limit=100", guest.id);
    let page: DeadLetterPage = portal
        .wait_for("what is spoiled is put aside, and what is fine is gone", async || {
            others_are_served(portal.client()).await?;
            let page: DeadLetterPage = portal.client().json(&path).await?;
            // One comes again in an hour, however far in the future the plugin wants it.
            Ok(Some(page).filter(|page| page.items.len() >= SPOILED.len() && page.waiting == Some(1)))
        })
        .await?;
    let dead: BTreeSet<String> = page.items.iter().map(|letter| letter.payload.clone()).collect();
    let expected: BTreeSet<String> = SPOILED.iter().map(|word| json!({ "word": word }).to_string()).collect();
    assert_eq!(dead, expected);
    for letter in &page.items {
        assert_eq!(letter.attempts, 2, "{letter:?}");
        assert!(letter.error.starts_with("it failed 2 times") && !letter.error.contains('\u{1b}'), "{letter:?}");
    }
    assert_eq!(portal.plugin(&guest.id).await?.state, PluginState::Running);
    Ok(())
}
