//! Events on their way to a plugin: by webhook, with whoever sends it having to show who they are, and from the catalog.
//! What is accepted reaches the plugin, whatever happens meanwhile, and what it does not take is put aside.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use callboard_model::api::{DeadLetterPage, DeadLettersChanged};
use callboard_store::{DatabaseConfig, Db, Kv};
use callboard_tests::client::{Answer, Client};
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use callboard_tests::webhook::{SECRET, send, signature};
use serde_json::{Value, json};

mod webhooks;

const PLUGIN: &str = "good-subscriber";
const COMPONENT: &str = "component:default/bystander";

/// A configuration with the subscriber, which has every right that it declares.
pub(crate) fn config() -> Result<Value> {
    let component = environment::guest("good_subscriber")?;
    let inspection = callboard_host::inspect(&std::fs::read(&component)?).context("the subscriber")?;
    let mut config = with_plugin(PLUGIN, &component, &serde_json::to_value(&inspection.manifest.rights)?);
    let limits = json!({ "eventAttempts": 3, "eventRetry": "100 milliseconds" });
    merge(&mut config, json!({ "hook": { "secret": SECRET }, "plugins": { PLUGIN: { "limits": limits } } }));
    Ok(config)
}

/// What the plugin keeps, by its keys, read past the portal.
async fn kept_by(portal: &TestPortal) -> Result<BTreeMap<String, String>> {
    let file = portal.folder().join("data/callboard.sqlite");
    kept_in(&Db::open(&DatabaseConfig::File(file)).await?).await
}

pub(crate) async fn kept_in(db: &Db) -> Result<BTreeMap<String, String>> {
    let kv = Kv::new(db.clone()).of(PLUGIN, 0);
    let (mut kept, mut after) = (BTreeMap::new(), None::<String>);
    loop {
        let keys = kv.keys("", after.as_deref()).await?;
        let Some(last) = keys.last() else { return Ok(kept) };
        after = Some(last.clone());
        for key in keys {
            let value = kv.get(&key).await?.context("a key without a value")?;
            kept.insert(key, String::from_utf8(value)?);
        }
    }
}

/// The words of the webhooks that the plugin took.
fn words(kept: &BTreeMap<String, String>) -> Vec<&str> {
    let lines = kept.iter().filter(|(key, _)| key.starts_with("webhook ")).flat_map(|(_, lines)| lines.lines());
    lines.filter_map(|line| line.split(' ').nth(1)).collect()
}

/// Sends a word, signed as it must be.
pub(crate) async fn say(client: &Client, id: &str, word: &str) -> Result<Answer> {
    let body = json!({ "word": word, "id": id }).to_string();
    let signature = signature(body.as_bytes());
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-delivery", id), ("x-github-event", "push")];
    send(client, "hook", &headers, body.as_bytes()).await
}

