//! Migrations: forward only, each in a transaction of its own. A database that has none of an owner's tables gets all of
//! them at once, so that nobody who opens it meanwhile finds half of them.
//!
//! A migration is tried before it is done. On PostgreSQL a transaction does that, because there it holds for tables,
//! too, and replicas that start together take turns. On SQLite it is tried on a copy of the file: a transaction would
//! do there as well, but a file is also lost by what no transaction guards against, such as a disk that is full.

use std::time::Instant;

use crate::limits::MIGRATION;
use crate::{Db, Engine, Error, Tx, args, query};

/// One step of an owner's tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1, 2, 3 …
    pub version: i64,
    /// What it does. Never changed once released: it tells histories apart.
    pub name: &'static str,
    /// Its statements for SQLite.
    pub sqlite: &'static str,
    /// Its statements for PostgreSQL. Its columns are `BIGINT`, `TEXT COLLATE "C"`, `BYTEA` or `DOUBLE PRECISION`.
    pub postgres: &'static str,
}

/// Brings the tables of `owner` up to date.
///
/// # Errors
/// The database is newer than `migrations`, comes from another history, or a statement fails; then nothing of that
/// migration stays.
pub async fn migrate(db: &Db, owner: &str, migrations: &[Migration]) -> Result<(), Error> {
    let done = done(db, owner, migrations).await?;
    let has_more = migrations.iter().any(|migration| migration.version > done);
    if done > 0
        && has_more
        && let Some(copy) = db.copy().await.map_err(copied)?
    {
        let tried = try_on(&copy.db, owner, migrations).await;
        copy.db.close().await;
        tried.map_err(copied)?;
    }
    carry_out(db, owner, migrations).await
}

/// The newest version that the database has.
async fn done(db: &Db, owner: &str, migrations: &[Migration]) -> Result<i64, Error> {
    let mut tx = begin(db).await?;
    let done = history(&mut tx, owner, migrations).await?;
    tx.commit().await?;
    Ok(done)
}

async fn try_on(copy: &Db, owner: &str, migrations: &[Migration]) -> Result<(), Error> {
    carry_out(copy, owner, migrations).await?;
    let sound = copy.fetch_all(query("PRAGMA integrity_check", args![])).await?;
    let found: String = sound.first().map_or(Ok(String::new()), |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::Failed(format!("it is not sound afterwards: {found}")));
    }
    let dangling = copy.fetch_all(query("PRAGMA foreign_key_check", args![])).await?;
    match dangling.len() {
        0 => Ok(()),
        count => Err(Error::Failed(format!("{count} rows refer to nothing afterwards"))),
    }
}

fn copied(source: Error) -> Error {
    Error::Copy { source: Box::new(source) }
}

async fn carry_out(db: &Db, owner: &str, migrations: &[Migration]) -> Result<(), Error> {
    loop {
        let mut tx = begin(db).await?;
        let done = history(&mut tx, owner, migrations).await?;
        let due = migrations.iter().filter(|migration| migration.version > done);
        let due: Vec<&Migration> = due.take(if done == 0 { usize::MAX } else { 1 }).collect();
        for migration in &due {
            apply(&mut tx, owner, migration).await.map_err(|source| Error::Migration {
                owner: owner.to_owned(),
                version: migration.version,
                name: migration.name.to_owned(),
                source: Box::new(source),
            })?;
        }
        tx.commit().await?;
        for migration in &due {
            tracing::info!(owner, version = migration.version, name = migration.name, "migrated the database");
        }
        if due.is_empty() {
            return Ok(());
        }
    }
}

/// Another replica may be migrating, which takes as long as it takes.
async fn begin(db: &Db) -> Result<Tx, Error> {
    let begun = Instant::now();
    loop {
        match db.begin().await {
            Err(Error::Busy(reason)) if db.engine() == Engine::Postgres && begun.elapsed() < MIGRATION => {
                tracing::info!(reason, "waiting for another replica, which may be migrating the database");
            }
            begun => return begun,
        }
    }
}

/// The newest version that the database has, where its history is the beginning of this one.
async fn history(tx: &mut Tx, owner: &str, migrations: &[Migration]) -> Result<i64, Error> {
    tx.execute_script(match tx.engine() {
        Engine::Sqlite => {
            "CREATE TABLE IF NOT EXISTS migration(owner TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, \
             PRIMARY KEY(owner, version))"
        }
        Engine::Postgres => {
            "CREATE TABLE IF NOT EXISTS migration(owner TEXT COLLATE \"C\" NOT NULL, version BIGINT NOT NULL, \
             name TEXT COLLATE \"C\" NOT NULL, PRIMARY KEY(owner, version))"
        }
    })
    .await?;
    let rows = tx
        .fetch_all(query("SELECT version, name FROM migration WHERE owner = $1 ORDER BY version", args![owner]))
        .await?;
    let versions =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(i64, String)>, Error>>()?;
    let newest = versions.last().map_or(0, |(version, _)| *version);
    for (version, found) in versions {
        let Some(known) = migrations.iter().find(|migration| migration.version == version) else {
            let known = migrations.last().map_or(0, |migration| migration.version);
            return Err(Error::Newer { owner: owner.to_owned(), found: newest, known });
        };
        if known.name != found {
            return Err(Error::Foreign { owner: owner.to_owned(), version, found, known: known.name.to_owned() });
        }
    }
    Ok(newest)
}

async fn apply(tx: &mut Tx, owner: &str, migration: &Migration) -> Result<(), Error> {
    tx.execute_script(match tx.engine() {
        Engine::Sqlite => migration.sqlite,
        Engine::Postgres => migration.postgres,
    })
    .await?;
    if tx.engine() == Engine::Postgres {
        check_columns(tx).await?;
    }
    tx.execute(query(
        "INSERT INTO migration(owner, version, name) VALUES ($1, $2, $3)",
        args![owner, migration.version, migration.name],
    ))
    .await?;
    Ok(())
}

/// A column of another type would read differently than on SQLite, and a text with another collation would be ordered
/// differently: a mistake in a migration, found by the first test that runs it.
async fn check_columns(tx: &mut Tx) -> Result<(), Error> {
    let wrong = tx
        .fetch_optional(query(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE a.xmin = pg_current_xact_id()::xid AND c.relkind IN ('r', 'p') AND a.attnum > 0 \
             AND NOT a.attisdropped \
             AND NOT (a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'bytea'::regtype, \
                                      'double precision'::regtype) \
                      OR (a.atttypid = 'text'::regtype AND l.collname = 'C')) \
             ORDER BY 1, 2 LIMIT 1",
            args![],
        ))
        .await?;
    let Some(row) = wrong else { return Ok(()) };
    let (table, column, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Err(Error::Statement(format!(
        "column {column} of table {table} is {kind}; write BIGINT, TEXT COLLATE \"C\", BYTEA or DOUBLE PRECISION, or \
         INTEGER or SMALLINT where the numbers are small and the rows many"
    )))
}
