//! Migrations: forward only, each in a transaction of its own.

use crate::{Db, Error, args, query};

/// One step of an owner's tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1, 2, 3 …
    pub version: i64,
    /// What it does. Never changed once released: it tells histories apart.
    pub name: &'static str,
    /// Its statements for SQLite.
    pub sqlite: &'static str,
    /// Its statements for PostgreSQL.
    pub postgres: &'static str,
}

/// Brings the tables of `owner` up to date.
///
/// # Errors
/// The database is newer than `migrations`, comes from another history, or a statement fails.
pub async fn migrate(db: &Db, owner: &str, migrations: &[Migration]) -> Result<(), Error> {
    prepare(db).await?;
    let mut done = 0;
    for row in db
        .fetch_all(query("SELECT version, name FROM migration WHERE owner = $1 ORDER BY version", args![owner]))
        .await?
    {
        let (version, found): (i64, String) = (row.get(0)?, row.get(1)?);
        let Some(known) = migrations.iter().find(|migration| migration.version == version) else {
            let known = migrations.last().map_or(0, |migration| migration.version);
            let found = newest(db, owner).await?;
            return Err(Error::Newer { owner: owner.to_owned(), found, known });
        };
        if known.name != found {
            return Err(Error::Foreign { owner: owner.to_owned(), version, found, known: known.name.to_owned() });
        }
        done = version;
    }
    for migration in migrations.iter().filter(|migration| migration.version > done) {
        apply(db, owner, migration).await.map_err(|source| Error::Migration {
            owner: owner.to_owned(),
            version: migration.version,
            name: migration.name.to_owned(),
            source: Box::new(source),
        })?;
        tracing::info!(owner, version = migration.version, name = migration.name, "migrated the database");
    }
    Ok(())
}

async fn prepare(db: &Db) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.execute_script(
        "CREATE TABLE IF NOT EXISTS migration(owner TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, \
         PRIMARY KEY(owner, version))",
    )
    .await?;
    tx.commit().await
}

async fn newest(db: &Db, owner: &str) -> Result<i64, Error> {
    let row = db.fetch_optional(query("SELECT max(version) FROM migration WHERE owner = $1", args![owner])).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

async fn apply(db: &Db, owner: &str, migration: &Migration) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.execute_script(migration.sqlite).await?;
    tx.execute(query(
        "INSERT INTO migration(owner, version, name) VALUES ($1, $2, $3)",
        args![owner, migration.version, migration.name],
    ))
    .await?;
    tx.commit().await
}
