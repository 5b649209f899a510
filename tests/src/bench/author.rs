//! How long the author of a plugin waits: from nothing to a tab, and from a change to where it shows.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::Section;
use super::report::{Figure, Unit};
use super::timing::Times;
use crate::client::Client;
use crate::environment;
use crate::terminal::Terminal;

/// How often something is changed.
const CHANGES: usize = 15;
/// The tab of a new plugin, as long as nobody has changed it.
const SHOWN: &str = "The first one is yours.";
/// How often the tab is asked for.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(120);

/// With nothing of the SDK built, with all of it built, and while somebody works.
pub async fn measure(folder: &Path) -> Result<Vec<Figure>> {
    let builds = folder.join("author");
    if builds.exists() {
        std::fs::remove_dir_all(&builds)?;
    }
    let figure = |name: &str, value, unit| Figure::new(Section::Plugins, name, value, unit);
    let first = Instant::now();
    let tab = Tab::open(&builds).await?;
    let first = first.elapsed();
    tab.close().await?;
    let second = Instant::now();
    let tab = Tab::open(&builds).await?;
    let second = second.elapsed();
    let mut times = Vec::new();
    for number in 0..CHANGES {
        times.push(tab.change(&format!("Change {number}.")).await?);
    }
    tab.close().await?;
    let times = Times::new(times);
    Ok(vec![
        figure("from `plugin new` to its tab, the SDK built on the way", first.as_secs_f64(), Unit::Seconds),
        figure("from `plugin new` to its tab, the SDK built before", second.as_secs_f64(), Unit::Seconds).at_most(60.0),
        figure("from a change in `plugin dev` to where it shows", times.p50() / 1000.0, Unit::Seconds)
            .p99(times.p99() / 1000.0)
            .at_most(2.0),
    ])
}

/// A new plugin, and the portal that shows it.
struct Tab {
    folder: tempfile::TempDir,
    dev: Terminal,
    client: Client,
}

impl Tab {
    async fn open(builds: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let callboard = environment::server()?;
        let made = Command::new(&callboard).args(["plugin", "new", "notes", "--in"]).arg(folder.path()).output();
        let made = made.await?;
        ensure!(made.status.success(), "no plugin was made: {}", String::from_utf8_lossy(&made.stderr));
        let mut command = Command::new(&callboard);
        command.args(["plugin", "dev", "--port", "0"]).current_dir(folder.path().join("notes"));
        let mut dev = Terminal::start(command.env("CARGO_TARGET_DIR", builds))?;
        let address = dev.address("/notes.notes").await?;
        let tab = Self { folder, dev, client: Client::new(address.join("/")?) };
        tab.until(SHOWN).await?;
        Ok(tab)
    }

    /// Saves another text in its source, and waits until the tab has it.
    async fn change(&self, text: &str) -> Result<Duration> {
        let path = self.folder.path().join("notes/src/lib.rs");
        let source = std::fs::read_to_string(&path)?;
        let (before, rest) = source.split_once(".text(\"").context("the tab has a text")?;
        let (_, after) = rest.split_once('"').context("the text ends")?;
        let begun = Instant::now();
        std::fs::write(&path, format!("{before}.text(\"{text}\"{after}"))?;
        self.until(text).await?;
        Ok(begun.elapsed())
    }

    async fn until(&self, text: &str) -> Result<()> {
        let begun = Instant::now();
        let wish = json!({ "entityRef": "component:default/example" });
        loop {
            let answer = self.client.post("api/plugins/notes/ui/notes/render", &wish).await?;
            if answer.status.is_success() && answer.json::<Value>()?.to_string().contains(text) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "the tab never showed `{text}`:\n{}", self.dev.said());
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn close(self) -> Result<()> {
        let status = self.dev.interrupt().await?;
        ensure!(status.success(), "`callboard plugin dev` ended with {status}");
        Ok(())
    }
}
