//! Compiles components in a process of their own.
//!
//! The engine's authors do not call it a vulnerability if a component takes the compiler for ever or for all memory,
//! so both are bounded from outside: the compiler is this same program, started again with a hidden subcommand, and
//! the system keeps its limits. It sees no variables of the server's, and nothing of the component runs in it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

use crate::call::output::clean;

use crate::threads::processors;

mod process;

pub use process::compile_plugin;

/// The program that compiles: one whose `main` ends in [`compile_plugin`] when it is started like this.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// Its file.
    pub program: PathBuf,
    /// What it is to be told.
    pub arguments: Vec<OsString>,
}

impl Compiler {
    /// The program that runs, with a subcommand. It is found also after its file was replaced by another version,
    /// whose compiled code the engine would not take.
    pub fn this_program(subcommand: &str) -> Compiler {
        Compiler { program: PathBuf::from("/proc/self/exe"), arguments: vec![subcommand.into()] }
    }
}

/// What compiling one component may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    /// Bytes.
    pub(crate) memory: usize,
}

/// Why a component was not compiled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was built for other interfaces than this portal's.
    Version(String),
    /// The engine does not accept it, or it met a bound.
    Compile(String),
}

impl From<String> for Refused {
    fn from(message: String) -> Refused {
        Refused::Compile(message)
    }
}

/// What the process is told, as one line of JSON; the component follows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    /// Where to write the compiled code. It must not be there yet.
    out: PathBuf,
    /// The component's bytes.
    bytes: usize,
    /// Bytes of memory.
    memory: u64,
    /// Of processor time, over all threads.
    cpu_seconds: u64,
}

/// The process' exit code when the engine does not accept the component. It has said why.
const NOT_ACCEPTED: u8 = 3;

/// The process' exit code when the system gave it no more memory.
const OUT_OF_MEMORY: u8 = 4;

/// The process' exit code when the component does not fit this portal's interfaces. It has said why.
const NOT_FITTING: u8 = 5;

/// What is read of what the process says.
const SAID_BYTES: u64 = 16 * 1024;

impl Compiler {
    /// Has the component compared with this portal's interfaces and compiled into a file. The process ends with the future, and with this process.
    pub(crate) async fn compile(&self, wasm: Vec<u8>, out: &Path, bounds: Bounds) -> Result<(), Refused> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let job = Job {
            out: out.to_owned(),
            bytes: wasm.len(),
            memory: u64::try_from(bounds.memory).unwrap_or(u64::MAX),
            // The clock on the wall is what ends it; this is for a process that nobody watches any more.
            cpu_seconds: (bounds.time.as_secs() + 1).saturating_mul(u64::try_from(cores).unwrap_or(1) + 1),
        };
        let not_started = |error: &dyn std::fmt::Display| {
            format!("the compiler, {}, cannot be started: {error}", self.program.display())
        };
        let mut line = serde_json::to_vec(&job).map_err(|error| not_started(&error))?;
        line.push(b'\n');
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            // It needs no secret to compile something.
            .env_clear()
            // mimalloc, where the program uses it, takes a GiB in advance, which would count as if it were written to.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .env("RAYON_NUM_THREADS", processors().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_started(&error))?;
        let (Some(input), Some(errors)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(not_started(&"it has no input").into());
        };
        let mut errors = errors.take(SAID_BYTES);
        let mut said = Vec::new();
        let working = async {
            // Its input stays open as long as somebody waits for it: when it closes, the process ends.
            let (_input, _) = tokio::join!(hand_over(input, &line, &wasm), errors.read_to_end(&mut said));
            // What it still says must not hold it up.
            drop(errors);
            child.wait().await
        };
        let ended = tokio::time::timeout(bounds.time, working).await;
        match ended {
            Err(_) => {
                end(&mut child).await;
                Err(took_too_long(bounds).into())
            }
            Ok(Err(error)) => Err(format!("the compiler cannot be watched: {error}").into()),
            Ok(Ok(status)) => judge(status, &String::from_utf8_lossy(&said), bounds),
        }
    }
}

