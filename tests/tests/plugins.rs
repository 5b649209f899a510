//! What every bundled plugin must do, whichever it is. A new plugin is a new line of [`SUBJECTS`].

mod hot;
mod registry;
mod replicas;
mod testing;

use anyhow::{Context, Result};
use callboard_model::api::PluginState;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use callboard_tests::{environment, hostile};
use serde_json::{Value, json};

/// A plugin, with a configuration of it over an upstream at an address.
struct Subject {
    id: &'static str,
    config: fn(&str) -> Value,
    provider: &'static str,
}

const SUBJECTS: &[Subject] = &[Subject { id: "s3", config: s3, provider: callboard_tests::s3::PROVIDER }];

fn s3(upstream: &str) -> Value {
    json!({
        "integrations": { "awsS3": [{
            "endpoint": upstream,
            "accessKeyId": "id",
            "secretAccessKey": "secret",
            "s3ForcePathStyle": true,
        }] },
        "catalog": { "providers": { "awsS3": {
            "bucketName": "bucket",
            "region": "eu-central-1",
            "schedule": { "frequency": { "hours": 10 }, "timeout": { "seconds": 3 } },
        } } },
    })
}

/// Everything that the plugin's manifest asks for, as a grant.
fn declared(subject: &Subject) -> Result<Value> {
    let component = std::fs::read(environment::plugin(subject.id)?)?;
    let inspection = callboard_host::inspect(&component).context(subject.id)?;
    Ok(serde_json::to_value(&inspection.manifest.rights)?)
}

/// A right that was not asked for.
fn is_nothing(right: &Value) -> bool {
    match right {
        Value::Bool(asked) => !asked,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        _ => false,
    }
}

async fn portal(subject: &Subject, grant: &Value, upstream: &str) -> Result<TestPortal> {
    let mut config = with_plugin(subject.id, &environment::plugin(subject.id)?, grant);
    merge(&mut config, (subject.config)(upstream));
    TestPortal::start(config).await
}

/// The list above is complete.
#[test]
fn every_bundled_plugin_is_a_subject() -> Result<()> {
    for entry in std::fs::read_dir(environment::root().join("plugins"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            let id = entry.file_name().to_string_lossy().into_owned();
            assert!(SUBJECTS.iter().any(|subject| subject.id == id), "add plugins/{id} to the compliance suite");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_with_what_it_declares() -> Result<()> {
    for subject in SUBJECTS {
        let portal = portal(subject, &declared(subject)?, &hostile::dead().await?).await?;
        let plugin = portal.plugin(subject.id).await?;
        assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", subject.id, plugin.reason);
        // An origin that the configuration names is resolved to it, so only the rest is the same.
        let (effective, declared) = (plugin.effective, plugin.declared);
        assert_eq!((effective.log, effective.kv, &effective.config), (declared.log, declared.kv, &declared.config));
        assert_eq!(effective.http.len(), declared.http.len(), "{}", subject.id);
        assert!(plugin.digest.is_some_and(|digest| digest.starts_with("sha256:")), "{}", subject.id);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_refused_without_a_right_that_it_needs() -> Result<()> {
    for subject in SUBJECTS {
        let declared = declared(subject)?;
        let rights = declared.as_object().context("rights are an object")?;
        for (right, _) in rights.iter().filter(|(_, asked)| !is_nothing(asked)) {
            let mut grant = declared.clone();
            grant.as_object_mut().context("rights are an object")?.remove(right);
            let portal = portal(subject, &grant, &hostile::dead().await?).await?;
            let plugin = portal.plugin(subject.id).await?;
            let reason = plugin.reason.unwrap_or_default();
            assert_eq!(plugin.state, PluginState::Refused, "{} without {right}", subject.id);
            assert!(reason.contains(&format!("plugins.{}.grant", subject.id)), "where to add it: {reason}");
            assert!(reason.contains(right.as_str()), "what to add: {reason}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_an_upstream_that_is_dead_or_mute() -> Result<()> {
    let (mute, _listener) = hostile::mute().await?;
    for subject in SUBJECTS {
        for upstream in [&hostile::dead().await?, &mute] {
            let portal = portal(subject, &declared(subject)?, upstream).await?;
            let run = portal.idle(subject.id, subject.provider).await?;
            assert!(run.last_error.is_some(), "{} says that it could not read", subject.id);
            let plugin = portal.plugin(subject.id).await?;
            assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", subject.id, plugin.reason);
        }
    }
    Ok(())
}

/// The examples that a plugin ships are configurations with which it runs.
#[tokio::test(flavor = "multi_thread")]
async fn its_examples_are_true() -> Result<()> {
    for subject in SUBJECTS {
        let folder = environment::root().join("plugins").join(subject.id).join("examples");
        let mut examples = 0;
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{} has no examples", subject.id))? {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path)?;
            let mut config = serde_json::to_value(callboard_model::yaml::value(&text)?)?;
            config["plugins"][subject.id]["source"] = json!(environment::plugin(subject.id)?.display().to_string());
            let portal = TestPortal::start(config).await.with_context(|| path.display().to_string())?;
            let plugin = portal.plugin(subject.id).await?;
            assert_eq!(plugin.state, PluginState::Running, "{}: {:?}", path.display(), plugin.reason);
            examples += 1;
        }
        assert!(examples > 0, "{} has no examples", subject.id);
    }
    Ok(())
}

/// A plugin's actions need `plugin.act`, or the permission that its manifest names for one, however the URL spells it.
/// Who lacks it does not reach the plugin; who has it does, and here the plugin says that it has no such action.
#[tokio::test(flavor = "multi_thread")]
async fn actions_need_what_the_manifest_names() -> Result<()> {
    let mut config = with_plugin("panic", &environment::guest("panic")?, &json!({}));
    let people = ["presser", "emptier", "looker"].map(|name| json!({ "entityRef": format!("user:default/{name}") }));
    merge(
        &mut config,
        json!({
            "auth": { "providers": { "development": { "users": people } } },
            "permission": { "policy": [
                { "allow": ["plugin.read", "plugin.use"], "to": ["signed-in"] },
                { "allow": ["plugin.act"], "to": ["user:default/presser"] },
                { "allow": ["panic.bucket.*"], "to": ["user:default/emptier"] },
                { "allow": ["plugin.act"], "to": ["user:default/looker"], "where": { "kind": "component" } },
            ] },
        }),
    );
    let portal = TestPortal::start(config).await?;
    for (name, expected) in [("presser", [404, 403, 403]), ("emptier", [403, 404, 404]), ("looker", [403, 403, 403])] {
        let client = portal.signed_in(&format!("user:default/{name}")).await?;
        for (action, status) in ["press", "empty", "EMPTY"].into_iter().zip(expected) {
            let path = format!("api/plugins/panic/ui/attack/actions/{action}");
            let answer = client.post(&path, &json!({})).await?;
            let says = if status == 404 { "has no action" } else { "NotAllowedError" };
            anyhow::ensure!(
                answer.status == status && answer.text().contains(says),
                "{action} by {name}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    Ok(())
}
