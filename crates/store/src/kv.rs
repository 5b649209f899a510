//! What plugins keep between calls.

use crate::limits::{KV_KEY_BYTES, KV_KEYS_PER_PAGE, KV_PLUGIN_BYTES, KV_VALUE_BYTES};
use crate::{Db, Error, Tx, args, query};

/// The keys and values of all plugins.
#[derive(Clone)]
pub struct Kv {
    db: Db,
    limits: KvLimits,
}

/// What one plugin keeps. There is no way from it to another plugin's keys.
#[derive(Clone)]
pub struct Kept {
    kv: Kv,
    plugin: String,
    generation: i64,
}

/// How much a plugin may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvLimits {
    /// The bytes of one value.
    pub value_bytes: usize,
    /// The bytes of all keys and values of a plugin.
    pub plugin_bytes: u64,
}

/// Why a plugin's value was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// The key is empty or too long, or holds a NUL.
    #[error("a key has 1 to {KV_KEY_BYTES} bytes and none of them is NUL; this one is {0}")]
    Key(String),
    /// The value is too large.
    #[error("the value has {bytes} bytes, and one value may have {limit}")]
    Value {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The plugin keeps too much already.
    #[error("with this value the plugin would keep {bytes} bytes, and it may keep {limit}; delete keys first")]
    Full {
        /// What it would be.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Default for KvLimits {
    fn default() -> Self {
        KvLimits { value_bytes: KV_VALUE_BYTES, plugin_bytes: KV_PLUGIN_BYTES }
    }
}

impl Kv {
    /// With the usual limits.
    #[must_use]
    pub fn new(db: Db) -> Kv {
        Kv::with_limits(db, KvLimits::default())
    }

    /// With limits of their own.
    #[must_use]
    pub fn with_limits(db: Db, limits: KvLimits) -> Kv {
        Kv { db, limits }
    }

    /// What `plugin` keeps. An upgraded plugin works on a copy, which has another `generation`, so that a way back leads
    /// to what was there before: see [`crate::plugins`]. A plugin that was never upgraded has generation 0.
    #[must_use]
    pub fn of(&self, plugin: &str, generation: i64) -> Kept {
        Kept { kv: self.clone(), plugin: plugin.to_owned(), generation }
    }
}

impl Kept {
    /// The value of a key.
    ///
    /// # Errors
    /// The key is not one, or the database fails.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        check_key(key)?;
        let select = query(
            "SELECT value FROM plugin_kv WHERE plugin = $1 AND generation = $2 AND key = $3",
            args![self.plugin.as_str(), self.generation, key],
        );
        Ok(self.kv.db.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?)
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// It is over a limit, the key is not one, or the database fails.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        check_key(key)?;
        let limit = self.kv.limits.value_bytes;
        if value.len() > limit {
            return Err(KvError::Value { bytes: value.len(), limit });
        }
        let mut tx = self.kv.db.begin().await?;
        let before = self.size_of(&mut tx, key).await?;
        let used = self.usage(&mut tx).await?;
        let bytes = used.saturating_sub(before).saturating_add(to_u64(key.len())).saturating_add(to_u64(value.len()));
        let limit = self.kv.limits.plugin_bytes;
        // A plugin that is over a limit which was lowered may still replace a value by a smaller one.
        if bytes > limit && bytes > used {
            return Err(KvError::Full { bytes, limit });
        }
        tx.execute(query(
            "INSERT INTO plugin_kv(plugin, generation, key, value) VALUES ($1, $2, $3, $4) \
             ON CONFLICT(plugin, generation, key) DO UPDATE SET value = excluded.value",
            args![self.plugin.as_str(), self.generation, key, value],
        ))
        .await?;
        self.set_usage(&mut tx, bytes).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// The key is not one, or the database fails.
    pub async fn delete(&self, key: &str) -> Result<(), KvError> {
        check_key(key)?;
        let mut tx = self.kv.db.begin().await?;
        let before = self.size_of(&mut tx, key).await?;
        if before > 0 {
            let used = self.usage(&mut tx).await?;
            tx.execute(query(
                "DELETE FROM plugin_kv WHERE plugin = $1 AND generation = $2 AND key = $3",
                args![self.plugin.as_str(), self.generation, key],
            ))
            .await?;
            self.set_usage(&mut tx, used.saturating_sub(before)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The keys that begin with `prefix` and come after `after`, in order of their bytes, at most
    /// [`KV_KEYS_PER_PAGE`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, KvError> {
        // A range and not LIKE: no character of a prefix means anything, and the index serves it.
        let select = query(
            "SELECT key FROM plugin_kv WHERE plugin = $1 AND generation = $5 AND key >= $2 AND key > $3 \
             AND substr(key, 1, length($2)) = $2 ORDER BY key LIMIT $4",
            args![self.plugin.as_str(), prefix, after.unwrap_or_default(), KV_KEYS_PER_PAGE, self.generation],
        );
        let rows = self.kv.db.fetch_all(select).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
    }

    /// The bytes of a key and its value; 0 where there is none.
    async fn size_of(&self, tx: &mut Tx, key: &str) -> Result<u64, Error> {
        let select = query(
            "SELECT length(value) FROM plugin_kv WHERE plugin = $1 AND generation = $2 AND key = $3",
            args![self.plugin.as_str(), self.generation, key],
        );
        let value: Option<u64> = tx.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?;
        Ok(value.map_or(0, |bytes| bytes.saturating_add(to_u64(key.len()))))
    }

    async fn usage(&self, tx: &mut Tx) -> Result<u64, Error> {
        let select = query(
            "SELECT bytes FROM plugin_kv_usage WHERE plugin = $1 AND generation = $2",
            args![self.plugin.as_str(), self.generation],
        );
        tx.fetch_optional(select).await?.map_or(Ok(0), |row| row.get(0))
    }

    async fn set_usage(&self, tx: &mut Tx, bytes: u64) -> Result<(), Error> {
        tx.execute(query(
            "INSERT INTO plugin_kv_usage(plugin, generation, bytes) VALUES ($1, $2, $3) \
             ON CONFLICT(plugin, generation) DO UPDATE SET bytes = excluded.bytes",
            args![self.plugin.as_str(), self.generation, i64::try_from(bytes).unwrap_or(i64::MAX)],
        ))
        .await?;
        Ok(())
    }
}

/// Copies what a plugin keeps to another generation of it.
pub(crate) async fn copy(tx: &mut Tx, plugin: &str, from: i64, to: i64) -> Result<(), Error> {
    tx.execute(query(
        "INSERT INTO plugin_kv(plugin, generation, key, value) \
         SELECT plugin, $3, key, value FROM plugin_kv WHERE plugin = $1 AND generation = $2",
        args![plugin, from, to],
    ))
    .await?;
    tx.execute(query(
        "INSERT INTO plugin_kv_usage(plugin, generation, bytes) \
         SELECT plugin, $3, bytes FROM plugin_kv_usage WHERE plugin = $1 AND generation = $2",
        args![plugin, from, to],
    ))
    .await?;
    Ok(())
}

/// Forgets what a plugin keeps, but for these two generations of it.
pub(crate) async fn forget_all_but(tx: &mut Tx, plugin: &str, one: i64, other: i64) -> Result<(), Error> {
    for delete in [
        "DELETE FROM plugin_kv WHERE plugin = $1 AND generation <> $2 AND generation <> $3",
        "DELETE FROM plugin_kv_usage WHERE plugin = $1 AND generation <> $2 AND generation <> $3",
    ] {
        tx.execute(query(delete, args![plugin, one, other])).await?;
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), KvError> {
    if key.is_empty() || key.len() > KV_KEY_BYTES {
        return Err(KvError::Key(format!("{} bytes long", key.len())));
    }
    // SQLite's text functions end at a NUL, so that two keys could look the same to them.
    if key.contains('\0') { Err(KvError::Key(format!("{key:?}"))) } else { Ok(()) }
}

fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
