//! Signing in at a provider of OIDC, in a browser.

use anyhow::Result;
use callboard_model::api::SignInError;
use callboard_tests::browser::Browser;
use serde_json::json;

use crate::sign_in::Scene;

/// Somebody wants to see a page, is asked by the provider who they are, and sees the page.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in() -> Result<()> {
    let scene = Scene::oidc().await?;
    let window = Browser::open(scene.portal.url()).await?;
    begin(&scene, &window, "ada").await?;
    window.until("the page that was asked for", "return location.pathname === '/catalog';").await?;
    window.settled().await?;
    let user = "return fetch('/api/session').then(answer => answer.json()).then(session => session.user?.entityRef);";
    assert_eq!(window.run(user).await?, json!("user:default/ada"));
    assert_eq!(window.run("return document.cookie;").await?, json!(""), "no cookie is for scripts");
    assert!(window.complaints().await?.is_empty());
    window.close().await
}

/// Somebody who cannot be signed in is back at the page where they can try again, which is told why.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_told_why_not() -> Result<()> {
    let scene = Scene::oidc().await?;
    let window = Browser::open(scene.portal.url()).await?;
    for (login, reason) in [("mallory", SignInError::DomainNotListed), ("eve", SignInError::EmailNotVerified)] {
        begin(&scene, &window, login).await?;
        let page = format!("return location.pathname + location.search === '/sign-in?error={}';", reason.code());
        window.until("the portal's page", &page).await?;
        window.settled().await?;
        assert!(window.complaints().await?.is_empty());
        // The provider, which is on the same host, knows them now and would not ask again.
        window.client().delete_all_cookies().await?;
    }
    window.close().await
}

/// From the portal's start to the provider's form, filled in.
async fn begin(scene: &Scene, window: &Browser, login: &str) -> Result<()> {
    window.client().goto(scene.start_at(scene.at("catalog")?.as_str())?.as_str()).await?;
    window.fill("input[name=login]", login).await?;
    window.click_text("Allow").await
}
