//! Files and pushed entities.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, Result};
use callboard_store::Engine;
use callboard_tests::portal::TestPortal;
use serde_json::{Value, json};

use super::{AT_ONCE, SOUND, TOKEN, component, in_time, on_both, portal};

on_both!(bombs, nesting, files_over_the_limits, keys_that_stand_twice, characters, pushed_entities,);

/// A file by its name, with what it turns into and what is to be said of that.
pub(super) type Bad = (&'static str, String, &'static str);

/// All of them.
pub(super) fn all() -> Vec<Bad> {
    [bomb_files(), nested_files(), large_files(), files_with_double_keys(), files_with_odd_characters()].concat()
}

/// Each file is sound at first and then goes bad. Its location says what is wrong in these words, the last good version
/// stays, and the file is read again when it is mended.
async fn go_bad(engine: Engine, files: &[Bad]) -> Result<()> {
    let before: Vec<(&str, String)> = files.iter().map(|(name, ..)| (*name, sound(name))).collect();
    let portal = portal(engine, &before).await?;
    let begun = Instant::now();
    for (name, text, message) in files {
        let entity_ref = format!("component:default/{}", entity(name));
        portal.until_entity(&entity_ref).await?;
        std::fs::write(portal.folder().join(name), text)?;
        let what = format!("{name}: {message}");
        portal.until(&what, async || Ok(errors(&portal).await?.iter().any(|error| error.contains(message)))).await?;
        assert!(portal.entity(&entity_ref).await?.is_some(), "{name}: the last good version is gone");
        assert!(portal.entity("component:default/bad").await?.is_none(), "{name} was read");
        std::fs::write(portal.folder().join(name), sound(name) + "# mended\n")?;
        portal.until(&what, async || Ok(errors(&portal).await?.is_empty())).await?;
    }
    let most = AT_ONCE * u32::try_from(files.len())?;
    assert!(begun.elapsed() < most, "it took {} s", begun.elapsed().as_secs());
    assert!(portal.entity("component:default/sound").await?.is_some());
    Ok(())
}

pub(super) fn sound(file: &str) -> String {
    component(&entity(file), "")
}

fn entity(file: &str) -> String {
    format!("of-{}", file.replace('.', "-"))
}

/// What is wrong with entities, as people are told.
async fn errors(portal: &TestPortal) -> Result<Vec<String>> {
    let page: Value = portal.client().json("api/catalog/entities/by-query?limit=1000&fields=status").await?;
    let items = page["items"].as_array().context("items")?.iter();
    let errors = items.flat_map(|item| item["status"]["items"].as_array().cloned().unwrap_or_default());
    Ok(errors.filter_map(|error| Some(error["message"].as_str()?.to_owned())).collect())
}

/// A sound entity with something more in its metadata.
fn with(metadata: &str) -> String {
    SOUND.replace("{ name: sound }", &format!("\n  name: bad\n{metadata}"))
}

/// A few hundred bytes that stand for gigabytes.
fn bomb_files() -> Vec<Bad> {
    let laughs = (1..10).fold("  a0: &a0 [lol, lol]\n".to_owned(), |mut text, level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        // Writing into a text cannot fail.
        let _ = writeln!(text, "  a{level}: &a{level} [{aliases}]");
        text
    });
    let long = format!("  a: &a {}\n  b: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 16].join(", "));
    vec![
        ("values.yaml", with(&laughs), "has more than 1000000 values once its aliases are replaced"),
        ("text.yaml", with(&long), "has more than 16777216 bytes of text once its aliases are replaced"),
        ("unknown.yaml", component("bad", "x: *nothing\n"), "YAML error at"),
    ]
}

async fn bombs(engine: Engine) -> Result<()> {
    go_bad(engine, &bomb_files()).await
}

/// A hundred thousand within each other.
fn nested_files() -> Vec<Bad> {
    let deep = |x: String| component("bad", &format!("x: {x}\n"));
    let closed = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    vec![
        ("brackets.yaml", deep("[".repeat(100_000)), "recursion limit exceeded"),
        ("closed.yaml", deep(closed), "recursion limit exceeded"),
        ("braces.yaml", deep("{a: ".repeat(100_000)), "the document is nested more than 64 deep"),
        ("dashes.yaml", deep(format!("\n  {}", "- ".repeat(100_000))), "the document is nested more than 64 deep"),
    ]
}