/// A process that ends before it has read everything says itself why.
async fn hand_over(mut input: ChildStdin, line: &[u8], wasm: &[u8]) -> Option<ChildStdin> {
    input.write_all(line).await.ok()?;
    input.write_all(wasm).await.ok()?;
    input.flush().await.ok()?;
    Some(input)
}

/// Ends the process and waits for it, so that it writes nothing any more.
async fn end(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::error!(%error, "the compiler of plugins cannot be ended");
    }
}

fn judge(status: ExitStatus, said: &str, bounds: Bounds) -> Result<(), Refused> {
    /// Processor time is used up.
    const XCPU: i32 = 24;
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let words = clean(&lines.join(" "), 1_000);
    let is_refused_memory =
        ["memory allocation of", "Cannot allocate memory", "failed to allocate"].iter().any(|it| words.contains(it));
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) if code == i32::from(OUT_OF_MEMORY) => Err(needed_too_much(bounds).into()),
        (Some(code), _) if code == i32::from(NOT_ACCEPTED) => {
            Err(format!("the engine does not accept the component: {words}").into())
        }
        (Some(code), _) if code == i32::from(NOT_FITTING) => Err(Refused::Version(words)),
        (None, Some(XCPU)) => Err(took_too_long(bounds).into()),
        _ if is_refused_memory => Err(needed_too_much(bounds).into()),
        _ => Err(format!("the compiler failed on it ({status}): {words}").into()),
    }
}

fn took_too_long(bounds: Bounds) -> String {
    format!(
        "compiling it took more than {} s; make the component smaller, or raise `compileTime` in its limits",
        bounds.time.as_secs_f32()
    )
}

fn needed_too_much(bounds: Bounds) -> String {
    format!(
        "compiling it needed more than {} MiB of memory; make the component smaller, or raise `compileMemory` in its \
         limits",
        bounds.memory / (1024 * 1024)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { time: Duration::from_secs(60), memory: 512 * 1024 * 1024 };

    #[test]
    fn what_the_process_ended_with_is_told() {
        let check = |status: i32, said: &str, expected: &str| {
            let refused = judge(ExitStatus::from_raw(status), said, BOUNDS).expect_err(expected);
            let (Refused::Compile(message) | Refused::Version(message)) = refused;
            assert!(message.contains(expected), "{message}");
        };
        assert_eq!(judge(ExitStatus::from_raw(0), "a warning", BOUNDS), Ok(()));
        check(3 << 8, "bad magic\n", "the engine does not accept the component: bad magic");
        let other = judge(ExitStatus::from_raw(5 << 8), "it uses `count`\n", BOUNDS);
        assert_eq!(other, Err(Refused::Version("it uses `count`".to_owned())));
        check(4 << 8, "", "more than 512 MiB of memory");
        check(6, "memory allocation of 16777216 bytes failed\n", "more than 512 MiB of memory");
        check(24, "", "took more than 60 s");
        check(11, "", "the compiler failed on it (signal: 11");
        check(101 << 8, "thread 'main' panicked at\n\u{1b}[1mhere", "panicked at \u{fffd}[1mhere");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let compiler = Compiler { program: "/nonexistent/compiler".into(), arguments: Vec::new() };
        let refused = compiler.compile(Vec::new(), Path::new("/nonexistent/out"), BOUNDS).await.expect_err("refused");
        let Refused::Compile(message) = refused else { panic!("{refused:?}") };
        assert!(message.contains("the compiler, /nonexistent/compiler, cannot be started"), "{message}");
    }

    #[tokio::test]
    async fn a_program_that_never_ends_is_ended() {
        let compiler =
            Compiler { program: "/bin/sh".into(), arguments: vec!["-c".into(), "while :; do :; done".into()] };
        let bounds = Bounds { time: Duration::from_millis(200), memory: 1024 };
        let refused =
            compiler.compile(vec![0; 1 << 20], Path::new("/nonexistent/out"), bounds).await.expect_err("ended");
        let Refused::Compile(message) = refused else { panic!("{refused:?}") };
        assert!(message.contains("took more than 0.2 s") && message.contains("`compileTime`"), "{message}");
    }
}
