//! A subscriber that answers to events with what no subscriber should: what it spoils is put aside, what it takes is gone,
//! and the portal goes on. What exactly comes of each answer is in the tests of the plugin host.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use callboard_model::api::{DeadLetterPage, PluginState, PluginStatistics};
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use callboard_tests::webhook::{SECRET, send, signature};
use serde_json::json;

use super::{guest, others_are_served};

/// What ends among the dead, by the word that does it: faults, of which each event shows by itself whether it is to blame.
const FAULTS: [&str; 7] = ["panic", "loop-forever", "no-json", "deep-answer", "giant-output", "too-many", "other-word"];

/// The same by an answer that holds for whatever is handed over together: these come alone.
const REFUSED: [&str; 2] = ["error", "at-once"];

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
    let send = async |word: &str| {
        let body = json!({ "word": word }).to_string();
        let signature = signature(body.as_bytes());
        let answer = send(&client, "hostile", &[("x-hub-signature-256", &signature)], body.as_bytes()).await?;
        assert_eq!(answer.status.as_u16(), 202, "{word}");
        Ok::<_, anyhow::Error>(())
    };
    let path = format!("api/events/dead-letters?plugin={}&limit=100", guest.id);
    let until = async |what: &str, dead: usize, waiting: u64| {
        let ask = async || {
            others_are_served(portal.client()).await?;
            let page: DeadLetterPage = portal.client().json(&path).await?;
            Ok(Some(page).filter(|page| page.items.len() >= dead && page.waiting == Some(waiting)))
        };
        portal.wait_for(what, ask).await
    };
    for (count, word) in REFUSED.into_iter().enumerate() {
        send(word).await?;
        until(word, count + 1, 0).await?;
    }
    // It comes again in an hour, however far in the future the plugin wants it.
    let answered = async || {
        let statistics: PluginStatistics =
            portal.client().json(&format!("api/plugins/{}/statistics", guest.id)).await?;
        let calls = statistics.calls.iter().find(|calls| calls.function == "on-events");
        Ok::<_, anyhow::Error>(calls.map_or(0, |calls| calls.ok))
    };
    let before = answered().await?;
    send("far-future").await?;
    portal.until("an event that comes again", async || Ok(answered().await? > before)).await?;
    let fine: Vec<String> = (0..20).map(|number| format!("fine-{number}")).collect();
    for word in FAULTS.into_iter().chain(fine.iter().map(String::as_str)) {
        send(word).await?;
    }
    let spoiled = REFUSED.len() + FAULTS.len();
    let page = until("what is spoiled is put aside, and what is fine is gone", spoiled, 1).await?;
    let dead: BTreeSet<String> = page.items.iter().map(|letter| letter.payload.clone()).collect();
    let expected: BTreeSet<String> =
        REFUSED.iter().chain(&FAULTS).map(|word| json!({ "word": word }).to_string()).collect();
    assert_eq!(dead, expected);
    for letter in &page.items {
        assert_eq!(letter.attempts, 2, "{letter:?}");
        assert!(letter.error.starts_with("it failed 2 times") && !letter.error.contains('\u{1b}'), "{letter:?}");
    }
    assert_eq!(portal.plugin(&guest.id).await?.state, PluginState::Running);
    Ok(())
}
