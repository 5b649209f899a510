//! `callboard plugin`.

mod add;
mod bench;
mod build;
mod desk;
mod dev;
mod inspect;
mod list;
mod new;
mod newer;
mod outdated;
mod publish;
mod remove;
mod shown;
mod test;
mod update;
mod why;

use std::io::{BufRead, Write};
use std::process::ExitCode;

use clap::Subcommand;

pub(super) use desk::Desk;

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    New(new::New),
    Dev(dev::Dev),
    Add(add::Add),
    Remove(remove::Remove),
    List(list::List),
    Update(update::Update),
    Outdated(outdated::Outdated),
    Inspect(inspect::Inspect),
    Why(why::Why),
    Test(test::Test),
    Bench(bench::Bench),
    Push(publish::Push),
    Sign(publish::Sign),
}

/// Does what it says. Questions are answered from `input`.
pub(super) async fn run(
    command: PluginCommand,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::New(command) => new::run(&command, out),
        PluginCommand::Dev(command) => dev::run(&command, out).await,
        PluginCommand::Add(command) => add::run(command, input, out).await,
        PluginCommand::Remove(command) => remove::run(&command, out),
        PluginCommand::List(command) => list::run(&command, out),
        PluginCommand::Update(command) => update::run(command, input, out).await,
        PluginCommand::Outdated(command) => outdated::run(&command, out).await,
        PluginCommand::Inspect(command) => inspect::run(command, out).await,
        PluginCommand::Why(command) => why::run(&command, out),
        PluginCommand::Test(command) => test::run(&command, out).await,
        PluginCommand::Bench(command) => bench::run(&command, out).await,
        PluginCommand::Push(command) => publish::push(&command, out).await,
        PluginCommand::Sign(command) => publish::sign(&command, out).await,
    }
}
