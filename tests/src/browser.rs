//! A headless Chromium, driven through chromedriver. It waits for conditions, never for a while.

mod axe;
mod command;
mod driver;

pub use axe::Violation;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use url::Url;

use driver::Driver;

/// How long a condition may take to come true. Generous, because the machine does other things too; a test that
/// passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// No page has so many things to press before the one that is wanted.
const MOST_TABS: usize = 120;

/// Keys that are no characters, as WebDriver writes them.
pub mod keys {
    pub const TAB: &str = "\u{E004}";
    pub const ENTER: &str = "\u{E007}";
    pub const ESCAPE: &str = "\u{E00C}";
    pub const DOWN: &str = "\u{E015}";
}

/// A window, with a profile of its own.
pub struct Browser {
    base: Url,
    client: Client,
    driver: Driver,
}

/// What the reader's system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// Both, in the order of the pictures.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// As CSS names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    /// Opens a window whose paths are those of the portal at `base`.
    pub async fn open(base: &Url) -> Result<Self> {
        let driver = Driver::start().await?;
        let client = driver.connect().await?;
        let browser = Self { base: base.clone(), client, driver };
        browser.resize(1440, 900).await?;
        Ok(browser)
    }

    /// Closes the window and ends its processes. Dropping does so too, less orderly.
    pub async fn close(self) -> Result<()> {
        self.client.clone().close().await.context("the window did not close")?;
        self.driver.stop().await
    }

    /// Takes a session's cookie, `name=value`, as if the reader had signed in.
    pub async fn hold_cookie(&self, cookie: &str) -> Result<()> {
        let (name, value) = cookie.split_once('=').context("a cookie has a name and a value")?;
        let cookie = json!({ "url": self.base.as_str(), "name": name, "value": value, "httpOnly": true });
        self.devtools("Network.setCookie", cookie).await
    }

    /// Goes to a path of the portal and waits until the page says what it is.
    pub async fn goto(&self, path: &str) -> Result<()> {
        self.client.goto(self.base.join(path)?.as_str()).await.with_context(|| format!("{path} did not load"))?;
        self.settled().await.with_context(|| path.to_owned())
    }

    /// Waits until the page is neither starting nor fetching: it has a heading, nothing in it is marked busy, and
    /// nothing stands in for what is still to come. The gallery shows what is busy for ever.
    pub async fn settled(&self) -> Result<()> {
        self.until(
            "the page has settled",
            "const waiting = document.querySelector('[aria-busy=true], .skeleton, .progress-line'); \
             return !document.querySelector('main.boot') && !!document.querySelector('h1') \
             && (location.pathname === '/gallery' || !waiting);",
        )
        .await
    }

    /// The path and query of the page.
    pub async fn path(&self) -> Result<String> {
        let url = self.client.current_url().await?;
        Ok(match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
    }

    /// Waits until a script's answer is true.
    pub async fn until(&self, what: &str, script: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            // A page that is just being replaced answers nothing; the next one does.
            let answer = self.client.execute(script, vec![]).await;
            if matches!(answer, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let shown = self.text().await.unwrap_or_default();
                bail!("waited in vain until {what} (the last answer was {answer:?}); the page shows:\n{shown}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page shows this text.
    pub async fn until_text(&self, text: &str) -> Result<()> {
        self.until(
            &format!("it shows \"{text}\""),
            &format!("return document.body.innerText.includes({});", json!(text)),
        )
        .await
    }

    /// Waits until the page does not show this text any more.
    pub async fn until_no_text(&self, text: &str) -> Result<()> {
        let script = format!("return !document.body.innerText.includes({});", json!(text));
        self.until(&format!("it does not show \"{text}\""), &script).await
    }

    /// What the page shows.
    pub async fn text(&self) -> Result<String> {
        let text = self.client.execute("return document.body.innerText;", vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(50));
        wait.for_element(Locator::Css(css)).await.with_context(|| format!("nothing is {css}"))
    }

    /// Clicks the first such element, once there is one that can be clicked.
    pub async fn click(&self, css: &str) -> Result<()> {
        self.click_at(Locator::Css(css), css).await
    }

    /// Clicks the button, link or tab that says this.
    pub async fn click_text(&self, text: &str) -> Result<()> {
        let says = format!("normalize-space()=\"{text}\" or normalize-space(@aria-label)=\"{text}\"");
        let xpath = format!("(//button[{says}] | //a[{says}] | //*[@role='tab'][{says}])[1]");
        self.click_at(Locator::XPath(&xpath), text).await
    }

    /// Types into a field after emptying it.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let field = self.find(css).await?;
        field.clear().await?;
        field.send_keys(text).await.with_context(|| format!("{css} takes no text"))
    }

    /// Chooses an option of a select element by what it says.
    pub async fn choose(&self, css: &str, label: &str) -> Result<()> {
        self.find(css).await?.select_by_label(label).await.with_context(|| format!("{css} has no option {label}"))
    }

    /// Presses keys wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.client.active_element().await?.send_keys(keys).await?)
    }

    /// Presses Tab until what a selector finds has the focus, as somebody without a mouse does.
    pub async fn tab_to(&self, css: &str) -> Result<()> {
        self.find(css).await?;
        let here = format!("return !!document.activeElement && document.activeElement.matches({});", json!(css));
        for _ in 0..MOST_TABS {
            if self.run(&here).await? == true {
                return Ok(());
            }
            self.press(keys::TAB).await?;
        }
        bail!("{MOST_TABS} times Tab do not lead to {css}")
    }

    /// Goes into a frame; [`Browser::leave_frame`] comes back.
    pub async fn enter_frame(&self, css: &str) -> Result<()> {
        self.find(css).await?.enter_frame().await.with_context(|| format!("{css} is no frame"))
    }

    /// Back to the page.
    pub async fn leave_frame(&self) -> Result<()> {
        Ok(self.client.enter_parent_frame().await?)
    }

    /// Runs a script and returns its answer.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// The window itself, for what this type does not offer.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Gives the page exactly this much room.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await
    }

    /// Lets the system ask for a theme.
    pub async fn theme(&self, theme: Theme) -> Result<()> {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features).await
    }

    /// A picture of what is to be seen.
    pub async fn screenshot(&self, to: &Path) -> Result<()> {
        let picture = self.client.screenshot().await.context("no picture")?;
        std::fs::write(to, picture).with_context(|| format!("{} cannot be written", to.display()))
    }

    /// What the browser's console holds of warnings and errors since it was last asked: a refusal by the page's
    /// security policy is one of them.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.client.issue_cmd(command::Post::new("se/log", json!({ "type": "browser" }))).await?;
        let entries = entries.as_array().cloned().unwrap_or_default();
        Ok(entries.iter().filter_map(|entry| Some(entry.get("message")?.as_str()?.to_owned())).collect())
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Result<()> {
        let body = json!({ "cmd": method, "params": parameters });
        self.client.issue_cmd(command::Post::new("goog/cdp/execute", body)).await.with_context(|| method.to_owned())?;
        Ok(())
    }

    /// Waits until a click arrives: the element is there, nothing covers it, and it is not replaced meanwhile.
    async fn click_at(&self, at: Locator<'_>, shown: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let clicked = match self.client.find(at).await {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            let Err(error) = clicked else { return Ok(()) };
            if begun.elapsed() > PATIENCE {
                let page = self.text().await.unwrap_or_default();
                return Err(error).with_context(|| format!("\"{shown}\" cannot be clicked; the page shows:\n{page}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
