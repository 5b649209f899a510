//! No secret reaches a guest: canaries are put where secrets are, and searched for in all that it can observe.

use anyhow::{Context, Result};
use callboard_store::{DatabaseConfig, Db, Kv};
use callboard_tests::hostile::Hostile;
use callboard_tests::portal::{TestPortal, merge};
use serde_json::{Value, json};

use super::{PATIENT, attack, finds, guest, portal_with};

/// Every secret of the configuration begins so.
const CANARY: &str = "canary-7f3a";

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_finds_no_secret() -> Result<()> {
    let upstream = Hostile::start().await?;
    let guest = guest("secret_hunter");
    let token = format!("{CANARY}-token");
    let settings = json!({
        "url": format!("{}/echo", upstream.origin()),
        "token": token,
        "password": format!("{CANARY}-password"),
    });
    let portal = portal_with(&guest, settings, PATIENT).await?;
    let portal = with_canaries(portal).await?;
    let answer = attack(&guest, &portal).await?.ok()?;
    let found = answer.text();
    assert!(found.contains("handle: credential:"), "it has a handle for the token: {found}");
    assert!(found.contains("echo: 200"), "it has talked to the upstream: {found}");
    assert!(!found.contains(CANARY), "{found}");
    assert!(found.contains("variables: []") && found.contains("arguments: []"), "{found}");

    // The token did travel, to where it is for: otherwise nothing above would prove anything.
    let received = upstream.requests();
    assert!(
        received.iter().any(|request| request.authorization == Some(format!("Bearer {token}"))),
        "the upstream was shown the token: {received:?}"
    );
    let typed = received.iter().any(|request| request.authorization.as_deref() == Some("Bearer x"));
    assert!(!typed, "a header that is the host's to set did not travel: {received:?}");

    // Nor does it come out anywhere else.
    portal.run_provider(&guest.id, &guest.id).await?;
    for path in ["api/plugins", "api/app", "api/session", "api/catalog/entities", "api/openapi.json", "catalog"] {
        let answer = portal.client().get(path).await?.ok()?;
        assert!(!answer.text().contains(CANARY), "{path}: {}", answer.text());
    }
    Ok(())
}

/// The same portal with secrets in the blocks that are not the guest's.
async fn with_canaries(portal: TestPortal) -> Result<TestPortal> {
    let file = portal.folder().join("app-config.yaml");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let secrets = json!({
        "integrations": {
            "awsS3": [{ "accessKeyId": format!("{CANARY}-id"), "secretAccessKey": format!("{CANARY}-secret") }],
            "github": [{ "host": "github.com", "token": format!("{CANARY}-github") }],
        },
        "backend": { "auth": { "keys": [{ "secret": format!("{CANARY}-key") }] } },
    });
    merge(&mut config, secrets);
    let portal = portal.restart(config).await?;
    portal.until_entity("component:default/bystander").await?;
    Ok(portal)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_empty() -> Result<()> {
    let found = finds(guest("read_env"), json!({})).await?;
    assert!(found.starts_with("variables [], arguments [], input \"\""), "{found}");
    assert!(std::env::vars().count() > 0, "there is something to find");
    Ok(())
}

/// What another plugin keeps is out of reach, under whatever name.
#[tokio::test(flavor = "multi_thread")]
async fn another_plugins_keys() -> Result<()> {
    let guest = guest("other_plugin_kv");
    let portal = portal_with(&guest, json!({}), PATIENT).await?;
    let file = portal.folder().join("data/callboard.sqlite");
    let kv = Kv::new(Db::open(&DatabaseConfig::File(file)).await?).of("victim", 0);
    kv.set("secret", CANARY.as_bytes()).await?;

    let answer = attack(&guest, &portal).await?.ok()?;
    let tree: Value = answer.json()?;
    let found = tree.pointer("/root/text").and_then(Value::as_str).context("a text")?;
    let bytes = format!("{:?}", CANARY.as_bytes());
    assert!(!found.contains(CANARY) && !found.contains(bytes.trim_matches(['[', ']'])), "{found}");
    assert!(found.contains("\"secret\": Ok(None)"), "under the victim's own name there is nothing: {found}");
    assert!(found.contains("long: Err(") && found.contains("large: Err("), "{found}");
    assert_eq!(kv.get("secret").await?.as_deref(), Some(CANARY.as_bytes()), "nothing was overwritten");
    Ok(())
}
