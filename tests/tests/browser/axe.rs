//! axe-core finds nothing on any route, in either theme and at either width, for somebody who sees everything.

use anyhow::Result;
use callboard_tests::browser::Theme;
use callboard_tests::example::{Example, PAGES};

/// Somebody to whom no page is closed.
const ADMIN: &str = "user:default/ada";

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_accessible() -> Result<()> {
    check(1440, 900).await
}

/// On a narrow window other parts show, and nothing is wider than it.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_on_a_telephone_is_accessible_and_fits() -> Result<()> {
    check(390, 844).await
}

async fn check(width: u32, height: u32) -> Result<()> {
    let example = Example::start().await?;
    let (window, _) = super::window_of(&example.portal, ADMIN).await?;
    window.resize(width, height).await?;
    let mut found = Vec::new();
    for (_, route) in PAGES {
        for theme in Theme::ALL {
            window.theme(theme).await?;
            window.goto(route).await?;
            let theme = theme.name();
            found.extend(window.axe().await?.iter().map(|violation| format!("{route} ({theme}): {violation:#?}")));
            let wide = window.run("return document.documentElement.scrollWidth - window.innerWidth;").await?;
            if wide.as_i64().is_some_and(|wide| wide > 0) {
                found.push(format!("{route} ({theme}): is {wide} pixels wider than the window"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.close().await
}
