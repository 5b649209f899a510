//! `callboard audit`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use callboard_store::Db;
use clap::Subcommand;

use super::Failure;
use super::database::DatabaseOf;
use crate::audit::{AuditError, AuditLog, Filter, Head, ndjson};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check that the audit log is as it was written
    ///
    /// Each row of the log has a hash over itself and the row before, and the newest one is noted beside them: what was
    /// changed, removed, put in, moved or cut off is found, and the first row that does not fit is named. The portal may
    /// be running.
    ///
    /// Who can write to the database can write the whole log anew, with hashes that fit. Against that, compare it with a
    /// row that was noted elsewhere: the portal's own log names one when it starts and ends, and every thousand rows.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        #[command(flatten)]
        database: DatabaseOf,
        /// A row of the log and its hash, which must be there
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<Head>,
    },
    /// Write the audit log to a file, the oldest row first, one JSON object a line
    ///
    /// The portal may be running: the file has the rows that there are when it begins.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        #[command(flatten)]
        database: DatabaseOf,
        /// Write to this file instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  callboard audit verify
  callboard audit verify --config app-config.yaml --data-dir /var/lib/callboard
  callboard audit verify --expect 2000:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

The exit code is 0 where the log is whole, and 1 where it is not or cannot be read.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  callboard audit export --output audit.ndjson
  callboard audit export | gzip > audit.ndjson.gz
  callboard audit export | jq 'select(.decision == \"denied\")'";

/// Rows that are read at once.
const BATCH: u64 = 1_000;

pub(super) async fn run(command: AuditCommand, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify { database, expect } => {
            let db = database.open(false).await?;
            let verified = async { AuditLog::existing(db.clone()).await?.verify(expect.as_ref()).await }.await;
            db.close().await;
            match verified? {
                Ok(head) => {
                    writeln!(out, "The audit log is whole, from its first row to its newest, {head}.")?;
                    Ok(ExitCode::SUCCESS)
                }
                Err(broken) => {
                    writeln!(out, "The audit log is broken: {broken}.")?;
                    Ok(ExitCode::FAILURE)
                }
            }
        }
        AuditCommand::Export { database, output } => {
            let db = database.open(false).await?;
            let done = match &output {
                None => export(db.clone(), out).await,
                Some(file) => write(db.clone(), file).await,
            };
            db.close().await;
            let rows = done?;
            if let Some(file) = &output {
                let rows = format!("{rows} {}", if rows == 1 { "row" } else { "rows" });
                writeln!(out, "Exported {rows} of the audit log to {}.", file.display())?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn write(db: Db, file: &PathBuf) -> Result<usize, Failure> {
    let unusable =
        |error: std::io::Error| Failure::File { file: file.display().to_string(), message: error.to_string() };
    let mut out = BufWriter::new(File::create(file).map_err(unusable)?);
    let rows = export(db, &mut out).await?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all()).map_err(unusable)?;
    Ok(rows)
}

async fn export(db: Db, out: &mut (dyn Write + Send)) -> Result<usize, Failure> {
    let log = AuditLog::existing(db).await?;
    let last = log.head().await?.seq;
    let (mut after, mut rows) = (0, 0);
    loop {
        let entries = log.oldest(&Filter::default(), after, last, BATCH).await?;
        let Some(newest) = entries.last() else { return Ok(rows) };
        after = newest.seq;
        rows += entries.len();
        out.write_all(&ndjson(&entries))?;
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Failure {
        Failure::Database(error.to_string())
    }
}
