//! Leases: who of several replicas does a piece of work.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Db, Error, args, query};

/// Takes the lease `name` for `holder`, or extends it where `holder` has it already. False where somebody else has it.
///
/// A lease that is not extended within `duration` is anybody's: its holder must stop before then.
///
/// # Errors
/// The database fails.
pub async fn acquire(db: &Db, name: &str, holder: &str, duration: Duration, now: DateTime<Utc>) -> Result<bool, Error> {
    let now = now.timestamp_millis();
    let expires = now.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    // Beside the writer: somebody's long transaction must not cost anybody a lease.
    let mut tx = db.beside().await?;
    let written = tx
        .execute(query(
            "INSERT INTO lease(name, holder, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT(name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
             WHERE lease.holder = excluded.holder OR lease.expires_at <= $4",
            args![name, holder, expires, now],
        ))
        .await?;
    tx.commit().await?;
    Ok(written > 0)
}

/// Gives the lease up, where `holder` has it.
///
/// # Errors
/// The database fails.
pub async fn release(db: &Db, name: &str, holder: &str) -> Result<(), Error> {
    let mut tx = db.beside().await?;
    tx.execute(query("DELETE FROM lease WHERE name = $1 AND holder = $2", args![name, holder])).await?;
    tx.commit().await
}

/// Gives up every lease of a holder, which is about to end.
///
/// # Errors
/// The database fails.
pub async fn release_all(db: &Db, holder: &str) -> Result<(), Error> {
    let mut tx = db.beside().await?;
    tx.execute(query("DELETE FROM lease WHERE holder = $1", args![holder])).await?;
    tx.commit().await
}
