//! `callboard plugin dev`.

mod address;
mod setting;
mod watched;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use callboard_host::{Compiler, Inspection};
use callboard_model::rights::Rights;
use chrono::Local;
use clap::Args;

use super::build::build;
use super::shown::plain;
use crate::cli::serve::End;
use crate::cli::{ConfigFiles, Failure, logging};
use crate::config::{Config, Listen};
use crate::plugins::Change;
use crate::portal::{self, Follow, Options, Portal, StartError};
use setting::Setting;
use watched::Watched;

/// Work on a plugin: build it, show it in a portal, and take over what you save
///
/// The portal is one for this alone, on this machine: that of app-config.yaml in the plugin's folder, or one with an
/// example in its catalog. The plugin is granted all that its plugin.yaml asks for. What it keeps stays from one time
/// to the next, in the build's target folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Dev {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The port of the portal; without it 7100, or any that is free
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    config: ConfigFiles,
}

const EXAMPLES: &str = "\
Examples:
  callboard plugin dev
  callboard plugin dev plugins/build-status --port 8080
  callboard plugin dev --config ~/portal/app-config.yaml

A page that is open shows a new version as soon as you come back to it, or after four seconds.
RUST_LOG chooses what is logged beside the plugin's own lines, such as RUST_LOG=info,plugin=debug.";

/// Where the portal is, unless somebody is there already.
const PORT: u16 = 7100;

pub(super) async fn run(command: &Dev, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    if !command.folder.join("plugin.yaml").is_file() {
        return Err(Failure::File {
            file: command.folder.display().to_string(),
            message: "there is no plugin.yaml here, so no plugin; `callboard plugin new NAME` makes one".to_owned(),
        });
    }
    logging::start_for_author();
    let mut end = End::listen()?;
    let folder = command.folder.canonicalize()?;
    let mut work = Work { command, watched: Watched::new(&folder), folder, shown: None };
    let ended = tokio::select! {
        failed = work.go(out) => failed,
        () = end.asked() => Ok(()),
    };
    if let Some(shown) = work.shown {
        shown.portal.shutdown().await;
    }
    ended.map(|()| ExitCode::SUCCESS)
}

struct Work<'a> {
    command: &'a Dev,
    folder: PathBuf,
    watched: Watched,
    /// None until the plugin could be built for the first time.
    shown: Option<Shown>,
}

/// The plugin in its portal.
struct Shown {
    portal: Portal,
    setting: Setting,
    /// What it was granted, as it was said last.
    rights: Option<Rights>,
    /// Whether a version of it runs.
    runs: bool,
}

