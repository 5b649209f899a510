//! What processors say of themselves, before any of them runs. What each of them tries, and what comes of it, is in the
//! tests of the plugin host.

use anyhow::Result;
use callboard_model::api::{PluginState, ProcessorInfo};
use callboard_model::processing::Hook;
use serde_json::json;

use super::{Guest, PATIENT, guest, others_are_served, portal_with};

/// The processors of a guest that runs, as the portal lists them.
async fn listed(guest: Guest) -> Result<Vec<ProcessorInfo>> {
    let portal = portal_with(&guest, json!({}), PATIENT).await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", guest.id, plugin.reason);
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
