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

/// By how many pixels the page is wider than the window, and the first of what is to blame: it stands beyond the edge,
/// and nothing around it scrolls or cuts it off.
const TOO_WIDE: &str = r#"
    const root = document.documentElement;
    const wider = root.scrollWidth - window.innerWidth;
    if (wider <= 0) return null;
    const held = (node) => {
        for (let above = node.parentElement; above && above !== document.body; above = above.parentElement) {
            if (getComputedStyle(above).overflowX !== "visible") return true;
        }
        return false;
    };
    const beyond = [...document.body.querySelectorAll("*")]
        .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 0.5 && !held(node))
        .map((node) => `${node.closest("[data-node]")?.dataset.node ?? ""} ${node.tagName} ${node.className}: ${node.textContent.slice(0, 60)}`);
    return { wider, beyond: beyond.slice(-5) };
"#;

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
            let wide = window.run(TOO_WIDE).await?;
            if !wide.is_null() {
                found.push(format!("{route} ({theme}): is wider than the window: {wide:#}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.close().await
}
