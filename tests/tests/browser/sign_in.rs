//! Signing in at a provider of OIDC and at GitHub, in a browser.

use anyhow::{Context, Result, ensure};
use callboard_model::api::SignInError;
use callboard_tests::browser::Browser;
use callboard_tests::github::Mood;
use serde_json::{Value, json};

use crate::sign_in::Scene;
use crate::sign_in::github::MOODS;
use crate::sign_in::tokens::TOKENS;

/// Somebody wants to see a page, is asked by the provider who they are, and sees the page.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let scene = Scene::oidc().await?;
    let window = Browser::open(scene.portal.url()).await?;
    begin(&scene, &window, "ada").await?;
    window.until("the page that was asked for", "return location.pathname === '/catalog';").await?;
    window.settled().await?;
    assert_eq!(user(&window).await?, json!("user:default/ada"));
    assert_eq!(window.run("return document.cookie;").await?, json!(""), "no cookie is for scripts");
    let complaints = window.complaints().await?;
    assert!(complaints.is_empty(), "{complaints:?}");
    window.close().await
}

/// Somebody who cannot be signed in is back at the page where they can try again, which is told why.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_told_why_not() -> Result<()> {
    let scene = Scene::oidc().await?;
    let window = Browser::open(scene.portal.url()).await?;
    for (login, reason) in [("mallory", SignInError::DomainNotListed), ("eve", SignInError::EmailNotVerified)] {
        begin(&scene, &window, login).await?;
        turned_away(&window, reason).await.context(login)?;
    }
    window.close().await
}

/// Each flaw that a token can have leaves the browser without a session, in front of a page that says whose fault it is.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_with_a_flawed_token() -> Result<()> {
    let scene = Scene::oidc().await?;
    let window = Browser::open(scene.portal.url()).await?;
    for (flaw, reason) in TOKENS {
        scene.provider()?.flaw(flaw).await?;
        begin(&scene, &window, "ada").await?;
        turned_away(&window, *reason).await.context(*flaw)?;
    }
    scene.provider()?.flawless().await?;
    begin(&scene, &window, "ada").await?;
    window.until("the page that was asked for", "return location.pathname === '/catalog';").await?;
    window.close().await
}

/// GitHub, which is asked by its API who somebody is, in each of its moods.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_with_github() -> Result<()> {
    let scene = Scene::github().await?;
    let window = Browser::open(scene.portal.url()).await?;
    let start = scene.start_at(scene.at("catalog")?.as_str())?;
    for (mood, reason) in MOODS {
        scene.hub()?.mood(*mood);
        window.client().goto(start.as_str()).await?;
        turned_away(&window, *reason).await.with_context(|| format!("{mood:?}"))?;
    }
    scene.hub()?.mood(Mood::Asks);
    window.client().goto(start.as_str()).await?;
    window.click_text("Authorize").await?;
    window.until("the page that was asked for", "return location.pathname === '/catalog';").await?;
    assert_eq!(user(&window).await?, json!("user:default/ada"));
    window.close().await
}

/// They are at the page where they can try again, which is told why, and nobody is signed in. The next attempt is that of a
/// browser which knows nothing: the provider, which is on the same host, would not ask again.
async fn turned_away(window: &Browser, reason: SignInError) -> Result<()> {
    let page = format!("return location.pathname + location.search === '/sign-in?error={}';", reason.code());
    window.until("the portal's page", &page).await?;
    window.settled().await?;
    let complaints = window.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    ensure!(user(window).await? == Value::Null, "somebody is signed in");
    window.client().delete_all_cookies().await?;
    Ok(())
}

async fn user(window: &Browser) -> Result<Value> {
    window
        .run("return fetch('/api/session').then(answer => answer.json()).then(session => session.user?.entityRef);")
        .await
}

/// From the portal's start to the provider's form, filled in.
async fn begin(scene: &Scene, window: &Browser, login: &str) -> Result<()> {
    window.client().goto(scene.start_at(scene.at("catalog")?.as_str())?.as_str()).await?;
    window.fill("input[name=login]", login).await?;
    window.click_text("Allow").await
}
