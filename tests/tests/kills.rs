//! `kill -9` while a catalog is brought in.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use callboard_tests::kills::{self, survive};
use tokio::process::Command;

/// Enough for several transactions between any two kills.
const ENTITIES: u64 = 1_500;

/// Set for the process that is killed: this test binary once more, with nothing to run but [`victim`].
const FOLDERS: [&str; 2] = ["CALLBOARD_KILLED", "CALLBOARD_KILLED_SOURCES"];

#[tokio::test(flavor = "multi_thread")]
async fn five_kills_leave_whole_entities_and_the_same_end() -> Result<()> {
    let survived = survive(5, ENTITIES, command).await?;
    assert_eq!(survived.moments.len(), 5);
    assert!(survived.moments.is_sorted(), "what was visible was lost: {:?}", survived.moments);
    Ok(())
}

/// Does nothing among the other tests.
#[tokio::test(flavor = "multi_thread")]
async fn victim() -> Result<()> {
    let [Some(folder), Some(sources)] = FOLDERS.map(|name| std::env::var_os(name).map(PathBuf::from)) else {
        return Ok(());
    };
    kills::victim(&folder, &sources, ENTITIES).await
}

fn command(folder: &Path, sources: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this test binary")?);
    command.args(["kills::victim", "--exact", "--nocapture"]);
    for (name, path) in FOLDERS.into_iter().zip([folder, sources]) {
        command.env(name, path);
    }
    Ok(command)
}
