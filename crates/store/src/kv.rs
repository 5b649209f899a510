//! What plugins keep between calls.

use crate::limits::{KV_KEY_BYTES, KV_KEYS_PER_PAGE, KV_PLUGIN_BYTES, KV_VALUE_BYTES};
use crate::{Db, Error, Tx, args, query};

/// The keys and values of plugins. Each plugin sees its own only: the plugin's id is an argument of every call, and the
/// host sets it.
#[derive(Clone)]
pub struct Kv {
    db: Db,
    limits: KvLimits,
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

    /// The value of a key.
    ///
    /// # Errors
    /// The key is not one, or the database fails.
    pub async fn get(&self, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        check_key(key)?;
        let select = query("SELECT value FROM plugin_kv WHERE plugin = $1 AND key = $2", args![plugin, key]);
        Ok(self.db.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?)
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// It is over a limit, the key is not one, or the database fails.
    pub async fn set(&self, plugin: &str, key: &str, value: &[u8]) -> Result<(), KvError> {
        check_key(key)?;
        let limit = self.limits.value_bytes;
        if value.len() > limit {
            return Err(KvError::Value { bytes: value.len(), limit });
        }
        let mut tx = self.db.begin().await?;
        let before = size_of(&mut tx, plugin, key).await?;
        let used = usage(&mut tx, plugin).await?;
        let bytes = used.saturating_sub(before).saturating_add(to_u64(key.len())).saturating_add(to_u64(value.len()));
        let limit = self.limits.plugin_bytes;
        // A plugin that is over a limit which was lowered may still replace a value by a smaller one.
        if bytes > limit && bytes > used {
            return Err(KvError::Full { bytes, limit });
        }
        tx.execute(query(
            "INSERT INTO plugin_kv(plugin, key, value) VALUES ($1, $2, $3) \
             ON CONFLICT(plugin, key) DO UPDATE SET value = excluded.value",
            args![plugin, key, value],
        ))
        .await?;
        set_usage(&mut tx, plugin, bytes).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// The key is not one, or the database fails.
    pub async fn delete(&self, plugin: &str, key: &str) -> Result<(), KvError> {
        check_key(key)?;
        let mut tx = self.db.begin().await?;
        let before = size_of(&mut tx, plugin, key).await?;
        if before > 0 {
            let used = usage(&mut tx, plugin).await?;
            tx.execute(query("DELETE FROM plugin_kv WHERE plugin = $1 AND key = $2", args![plugin, key])).await?;
            set_usage(&mut tx, plugin, used.saturating_sub(before)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The keys that begin with `prefix` and come after `after`, in order of their bytes, at most
    /// [`KV_KEYS_PER_PAGE`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn keys(&self, plugin: &str, prefix: &str, after: Option<&str>) -> Result<Vec<String>, KvError> {
        // A range and not LIKE: no character of a prefix means anything, and the index serves it.
        let select = query(
            "SELECT key FROM plugin_kv WHERE plugin = $1 AND key >= $2 AND key > $3 \
             AND substr(key, 1, length($2)) = $2 ORDER BY key LIMIT $4",
            args![plugin, prefix, after.unwrap_or_default(), KV_KEYS_PER_PAGE],
        );
        let rows = self.db.fetch_all(select).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
    }
}

fn check_key(key: &str) -> Result<(), KvError> {
    if key.is_empty() || key.len() > KV_KEY_BYTES {
        return Err(KvError::Key(format!("{} bytes long", key.len())));
    }
    // SQLite's text functions end at a NUL, so that two keys could look the same to them.
    if key.contains('\0') { Err(KvError::Key(format!("{key:?}"))) } else { Ok(()) }
}

/// The bytes of a key and its value; 0 where there is none.
async fn size_of(tx: &mut Tx, plugin: &str, key: &str) -> Result<u64, Error> {
    let select = query("SELECT length(value) FROM plugin_kv WHERE plugin = $1 AND key = $2", args![plugin, key]);
    let value: Option<u64> = tx.fetch_optional(select).await?.map(|row| row.get(0)).transpose()?;
    Ok(value.map_or(0, |bytes| bytes.saturating_add(to_u64(key.len()))))
}

async fn usage(tx: &mut Tx, plugin: &str) -> Result<u64, Error> {
    let select = query("SELECT bytes FROM plugin_kv_usage WHERE plugin = $1", args![plugin]);
    tx.fetch_optional(select).await?.map_or(Ok(0), |row| row.get(0))
}

async fn set_usage(tx: &mut Tx, plugin: &str, bytes: u64) -> Result<(), Error> {
    tx.execute(query(
        "INSERT INTO plugin_kv_usage(plugin, bytes) VALUES ($1, $2) ON CONFLICT(plugin) DO UPDATE SET bytes = excluded.bytes",
        args![plugin, i64::try_from(bytes).unwrap_or(i64::MAX)],
    ))
    .await?;
    Ok(())
}

fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
