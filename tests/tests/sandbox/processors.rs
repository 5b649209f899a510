//! Processors in the portal: what they say of themselves, what becomes of what they do, and that an entity outlives
//! whatever they try. What exactly comes of each attempt is in the tests of the plugin host.

use anyhow::{Context, Result};
use callboard_model::api::{PluginState, ProcessorInfo};
use callboard_model::processing::Hook;
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use serde_json::{Value, json};

use super::{Guest, guest, others_are_served};

const BYSTANDER: &str = "component:default/bystander";

/// A configuration with this guest, of whose processors all but one are turned off.
fn config(guest: &Guest, only: Option<&str>) -> Result<Value> {
    let component = environment::guest(guest.name)?;
    let manifest = callboard_host::inspect(&std::fs::read(&component)?).context(guest.name)?.manifest;
    let off: serde_json::Map<String, Value> = manifest
        .contributes
        .entity_processor
        .iter()
        .filter(|processor| only != Some(processor.id.as_str()))
        .map(|processor| (format!("{}/{}", guest.id, processor.id), json!({ "disabled": true })))
        .collect();
    let mut config = with_plugin(&guest.id, &component, &serde_json::to_value(&manifest.rights)?);
    let limits = json!({ "processorDeadline": "1 second", "faultsBeforeSuspension": 1_000 });
    let rest = json!({
        "plugins": { &guest.id: { "limits": limits } },
        "catalog": {
            "locations": [{ "type": "file", "target": "component.yaml" }],
            "processorOptions": off,
        },
    });
    merge(&mut config, rest);
    Ok(config)
}

/// A portal with one component in it.
async fn portal(guest: &Guest, component: &str, config: &Value) -> Result<TestPortal> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("component.yaml"), component)?;
    let portal = TestPortal::start_in(folder, config).await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", guest.id, plugin.reason);
    portal.until_entity(BYSTANDER).await?;
    Ok(portal)
}

/// The processors of a guest that runs, as the portal lists them.
async fn listed(guest: Guest) -> Result<Vec<ProcessorInfo>> {
    let component = callboard_tests::s3::component("bystander");
    let portal = portal(&guest, &component, &config(&guest, None)?).await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.extension_points, ["entity-processor"]);
    others_are_served(portal.client()).await?;
    Ok(plugin.processors)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_says_when_they_run_and_for_what() -> Result<()> {
    let processors = listed(guest("good_processor")).await?;
    let names: Vec<&str> = processors.iter().map(|processor| processor.name.as_str()).collect();
    assert_eq!(names, ["good-processor/greeting", "good-processor/database", "good-processor/visits"]);
    let database = &processors[1];
    assert_eq!(database.hooks, [Hook::PostProcess]);
    assert_eq!(database.after, ["good-processor/greeting", "validate", "other-plugin/teams"]);
    assert!(database.filter.is_some() && !database.pure, "{database:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_may_ask_nobody_are_pure() -> Result<()> {
    let processors = listed(guest("hostile_processor")).await?;
    assert!(!processors.is_empty() && processors.iter().all(|processor| processor.pure), "{processors:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_processor_emits_is_in_the_catalog() -> Result<()> {
    let guest = guest("good_processor");
    let component = callboard_tests::s3::component("bystander")
        .replace("{ name: bystander }", "{ name: bystander, annotations: { example.com/database: db } }");
    let portal = portal(&guest, &component, &config(&guest, Some("database"))?).await?;
    let database = portal.until_entity("resource:default/db").await?;
    let relation = json!({ "type": "dependencyOf", "targetRef": BYSTANDER });
    assert!(database["relations"].as_array().context("relations")?.contains(&relation), "{database}");
    // Without it, it is gone, and so is the relation.
    let portal = portal.restart(config(&guest, None)?).await?;
    portal.until("the database goes", async || Ok(portal.entity("resource:default/db").await?.is_none())).await?;
    let bystander = portal.until_entity(BYSTANDER).await?;
    assert!(!bystander.to_string().contains("resource:default/db"), "{bystander}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_outlives_every_attack() -> Result<()> {
    let guest = guest("hostile_processor");
    let mut portal = portal(&guest, &callboard_tests::s3::component("bystander"), &config(&guest, None)?).await?;
    for (attack, word) in [
        ("change-ref", "kind, namespace and name must stay"),
        ("change-origin", "which is the catalog's"),
        ("emit-kinds", "User"),
        ("emit-file", "file"),
        ("relate-others", "between two other entities"),
        ("no-json", "not a JSON list"),
        ("loop-forever", "within 1s"),
        ("panic", "hostile-processor"),
    ] {
        portal = portal.restart(config(&guest, Some(attack))?).await?;
        let found = portal
            .wait_for(attack, async || {
                let entity = portal.entity(BYSTANDER).await?.context("the bystander is gone")?;
                Ok(Some(entity)
                    .filter(|entity| entity.get("status").is_some_and(|status| status.to_string().contains(word))))
            })
            .await?;
        assert_eq!(found["spec"]["type"], "service", "{attack}");
        assert_eq!(portal.entity("user:default/mallory").await?, None, "{attack}");
        others_are_served(portal.client()).await?;
    }
    // Once it is turned off again, all is well.
    let portal = portal.restart(config(&guest, None)?).await?;
    portal
        .until("the error goes", async || {
            Ok(portal.entity(BYSTANDER).await?.is_some_and(|entity| entity.get("status").is_none()))
        })
        .await
}