impl Work<'_> {
    /// Until it cannot go on.
    async fn go(&mut self, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        writeln!(out, "Building {}; the first time takes a minute or two", self.folder.display())?;
        out.flush()?;
        let mut why = String::new();
        loop {
            let done = match self.round(&why, out).await {
                Err(Failure::Start(reason)) => return Err(Failure::Start(reason)),
                done => done,
            };
            if let Err(failure) = done {
                // What is wrong with a plugin is its author's to mend.
                let goes_on = self.shown.as_ref().is_some_and(|shown| shown.runs);
                writeln!(out, "{why}{failure}{}", if goes_on { ". What ran before goes on" } else { "" })?;
            }
            out.flush()?;
            let changed = self.watched.changed().await;
            let changed = changed.strip_prefix(&self.folder).unwrap_or(&changed);
            why = format!("{} {}: ", Local::now().format("%H:%M:%S"), changed.display());
        }
    }

    /// Builds it as it is now, and shows it.
    async fn round(&mut self, why: &str, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        let begun = Instant::now();
        let component = build(&self.folder, "dev", self.shown.is_some()).await?;
        self.watched.follow(&component);
        let built = begun.elapsed();
        let fail = |message: String| Failure::File { file: component.display().to_string(), message };
        let wasm = std::fs::read(&component).map_err(|error| fail(error.to_string()))?;
        let inspection = callboard_host::inspect(&wasm).map_err(|error| fail(error.to_string()))?;
        let manifest = &inspection.manifest;

        let is_first = self.shown.as_ref().is_none_or(|shown| !shown.runs);
        let shown = match &mut self.shown {
            Some(shown) => {
                let config = shown.setting.put(&wasm, &inspection)?;
                shown.take_over(&config, &manifest.id).await?;
                shown
            }
            None => {
                let shown = self.start(&component, &wasm, &inspection).await?;
                self.watched.also(shown.setting.files());
                self.shown.insert(shown)
            }
        };
        shown.check(&manifest.id)?;
        let (built, running) = (seconds(built), seconds(begun.elapsed()));
        let name =
            if is_first { format!("\n{} {}: ", plain(&manifest.name), manifest.version) } else { why.to_owned() };
        writeln!(out, "{name}built in {built}, running after {running}")?;
        if shown.rights.as_ref() != Some(&manifest.rights) {
            shown.rights = Some(manifest.rights.clone());
            tell_rights(&manifest.rights, out)?;
        }
        if is_first {
            writeln!(out, "\nLook at it:")?;
            for (address, what) in address::of(&shown.portal, manifest).await {
                writeln!(out, "  {address}  {what}")?;
            }
            writeln!(out, "\nEdit and save. Ctrl-C ends it.")?;
        }
        Ok(())
    }

    async fn start(&self, component: &Path, wasm: &[u8], inspection: &Inspection) -> Result<Shown, Failure> {
        let Dev { port, config: ConfigFiles { files, strict }, .. } = self.command;
        let setting = Setting::prepare(&self.folder, component, files.clone(), *strict)?;
        let config = setting.put(wasm, inspection)?;
        let portal = match start(&setting, config.clone(), *strict, port.unwrap_or(PORT)).await {
            // Another of these is at work.
            Err(StartError::Listen { .. }) if port.is_none() => start(&setting, config, *strict, 0).await,
            started => started,
        };
        let portal = portal.map_err(|error| match error {
            StartError::Listen { address, error } => {
                Failure::Start(format!("cannot listen on {address}: {error}. Choose another with --port"))
            }
            error => Failure::Start(error.to_string()),
        })?;
        Ok(Shown { portal, setting, rights: None, runs: false })
    }
}

async fn start(setting: &Setting, config: Config, strict: bool, port: u16) -> Result<Portal, StartError> {
    portal::start(Options {
        config,
        listen: Some(Listen { host: Some("127.0.0.1".to_owned()), port }),
        data_dir: setting.data(),
        compiler: Compiler::this_program("compile-plugin"),
        follow: Some(Follow { sources: setting.sources(), strict }),
    })
    .await
}

impl Shown {
    /// Has the portal take over what is there now.
    async fn take_over(&self, config: &Config, id: &str) -> Result<(), Failure> {
        let app = &self.portal.app;
        portal::take(app, config);
        let reloaded = app.plugins.change(id, Change::Reload, "callboard plugin dev".to_owned());
        reloaded.await.map(|_| ()).map_err(|refusal| Failure::Plugin(refusal.to_string()))
    }

    /// Whether it runs. The portal starts without it, too.
    fn check(&mut self, id: &str) -> Result<(), Failure> {
        let plugins = self.portal.app.plugins.current();
        match plugins.find(id).and_then(|listed| listed.outcome.reason()) {
            Some(reason) => Err(Failure::Plugin(reason.to_owned())),
            None => {
                self.runs = true;
                Ok(())
            }
        }
    }
}

fn tell_rights(rights: &Rights, out: &mut (dyn Write + Send)) -> std::io::Result<()> {
    let asked = rights.each();
    if asked.is_empty() {
        return writeln!(out, "It asks for nothing, and may do nothing but answer.");
    }
    writeln!(out, "It is granted what it asks for:")?;
    asked.iter().try_for_each(|right| writeln!(out, "  {}", plain(right)))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
