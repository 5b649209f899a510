//! The audit log: who sees it, what it shows, and its state in the address.

use anyhow::{Context, Result};
use callboard_model::api::AuditPage;
use callboard_tests::browser::keys;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_found_by_keyboard() -> Result<()> {
    let portal = super::people().await?;
    let lamp = portal.entity("component:default/lamp").await?.context("there is a lamp")?;
    let uid = lamp.pointer("/metadata/uid").and_then(serde_json::Value::as_str).context("it has a uid")?;
    let (window, ada) = super::window_of(&portal, "user:default/ada").await?;
    let grace = portal.signed_in("user:default/grace").await?;
    ada.post("api/catalog/refresh", &json!({ "entityRef": "component:default/lamp" })).await?.ok()?;
    let refused = grace.delete(&format!("api/catalog/entities/by-uid/{uid}")).await?;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
    portal
        .until("the refusal is in the log", async || {
            let page: AuditPage = ada.json("api/audit?decision=denied").await?;
            Ok(!page.items.is_empty())
        })
        .await?;

    window.goto("/catalog").await?;
    window.click_text("Audit").await?;
    window.until_text("Have an entity read again").await?;
    window.until_text("Remove an entity").await?;

    // Narrowed down, without a mouse; the address says how.
    window.tab_to("main .segments__item:last-child").await?;
    window.press(" ").await?;
    window.until("the address says so", "return location.search === '?decision=denied';").await?;
    window.until_no_text("Have an entity read again").await?;
    let address = window.path().await?;

    // The whole of a row, and back to where one was.
    window.tab_to("main tbody button").await?;
    window.press(keys::ENTER).await?;
    window.until_text("Hash of the row before").await?;
    let found = window.axe().await?;
    assert!(found.is_empty(), "{found:#?}");
    window.press(keys::ESCAPE).await?;
    window.until("the dialog is closed", "return !document.querySelector('dialog[open]');").await?;
    window.until("the button has the focus again", "return document.activeElement.matches('tbody button');").await?;

    window.goto("/plugins").await?;
    window.goto(&address).await?;
    window.until_text("Remove an entity").await?;
    window.until_no_text("Have an entity read again").await?;

    // What is exported is what shows.
    let export = window.run("return document.querySelector('main a[download]').getAttribute('href');").await?;
    let export = ada.get(export.as_str().context("an address")?.trim_start_matches('/')).await?.ok()?.text();
    assert!(!export.is_empty() && export.lines().all(|line| line.contains("\"denied\"")), "{export}");
    window.close().await
}

/// Nobody is shown the way to what they may not see.
#[tokio::test(flavor = "multi_thread")]
async fn only_some_are_shown_the_way() -> Result<()> {
    let portal = super::people().await?;
    let (window, _) = super::window_of(&portal, "user:default/grace").await?;
    window.goto("/catalog").await?;
    window.until_text("The lamp").await?;
    assert_eq!(window.run("return document.querySelectorAll('a[href=\"/audit\"]').length;").await?, json!(0));
    window.close().await
}
