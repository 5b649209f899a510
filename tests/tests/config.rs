//! The configuration that the field uses, unchanged.

use anyhow::Result;
use callboard_model::api::PluginState;
use callboard_tests::bucket::Bucket;
use callboard_tests::environment;
use callboard_tests::portal::TestPortal;
use callboard_tests::s3::{self, PROVIDER, component};
use serde_json::json;

/// As it is written for AWS, with no endpoint and no key. The bucket is not asked for, because that would be elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_form_for_aws() -> Result<()> {
    let portal = TestPortal::start(format!(
        r#"
plugins:
  s3:
    source: {}
    grant:
      log: true
      config: [ catalog.providers.awsS3, integrations.awsS3 ]
      http: [ "GET https://*.s3.*.amazonaws.com" ]
catalog:
  providers:
    awsS3:
      # or a map of provider ids
      bucketName: sample-bucket
      prefix: backstage-api-blog/
      region: ap-southeast-1
      schedule: {{ frequency: {{ minutes: 2 }}, timeout: {{ minutes: 3 }}, initialDelay: {{ hours: 1 }} }}
"#,
        environment::plugin("s3")?.display()
    ))
    .await?;
    let plugin = portal.plugin("s3").await?;
    assert_eq!(plugin.state, PluginState::Running, "{:?}", plugin.reason);
    assert_eq!(portal.provider("s3", PROVIDER).await?.schedule, "every 2 minutes");
    Ok(())
}

/// Each way to write a schedule, and how it is told.
#[tokio::test(flavor = "multi_thread")]
async fn schedules() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let mut config = s3::config(&bucket)?;
    let default = config["catalog"]["providers"]["awsS3"].clone();
    let forms = [
        ("object", json!({ "hours": 2, "minutes": 30 }), "every 2 hours and 30 minutes"),
        ("iso", json!("PT45M"), "every 45 minutes"),
        ("human", json!("90 minutes"), "every 1 hour and 30 minutes"),
        ("short", json!("3h"), "every 3 hours"),
        ("cron", json!({ "cron": "0 4 * * *" }), "0 4 * * *"),
        ("manual", json!({ "trigger": "manual" }), "only when asked for"),
    ];
    let mut providers = json!({});
    for (id, frequency, _) in &forms {
        let mut provider = default.clone();
        provider["schedule"]["frequency"] = frequency.clone();
        providers[*id] = provider;
    }
    config["catalog"]["providers"]["awsS3"] = providers;
    let portal = TestPortal::start(config).await?;
    for (id, _, words) in &forms {
        let provider = portal.provider("s3", &format!("awsS3-provider:{id}")).await?;
        assert!(provider.schedule.to_lowercase().contains(words), "{id}: \"{}\"", provider.schedule);
    }
    Ok(())
}

/// `integrations.awsS3` may be one object instead of a list.
#[tokio::test(flavor = "multi_thread")]
async fn one_integration_without_a_list() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let mut config = s3::config(&bucket)?;
    config["integrations"]["awsS3"] = config["integrations"]["awsS3"][0].clone();
    let portal = TestPortal::start(config).await?;
    portal.until_entity("component:default/one").await?;
    Ok(())
}

/// A plugin that cannot be loaded is shown with the reason, and the portal starts without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_be_loaded() -> Result<()> {
    let bucket = Bucket::start().await?;
    bucket.put("one.yaml", component("one"))?;
    let mut config = s3::config(&bucket)?;
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, b"\0asm\x0d\0\x01\0 and nothing more")?;
    config["plugins"]["broken"] = json!({ "source": broken.display().to_string(), "grant": {} });
    config["plugins"]["missing"] = json!({ "source": "no/such/file.wasm", "grant": {} });
    let portal = TestPortal::start(config).await?;
    portal.until_entity("component:default/one").await?;
    for (id, words) in [("broken", "damaged"), ("missing", "no/such/file.wasm")] {
        let plugin = portal.plugin(id).await?;
        assert_eq!(plugin.state, PluginState::Refused, "{id}");
        let reason = plugin.reason.unwrap_or_default();
        assert!(reason.contains(words), "{id}: {reason}");
    }
    Ok(())
}

/// What is wrong with a configuration is said before anything starts.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_refused_with_a_suggestion() -> Result<()> {
    for (config, words) in [
        ("plugins:\n  s3:\n    sorce: a.wasm\n", ["plugins.s3.sorce", "source"]),
        ("plugins:\n  s3:\n    source: a.wasm\n    grant: { htpp: [] }\n", ["htpp", "http"]),
        ("plugins:\n  s3:\n    source: a.wasm\n    grant: { http: [ \"GET https://*\" ] }\n", ["https://*", "host"]),
        ("backend: { listen: { port: many } }\n", ["backend.listen.port", "number"]),
    ] {
        let error = match TestPortal::start(config).await {
            Ok(_) => anyhow::bail!("it was accepted:\n{config}"),
            Err(error) => format!("{error:#}"),
        };
        for word in words {
            assert!(error.contains(word), "\"{word}\" is not in:\n{error}");
        }
    }
    Ok(())
}
