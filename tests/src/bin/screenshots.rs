//! A picture of each page of the example portal, light and dark, wide and narrow: `cargo xtask screenshots`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use callboard_tests::browser::{Browser, Theme};
use callboard_tests::example::{Example, PAGES};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Where to
    #[arg(long)]
    out: PathBuf,
}

/// A picture that can still be looked at.
const LONGEST: u32 = 16_000;

const SIZES: [(u32, u32); 2] = [(1440, 900), (390, 844)];

#[tokio::main]
async fn main() -> Result<()> {
    let out = Arguments::parse().out;
    std::fs::create_dir_all(&out).with_context(|| format!("{} cannot be made", out.display()))?;
    let example = Example::start().await?;
    let window = Browser::open(example.portal.url()).await?;
    window.hold_cookie(example.portal.client().cookie.as_deref().unwrap_or_default()).await?;
    for (name, path) in PAGES {
        for theme in Theme::ALL {
            window.theme(theme).await?;
            for (width, height) in SIZES {
                window.resize(width, height).await?;
                window.goto(path).await?;
                viewer_has_drawn(&window).await?;
                // All of the page, however long.
                let long = window.run("return document.documentElement.scrollHeight;").await?;
                let long = long.as_u64().and_then(|long| u32::try_from(long).ok()).unwrap_or_default();
                window.resize(width, height.max(long.min(LONGEST))).await?;
                for part in 0..long.div_ceil(LONGEST).max(1) {
                    window.run(&format!("window.scrollTo(0, {});", part * LONGEST)).await?;
                    let part = if part == 0 { String::new() } else { format!("-{}", part + 1) };
                    window.screenshot(&out.join(format!("{name}-{}-{width}{part}.png", theme.name()))).await?;
                }
            }
        }
    }
    window.close().await
}

/// A page has settled before the viewer in its frame has drawn what it was handed, and grown to the height of that.
async fn viewer_has_drawn(window: &Browser) -> Result<()> {
    if window.run("return !document.querySelector('iframe');").await? == true {
        return Ok(());
    }
    window.enter_frame("iframe").await?;
    window.until("the viewer has drawn", "return !!document.querySelector('.swagger-ui .opblock');").await?;
    window.leave_frame().await?;
    window.until("the frame has grown", "return document.querySelector('iframe').clientHeight > 300;").await
}
