//! A terminal in which somebody has a program run, reads what it says, and ends it with Ctrl-C.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// How long something may take to be said: a build of everything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a program may take to end.
const END: Duration = Duration::from_secs(30);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A running program and what it has said so far.
pub struct Terminal {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts it. It gets a process group of its own, as a shell would give it one.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the program did not start")?;
        let said = Arc::<Mutex<String>>::default();
        listen(process.stdout.take().context("its output was to be piped")?, said.clone());
        listen(process.stderr.take().context("its errors were to be piped")?, said.clone());
        Ok(Self { process, said })
    }

    /// What it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something can be found in what it has said.
    pub async fn until<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = find(&self.said()) {
                return Ok(found);
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("it ended ({status}) before it said {what}:\n{}", self.said());
            }
            ensure!(begun.elapsed() < PATIENCE, "it did not say {what}:\n{}", self.said());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The first address in what it says that has `part` in it.
    pub async fn address(&mut self, part: &str) -> Result<url::Url> {
        let found = self.until(part, |said| {
            let mut words = said.split_whitespace();
            words.find(|word| word.starts_with("http://") && word.contains(part)).map(str::to_owned)
        });
        Ok(found.await?.parse()?)
    }

    /// Ctrl-C.
    pub async fn interrupt(mut self) -> Result<ExitStatus> {
        let group = format!("-{}", self.process.id().context("it has ended")?);
        let sent = Command::new("kill").args(["-INT", "--", &group]).status().await?;
        ensure!(sent.success(), "it cannot be interrupted");
        let ended = tokio::time::timeout(END, self.process.wait()).await;
        Ok(ended.with_context(|| format!("it did not end:\n{}", self.said()))??)
    }
}

fn listen(from: impl AsyncRead + Unpin + Send + 'static, said: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    });
}
