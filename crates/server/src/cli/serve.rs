//! `callboard serve`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{ConfigFiles, Failure, LogFormat, logging};
use crate::config::{Listen, Loaded, load};
use crate::portal::{self, Options};

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
    logging::start(command.log_format);
    let Loaded { config, report } = load(&command.config.sources()?);
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
    let options = Options { config, listen: command.listen, data_dir: command.data_dir };
    let portal = portal::start(options).await.map_err(|error| Failure::Start(error.to_string()))?;
    writeln!(out, "Callboard {} listens on {}", env!("CARGO_PKG_VERSION"), portal.url.as_str().trim_end_matches('/'))?;
    out.flush()?;
    end().await?;
    tracing::info!("ending");
    portal.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Returns when somebody asks the process to end.
async fn end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn parse_listen(text: &str) -> Result<Listen, String> {
    Listen::parse(text).ok_or_else(|| "write PORT, :PORT or HOST:PORT".to_owned())
}
