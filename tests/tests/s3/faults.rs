//! What goes wrong with a bucket is said on the plugins page and in the API, and costs nothing that is there already.

use std::time::Duration;

use anyhow::{Context, Result};
use callboard_model::api::ProviderInfo;
use callboard_tests::bucket::Bucket;
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::{self, PROVIDER, component};
use serde_json::{Value, json};

/// A bucket with one component in it, and a portal that has read it.
async fn loaded(settings: Value) -> Result<(Bucket, TestPortal)> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let portal = TestPortal::start(s3::config_with(&bucket, settings)?).await?;
    portal.until_entity("component:default/one").await?;
    portal.idle("s3", PROVIDER).await?;
    Ok((bucket, portal))
}

/// The run failed, the error says so in these words, and what was loaded stays.
async fn failed(portal: &TestPortal, run: &ProviderInfo, words: &[&str]) -> Result<()> {
    let error = run.last_error.as_deref().context("the run succeeded")?;
    for word in words {
        assert!(error.contains(word), "\"{error}\" does not say \"{word}\"");
    }
    assert!(run.last_success.is_some(), "the last good run is still known: {run:?}");
    assert!(portal.entity("component:default/one").await?.is_some(), "what was loaded before stays");
    assert!(!error.contains(callboard_tests::bucket::SECRET_ACCESS_KEY), "no secret is in an error");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret() -> Result<()> {
    let (bucket, portal) = loaded(json!({})).await?;
    let mut config = s3::config(&bucket)?;
    config["integrations"]["awsS3"][0]["secretAccessKey"] = json!("not-the-secret");
    let portal = portal.restart(config).await?;
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &["SignatureDoesNotMatch", "secret access key", bucket.name()]).await?;
    assert!(!run.last_error.unwrap_or_default().contains("not-the-secret"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there() -> Result<()> {
    let (bucket, portal) = loaded(json!({})).await?;
    let portal = portal.restart(s3::config_with(&bucket, json!({ "bucketName": "no-such-bucket" }))?).await?;
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &["no-such-bucket", "NoSuchBucket"]).await
}

/// Nothing below a prefix may be a mistake in writing it, so it is said; it is no failure.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_prefix() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let portal = TestPortal::start(s3::config_with(&bucket, json!({ "prefix": "nothing-here/" }))?).await?;
    let run = portal.idle("s3", PROVIDER).await?;
    assert_eq!((run.counts.listed, &run.last_error), (0, &None));
    assert!(run.last_success.is_some());
    assert_eq!(bucket.faults().requests().reads(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down() -> Result<()> {
    let (mut bucket, portal) = loaded(json!({})).await?;
    bucket.go_down();
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &[bucket.endpoint().trim_start_matches("http://")]).await?;

    bucket.come_back().await?;
    bucket.put("two.yaml", component("two"))?;
    let run = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!(run.last_error, None, "a run that succeeds clears the error");
    portal.until_entity("component:default/two").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_to_slow_down_for_a_moment() -> Result<()> {
    let (bucket, portal) = loaded(json!({})).await?;
    bucket.put("two.yaml", component("two"))?;
    bucket.faults().throttle(2);
    let run = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!(run.last_error, None, "it is asked again after a while");
    portal.until_entity("component:default/two").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_to_slow_down_for_ever() -> Result<()> {
    let (bucket, portal) =
        loaded(json!({ "schedule": { "frequency": { "hours": 10 }, "timeout": { "seconds": 30 } } })).await?;
    bucket.faults().forget_requests();
    bucket.faults().throttle(u32::MAX);
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &["SlowDown"]).await?;
    let asked = bucket.faults().requests().lists();
    assert!((2..=10).contains(&asked), "it was asked {asked} times");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_too_long() -> Result<()> {
    let (bucket, portal) =
        loaded(json!({ "schedule": { "frequency": { "hours": 10 }, "timeout": { "seconds": 2 } } })).await?;
    bucket.faults().hold(true);
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &["timeout of 2 s"]).await?;

    bucket.faults().hold(false);
    let run = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!(run.last_error, None);
    Ok(())
}

/// A listing that fails on its way removes nothing: a full mutation is applied with its last page or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_listing_changes_nothing() -> Result<()> {
    let bucket = Bucket::start().await?;
    for number in 0..1500 {
        bucket.put(&format!("{number:04}.txt"), "")?;
    }
    bucket.put("0000-one.yaml", component("one"))?;
    let schedule = json!({ "schedule": { "frequency": { "hours": 10 }, "timeout": { "minutes": 3 } } });
    let portal = TestPortal::start(s3::config_with(&bucket, schedule)?).await?;
    portal.until_entity("component:default/one").await?;
    portal.idle("s3", PROVIDER).await?;
    bucket.delete("0000-one.yaml")?;
    bucket.faults().fail_after_lists(1);
    let run = portal.run_provider("s3", PROVIDER).await?;
    failed(&portal, &run, &["InternalError"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_too_large() -> Result<()> {
    const MIB: u64 = 1024 * 1024;
    let (bucket, portal) = loaded(json!({})).await?;
    bucket.put_zeroes("large.yaml", 50 * MIB)?;
    let sent = bucket.faults().requests().sent();
    portal.run_provider("s3", PROVIDER).await?;
    let provider = portal
        .wait_for("the refusal of the large object", async || {
            let provider = portal.provider("s3", PROVIDER).await?;
            Ok((provider.problem_count == 1).then_some(provider))
        })
        .await?;
    let problem = &provider.problems[0];
    assert_eq!(problem.target, bucket.url("large.yaml"));
    assert!(problem.message.contains("too large"), "{}", problem.message);
    // The socket's buffers hold some more than was read.
    let sent = bucket.faults().requests().sent() - sent;
    assert!(sent < 40 * MIB, "{sent} bytes of it left the bucket");
    assert!(portal.entity("component:default/one").await?.is_some());
    Ok(())
}

/// The page shows what the API says.
#[tokio::test(flavor = "multi_thread")]
async fn the_plugins_page_shows_the_error() -> Result<()> {
    let (mut bucket, portal) = loaded(json!({})).await?;
    bucket.go_down();
    let run = portal.run_provider("s3", PROVIDER).await?;
    let window = crate::browser::guest(&portal).await?;
    window.goto("/plugins").await?;
    window.until_text("Failed").await?;
    window.goto("/plugins/s3").await?;
    window.until_text(run.last_error.as_deref().context("the run succeeded")?).await?;
    window.close().await
}

/// Requests that were slow are not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_far_away() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.faults().slow(Duration::from_millis(200));
    bucket.put("one.yaml", component("one"))?;
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    portal.until_entity("component:default/one").await?;
    assert_eq!(portal.idle("s3", PROVIDER).await?.last_error, None);
    Ok(())
}
