//! `callboard serve`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use callboard_host::Compiler;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ConfigFiles, Failure, LogFormat, logging};
use crate::config::{Listen, Loaded, load};
use crate::portal::{self, Follow, Options};

/// Start the portal
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFiles,
    /// Listen here instead of at backend.listen: PORT, :PORT or HOST:PORT; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", value_parser = parse_listen)]
    listen: Option<Listen>,
    /// Keep the database and the compiled plugins in this folder
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    data_dir: PathBuf,
    /// How log lines look
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
}

const EXAMPLES: &str = "\
Examples:
  callboard serve
  callboard serve --listen 127.0.0.1:8080 --data-dir /var/lib/callboard
  callboard serve --config app-config.yaml --config app-config.production.yaml
  BACKSTAGE_ENV=production callboard serve --log-format json
  APP_CONFIG_app_title='My portal' callboard serve

The portal ends at Ctrl-C or SIGTERM, after the requests that are under way.";

pub(super) async fn run(command: Serve, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let sources = command.config.sources()?;
    let Loaded { config, report } = load(&sources);
    let telemetry = config.as_ref().and_then(|config| config.backend.telemetry.as_ref());
    let exporting = logging::start(command.log_format, telemetry).map_err(|error| Failure::Start(error.to_string()))?;
    let Some(config) = config.filter(|_| report.is_accepted(command.config.strict)) else {
        return Err(Failure::Config(format!("the configuration is not accepted.\n{report}")));
    };
    for finding in report.warnings() {
        tracing::warn!("{finding}");
    }
    for unset in &report.unset {
        tracing::info!("{unset}, so the key counts as absent");
    }
    for key in &report.unhonoured {
        tracing::info!("no effect yet: {key}");
    }
    let follow = Some(Follow { sources, strict: command.config.strict });
    let compiler = Compiler::this_program("compile-plugin");
    let options = Options { config, listen: command.listen, data_dir: command.data_dir, compiler, follow };
    // Before anybody is told that the portal is there: who is told may ask it to end at once.
    let mut end = End::listen()?;
    let portal = tokio::select! {
        portal = portal::start(options) => portal.map_err(|error| Failure::Start(error.to_string()))?,
        () = end.asked() => return Ok(ExitCode::SUCCESS),
    };
    writeln!(out, "Callboard {} listens on {}", env!("CARGO_PKG_VERSION"), portal.url.as_str().trim_end_matches('/'))?;
    out.flush()?;
    end.asked().await;
    tracing::info!("ending");
    portal.shutdown().await;
    if let Some(exporting) = exporting {
        exporting.finish().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Hears when somebody asks the process to end.
pub(super) struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    pub(super) fn listen() -> std::io::Result<End> {
        Ok(End { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn parse_listen(text: &str) -> Result<Listen, String> {
    Listen::parse(text).ok_or_else(|| "write PORT, :PORT or HOST:PORT".to_owned())
}
