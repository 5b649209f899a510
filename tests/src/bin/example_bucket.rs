//! A small S3 server over a folder, for the example that `cargo xtask run` shows.
//!
//! It checks signatures like S3 does. A file that is put into the folder is an object of the bucket at once.
#![allow(clippy::print_stdout, reason = "says where it listens")]

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use callboard_tests::bucket::{ACCESS_KEY_ID, Bucket, Options, SECRET_ACCESS_KEY};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The folder that holds the objects
    #[arg(long)]
    root: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9900")]
    listen: SocketAddr,
    /// The bucket's name
    #[arg(long, default_value = "callboard-examples")]
    bucket: String,
    /// Where to keep what S3 knows of an object beyond its content
    #[arg(long, default_value = "target/example-bucket")]
    state: PathBuf,
    /// End when the standard input ends, as it does when the process that started this one ends
    #[arg(long)]
    until_stdin_closes: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let bucket = Bucket::open(&Options {
        name: &arguments.bucket,
        objects: &arguments.root,
        state: &arguments.state,
        credentials: (ACCESS_KEY_ID, SECRET_ACCESS_KEY),
        listen: arguments.listen,
    })
    .await?;
    println!("{}/{} serves {}", bucket.endpoint(), bucket.name(), arguments.root.display());
    if arguments.until_stdin_closes {
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    } else {
        std::future::pending::<()>().await;
    }
    Ok(())
}
