//! Scaffolder actions in the portal: what it says of them. What comes of each attempt of theirs is in the tests of the plugin
//! host.

use anyhow::Result;
use serde_json::json;

use super::{finds, guest, portal_with};

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_says_which_it_may_have_run() -> Result<()> {
    let guest = guest("good_actions");
    let portal = portal_with(&guest, json!({ "url": "http://127.0.0.1:9" }), "5 seconds").await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.extension_points, ["scaffolder-actions"], "{:?}", plugin.reason);
    let found: Vec<_> = plugin.actions.iter().map(|action| (action.id.as_str(), action.supports_dry_run)).collect();
    assert_eq!(found, [("good:project", true), ("good:ask", false), ("good:nothing", false)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_no_workspace() -> Result<()> {
    let seen = finds(guest("hostile_actions"), json!({})).await?;
    assert!(seen.lines().count() > 10 && seen.lines().all(|line| line.contains("no workspace")), "{seen}");
    Ok(())
}
