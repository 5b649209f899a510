//! `callboard plugin bench`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::shown::table;
use super::test::{Which, failure};
use crate::cases::{Case, CaseError, Component};
use crate::cli::Failure;

/// Measure a plugin in the real host
///
/// Plays each test case of the plugin again and again, with its recorded upstreams: what is measured is the plugin and the
/// host, and not a network. Run it with a release build of callboard.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  callboard plugin bench\n  callboard plugin bench plugins/s3 listing --seconds 10 --json"
)]
pub(in crate::cli) struct Bench {
    #[command(flatten)]
    which: Which,
    /// How long each case is played
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Of a percentile, fewer calls say nothing.
const CALLS_LEAST: usize = 10;

/// Times are in milliseconds, sizes in bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    plugin: String,
    version: String,
    component_bytes: usize,
    compile_ms: f64,
    load_ms: f64,
    cases: Vec<MeasuredCase>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MeasuredCase {
    case: String,
    calls: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    peak_memory_bytes: u64,
    requests_per_call: f64,
}

pub(super) async fn run(command: &Bench, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let (component, cases) = command.which.open(None).await?;
    let manifest = &component.inspection.manifest;
    let mut measured = Measured {
        plugin: manifest.id.clone(),
        version: manifest.version.to_string(),
        component_bytes: component.inspection.size,
        compile_ms: 0.0,
        load_ms: 0.0,
        cases: Vec::new(),
    };
    if let Some(first) = cases.first() {
        // The first host compiles the component, the second finds it compiled.
        measured.compile_ms = millis(first.replaying(&component).await.map_err(failure)?.0.loaded_in);
        measured.load_ms = millis(first.replaying(&component).await.map_err(failure)?.0.loaded_in);
    }
    for case in &cases {
        let found = measure(&component, case, Duration::from_secs(command.seconds)).await;
        measured.cases.push(found.map_err(|error| Failure::Plugin(format!("{}: {error}", case.name)))?);
    }
    if command.json {
        let json = serde_json::to_string_pretty(&measured).map_err(std::io::Error::other)?;
        writeln!(out, "{json}")?;
    } else {
        show(&measured, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(component: &Component, case: &Case, time: Duration) -> Result<MeasuredCase, CaseError> {
    let (stage, player) = case.replaying(component).await?;
    // Once before it counts: it must be right, and the first call after a start is like no other.
    stage.play(case.file()).await?;
    if let Some(message) = player.complaints().into_iter().next() {
        return Err(CaseError::Call { place: "requests".to_owned(), message });
    }
    let requests = player.answered();
    let (begun, mut rounds, mut took) = (Instant::now(), 0_usize, Vec::new());
    while begun.elapsed() < time || took.len() < CALLS_LEAST {
        player.rewind();
        stage.reset(case.file()).await?;
        took.extend(stage.play(case.file()).await?.took);
        rounds += 1;
        progress(&format!(
            "{}: {} calls in {} of {} s",
            case.name,
            took.len(),
            begun.elapsed().as_secs(),
            time.as_secs()
        ));
    }
    progress("");
    took.sort_unstable();
    Ok(MeasuredCase {
        case: case.name.clone(),
        calls: took.len(),
        p50_ms: percentile(&took, 50),
        p95_ms: percentile(&took, 95),
        p99_ms: percentile(&took, 99),
        peak_memory_bytes: stage.peak_memory(),
        requests_per_call: real(requests * rounds) / real(took.len().max(1)),
    })
}

fn show(measured: &Measured, out: &mut dyn Write) -> std::io::Result<()> {
    let Measured { plugin, version, component_bytes, compile_ms, load_ms, cases } = measured;
    writeln!(
        out,
        "{plugin} {version}: {} KiB, compiled in {compile_ms:.0} ms, loaded in {load_ms:.1} ms",
        component_bytes.div_ceil(1024)
    )?;
    if cfg!(debug_assertions) {
        writeln!(out, "This is a debug build of callboard: it is several times slower than a release build.")?;
    }
    writeln!(out)?;
    let rows = cases.iter().map(|case| {
        [
            case.case.clone(),
            case.calls.to_string(),
            format!("{:.2} ms", case.p50_ms),
            format!("{:.2} ms", case.p95_ms),
            format!("{:.2} ms", case.p99_ms),
            format!("{} KiB", case.peak_memory_bytes.div_ceil(1024)),
            format!("{:.1}", case.requests_per_call),
        ]
    });
    table(["CASE", "CALLS", "P50", "P95", "P99", "PEAK MEMORY", "REQUESTS PER CALL"], rows, out)
}

/// The time that so many percent of the calls took at most; the times are sorted.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().map(millis).unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "there are no 2^53 calls")]
fn real(count: usize) -> f64 {
    count as f64
}

/// One line that replaces itself. Progress that cannot be shown is nothing to fail for.
fn progress(text: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        write!(terminal, "\r\x1b[2K{text}").and_then(|()| terminal.flush()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let check = |millis: &[u64], expected: [f64; 3]| {
            let sorted: Vec<_> = millis.iter().map(|each| Duration::from_millis(*each)).collect();
            assert_eq!([50, 95, 99].map(|percent| percentile(&sorted, percent)), expected, "{millis:?}");
        };
        check(&[], [0.0; 3]);
        check(&[7], [7.0; 3]);
        check(&[1, 2], [1.0, 2.0, 2.0]);
        let hundred: Vec<u64> = (1..=100).collect();
        check(&hundred, [50.0, 95.0, 99.0]);
    }
}
