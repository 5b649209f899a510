//! `cargo xtask run`: from a clean clone to a portal with something in it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::progress::Progress;
use crate::{plugin, prerequisites, project, tool, web};

/// Where app-config.yaml expects the example bucket.
const BUCKET: &str = "127.0.0.1:9900";
/// How long the server may take before it answers.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a child may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) fn run(serve: &[String]) -> Result<()> {
    let mut progress = Progress::new();
    println!("Callboard from source. The first time takes about ten minutes on two cores; later, seconds.\n");
    if let Err(error) = TcpListener::bind(BUCKET) {
        bail!("the example bucket listens on {BUCKET}, but {error}: stop what is listening there (another run?)");
    }
    progress.step("Compiler targets", "plugins and the web UI are WebAssembly", || {
        prerequisites::rust_targets(&[project::PLUGIN_TARGET, project::WEB_TARGET])
    })?;
    progress.step("Web UI", "what the browser runs, into target/web/", web::build)?;
    progress.step("Plugins", "sandboxed components, into target/plugins/", || plugin::build(None))?;
    let (server, bucket) =
        progress.step("Server", "the portal itself, and a small S3 server for the example", || {
            let artifacts = tool::cargo_build(project::cargo().args([
                "build",
                "--package",
                "callboard",
                "--package",
                "callboard-tests",
                "--bin",
                "callboard",
                "--bin",
                "example-bucket",
            ]))?;
            Ok((tool::executable(&artifacts, "callboard")?, tool::executable(&artifacts, "example-bucket")?))
        })?;

    let children = Children::default();
    let _end = EndOnDrop(children.clone());
    children.clone().end_with_us()?;
    progress.step("Bucket", "examples/bucket/ over S3, with signatures", || start_bucket(&children, &bucket))?;
    let url = progress.step("Portal", "callboard serve", || start_server(&children, &server, serve))?;
    println!("\nReady after {}: {url}", progress.elapsed());
    println!("Put a descriptor file into examples/bucket/ and it appears. Ctrl-C ends everything.\n");
    children.wait_for_server()
}

/// The bucket's server ends by itself when its standard input closes, so it cannot outlive us however we end.
fn start_bucket(children: &Children, program: &Path) -> Result<()> {
    let mut bucket = Command::new(program)
        .arg("--root")
        .arg(project::root().join("examples/bucket"))
        .args(["--listen", BUCKET, "--until-stdin-closes", "--state"])
        .arg(project::target("example-bucket"))
        .current_dir(project::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the example bucket did not start")?;
    let stdout = bucket.stdout.take().context("the bucket's output was to be piped")?;
    children.add(bucket);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if line.is_empty() {
        bail!("the example bucket ended before it listened on {BUCKET}");
    }
    Ok(())
}

/// Starts the portal and waits until it answers. What it says goes on to the terminal.
fn start_server(children: &Children, program: &Path, arguments: &[String]) -> Result<String> {
    let mut server = Command::new(program)
        .arg("serve")
        .args(arguments)
        .current_dir(project::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("the portal did not start")?;
    let stdout = server.stdout.take().context("the portal's output was to be piped")?;
    children.add(server);
    let url = relay_until_url(stdout)?;
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let begun = Instant::now();
    while !is_ready(&address) {
        if children.server_ended()? {
            bail!("the portal ended before it was ready; its last lines say why");
        }
        if begun.elapsed() > PATIENCE {
            bail!("the portal at {url} did not become ready within {} s", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(url)
}

/// Copies the server's lines to ours until one of them holds its address, and goes on copying in the background.
fn relay_until_url(stdout: ChildStdout) -> Result<String> {
    let mut lines = BufReader::new(stdout).lines();
    for line in lines.by_ref() {
        let line = line?;
        println!("{line}");
        if let Some(url) = url_in(&line) {
            thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
            return Ok(url);
        }
    }
    bail!("the portal ended before it said where it listens; its last lines say why")
}

/// `http://localhost:7007` in "Callboard 0.1.0 listens on http://localhost:7007".
fn url_in(line: &str) -> Option<String> {
    let word = line.split_whitespace().find(|word| word.starts_with("http://"))?;
    Some(word.trim_end_matches(['.', ',', '/']).to_owned())
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /.backstage/health/v1/readiness HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(64).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// What we started. The server is the last of them.
#[derive(Clone, Default)]
struct Children(Arc<Mutex<Vec<Child>>>);

impl Children {
    fn add(&self, child: Child) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    }

    /// On Ctrl-C, a hang-up or a request to end, they end first.
    fn end_with_us(self) -> Result<()> {
        ctrlc::set_handler(move || {
            self.end();
            std::process::exit(130);
        })
        .context("signals cannot be handled")
    }

    /// Asks each to end, and makes it end where it does not.
    fn end(&self) {
        for child in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().rev() {
            let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status();
            let begun = Instant::now();
            while asked.is_ok() && begun.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
            // One that has ended already is what we want.
            drop(child.kill());
            drop(child.wait());
        }
    }

    fn server_ended(&self) -> Result<bool> {
        let mut children = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(children.last_mut().map(Child::try_wait).transpose()?.flatten().is_some())
    }

    /// Until the server ends by itself; a signal ends us before that.
    fn wait_for_server(&self) -> Result<()> {
        while !self.server_ended()? {
            thread::sleep(Duration::from_millis(200));
        }
        bail!("the portal ended; its last lines say why")
    }
}

/// An error on the way leaves nothing behind.
struct EndOnDrop(Children);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_in_a_line() {
        for (line, url) in [
            ("Callboard listens on http://localhost:7007.", Some("http://localhost:7007")),
            ("http://127.0.0.1:8080/ is ready", Some("http://127.0.0.1:8080")),
            ("loading plugins/s3.wasm", None),
        ] {
            assert_eq!(url_in(line).as_deref(), url, "{line}");
        }
    }

    #[test]
    fn nobody_listening_is_not_ready() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        assert!(!is_ready(&address));
    }
}
