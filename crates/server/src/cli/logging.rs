//! Log lines, on standard error.

use std::io::IsTerminal;

use callboard_host::spans;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::LogFormat;
use crate::config::Telemetry;
use crate::telemetry::{self, Exporting, TelemetryError};

/// Sends log lines to standard error from now on. `RUST_LOG` chooses which, such as `callboard=debug`; without it,
/// information and worse. Traces go where `telemetry` says.
///
/// # Errors
/// Traces cannot be sent as it says.
pub(super) fn start(format: LogFormat, telemetry: Option<&Telemetry>) -> Result<Option<Exporting>, TelemetryError> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // What is only for traces would say everything twice.
    let filter = filter.and(filter_fn(|metadata| metadata.target() != spans::TARGET));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => {
            lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_filter(filter).boxed(),
    };
    let mut layers = vec![lines];
    let exporting = telemetry.map(telemetry::start::<Registry>).transpose()?.map(|(exporting, layer)| {
        layers.push(layer.boxed());
        exporting
    });
    // A process that runs several portals, such as a test, has a subscriber already; its lines then go there.
    if tracing_subscriber::registry().with(layers).try_init().is_err() {
        tracing::debug!("log lines already go somewhere");
    }
    Ok(exporting)
}

/// Sends to standard error what somebody wants to see who works on a plugin: its own lines, and what goes wrong. As
/// [`start`], `RUST_LOG` chooses something else.
pub(super) fn start_for_author() {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn,plugin=debug".to_owned());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let filter = EnvFilter::builder().parse_lossy(filter).and(filter_fn(|metadata| metadata.target() != spans::TARGET));
    let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
    if tracing_subscriber::registry().with(lines).try_init().is_err() {
        tracing::debug!("log lines already go somewhere");
    }
}
