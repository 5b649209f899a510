//! The command line: what `callboard` can be told to do.

mod audit;
mod catalog;
mod config_command;
mod database;
mod entity;
mod logging;
mod plugin;
mod policy;
mod serve;
mod upgrade;

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::sources::Sources;

/// A developer portal assembled from sandboxed plugins.
#[derive(Debug, Parser)]
#[command(name = "callboard", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  callboard serve                                  start with ./app-config.yaml, on http://localhost:7007
  callboard config check --strict                  say what is wrong with the configuration, and start nothing
  callboard catalog export --output catalog.yaml   move the catalog to another database
  callboard policy explain ada plugin.run          say whether somebody may do something, and why
  callboard audit verify                           see whether the audit log is as it was written
  callboard plugin new build-status                begin a plugin; `callboard plugin dev` shows it then
  callboard plugin inspect target/plugins/s3.wasm  see what a plugin asks for, and run nothing of it
  callboard entity validate catalog-info.yaml      check descriptor files as the catalog would";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    /// Compile one plugin, for the portal, which starts it so
    #[command(hide = true)]
    CompilePlugin,
    /// Move the catalog to another database, or keep a copy
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Check and export the record of changes and denied attempts
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config_command::ConfigCommand),
    /// Begin, try and publish plugins; add, update, remove and look at them
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Look at the policy: who may do what, and why
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// See what an upgrade of the portal would change
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeCommand),
    /// Look at descriptor files
    #[command(subcommand)]
    Entity(entity::EntityCommand),
}

/// Which configuration is read.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigFiles {
    /// Read this file, and none that is not named; repeated, a later one wins
    ///
    /// Without it: app-config.yaml, then app-config.<env>.yaml for each name in BACKSTAGE_ENV, then
    /// app-config.local.yaml and app-config.<env>.local.yaml. APP_CONFIG_<path> variables win over every file.
    #[arg(long = "config", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take warnings and keys without effect for errors
    #[arg(long)]
    strict: bool,
}

impl ConfigFiles {
    fn sources(&self) -> std::io::Result<Sources> {
        Sources::of_process(self.files.clone())
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Does what the command line says. Questions are answered from `input`. Answers go to `out`; whatever went wrong is in the exit code and was said there
/// or on standard error.
///
/// # Errors
/// The answer could not be written, or the portal did not start.
pub async fn run(
    cli: Cli,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::CompilePlugin => Ok(callboard_host::compile_plugin()),
        Command::Serve(command) => serve::run(command, out).await,
        Command::Catalog(command) => catalog::run(command, out).await,
        Command::Audit(command) => audit::run(command, out).await,
        Command::Config(command) => config_command::run(command, out),
        Command::Plugin(command) => plugin::run(command, input, out).await,
        Command::Upgrade(command) => upgrade::run(command, out).await,
        Command::Policy(command) => policy::run(command, out).await,
        Command::Entity(command) => entity::run(command, out).await,
    }
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Standard output is closed, or the folder is gone.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The configuration has errors.
    #[error("{0}")]
    Config(String),
    /// A file could not be used.
    #[error("{file}: {message}")]
    File {
        /// As it was given.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// The database could not be used.
    #[error("{0}")]
    Database(String),
    /// The catalog was not moved.
    #[error("{0}")]
    Catalog(String),
    /// A plugin is not as it should be, or something about it was not done.
    #[error("{0}")]
    Plugin(String),
    /// The portal did not start.
    #[error("{0}")]
    Start(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches() {
        fn check(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(command.get_about().is_some(), "{}", command.get_name());
            if !command.has_subcommands() && !command.is_hide_set() {
                assert!(help.contains("Example"), "{} has no example:\n{help}", command.get_name());
            }
            command.get_subcommands_mut().filter(|command| command.get_name() != "help").for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&mut command);
    }
}
