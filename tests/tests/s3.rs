//! A bucket becomes entities: the S3 plugin against a real S3 server that checks signatures.

mod faults;
mod keys;
mod pages;
mod search;

use anyhow::Result;
use callboard_tests::bucket::Bucket;
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::{self, PROVIDER, component};

/// The whole way once: what is in the bucket is in the catalog, what changes there changes here, what goes is gone.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_follows_the_bucket() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("teams/one.yaml", component("one"))?;
    bucket.put("teams/two.yaml", component("two"))?;
    let portal = TestPortal::start(s3::config(&bucket)?).await?;

    let one = portal.until_entity("component:default/one").await?;
    portal.until_entity("component:default/two").await?;
    let annotation = |name: &str| {
        one["metadata"]["annotations"][format!("s3.callboard.dev/{name}")].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(annotation("bucket"), bucket.name());
    assert_eq!(annotation("key"), "teams/one.yaml");
    assert_eq!(annotation("size"), component("one").len().to_string());
    assert_eq!(annotation("region"), "eu-central-1");
    assert!(!annotation("etag").is_empty() && !annotation("last-modified").is_empty(), "{one:#}");
    let origin = one["metadata"]["annotations"]["backstage.io/managed-by-location"].as_str().unwrap_or_default();
    assert_eq!(origin, format!("url:{}", bucket.url("teams/one.yaml")));

    bucket.put("teams/one.yaml", component("one").replace("service", "website"))?;
    bucket.put("teams/three.yaml", component("three"))?;
    bucket.delete("teams/two.yaml")?;
    let run = portal.run_provider("s3", PROVIDER).await?;
    assert_eq!(run.last_error, None);
    assert_eq!(
        (run.counts.listed, run.counts.added, run.counts.changed, run.counts.removed, run.counts.unchanged),
        (2, 1, 1, 1, 0)
    );
    portal.until_entity("component:default/three").await?;
    portal.until_gone("component:default/two").await?;
    portal
        .until("the changed type", async || {
            let one = portal.entity("component:default/one").await?;
            Ok(one.is_some_and(|one| one["spec"]["type"] == "website"))
        })
        .await?;
    Ok(())
}
