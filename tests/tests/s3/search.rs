//! Locations whose URL has wildcards, over a real S3 server, and what a location of one object costs.

use anyhow::{Context, Result};
use callboard_tests::bucket::{ACCESS_KEY_ID, Bucket, SECRET_ACCESS_KEY};
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::component;
use serde_json::{Value, json};

/// Without the plugin: the server reads the bucket itself, with the keys of the integration.
fn config(bucket: &Bucket) -> Value {
    json!({
        "integrations": { "awsS3": [{
            "endpoint": bucket.endpoint(),
            "accessKeyId": ACCESS_KEY_ID,
            "secretAccessKey": SECRET_ACCESS_KEY,
            "s3ForcePathStyle": true,
        }] },
        "catalog": { "processingInterval": { "hours": 10 } },
    })
}

/// Every `info.yaml` below a folder.
fn pattern(bucket: &Bucket, folder: &str) -> String {
    format!("{}**/info.yaml", bucket.url(folder))
}

/// Registers a location and answers with the ref of its entity. What it brings can be read then.
async fn register(portal: &TestPortal, target: &str) -> Result<String> {
    let body = json!({ "type": "url", "target": target });
    let answer: Value = portal.client().post("api/catalog/locations", &body).await?.ok()?.json()?;
    Ok(answer["location"]["entityRef"].as_str().context("a ref")?.to_owned())
}

