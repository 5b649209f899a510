//! axe-core finds nothing on any route, in either theme.

use anyhow::Result;
use callboard_tests::browser::Theme;
use callboard_tests::example::{Example, PAGES};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_in_both_themes_is_accessible() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    let mut found = Vec::new();
    for (_, route) in PAGES {
        for theme in Theme::ALL {
            window.theme(theme).await?;
            window.goto(route).await?;
            for violation in window.axe().await? {
                found.push(format!("{route} ({}): {violation:#?}", theme.name()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.close().await
}

/// On a narrow window other parts show.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_on_a_telephone_is_accessible_and_fits() -> Result<()> {
    let example = Example::start().await?;
    let window = super::guest(&example.portal).await?;
    window.resize(390, 844).await?;
    let mut found = Vec::new();
    for (_, route) in PAGES {
        window.goto(route).await?;
        for violation in window.axe().await? {
            found.push(format!("{route}: {violation:#?}"));
        }
        let wide = window.run("return document.documentElement.scrollWidth - window.innerWidth;").await?;
        if wide.as_i64().is_some_and(|wide| wide > 0) {
            found.push(format!("{route}: is {wide} pixels wider than the window"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.close().await
}
