//! A real OCI registry for tests: Debian's `docker-registry` on a free port of this machine, over a folder that is thrown
//! away.
//!
//! The tests of the crates below the portal take this file by its path, so it knows nothing of ours.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// The program.
const PROGRAM: &str = "docker-registry";

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often another port is tried, where somebody else took the one that was free.
const ATTEMPTS: usize = 5;

/// Who may come in, where not everybody may: the name, the password, and what the registry keeps of it.
pub const LOGIN: (&str, &str) = ("tester", "let-me-in-please");
const HTPASSWD: &str = "tester:$2b$05$abcdefghijklmnopqrstuuOPioPmcEgbUhKZgbPwSehqX7.MdT.yK\n";

/// A running registry. Dropped, it is killed, and its folder is gone.
pub struct OciRegistry {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
    login: bool,
}

impl OciRegistry {
    /// One that lets everybody in.
    pub async fn start() -> Result<Self> {
        Self::start_with(false).await
    }

    /// One that lets in only [`LOGIN`].
    pub async fn start_with_login() -> Result<Self> {
        Self::start_with(true).await
    }

    async fn start_with(login: bool) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            if let Some(started) = Self::attempt(login).await? {
                return Ok(started);
            }
        }
        bail!("{PROGRAM} did not find a free port in {ATTEMPTS} attempts")
    }

    /// Nothing if it ended, as it does where its port was taken meanwhile.
    async fn attempt(login: bool) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let auth = if login {
            std::fs::write(path("htpasswd"), HTPASSWD)?;
            format!("auth: {{ htpasswd: {{ realm: test, path: {:?} }} }}\n", path("htpasswd"))
        } else {
            String::new()
        };
        let config = format!(
            "version: 0.1\nlog: {{ level: error, accesslog: {{ disabled: true }} }}\n\
             storage: {{ filesystem: {{ rootdirectory: {:?} }} }}\nhttp: {{ addr: \"127.0.0.1:{port}\" }}\n{auth}",
            path("data")
        );
        std::fs::write(path("config.yml"), config)?;
        let mut process = Command::new(PROGRAM)
            .args(["serve", &path("config.yml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{PROGRAM} did not start; on Debian: apt-get install {PROGRAM}"))?;
        let begun = Instant::now();
        while process.try_wait()?.is_none() {
            if let Ok(answer) = exchange(port, "GET /v2/ HTTP/1.1", "", &[]).await
                && (answer.contains(" 200 ") || answer.contains(" 401 "))
            {
                return Ok(Some(Self { process, port, folder, login }));
            }
            ensure!(begun.elapsed() < PATIENCE, "{PROGRAM} did not answer within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(None)
    }

    /// Host and port, as in `oci://<host>/…`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lets a tag stand for other bytes, as only somebody does who tampers.
    pub async fn move_tag(&self, repository: &str, tag: &str, manifest: &[u8]) -> Result<()> {
        ensure!(!self.login, "this one lets nobody in without a name");
        let request = format!("PUT /v2/{repository}/manifests/{tag} HTTP/1.1");
        let content_type = "content-type: application/vnd.oci.image.manifest.v1+json\r\n";
        let answer = exchange(self.port, &request, content_type, manifest).await?;
        ensure!(answer.contains(" 201 "), "the tag was not moved: {answer}");
        Ok(())
    }

    /// The file in which it keeps a blob, `sha256:…`; what is written there is what it hands out.
    #[must_use]
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let folder = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        folder.join(hex.get(..2).unwrap_or_default()).join(hex).join("data")
    }

    /// Stops it, as if it were out of reach.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.kill().await.context("it was not stopped")
    }
}

/// One request and the whole answer.
async fn exchange(port: u16, request: &str, headers: &str, body: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!(
        "{request}\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
