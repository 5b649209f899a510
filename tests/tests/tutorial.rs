//! The tutorial of docs/plugins.md, followed to the letter: commands, changes, and what is shown.

mod page;
mod shell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use callboard_tests::browser::Browser;
use callboard_tests::client::Client;
use callboard_tests::environment;
use callboard_tests::registry::OciRegistry;
use callboard_tests::terminal::Terminal;
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use page::{Step, steps};
use shell::Shell;

/// The plugin's tab, as the page names it.
const TAB: &str = "/catalog/default/component/example/notes.notes";
const BEFORE: &str = "The first one is yours.";
const AFTER: &str = "What should the next one know?";

#[tokio::test(flavor = "multi_thread")]
async fn it_leads_from_nothing_to_a_published_plugin() -> Result<()> {
    let text = std::fs::read_to_string(environment::root().join("docs/plugins.md"))?;
    let steps = steps(&text, "From nothing to a published plugin")?;
    let registry = OciRegistry::start().await?;
    let folder = tempfile::tempdir()?;
    let mut reader = Reader::new(folder.path(), &registry.host()).await?;
    for (line, step) in steps {
        reader.take(step).await.with_context(|| format!("docs/plugins.md:{line}"))?;
    }

    // It was seen while it was worked on, and it is there in the portal that it was added to.
    ensure!(reader.seen == 2, "the page and its change were to be seen");
    let portal = reader.terminals.get_mut("portal").context("the page starts a portal")?.address("").await?;
    let window = Browser::open(&portal).await?;
    window.goto(TAB).await?;
    window.until_text(AFTER).await?;
    window.close().await?;
    reader.work_goes_on().await?;
    for (name, terminal) in reader.terminals {
        let status = terminal.interrupt().await.with_context(|| name.clone())?;
        assert!(status.success(), "{name} ended with {status}");
    }
    Ok(())
}

/// Somebody who does what the page says.
struct Reader {
    shell: Shell,
    environment: Vec<(&'static str, String)>,
    /// Where plugins are built, so that what they depend on is built once for all runs of the test.
    builds: PathBuf,
    terminals: BTreeMap<String, Terminal>,
    /// What was said last: in a terminal, where it is named.
    last: Last,
    /// The page that is open while the plugin changes.
    window: Option<Browser>,
    /// How often the tab was as it should be.
    seen: u32,
}

enum Last {
    Said(String),
    Terminal(String),
}

impl Reader {
    async fn new(folder: &Path, registry: &str) -> Result<Self> {
        let server = environment::server()?;
        let programs = server.parent().context("the program is in a folder")?.display().to_string();
        let environment = vec![
            ("PATH", format!("{programs}:{}", std::env::var("PATH")?)),
            ("REGISTRY", registry.to_owned()),
            // Another portal may be where the page has its own.
            ("APP_CONFIG_backend_listen", "localhost:0".to_owned()),
            // A new plugin needs no more than what its SDK was built with.
            ("CARGO_NET_OFFLINE", "true".to_owned()),
        ];
        let builds = environment::root().canonicalize()?.join("target/tutorial");
        std::fs::create_dir_all(&builds)?;
        // What an earlier run noted is not there on a clean machine.
        if builds.join("callboard-dev").exists() {
            std::fs::remove_dir_all(builds.join("callboard-dev"))?;
        }
        Ok(Self {
            shell: Shell::start(folder, &environment).await?,
            environment,
            builds,
            terminals: BTreeMap::new(),
            last: Last::Said(String::new()),
            window: None,
            seen: 0,
        })
    }

