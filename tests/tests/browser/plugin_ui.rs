//! What a plugin shows, used as a person does: tables, forms, actions that ask first, pages that poll, and slots whose
//! plugin fails.

use anyhow::Result;
use callboard_tests::browser::{Browser, keys};
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use serde_json::json;

/// The first cells of the table's rows.
const NAMES: &str =
    "return [...document.querySelectorAll('.slot tbody tr td:first-child')].map(cell => cell.innerText.trim());";

fn guest(name: &str) -> Result<std::path::PathBuf> {
    environment::guest(name)
}

async fn portal() -> Result<TestPortal> {
    let mut config = with_plugin("ui-kit", &guest("ui_kit")?, &json!({ "kv": true }));
    merge(&mut config, json!({ "catalog": { "locations": [{ "type": "file", "target": "component.yaml" }] } }));
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("component.yaml"), callboard_tests::s3::component("lamp"))?;
    let portal = TestPortal::start_in(folder, config).await?;
    portal.until_entity("component:default/lamp").await?;
    Ok(portal)
}

async fn names(window: &Browser) -> Result<Vec<String>> {
    Ok(serde_json::from_value(window.run(NAMES).await?)?)
}

async fn until_first(window: &Browser, name: &str) -> Result<()> {
    let script = format!("return document.querySelector('.slot tbody td')?.innerText.trim() === '{name}';");
    window.until(&format!("{name} is first"), &script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_sorted_filtered_and_turned_by_its_plugin() -> Result<()> {
    let portal = portal().await?;
    let window = super::guest(&portal).await?;
    window.goto("/plugins/ui-kit/pages/kit").await?;
    until_first(&window, "object-01").await?;
    assert_eq!(names(&window).await?.len(), 10);

    window.click_text("Next rows").await?;
    until_first(&window, "object-11").await?;
    window.click_text("Next rows").await?;
    until_first(&window, "object-21").await?;
    window.until("there is no further page", "return !document.body.innerText.includes('Next rows');").await?;
    window.click_text("Previous rows").await?;
    until_first(&window, "object-11").await?;

    // Another order begins at the first page, and the heading keeps the focus.
    window.tab_to(".slot thead th:nth-child(2) button").await?;
    window.press(keys::ENTER).await?;
    until_first(&window, "object-25").await?;
    let sorted = "return document.querySelector('.slot thead th:nth-child(2)').getAttribute('aria-sort');";
    assert_eq!(window.run(sorted).await?, "ascending");
    window
        .until(
            "the heading has the focus",
            "return document.activeElement.matches('.slot thead th:nth-child(2) button');",
        )
        .await?;
    window.press(keys::ENTER).await?;
    window
        .until(
            "it is the other way around",
            &format!("{sorted_way} === 'descending';", sorted_way = sorted.trim_end_matches(';')),
        )
        .await?;

    // The rest is typed while the answer to the first letters is under way.
    window.click(".slot input[type=search]").await?;
    window.press("object-0").await?;
    window.until("nine are left", "return document.querySelectorAll('.slot tbody tr').length === 9;").await?;
    window
        .until("the field has the focus", "return document.activeElement.matches('.slot input[type=search]');")
        .await?;
    window.press("x").await?;
    window.until_text("No object is called so.").await?;
    window.fill(".slot input[type=search]", "object-07").await?;
    until_first(&window, "object-07").await?;

    // A row's action asks first, then does it, and the table is rendered anew.
    window.click(".slot tbody .button--danger").await?;
    window.until_text("Delete object-07 for good?").await?;
    window.click("dialog[open] .dialog__foot .button:first-child").await?;
    assert_eq!(names(&window).await?, ["object-07"], "whoever cancels does nothing");
    window.click(".slot tbody .button--danger").await?;
    window.click("dialog[open] .dialog__foot .button--danger").await?;
    window.until_text("No object is called so.").await?;
    let found = window.axe().await?;
    assert!(found.is_empty(), "{found:#?}");
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_says_what_is_wrong_and_sends_what_is_right() -> Result<()> {
    let portal = portal().await?;
    let window = super::guest(&portal).await?;
    window.goto("/plugins/ui-kit/pages/kit").await?;
    window.tab_to(".form button[type=submit]").await?;
    window.press(keys::ENTER).await?;
    window.until_text("Fill in this field.").await?;
    window.until("the summary has the focus", "return document.activeElement.matches('.form [role=alert]');").await?;
    let found = window.axe().await?;
    assert!(found.is_empty(), "{found:#?}");

    // The summary leads to the field.
    window.press(keys::TAB).await?;
    window.press(keys::ENTER).await?;
    window
        .until("the first field has the focus", "return document.activeElement.matches('.form__field input');")
        .await?;
    window.press("taken").await?;
    window.press(keys::TAB).await?;
    window.choose(".form select", "silver").await?;
    window.fill("[data-field='/replicas'] input", "40").await?;
    window.tab_to(".form button[type=submit]").await?;
    window.press(keys::ENTER).await?;
    window.until_text("Write 20 or less.").await?;
    window.fill("[data-field='/replicas'] input", "3").await?;
    window.tab_to(".form button[type=submit]").await?;
    window.press(keys::ENTER).await?;

    // What only the plugin knows stands beside the field, and what was typed is still there.
    window.until_text("There is a service of this name.").await?;
    window.until("it is kept", "return document.querySelector('.form__field input').value === 'taken';").await?;
    window.fill(".form__field input", "billing").await?;
    window.tab_to(".form button[type=submit]").await?;
    window.press(keys::ENTER).await?;
    window.until_text(r#"Made {"name":"billing","public":false,"replicas":3,"tier":"silver"}."#).await?;
    window.until("it begins anew", "return document.querySelector('.form__field input').value === '';").await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_polls() -> Result<()> {
    let portal = portal().await?;
    let window = super::guest(&portal).await?;
    window.goto("/plugins/ui-kit/pages/ticks").await?;
    window.until_text("1 times").await?;
    window.until_text("3 times").await?;
    window.close().await
}

/// A slot fails as its contribution says, and nothing else on the page does.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_fails_is_alone() -> Result<()> {
    const LAMP: &str = "/catalog/default/component/lamp";
    let portal = portal().await?;
    let window = super::guest(&portal).await?;
    window.client().goto(portal.url().join(LAMP)?.as_str()).await?;
    // The page is there before the slow card is, which says whom it waits for.
    window.until_text("The slot hides is well.").await?;
    window.until_text("The slot says is well.").await?;
    window.until_text("ui-kit takes longer than usual.").await?;
    window.until_text("At last.").await?;
    window.click_text("Keeps its last word").await?;
    window.until_text("The slot keeps is well.").await?;

    // An action asks first; then they fail. Within one page, so that the last word is still known.
    window.click("nav a[href='/plugins/ui-kit/pages/kit']").await?;
    window.click_text("Break the others").await?;
    window.until_text("All other slots of this plugin fail then.").await?;
    window.click("dialog[open] .button--primary").await?;
    window.until_text("Done: break.").await?;
    window.client().back().await?;
    window.until_text("ui-kit does not answer. What shows is what it said last.").await?;
    window.until_text("The slot keeps is well.").await?;
    window.click_text("Overview").await?;
    window.until_text("The plugin ui-kit did not answer as it should").await?;
    window.until_no_text("Hides itself").await?;
    assert!(window.text().await?.contains("Says so"));

    // It comes back by itself when it is asked again.
    let mended = portal.client().post("api/plugins/ui-kit/ui/kit/actions/mend", &json!({})).await?;
    mended.ok()?;
    window.click(".slot [role=alert] .alert__actions button").await?;
    window.until_text("The slot says is well.").await?;

    // An item of the sidebar leads where it says.
    window.click_text("All APIs").await?;
    window.until("the APIs", "return location.pathname + location.search === '/catalog?filters[kind]=api';").await?;
    window.close().await
}
