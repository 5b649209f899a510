//! The portal as a process of its own, which can be killed and whose memory can be measured.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::environment;

/// A running server. Dropped, it is killed.
pub struct Server {
    process: Child,
    client: Client,
}

impl Server {
    /// Starts `callboard serve` over the `app-config.yaml` of a folder, with its data beside it, and signs in as guest.
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, Stdio::inherit()).await
    }

    /// The same for a server whose warnings are expected: they go into a file in the folder.
    pub async fn start_quietly(folder: &Path) -> Result<Self> {
        let log = folder.join("server.log");
        let file = std::fs::File::options().create(true).append(true).open(&log)?;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        Self::start_with(folder, file.into()).await.with_context(said)
    }

    async fn start_with(folder: &Path, log: Stdio) -> Result<Self> {
        let mut process = Command::new(environment::server()?)
            .args(["serve", "--config", "app-config.yaml", "--data-dir", "data", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("the server did not start")?;
        let mut lines = BufReader::new(process.stdout.take().context("its output was to be piped")?).lines();
        let url = loop {
            let line = lines.next_line().await?.context("the server ended before it listened")?;
            if let Some(at) = line.find("http://") {
                break line.get(at..).unwrap_or_default().trim().parse()?;
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut client = Client::new(url);
        let answer = client.post("api/session", &json!({ "entityRef": "user:default/guest" })).await?.ok()?;
        let cookie = answer.header("set-cookie").context("signing in set no cookie")?;
        client.cookie = cookie.split(';').next().map(str::to_owned);
        Ok(Self { process, client })
    }

    /// A client that is signed in as guest.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Kills it as a power failure would.
    pub async fn kill(mut self) -> Result<()> {
        self.process.kill().await.context("the server was not killed")
    }

    /// Its number in the system.
    pub fn id(&self) -> Result<u32> {
        self.process.id().context("the server has ended")
    }

    /// Bytes of memory that it holds, and that it held at most.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let id = self.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).context("only Linux tells")?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
        };
        let (now, most) = (of("VmRSS").unwrap_or_default(), of("VmHWM").unwrap_or_default());
        ensure!(now > 0 && most > 0, "the system does not tell the memory of {id}");
        Ok((now, most))
    }
}
