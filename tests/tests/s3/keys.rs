//! Keys that are hard to write down, and objects that are not what they should be.

use anyhow::Result;
use callboard_tests::bucket::Bucket;
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::{self, PROVIDER, component};

#[tokio::test(flavor = "multi_thread")]
async fn awkward_keys_are_signed_and_read() -> Result<()> {
    let keys = [
        "with space.yaml",
        "a+b.yaml",
        "100%.yaml",
        "%2e%2e/encoded.yaml",
        "umläute/größe.yaml",
        "日本語/カタログ.yaml",
        "emoji-🦀.yaml",
        "no-extension",
        "quote's and (brackets).yaml",
        "equals=and&ampersand;.yaml",
        "hash#and?question.yaml",
        "tilde~star*bang!.yaml",
        "at@colon:comma,.yaml",
        "back\\slash.yaml",
        "[square]{curly}|pipe^caret`.yaml",
    ];
    let bucket = Bucket::start().await?;
    for (number, key) in keys.iter().enumerate() {
        bucket.put(key, component(&format!("awkward-{number}")))?;
    }
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    for (number, key) in keys.iter().enumerate() {
        let entity = portal.until_entity(&format!("component:default/awkward-{number}")).await?;
        assert_eq!(entity["metadata"]["annotations"]["s3.callboard.dev/key"], **key);
    }
    let run = portal.idle("s3", PROVIDER).await?;
    assert_eq!((run.problem_count, run.counts.listed), (0, keys.len() as u64), "{:?}", run.problems);
    Ok(())
}

/// A name that ends in `/` is a folder's, and one with `.` or `..` as a segment means another place in most readers.
#[tokio::test(flavor = "multi_thread")]
async fn folders_and_relative_keys_are_passed_over() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    bucket.faults().list_too(&["folder/", "a/../one.yaml", "./one.yaml", "a/.."]);
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    portal.until_entity("component:default/one").await?;
    let run = portal.idle("s3", PROVIDER).await?;
    assert_eq!((run.problem_count, &run.last_error), (0, &None), "{:?}", run.problems);
    assert_eq!(bucket.faults().requests().reads(), 1);
    Ok(())
}

/// What is not a descriptor, or a broken one, costs nobody but itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_object_fails_alone() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("good.yaml", component("good"))?;
    bucket.put("picture.png", [0x89, b'P', b'N', b'G', 0, 0xff])?;
    bucket.put("readme.md", "# Not a descriptor\n\nJust words.\n")?;
    bucket.put("list.yaml", "[1, 2, 3]\n")?;
    bucket.put("invalid.yaml", component("not a name"))?;
    bucket.put("second-is-broken.yaml", format!("{}---\nkind: [unclosed\n", component("first")))?;
    bucket.put("second-is-invalid.yaml", format!("{}---\n{}", component("valid"), component("in valid")))?;
    let portal = TestPortal::start(s3::config(&bucket)?).await?;
    portal.until_entity("component:default/good").await?;
    portal.until_entity("component:default/valid").await?;

    let run = portal
        .wait_for("every problem", async || {
            let provider = portal.provider("s3", PROVIDER).await?;
            Ok((provider.problem_count >= 6).then_some(provider))
        })
        .await?;
    assert_eq!(run.last_error, None, "a broken object is no failure of the run");
    for (key, words) in [
        ("picture.png", "UTF-8"),
        ("readme.md", ""),
        ("list.yaml", "object"),
        ("invalid.yaml", "metadata.name"),
        ("second-is-broken.yaml", "line"),
        ("second-is-invalid.yaml", "metadata.name"),
    ] {
        let problem = run.problems.iter().find(|problem| problem.target == bucket.url(key));
        assert!(problem.is_some_and(|problem| problem.message.contains(words)), "{key}: {:#?}", run.problems);
    }
    Ok(())
}

/// A Location in a bucket may allow no more than the rules do.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogs_rules_hold_for_objects() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("component.yaml", component("one"))?;
    bucket.put(
        "user.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: { name: mallory }\nspec: { memberOf: [] }\n",
    )?;
    let mut config = s3::config(&bucket)?;
    config["catalog"]["rules"] = serde_json::json!([{ "allow": ["Component", "Location"] }]);
    let portal = TestPortal::start(config).await?;
    portal.until_entity("component:default/one").await?;
    let run = portal
        .wait_for("the refusal", async || {
            let provider = portal.provider("s3", PROVIDER).await?;
            Ok((provider.problem_count == 1).then_some(provider))
        })
        .await?;
    assert_eq!(run.problems[0].target, bucket.url("user.yaml"));
    assert!(run.problems[0].message.contains("not of an allowed kind"), "{:?}", run.problems);
    assert!(portal.entity("user:default/mallory").await?.is_none());
    Ok(())
}
