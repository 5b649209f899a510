//! What is the reader's own: sessions, tokens, stars, the theme; and the words for a sign-in that went wrong.

use anyhow::{Context, Result};
use callboard_tests::browser::{Browser, Theme, keys};
use callboard_tests::client::{Answer, Client};
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};

async fn with_token(client: &Client, token: &str, path: &str) -> Result<Answer> {
    let uri = client.base().join(path)?;
    let request = Request::get(uri.as_str()).header(header::AUTHORIZATION, format!("Bearer {token}"));
    client.request(request.body(Full::default())?).await
}

/// A token is made without a mouse, shows once, works within its limits, and is worth nothing once it is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_beginning_to_end() -> Result<()> {
    let portal = super::people().await?;
    let (window, _) = super::window_of(&portal, "user:default/ada").await?;
    let program = portal.anonymous();
    window.goto("/settings#tokens").await?;
    window.until_text("You have no tokens").await?;
    window.tab_to("#tokens .card__head button").await?;
    window.press(keys::ENTER).await?;
    window.until("the name has the focus", "return document.activeElement.matches('#new-token input');").await?;

    // What is missing is said, and has the focus.
    window.press(keys::ENTER).await?;
    window.until_text("Choose at least one permission.").await?;
    window.until("the name is wrong", "return document.activeElement.getAttribute('aria-invalid') === 'true';").await?;
    let found = window.axe().await?;
    assert!(found.is_empty(), "{found:#?}");

    window.press("nightly").await?;
    window.tab_to("#new-token [role=combobox]").await?;
    window.press("catalog.entity.read").await?;
    window.press(keys::DOWN).await?;
    window.press(keys::ENTER).await?;
    window.press(keys::ESCAPE).await?;
    window.tab_to("#new-token button[type=submit]").await?;
    window.press(keys::ENTER).await?;
    window.until_text("The token nightly is made").await?;
    let secret = window.run("return document.querySelector('.made code').innerText;").await?;
    let secret = secret.as_str().context("a token")?.to_owned();
    assert_eq!(with_token(&program, &secret, "api/catalog/entities?limit=1").await?.status.as_u16(), 200);
    assert_eq!(with_token(&program, &secret, "api/audit").await?.status.as_u16(), 403, "it is not for that");

    window.goto("/settings").await?;
    window.until_text("nightly").await?;
    let page = window.run("return document.documentElement.innerHTML;").await?;
    assert!(!page.as_str().is_some_and(|page| page.contains(&secret)), "it shows once");

    window.tab_to("button[aria-label='Revoke nightly']").await?;
    window.press(keys::ENTER).await?;
    window.until_text("Programs that use nightly").await?;
    window.tab_to("dialog[open] .button--danger").await?;
    window.press(keys::ENTER).await?;
    window.until_text("You have no tokens").await?;
    assert_eq!(with_token(&program, &secret, "api/catalog/entities?limit=1").await?.status.as_u16(), 401);
    window.close().await
}

/// One session is ended, then all of them.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_end() -> Result<()> {
    const WHO: &str = "/user/entityRef";
    let portal = super::people().await?;
    let (window, mine) = super::window_of(&portal, "user:default/grace").await?;
    let other = portal.signed_in("user:default/grace").await?;
    let who = async |client: &Client| -> Result<bool> {
        Ok(client.json::<Value>("api/session").await?.pointer(WHO).is_some())
    };
    window.goto("/settings").await?;
    window.until_text("this one").await?;
    window.tab_to("#sessions tbody button").await?;
    window.press(keys::ENTER).await?;
    window.until("one is left", "return document.querySelectorAll('#sessions tbody tr').length === 1;").await?;
    assert_eq!((who(&mine).await?, who(&other).await?), (true, false));

    let third = portal.signed_in("user:default/grace").await?;
    window.tab_to("#sessions .card__head button").await?;
    window.press(keys::ENTER).await?;
    window.until_text("All your sessions end").await?;
    window.tab_to("dialog[open] .button--danger").await?;
    window.press(keys::ENTER).await?;
    window.until("somebody has to sign in", "return !!document.querySelector('.sign-in');").await?;
    assert_eq!((who(&mine).await?, who(&third).await?), (false, false));
    window.close().await
}