    async fn take(&mut self, step: Step) -> Result<()> {
        match step {
            // What the test has done before: `callboard` is in the PATH.
            Step::Install => {}
            Step::Run(commands) => {
                self.last = Last::Said(self.shell.run(&commands).await?);
                let folder = self.shell.folder();
                if folder.join("Cargo.toml").is_file() && !folder.join("target").exists() {
                    std::os::unix::fs::symlink(&self.builds, folder.join("target"))?;
                }
            }
            Step::Terminal(name, commands) => {
                let mut bash = Command::new("bash");
                bash.args(["-euc", &commands]).current_dir(self.shell.folder());
                shell::prepare(&mut bash, &self.environment);
                self.terminals.insert(name.clone(), Terminal::start(&mut bash)?);
                self.last = Last::Terminal(name);
            }
            Step::Change { file, from, to } => {
                let file = self.shell.folder().join(file);
                let text = std::fs::read_to_string(&file)?;
                ensure!(text.matches(&from).count() == 1, "{} has not one line `{from}`", file.display());
                std::fs::write(&file, text.replace(&from, &to))?;
                self.last = Last::Terminal("dev".to_owned());
                let window = self.window.as_ref().context("the page is open")?;
                // By itself: nobody reloads.
                window.until_text(AFTER).await?;
                self.seen += 1;
            }
            Step::Shown(lines) => {
                match &self.last {
                    Last::Said(said) => lines.iter().try_for_each(|line| {
                        ensure!(page::says(said, line), "`{line}` is not among what was said:\n{said}");
                        Ok(())
                    })?,
                    Last::Terminal(name) => {
                        let terminal = self.terminals.get_mut(name).context("the terminal is open")?;
                        for line in &lines {
                            terminal.until(line, |said| page::says(said, line).then_some(())).await?;
                        }
                    }
                }
                self.look().await?;
            }
        }
        Ok(())
    }

    /// Opens the tab that `callboard plugin dev` leads to.
    async fn look(&mut self) -> Result<()> {
        if let (None, Some(dev)) = (&self.window, self.terminals.get_mut("dev")) {
            let address = dev.address(TAB).await?;
            let window = Browser::open(&address.join("/")?).await?;
            window.goto(address.path()).await?;
            window.until_text(BEFORE).await?;
            self.window = Some(window);
            self.seen += 1;
        }
        Ok(())
    }

    /// What the page promises beyond that: what does not build changes nothing, and more rights are granted at once.
    async fn work_goes_on(&mut self) -> Result<()> {
        let window = self.window.take().context("the page is open")?;
        window.close().await?;
        let plugin = self.builds_of()?;
        let dev = self.terminals.get_mut("dev").context("the plugin is shown")?;
        let address = dev.address(TAB).await?;
        let source = std::fs::read_to_string(plugin.join("src/lib.rs"))?;
        std::fs::write(plugin.join("src/lib.rs"), format!("{source}\nfn broken("))?;
        dev.until("what is wrong", |said| {
            let told = said.contains("this file contains an unclosed delimiter");
            (told && said.contains("What ran before goes on")).then_some(())
        })
        .await?;
        assert!(tab(&address).await?.contains(AFTER), "what ran before goes on");

        std::fs::write(plugin.join("src/lib.rs"), source)?;
        let manifest = std::fs::read_to_string(plugin.join("plugin.yaml"))?;
        let asks = manifest.replace("  kv: true\n", "  kv: true\n  http: [ \"GET https://example.com\" ]\n");
        std::fs::write(plugin.join("plugin.yaml"), asks)?;
        dev.until("the grant", |said| said.contains("http: [ \"GET https://example.com\" ]").then_some(())).await?;
        assert!(tab(&address).await?.contains(AFTER));
        Ok(())
    }

    /// The plugin's folder.
    fn builds_of(&self) -> Result<PathBuf> {
        let beside = self.shell.folder().parent().context("the page goes from the plugin to a portal beside it")?;
        Ok(beside.join("notes"))
    }
}

/// What the tab answers.
async fn tab(address: &Url) -> Result<String> {
    let client = Client::new(address.join("/")?);
    let wish = json!({ "entityRef": "component:default/example" });
    let answer = client.post("api/plugins/notes/ui/notes/render", &wish).await?.ok()?;
    Ok(answer.json::<Value>()?.to_string())
}
