//! The chromedriver process, one for each window, so that tests share nothing.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A browser takes a core and half a gigabyte: two at a time are enough.
static WINDOWS: Semaphore = Semaphore::const_new(2);

const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-GB",
];

pub(super) struct Driver {
    process: Child,
    address: String,
    profile: TempDir,
    _window: SemaphorePermit<'static>,
}

impl Driver {
    pub(super) async fn start() -> Result<Self> {
        let window = WINDOWS.acquire().await.context("windows are never refused")?;
        let (process, port) = listening().await?;
        let profile = tempfile::tempdir().context("a folder for the profile")?;
        Ok(Self { process, address: format!("http://127.0.0.1:{port}"), profile, _window: window })
    }

    pub(super) async fn connect(&self) -> Result<Client> {
        let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", self.profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "WARNING" },
        });
        let capabilities = capabilities.as_object().cloned().context("an object")?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .context("chromium did not open a window")?;
        let scripts = TimeoutConfiguration::new(Some(Duration::from_secs(120)), Some(Duration::from_secs(60)), None);
        client.update_timeouts(scripts).await?;
        Ok(client)
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("chromedriver did not end")
    }
}

/// How often chromedriver is started before a test gives up on it.
const STARTS: usize = 5;

/// Starts a chromedriver on a free port.
///
/// It takes a free port of IPv6 and then asks for the same one of IPv4, which somebody else may
/// have by then: it says "IPv4 port not available" and ends. That is no fault of the portal's, so it
/// is started again, on another port.
async fn listening() -> Result<(Child, u16)> {
    let mut said = String::new();
    for _ in 0..STARTS {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver did not start; `cargo xtask test` installs it where it can")?;
        let stdout = process.stdout.take().context("its output was to be piped")?;
        let mut lines = BufReader::new(stdout).lines();
        said.clear();
        while let Some(line) = lines.next_line().await? {
            if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
                let port = port.trim_end_matches('.').parse().with_context(|| format!("chromedriver said {line:?}"))?;
                // What it says later goes nowhere, but has to go: a full pipe would stop it.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok((process, port));
            }
            said.push_str(&line);
            said.push('\n');
        }
        process.wait().await.context("chromedriver did not end")?;
    }
    bail!("chromedriver ended {STARTS} times before it listened; the last time it said:\n{said}")
}