/// A star is set with a key, is there in another browser, and narrows the list down.
#[tokio::test(flavor = "multi_thread")]
async fn stars() -> Result<()> {
    const PRESSED: &str = "return !!document.querySelector('tbody [data-star][aria-pressed=true]');";
    let portal = super::people().await?;
    let (window, client) = super::window_of(&portal, "user:default/grace").await?;
    window.goto("/catalog").await?;
    window.tab_to("tbody a[href$='/component/lamp']").await?;
    window.find("tbody [data-star]").await?;
    window.press("s").await?;
    window.until("it is starred", PRESSED).await?;
    portal
        .until("it is kept where Backstage keeps it", async || {
            let asked = json!({ "items": [{ "bucket": "default.starredEntities", "key": "entityRefs" }] });
            let kept: Value = client.post("api/user-settings/multiget", &asked).await?.ok()?.json()?;
            Ok(kept.pointer("/items/0/value") == Some(&json!(["component:default/lamp"])))
        })
        .await?;
    window.close().await?;

    let (window, _) = super::window_of(&portal, "user:default/grace").await?;
    window.goto("/catalog").await?;
    window.click_text("Starred (1)").await?;
    window.until("the address says so", "return location.search === '?filters[user]=starred';").await?;
    window.until("one row is left", "return document.querySelectorAll('tbody tr').length === 1;").await?;
    window.click("tbody a[href$='/component/lamp']").await?;
    window.until("its page", "return !!document.querySelector('.entity-head [data-star][aria-pressed=true]');").await?;
    window.press("s").await?;
    window
        .until("it is not starred", "return !!document.querySelector('.entity-head [data-star][aria-pressed=false]');")
        .await?;
    window.goto("/catalog?filters[user]=starred").await?;
    window.until_text("Nothing is starred yet").await?;
    window.close().await
}

/// What is chosen in one browser shows in another, and at once when that is opened again.
#[tokio::test(flavor = "multi_thread")]
async fn the_theme_goes_where_its_reader_goes() -> Result<()> {
    const DARK: &str = "return document.documentElement.dataset.theme === 'dark';";
    let portal = super::people().await?;
    let (window, client) = super::window_of(&portal, "user:default/grace").await?;
    window.theme(Theme::Light).await?;
    window.goto("/settings").await?;
    window.click_text("Dark").await?;
    window.until("it is dark", DARK).await?;
    portal
        .until("it is kept", async || {
            let asked = json!({ "items": [{ "bucket": "default.theme", "key": "theme" }] });
            let kept: Value = client.post("api/user-settings/multiget", &asked).await?.ok()?.json()?;
            Ok(kept.pointer("/items/0/value") == Some(&json!("dark")))
        })
        .await?;
    window.close().await?;

    let (window, _) = super::window_of(&portal, "user:default/grace").await?;
    window.theme(Theme::Light).await?;
    window.goto("/catalog").await?;
    window.until("it is dark here, too", DARK).await?;
    let kept = window.run("return localStorage.getItem('callboard.theme');").await?;
    assert_eq!(kept, "dark", "so that it is there before the first paint");
    window.close().await
}

/// Why a sign-in went wrong is said in plain words, and nothing that an address can be made to say is repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_went_wrong() -> Result<()> {
    let portal = super::people().await?;
    let window = Browser::open(portal.url()).await?;
    window.goto("/sign-in?error=no-user").await?;
    window.until_text("You are not in the catalog yet").await?;
    window.goto("/sign-in?error=call-0800-123").await?;
    window.until_text("Signing in did not work").await?;
    assert!(!window.text().await?.contains("0800"));

    // It leads on to what was wanted, on this portal only.
    window.goto("/sign-in?error=expired&redirectUrl=%2Fplugins").await?;
    window.tab_to(".sign-in__choice").await?;
    window.press(keys::ENTER).await?;
    window.until("the page that was asked for", "return location.pathname === '/plugins';").await?;
    window.close().await
}