async fn dead(portal: &TestPortal) -> Result<DeadLetterPage> {
    portal.client().json(&format!("api/events/dead-letters?plugin={PLUGIN}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_reaches_the_plugin_and_what_it_does_not_take_is_put_aside() -> Result<()> {
    let portal = TestPortal::start(config()?).await?;
    let plugin = portal.plugin(PLUGIN).await?;
    assert_eq!(plugin.reason, None);
    assert_eq!(plugin.events.len(), 3);
    for (id, word) in [("1", "hello"), ("2", "never"), ("3", "broken"), ("4", "later"), ("5", "bye")] {
        let answer = say(&portal.anonymous(), id, word).await?;
        assert_eq!((answer.status.as_u16(), answer.text()), (202, r#"{"status":"accepted"}"#.to_owned()), "{word}");
    }
    portal.until("the rest is put aside", async || Ok(dead(&portal).await?.items.len() == 2)).await?;
    portal.until("the others are taken", async || Ok(words(&kept_by(&portal).await?).len() == 3)).await?;
    let kept = kept_by(&portal).await?;
    let mut taken = words(&kept);
    taken.sort_unstable();
    assert_eq!(taken, ["bye", "hello", "later"]);
    assert!(kept.values().any(|lines| lines == "hook hello x-github-event=push\n"), "{kept:?}");

    let page = dead(&portal).await?;
    assert_eq!((page.total_items, page.waiting), (Some(2), Some(0)));
    let of = |word: &str| page.items.iter().find(|letter| letter.payload.contains(word)).context("a letter");
    let (never, broken) = (of("never")?, of("broken")?);
    assert_eq!((never.attempts, broken.attempts), (3, 1));
    assert!(never.error.contains("it failed 3 times") && never.error.contains("not today"), "{}", never.error);
    assert!(broken.error.contains("nobody could take this"), "{}", broken.error);
    assert_eq!(never.headers.get("x-github-event").map(String::as_str), Some("push"));
    assert!(!serde_json::to_string(&page)?.contains(SECRET));

    // Tried again, it fails again under the same id; discarded, it is gone.
    let retry = format!("api/events/dead-letters/{}/retry", never.id);
    let changed: DeadLettersChanged = portal.client().post(&retry, &json!({})).await?.ok()?.json()?;
    assert_eq!(changed.count, 1);
    portal
        .until("it is put aside again", async || {
            Ok(dead(&portal).await?.items.iter().any(|letter| letter.id == never.id && letter.died_at > never.died_at))
        })
        .await?;
    let discard = format!("api/events/dead-letters/{}/discard", broken.id);
    portal.client().post(&discard, &json!({})).await?.ok()?;
    assert_eq!(portal.client().post(&discard, &json!({})).await?.status.as_u16(), 404);
    assert_eq!(dead(&portal).await?.items.len(), 1);
    let all = format!("api/plugins/{PLUGIN}/dead-letters/discard");
    let changed: DeadLettersChanged = portal.client().post(&all, &json!({})).await?.ok()?.json()?;
    assert_eq!(changed.count, 1);
    assert_eq!(dead(&portal).await?.items, []);
    // Nobody else sees or does any of it.
    for path in ["api/events/dead-letters".to_owned(), retry, all] {
        let answer = if path.contains("retry") || path.ends_with("discard") {
            portal.anonymous().post(&path, &json!({})).await?
        } else {
            portal.anonymous().get(&path).await?
        };
        assert_eq!(answer.status.as_u16(), 401, "{path}");
    }
    Ok(())
}

/// A portal with one component, whose subscriber may or may not run.
async fn with_component(config: &Value) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("component.yaml"), callboard_tests::s3::component("bystander"))?;
    TestPortal::start_in(folder, config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_a_plugin_is_refused_is_told_when_it_runs() -> Result<()> {
    let mut config = config()?;
    merge(&mut config, json!({ "catalog": { "locations": [{ "type": "file", "target": "component.yaml" }] } }));
    let mut refused = config.clone();
    refused["plugins"][PLUGIN]["grant"]["log"] = json!(false);
    let portal = with_component(&refused).await?;
    portal.until_entity(COMPONENT).await?;
    assert!(portal.plugin(PLUGIN).await?.reason.is_some());
    // Its sender is told to come back, since nobody can say whether the signature is right.
    assert_eq!(say(&portal.anonymous(), "1", "early").await?.status.as_u16(), 503);
    assert_eq!(dead(&portal).await?.waiting, Some(1));

    let portal = portal.restart(&config).await?;
    let uid = portal.until_entity(COMPONENT).await?["metadata"]["uid"].as_str().context("a uid")?.to_owned();
    let key = format!("entity {COMPONENT}");
    portal.until("it is told", async || Ok(kept_by(&portal).await?.contains_key(&key))).await?;
    // It may know the kind, and the policy gives a plugin that works for nobody nothing to read.
    assert_eq!(kept_by(&portal).await?.get(&key), Some(&format!("Added {uid} true denied\n")));

    // What becomes of it later is told in its order, and with a rule the plugin reads what is there.
    merge(
        &mut config,
        json!({
            "permission": { "policy": [
                { "allow": ["*"], "to": ["signed-in"] },
                { "allow": ["catalog.entity.read"], "to": [format!("plugin:{PLUGIN}")] },
            ] },
        }),
    );
    let portal = portal.restart(&config).await?;
    let other = callboard_tests::s3::component("bystander").replace("service", "website");
    std::fs::write(portal.folder().join("component.yaml"), other)?;
    portal.until("the change is told", async || Ok(kept_by(&portal).await?[&key].lines().count() == 2)).await?;
    std::fs::write(portal.folder().join("component.yaml"), "")?;
    portal.until_gone(COMPONENT).await?;
    portal.until("the end is told", async || Ok(kept_by(&portal).await?[&key].lines().count() == 3)).await?;
    let kept = kept_by(&portal).await?;
    let told: Vec<&str> = kept[&key].lines().collect();
    assert_eq!(told[1..], [format!("Changed {uid} true 1"), format!("Removed {uid} false 0")]);
    Ok(())
}
