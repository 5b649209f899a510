//! The binary.

use std::io::{BufReader, Write};
use std::process::ExitCode;

use callboard::cli::{Cli, run};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(run(cli, &mut BufReader::new(std::io::stdin()), &mut std::io::stdout())) {
        Ok(code) => Ok(code),
        Err(failure) => {
            writeln!(std::io::stderr(), "callboard: {failure}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
