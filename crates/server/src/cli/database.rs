//! Which database a command is about.

use std::path::PathBuf;

use callboard_store::{DatabaseConfig, Db};
use clap::Args;

use super::{ConfigFiles, Failure};
use crate::config::{Config, load};
use crate::portal;

/// Which database.
#[derive(Debug, Args)]
pub(super) struct DatabaseOf {
    #[command(flatten)]
    config: ConfigFiles,
    /// The folder in which `callboard serve` keeps its database, where app-config names no other
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    data_dir: PathBuf,
}

impl DatabaseOf {
    /// The database of app-config. A file that is not there is made where the command is about to fill it.
    pub(super) async fn open(&self, create: bool) -> Result<Db, Failure> {
        Ok(self.open_with_config(create).await?.1)
    }

    /// The same, and the configuration that names it.
    pub(super) async fn open_with_config(&self, create: bool) -> Result<(Config, Db), Failure> {
        let loaded = load(&self.config.sources()?);
        let Some(config) = loaded.config.filter(|_| loaded.report.is_accepted(self.config.strict)) else {
            return Err(Failure::Config(format!("the configuration is not accepted.\n{}", loaded.report)));
        };
        let database = portal::database(&config, &self.data_dir);
        match &database {
            DatabaseConfig::Memory => {
                let message = "backend.database keeps everything in memory, where no other process reaches it";
                return Err(Failure::Database(message.to_owned()));
            }
            DatabaseConfig::File(file) if create => {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder)?;
                }
            }
            DatabaseConfig::File(file) if !file.exists() => {
                let file = file.display().to_string();
                let message = "there is no database. Say where `callboard serve` keeps it, with --data-dir or --config";
                return Err(Failure::File { file, message: message.to_owned() });
            }
            DatabaseConfig::File(_) | DatabaseConfig::Postgres(_) => {}
        }
        let db = Db::open(&database).await.map_err(|error| Failure::Database(error.to_string()))?;
        Ok((config, db))
    }
}