async fn refresh(portal: &TestPortal, entity_ref: &str) -> Result<()> {
    portal.client().post("api/catalog/refresh", &json!({ "entityRef": entity_ref })).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_is_listed_and_what_matches_is_read_once() -> Result<()> {
    let bucket = Bucket::start().await?;
    for number in 0..1100 {
        bucket.put(&format!("teams/{number:04}.md"), "")?;
    }
    for name in ["one", "two"] {
        bucket.put(&format!("teams/{name}/info.yaml"), component(name))?;
    }
    bucket.put("teams/with space/ünïcode*/info.yaml", component("three"))?;
    bucket.put("elsewhere/info.yaml", component("elsewhere"))?;
    bucket.faults().list_too(&["teams/folder/info.yaml/", "teams/a/../info.yaml"]);
    let portal = TestPortal::start(config(&bucket)).await?;

    let location = register(&portal, &pattern(&bucket, "teams/")).await?;
    let one = portal.entity("component:default/one").await?.context("what was registered is there")?;
    let annotations = &one["metadata"]["annotations"];
    let own = format!("url:{}", bucket.url("teams/one/info.yaml"));
    assert_eq!(annotations["backstage.io/managed-by-location"], own);
    let origin = format!("url:{}", pattern(&bucket, "teams/"));
    assert_eq!(annotations["backstage.io/managed-by-origin-location"], origin);
    assert_eq!(portal.count("kind=component").await?, 3);
    let requests = bucket.faults().requests();
    assert_eq!((requests.lists(), requests.reads()), (2, 3), "a request for each page, and one for each match");

    // Nothing changed: the listing is all that it costs.
    bucket.faults().forget_requests();
    refresh(&portal, &location).await?;
    portal.until("the second listing", async || Ok(bucket.faults().requests().lists() == 2)).await?;
    assert_eq!(bucket.faults().requests().reads(), 0);

    // One changed, one came, one is gone.
    bucket.faults().forget_requests();
    bucket.put("teams/one/info.yaml", component("one").replace("service", "website"))?;
    bucket.put("teams/four/info.yaml", component("four"))?;
    bucket.delete("teams/two/info.yaml")?;
    refresh(&portal, &location).await?;
    portal.until_entity("component:default/four").await?;
    portal.until_gone("component:default/two").await?;
    portal
        .until("the changed type", async || {
            let one = portal.entity("component:default/one").await?;
            Ok(one.is_some_and(|one| one["spec"]["type"] == "website"))
        })
        .await?;
    let requests = bucket.faults().requests();
    let reads =
        ["one", "two", "four", "with space/ünïcode*"].map(|name| requests.reads_of(&format!("teams/{name}/info.yaml")));
    assert_eq!((requests.lists(), reads), (2, [1, 0, 1, 0]), "{} reads in all", requests.reads());
    assert_eq!(portal.count("kind=component").await?, 3);
    Ok(())
}

/// What cannot be read costs nobody but itself, and what can no longer be listed costs nobody.
#[tokio::test(flavor = "multi_thread")]
async fn failures_cost_nobody_else() -> Result<()> {
    const MIB: u64 = 1024 * 1024;
    let mut bucket = Bucket::start().await?;
    bucket.put("good/info.yaml", component("good"))?;
    bucket.put("broken/info.yaml", "kind: [")?;
    bucket.put_zeroes("large/info.yaml", 50 * MIB)?;
    let portal = TestPortal::start(config(&bucket)).await?;
    let location = register(&portal, &pattern(&bucket, "")).await?;
    assert!(portal.entity("component:default/good").await?.is_some());
    assert!(portal.entity(&location).await?.is_some_and(|location| location.get("status").is_none()));

    let failed = async |words: &[&str]| -> Result<()> {
        refresh(&portal, &location).await?;
        let message = portal
            .wait_for("the error", async || {
                let location = portal.entity(&location).await?.unwrap_or_default();
                let message = location.pointer("/status/items/0/message").and_then(Value::as_str);
                Ok(message.filter(|message| words.iter().all(|word| message.contains(word))).map(ToOwned::to_owned))
            })
            .await?;
        assert!(!message.contains(SECRET_ACCESS_KEY), "{message}");
        assert!(portal.entity("component:default/good").await?.is_some(), "what is there stays");
        Ok(())
    };
    bucket.faults().fail_after_lists(0);
    failed(&["Unable to read url", "InternalError"]).await?;
    bucket.go_down();
    failed(&["Unable to read url", "no connection"]).await?;
    Ok(())
}

/// What cannot be listed is said at once to whoever tries, with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched() -> Result<()> {
    let bucket = Bucket::start().await?;
    let portal = TestPortal::start(config(&bucket)).await?;
    let host = bucket.endpoint().replace("http://", "");
    let none = format!("no matching files found for {}", pattern(&bucket, "none/"));
    let no_bucket = format!("{}/no-such-bucket/*.yaml", bucket.endpoint());
    for (target, words) in [
        ("https://github.com/acme/shop/blob/main/**/info.yaml".to_owned(), "github.com is read file by file"),
        (format!("{}/*/info.yaml", bucket.endpoint()), &format!("{host} is read file by file") as &str),
        (pattern(&bucket, "none/"), &none),
        (no_bucket, "NoSuchBucket"),
        (format!("{}[*", bucket.url("")), "not a pattern"),
    ] {
        let body = json!({ "type": "url", "target": target });
        let answer = portal.client().post("api/catalog/locations?dryRun=true", &body).await?;
        assert_eq!(answer.status, 400, "{target}");
        assert!(answer.text().contains(words), "{target}: {}", answer.text());
    }
    Ok(())
}

/// One object: asked for conditionally, answered with 304, and nothing about the entity changes.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_object_is_not_sent_again() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let portal = TestPortal::start(config(&bucket)).await?;
    register(&portal, &bucket.url("one.yaml")).await?;
    let before = portal.entity("component:default/one").await?.context("what was registered is there")?;
    bucket.faults().forget_requests();
    refresh(&portal, "component:default/one").await?;
    portal.until("the second read", async || Ok(bucket.faults().requests().reads() == 1)).await?;
    let requests = bucket.faults().requests();
    assert_eq!((requests.unchanged(), requests.sent()), (1, 0));
    assert_eq!(portal.entity("component:default/one").await?, Some(before));
    Ok(())
}