async fn nesting(engine: Engine) -> Result<()> {
    go_bad(engine, &nested_files()).await
}

fn large_files() -> Vec<Bad> {
    vec![
        (
            "document.yaml",
            with(&format!("  description: {}\n", "x".repeat((16 << 20) + 1))),
            "the document has more than 16777216 bytes",
        ),
        ("file.yaml", format!("{SOUND}{}", "# filled up\n".repeat((32 << 20) / 12 + 1)), "33554432"),
        (
            "documents.yaml",
            format!("{}{}", component("bad", ""), "---\nx: 1\n".repeat(10_001)),
            "the file has more than 10000 documents",
        ),
    ]
}

async fn files_over_the_limits(engine: Engine) -> Result<()> {
    go_bad(engine, &large_files()).await
}

fn files_with_double_keys() -> Vec<Bad> {
    vec![
        ("root.yaml", component("bad", "kind: Component\n"), "the key \"kind\" stands twice in the mapping"),
        ("inner.yaml", with("  title: a\n  title: b\n"), "the key \"title\" stands twice in the mapping"),
    ]
}

async fn keys_that_stand_twice(engine: Engine) -> Result<()> {
    go_bad(engine, &files_with_double_keys()).await
}

fn files_with_odd_characters() -> Vec<Bad> {
    vec![
        ("control.yaml", component("bad", "x: \"\u{1}\"\n"), "YAML error at"),
        ("nul.yaml", component("bad", "x: a\u{0}b\n"), "YAML error at"),
        ("escaped.yaml", component("of-escaped-yaml", "").replace("service", "\"a\\0b\""), "holds a NUL character"),
    ]
}

async fn characters(engine: Engine) -> Result<()> {
    go_bad(engine, &files_with_odd_characters()).await
}

/// What a file cannot say in YAML, a push may try in JSON.
async fn pushed_entities(engine: Engine) -> Result<()> {
    let portal = portal(engine, &[]).await?;
    let push = async |body: String| {
        let request = http::Request::builder()
            .method(http::Method::POST)
            .uri(portal.url().join("api/catalog/push/ci")?.as_str())
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(body.into())?;
        let begun = Instant::now();
        let answer = portal.anonymous().request(request).await?;
        in_time(begun, "a push");
        Ok::<_, anyhow::Error>(answer)
    };
    let deep = format!(r#"{{"mode":"delta","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let answer = push(deep).await?;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
    assert!(answer.text().contains("recursion limit"), "{}", answer.text());
    let entity = |metadata: Value, kind: &str| {
        json!({ "entity": {
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata,
            "spec": { "type": kind, "lifecycle": "production", "owner": "readers" },
        } })
    };
    // One of several is bad: it fails alone, and the answer says why.
    for (metadata, kind, part) in [
        (json!({ "name": "bad" }), "a\u{0}b", "NUL"),
        (json!({ "name": "bad", "labels": { "a": "\u{1}" } }), "x", "labels"),
        (json!({ "name": "bad", "tags": ["\u{7f}"] }), "x", "tags"),
        (json!({ "name": "a\u{1}b" }), "x", "name"),
    ] {
        let body =
            json!({ "mode": "delta", "entities": [entity(metadata, kind), entity(json!({ "name": "good" }), "x")] });
        let answer = push(body.to_string()).await?;
        assert_eq!(answer.status.as_u16(), 200, "{body}: {}", answer.text());
        let result: Value = answer.json()?;
        assert_eq!(result["failedCount"], 1, "{body}: {result}");
        let message = result["failed"][0]["errors"].to_string();
        assert!(message.contains(part), "{body}: {message}");
        assert!(portal.entity("component:default/good").await?.is_some(), "{body}");
        assert!(portal.entity("component:default/bad").await?.is_none(), "{body}");
    }
    // A ref with a NUL cannot even be noted: all of the push is refused.
    let body = json!({ "mode": "delta", "entities": [entity(json!({ "name": "a\u{0}b" }), "x")] });
    let answer = push(body.to_string()).await?;
    assert!(answer.status.is_client_error() || answer.text().contains("failed"), "{} {}", answer.status, answer.text());
    Ok(())
}
