//! Many objects: pages of a listing, and what is not read again.

use anyhow::Result;
use callboard_tests::bucket::Bucket;
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::{self, PROVIDER, component};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_five_hundred_objects_are_three_pages_and_are_read_once() -> Result<()> {
    const OBJECTS: u64 = 2500;
    let bucket = Bucket::start().await?;
    for number in 0..OBJECTS {
        bucket.put(&format!("many/{number:04}.yaml"), component(&format!("many-{number:04}")))?;
    }
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    portal.until("all the components", async || Ok(portal.count("kind=component").await? == OBJECTS)).await?;
    let first = portal.idle("s3", PROVIDER).await?;
    assert_eq!((first.counts.listed, first.counts.added), (OBJECTS, OBJECTS));
    let requests = bucket.faults().requests();
    assert_eq!((requests.lists(), requests.reads()), (3, OBJECTS));

    bucket.faults().forget_requests();
    let second = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!((second.counts.listed, second.counts.unchanged), (OBJECTS, OBJECTS));
    let requests = bucket.faults().requests();
    assert_eq!((requests.lists(), requests.reads()), (3, 0), "an unchanged object is not read again");

    bucket.put("many/0007.yaml", component("many-0007").replace("service", "website"))?;
    portal.run_provider("s3", PROVIDER).await?;
    portal
        .until("the one that changed", async || {
            let entity = portal.entity("component:default/many-0007").await?;
            Ok(entity.is_some_and(|entity| entity["spec"]["type"] == "website"))
        })
        .await?;
    let requests = bucket.faults().requests();
    assert_eq!((requests.reads(), requests.reads_of("many/0007.yaml")), (1, 1), "and only what changed is");
    Ok(())
}

/// Size and time of modification stand in for an ETag where the server lists none.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lists_no_etags_is_read_once_too() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.faults().hide_etags(true);
    bucket.put("one.yaml", component("one"))?;
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    portal.until_entity("component:default/one").await?;
    bucket.faults().forget_requests();
    let run = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!((run.counts.unchanged, bucket.faults().requests().reads()), (1, 0));
    Ok(())
}

/// What was read before is known after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_nothing_again() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let config = s3::config(&bucket)?;
    let portal = TestPortal::start(&config).await?;
    portal.until_entity("component:default/one").await?;
    portal.idle("s3", PROVIDER).await?;
    bucket.faults().forget_requests();
    let portal = portal.restart(&config).await?;
    portal.run_provider("s3", PROVIDER).await?;
    assert!(portal.entity("component:default/one").await?.is_some());
    assert_eq!(bucket.faults().requests().reads(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_below_the_prefix_is_read() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("ours/one.yaml", component("one"))?;
    bucket.put("theirs/two.yaml", component("two"))?;
    let portal = TestPortal::start(s3::config_with(&bucket, json!({ "prefix": "ours/" }))?).await?;
    portal.until_entity("component:default/one").await?;
    let run = portal.idle("s3", PROVIDER).await?;
    assert_eq!(run.counts.listed, 1);
    assert!(portal.entity("component:default/two").await?.is_none());
    assert_eq!(bucket.faults().requests().reads_of("theirs/two.yaml"), 0);
    Ok(())
}

/// Each id of the map is a provider of its own.
#[tokio::test(flavor = "multi_thread")]
async fn several_buckets() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("a/one.yaml", component("one"))?;
    bucket.put("b/two.yaml", component("two"))?;
    let mut config = s3::config(&bucket)?;
    let default = config["catalog"]["providers"]["awsS3"].clone();
    let with = |prefix: &str| {
        let mut provider = default.clone();
        provider["prefix"] = json!(prefix);
        provider
    };
    config["catalog"]["providers"]["awsS3"] = json!({ "first": with("a/"), "second": with("b/") });
    let portal = TestPortal::start(config).await?;
    portal.until_entity("component:default/one").await?;
    portal.until_entity("component:default/two").await?;
    assert_eq!(portal.idle("s3", "awsS3-provider:first").await?.counts.listed, 1);
    assert_eq!(portal.idle("s3", "awsS3-provider:second").await?.counts.listed, 1);
    Ok(())
}
