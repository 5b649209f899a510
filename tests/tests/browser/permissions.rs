//! Why may I, or why may I not?

use anyhow::Result;
use callboard_tests::browser::keys;
use serde_json::json;

/// Whoever is refused finds out why, without a mouse; and nobody learns from it what is not for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leads_to_its_reason() -> Result<()> {
    let portal = super::people().await?;
    let (window, _) = super::window_of(&portal, "user:default/grace").await?;
    window.goto("/audit").await?;
    window.until_text("The audit log could not be read").await?;
    window.tab_to("main a[href^='/permissions']").await?;
    window.press(keys::ENTER).await?;
    window.until_text("You may not do this").await?;
    assert_eq!(window.path().await?, "/permissions?permission=audit.read");
    window.until("the heading has the focus", "return document.activeElement.tagName === 'H1';").await?;
    let text = window.text().await?;
    assert!(text.contains("no rule gives it") && text.contains("Is for others"), "{text}");
    assert!(!text.contains("app-config"), "where rules stand is not for her: {text}");
    let boxes = window.run("return document.querySelectorAll('main [role=combobox]').length;").await?;
    assert_eq!(boxes, json!(1), "she asks about herself, and this is not about entities");
    window.close().await
}

/// A question is put by keyboard, and its address puts it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_an_address() -> Result<()> {
    let portal = super::people().await?;
    let (window, _) = super::window_of(&portal, "user:default/ada").await?;
    window.goto("/permissions").await?;
    for (place, typed, label) in [
        (1, "remove an ent", "Remove an entity (catalog.entity.delete)"),
        (2, "lamp", "The lamp (component:default/lamp)"),
        (3, "grace", "user:default/grace"),
    ] {
        let field = format!("main .combobox:nth-of-type({place}) [role=combobox]");
        window.tab_to(&field).await?;
        window.press(typed).await?;
        let found = format!(
            "const options = [...document.querySelectorAll('main [role=option]:not([aria-disabled])')]; \
             return options.length === 1 && options[0].innerText.trim() === {};",
            json!(label)
        );
        window.until(&format!("{label} is found"), &found).await?;
        window.press(keys::DOWN).await?;
        window.press(keys::ENTER).await?;
    }
    window.until_text("grace may not do this").await?;
    let address = window.path().await?;
    assert_eq!(
        address,
        "/permissions?permission=catalog.entity.delete&entityRef=component:default/lamp&user=user:default/grace"
    );
    let text = window.text().await?;
    for expected in ["owners remove", "Is for other entities", "Ada administers", "Is for others", "app-config.yaml"] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    window.goto("/catalog").await?;
    window.goto(&address).await?;
    window.until_text("grace may not do this").await?;

    // Of Ada herself a rule decides, and it is named.
    window.goto("/permissions?permission=catalog.entity.delete&entityRef=component:default/lamp").await?;
    window.until_text("You may do this").await?;
    window.until_text("owners remove, Ada administers").await?;
    window.close().await
}

/// Without an entity, what depends on the entity is said to.
#[tokio::test(flavor = "multi_thread")]
async fn some_entities() -> Result<()> {
    let portal = super::people().await?;
    let (window, _) = super::window_of(&portal, "user:default/grace").await?;
    window.goto("/permissions?permission=catalog.entity.delete").await?;
    window.until_text("You may do this to some entities").await?;
    window.goto("/permissions?permission=catalog.entity.delete&entityRef=component:default/none").await?;
    window.until_text("The policy could not be asked").await?;
    window.close().await
}
