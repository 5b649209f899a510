//! `callboard catalog`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use callboard_catalog::{TransferError, Transferred, export, import};
use callboard_store::Db;
use clap::Subcommand;

use super::Failure;
use super::database::DatabaseOf;

#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// Write the catalog to a file of YAML documents, for `callboard catalog import`
    ///
    /// The portal may be running: the file has the catalog of one moment. It holds registered locations, the providers'
    /// names, and one document per entity, as its source delivered it, with what the catalog knows of it under the key
    /// `x-callboard`: its uid, where it comes from, and its last result where that was made from more than its source.
    ///
    /// It does not hold what plugins keep for themselves, sign-ins, or what is under way: signed-in people sign in again,
    /// and providers begin with a full run. No secret of app-config is in it.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        #[command(flatten)]
        database: DatabaseOf,
        /// Write to this file instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take over a catalog that `callboard catalog export` wrote
    ///
    /// Into a database on which no portal runs: stop it first. The file is read to its end before anything is changed, and
    /// what is wrong with it is said with its line. Entities keep their uids. Documents, the index and relations are made
    /// anew when the portal starts, from the same locations and with the same plugins as before.
    ///
    /// Should the database fail half-way, the portal does not start on what is there: repeat the import with --replace.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        #[command(flatten)]
        database: DatabaseOf,
        /// Remove what the catalog has, registered locations included, instead of refusing
        #[arg(long)]
        replace: bool,
        /// What the export wrote; a file, because it is read twice
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  callboard catalog export --output catalog.yaml
  callboard catalog export --config app-config.yaml --data-dir /var/lib/callboard | gzip > catalog.yaml.gz

From SQLite to PostgreSQL:
  callboard catalog export --output catalog.yaml
  callboard catalog import --config app-config.yaml --config postgres.yaml catalog.yaml
  callboard serve --config app-config.yaml --config postgres.yaml";

const IMPORT_EXAMPLES: &str = "\
Examples:
  callboard catalog import catalog.yaml
  callboard catalog import --config app-config.yaml --config postgres.yaml catalog.yaml
  callboard catalog import --replace catalog.yaml";

pub(super) async fn run(command: CatalogCommand, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    match command {
        CatalogCommand::Export { database, output } => {
            let db = database.open(false).await?;
            let done = match &output {
                None => export(&db, env!("CARGO_PKG_VERSION"), out).await,
                Some(file) => write(&db, file).await,
            };
            db.close().await;
            let moved = done.map_err(|error| failure(output.as_ref(), error))?;
            if let Some(file) = &output {
                writeln!(out, "Exported {} to {}.", what(moved), file.display())?;
            }
        }
        CatalogCommand::Import { database, replace, file } => {
            let db = database.open(true).await?;
            let done = import(&db, || File::open(&file).map(BufReader::new), replace).await;
            db.close().await;
            let moved = done.map_err(|error| failure(Some(&file), error))?;
            writeln!(out, "Imported {}. They are processed when the portal starts.", what(moved))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn write(db: &Db, file: &PathBuf) -> Result<Transferred, TransferError> {
    let mut out = BufWriter::new(File::create(file)?);
    let moved = export(db, env!("CARGO_PKG_VERSION"), &mut out).await?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(moved)
}

fn what(moved: Transferred) -> String {
    let count = |count, one, many| format!("{count} {}", if count == 1 { one } else { many });
    let entities = count(moved.entities, "entity", "entities");
    format!("{entities} and {}", count(moved.locations, "registered location", "registered locations"))
}

/// What is wrong with the file is said with its name.
fn failure(file: Option<&PathBuf>, error: TransferError) -> Failure {
    match (file, &error) {
        (Some(file), TransferError::Document { .. } | TransferError::Io(_)) => {
            Failure::File { file: file.display().to_string(), message: error.to_string() }
        }
        _ => Failure::Catalog(error.to_string()),
    }
}
