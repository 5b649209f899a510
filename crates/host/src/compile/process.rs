//! The process that compiles.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Job, NOT_ACCEPTED, NOT_FITTING, OUT_OF_MEMORY};
use crate::interfaces::Interfaces;
use crate::{cache, engine};

/// Compiles the one component that standard input has, as `Compiler` hands it over. It ends when standard input ends,
/// so that it never outlives who started it; a signal at the parent's death would come with the end of one of its
/// threads already.
#[must_use]
pub fn compile_plugin() -> ExitCode {
    let (code, message) = match work() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Problem::NotAccepted(message)) => (NOT_ACCEPTED, message),
        Err(Problem::NotFitting(message)) => (NOT_FITTING, message),
        Err(Problem::OutOfMemory) => (OUT_OF_MEMORY, "no memory".to_owned()),
        Err(Problem::Other(message)) => (1, message),
    };
    // Where standard error is closed, the code says the most of it.
    drop(writeln!(std::io::stderr(), "{message}"));
    ExitCode::from(code)
}

enum Problem {
    NotAccepted(String),
    NotFitting(String),
    OutOfMemory,
    Other(String),
}

/// The line that says what to do.
const JOB_BYTES: u64 = 64 * 1024;

fn work() -> Result<(), Problem> {
    let other = |error: &dyn std::fmt::Display| Problem::Other(error.to_string());
    let mut input = BufReader::new(std::io::stdin());
    let mut line = Vec::new();
    input.by_ref().take(JOB_BYTES).read_until(b'\n', &mut line).map_err(|error| other(&error))?;
    let job: Job = serde_json::from_slice(&line).map_err(|error| {
        Problem::Other(format!("this is for the portal to call when it compiles a plugin; standard input: {error}"))
    })?;
    limit(&job).map_err(|error| Problem::Other(format!("the limits cannot be set: {error}")))?;
    let mut wasm = vec![0; job.bytes];
    input.read_exact(&mut wasm).map_err(|error| other(&error))?;
    end_with(input).map_err(|error| other(&error))?;

    // Here, because a component's type is the work of a stranger, too.
    let own = Interfaces::of_this_portal().map_err(|error| other(&error))?;
    own.fit(&wasm).map_err(Problem::NotFitting)?;
    let engine = engine::for_compiling().map_err(|error| problem(&error))?;
    let compiled = engine.precompile_component(&wasm).map_err(|error| problem(&error))?;
    cache::write_file(&job.out, &compiled).map_err(|error| {
        Problem::Other(format!("{} cannot be written, so the plugin cannot be loaded: {error}", job.out.display()))
    })
}

fn problem(error: &wasmtime::Error) -> Problem {
    let is_memory = error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
    });
    if is_memory { Problem::OutOfMemory } else { Problem::NotAccepted(format!("{error:#}")) }
}

/// What the system holds this process to from now on. Of memory, that is what is written to: what is only reserved
/// costs nothing.
fn limit(job: &Job) -> rustix::io::Result<()> {
    for (resource, most) in [(Resource::Data, job.memory), (Resource::Cpu, job.cpu_seconds), (Resource::Core, 0)] {
        let hard = getrlimit(resource).maximum;
        let most = Some(hard.map_or(most, |hard| most.min(hard)));
        setrlimit(resource, Rlimit { current: most, maximum: most })?;
    }
    Ok(())
}

fn end_with(mut input: impl Read + Send + 'static) -> std::io::Result<()> {
    let watch = move || {
        let mut rest = [0; 64];
        // Whatever comes, and whatever goes wrong: nobody is there who would say anything sensible.
        while input.read(&mut rest).is_ok_and(|count| count > 0) {}
        std::process::exit(1);
    };
    std::thread::Builder::new().name("parent".to_owned()).spawn(watch).map(drop)
}
