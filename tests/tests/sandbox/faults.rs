//! A fault ends one call and nothing else.

use anyhow::{Context, Result};
use callboard_model::api::PluginState;
use callboard_tests::hostile::Hostile;
use serde_json::json;

use super::{
    PATIENT, SHORT, attack, comes_to_nothing, finds, guest, is_stopped, is_stopped_by_the_clock, others_are_served,
    portal_with,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_ends_at_its_deadline() -> Result<()> {
    is_stopped_by_the_clock(guest("loop_forever"), json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn time_in_the_host_counts_too() -> Result<()> {
    let upstream = Hostile::start().await?;
    let settings = json!({ "url": format!("{}/silent", upstream.origin()) });
    is_stopped_by_the_clock(guest("slow_upstream"), settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_the_host_without_end_end_at_the_deadline() -> Result<()> {
    is_stopped_by_the_clock(guest("host_call_flood"), json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_has_a_cap() -> Result<()> {
    let guest = guest("memory_bomb");
    let portal = portal_with(&guest, json!({}), PATIENT).await?;
    comes_to_nothing(&guest, &portal, &["memory", "67108864 bytes"]).await?;
    // It takes little more than a MiB at a time, so that what it did not get says how much it had.
    let answer = attack(&guest, &portal).await?.text();
    let wanted = answer.split_once("wanted ").and_then(|(_, rest)| rest.split_once(" bytes"));
    let wanted: u64 = wanted.context(answer.clone())?.0.parse()?;
    assert!((67_108_864..70_000_000).contains(&wanted), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_has_an_end() -> Result<()> {
    is_stopped(guest("recursion"), json!({}), &["deep"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_told() -> Result<()> {
    is_stopped(guest("panic"), json!({}), &["the guest says no"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_ends_the_guest_alone() -> Result<()> {
    is_stopped(guest("exit"), json!({}), &["exit"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_has_a_size() -> Result<()> {
    is_stopped(guest("giant_output"), json!({}), &["more than", "bytes at once"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_has_a_size() -> Result<()> {
    is_stopped(guest("huge_tree"), json!({}), &["at most 1048576"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_has_a_depth() -> Result<()> {
    is_stopped(guest("deep_tree"), json!({}), &["tree"]).await
}

/// More log than is kept is cut, not an error.
#[tokio::test(flavor = "multi_thread")]
async fn log_is_cut() -> Result<()> {
    assert_eq!(finds(guest("log_flood"), json!({})).await?, "flooded");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn open_answers_are_counted() -> Result<()> {
    let upstream = Hostile::start().await?;
    let settings = json!({ "url": format!("{}/echo", upstream.origin()) });
    let found = finds(guest("many_requests"), settings).await?;
    let kept = found.strip_prefix("kept ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    assert!(kept.is_some_and(|kept| kept <= 256), "{found}");
    Ok(())
}

/// A plugin that fails again and again is not called for a while, and the page says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_always_fails_is_suspended() -> Result<()> {
    let guest = guest("panic");
    let portal = portal_with(&guest, json!({}), PATIENT).await?;
    for _ in 0..100 {
        portal.client().post(&format!("api/plugins/{}/ui/attack/render", guest.id), &json!({})).await?;
        if portal.plugin(&guest.id).await?.state == PluginState::Suspended {
            break;
        }
    }
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Suspended);
    assert!(plugin.reason.is_some_and(|reason| reason.contains("again and again")));
    others_are_served(portal.client()).await
}

/// Many at once hold up nobody but themselves.
#[tokio::test(flavor = "multi_thread")]
async fn forty_loops_at_once() -> Result<()> {
    let guest = guest("loop_forever");
    let portal = portal_with(&guest, json!({}), SHORT).await?;
    let loops = futures::future::join_all((0..40).map(|_| attack(&guest, &portal)));
    for answer in loops.await {
        assert!(answer?.status.is_server_error());
    }
    others_are_served(portal.client()).await
}
