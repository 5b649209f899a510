//! Where a measured catalog is kept.

use std::path::{Path, PathBuf};

use anyhow::Result;
use callboard_catalog::{Catalog, Reader};
use callboard_store::{DatabaseConfig, Db, PostgresConfig, query};
use serde_json::{Value, json};
use url::Url;

use super::{Engine, machine};
use crate::generator::fingerprint;
use crate::portal::KINDS;
use crate::postgres;

/// A database of one engine.
pub struct Place {
    pub engine: Engine,
    folder: PathBuf,
}

impl Place {
    /// A database that keeps its data in the folder, or the one that is there already. On PostgreSQL it is a database of
    /// the server that `CALLBOARD_POSTGRES` names, and the folder only gives it its name.
    pub fn open(engine: Engine, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { engine, folder: folder.to_owned() })
    }

    fn name(&self) -> String {
        format!("bench_{}", fingerprint([self.folder.display().to_string().as_str()]))
    }

    /// How a program opens it.
    #[must_use]
    pub fn database(&self) -> DatabaseConfig {
        match self.engine {
            Engine::Sqlite => DatabaseConfig::File(self.folder.join("callboard.sqlite")),
            Engine::Postgres => {
                DatabaseConfig::Postgres(Box::new(PostgresConfig {
                    database: Some(self.name()),
                    // As the portal has it where its config does not say.
                    schema: Some("callboard".to_owned()),
                    ..postgres::server()
                }))
            }
        }
    }

    /// How app-config names it.
    pub fn config(&self) -> Result<Value> {
        match self.engine {
            Engine::Sqlite => Ok(
                json!({ "client": "better-sqlite3", "connection": { "directory": self.folder.display().to_string() } }),
            ),
            Engine::Postgres => {
                let url = Url::parse(&std::env::var(postgres::VARIABLE)?)?;
                Ok(json!({ "client": "pg", "connection": {
                    "host": url.host_str(),
                    "port": url.port(),
                    "user": url.username(),
                    "password": url.password(),
                    "database": self.name(),
                } }))
            }
        }
    }

    /// Seconds of processor time that this process, its children and the database have used.
    pub async fn cpu(&self, db: &Db) -> Result<f64> {
        let database = match self.engine {
            Engine::Sqlite => 0.0,
            Engine::Postgres => {
                let backend = number(db, "SELECT pg_backend_pid()::bigint").await?;
                machine::cpu(machine::parent(u32::try_from(backend)?)?)?
            }
        };
        Ok(machine::cpu(std::process::id())? + database)
    }

    /// The database with a catalog over it. Nothing is processed until the catalog runs.
    pub async fn catalog(&self, reader: impl Reader + 'static) -> Result<(Db, Catalog)> {
        let db = Db::open(&self.database()).await?;
        let settings = serde_json::from_value(settings())?;
        let catalog = Catalog::open(db.clone(), reader, settings).await?;
        Ok((db, catalog))
    }

    /// Bytes that the database takes on the disk, without what is only kept to be filled again.
    pub async fn bytes(&self, db: &Db) -> Result<u64> {
        let bytes = match self.engine {
            Engine::Sqlite => {
                let pages = number(db, "PRAGMA page_count").await? - number(db, "PRAGMA freelist_count").await?;
                pages * number(db, "PRAGMA page_size").await?
            }
            Engine::Postgres => number(db, "SELECT pg_database_size(current_database())::bigint").await?,
        };
        Ok(u64::try_from(bytes)?)
    }
}

async fn number(db: &Db, sql: &'static str) -> Result<i64> {
    match db.fetch_optional(query(sql, Vec::new())).await? {
        Some(row) => Ok(row.get(0)?),
        None => Ok(0),
    }
}

/// `catalog` of app-config. What is not told of is looked at again only long after the benchmark.
#[must_use]
pub fn settings() -> Value {
    json!({
        "rules": [{ "allow": KINDS }],
        "processingInterval": { "hours": 10 },
        "orphanProviderStrategy": "keep",
    })
}
