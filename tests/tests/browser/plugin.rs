//! The page of a plugin that did what it should not: what was refused, where it failed, and what it wrote.

use anyhow::{Context, Result};
use callboard_tests::browser::Theme;
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use serde_json::json;

/// Guests, with what they ask for.
async fn portal_with(guests: &[&str]) -> Result<TestPortal> {
    let mut config = json!({
        "hostile": { "url": "http://127.0.0.1:9/" },
        "plugins": { "gone": { "source": "gone.wasm", "grant": {} } },
    });
    for name in guests {
        let component = environment::guest(name)?;
        let inspection = callboard_host::inspect(&std::fs::read(&component)?).with_context(|| (*name).to_owned())?;
        let rights = serde_json::to_value(&inspection.manifest.rights)?;
        merge(&mut config, with_plugin(&name.replace('_', "-"), &component, &rights));
    }
    TestPortal::start_in(tempfile::tempdir()?, config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_a_plugin_did() -> Result<()> {
    let portal = portal_with(&["panic", "ungranted_origin"]).await?;
    for id in ["panic", "ungranted-origin", "ungranted-origin"] {
        portal.client().post(&format!("api/plugins/{id}/ui/attack/render"), &json!({})).await?;
    }
    let window = super::guest(&portal).await?;
    let check = async |path: &str, texts: &[&str]| -> Result<()> {
        for (width, height) in [(1440, 900), (390, 844)] {
            window.resize(width, height).await?;
            for theme in Theme::ALL {
                window.theme(theme).await?;
                window.goto(path).await?;
                for text in texts {
                    window.until_text(text).await?;
                }
                let violations = window.axe().await?;
                assert!(violations.is_empty(), "{path} ({}, {width}): {violations:#?}", theme.name());
                let wide = window.run("return document.documentElement.scrollWidth - window.innerWidth;").await?;
                assert!(wide.as_i64().is_none_or(|wide| wide <= 0), "{path} is {wide} pixels too wide at {width}");
            }
        }
        Ok(())
    };
    check(
        "/plugins/panic",
        &[
            "ui.render",
            "trap 1",
            "Last fault",
            "the guest says no",
            "core::panicking::panic_fmt",
            "Nothing was refused.",
        ],
    )
    .await?;
    check(
        "/plugins/ungranted-origin",
        &["GET https://not-granted.example", "- \"GET https://not-granted.example\"", "times", "rights.http"],
    )
    .await?;
    // One that was never called says so.
    check("/plugins/gone", &["Not called yet", "It has written nothing."]).await?;

    // What happens while somebody looks shows by itself.
    window.goto("/plugins/panic").await?;
    window.until_text("trap 1").await?;
    portal.client().post("api/plugins/panic/ui/attack/render", &json!({})).await?;
    window.until_text("trap 2").await?;
    window.close().await
}
