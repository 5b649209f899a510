//! What users keep for themselves: starred entities, the theme, whatever a page remembers for them.
//!
//! Every call names the user by their canonical ref, so nobody reaches what another one keeps.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::api::UserSettingName;
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Error, Migration, Row, Sql, Tx, args, migrate, query};
use serde_json::value::RawValue;

/// The most bytes of one value, as JSON: what Backstage takes, so that what was kept there can be kept here. Two thousand
/// starred entities are as large.
pub const VALUE_BYTES: usize = 100 * 1024;

/// The most bytes of a bucket's name, and of a key. Backstage has room for 255 characters of each; both together with a
/// ref fit into what PostgreSQL's index takes, which is 2,704 bytes.
pub const NAME_BYTES: usize = 1024;

/// The most keys of one user. A page has a few dozen; a script that uses this as its database is noticed.
pub const KEYS: u64 = 1_000;

/// The most bytes of all values of one user: fifty of the largest. Ten thousand users fill 50 GiB if all of them try, and
/// 50 MiB if they do what users do.
pub const USER_BYTES: u64 = 5 * 1024 * 1024;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "what users keep",
    sqlite: include_str!("../migrations/user_settings/0001.sqlite.sql"),
    postgres: include_str!("../migrations/user_settings/0001.postgres.sql"),
}];

/// What all users keep. Cheap to clone.
#[derive(Clone)]
pub struct UserSettings {
    db: Db,
}

/// Why a value was not kept, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// The bucket or the key is too long, or holds a NUL.
    #[error("the {what} must have at most {NAME_BYTES} bytes, none of which is NUL; this one has {bytes} bytes")]
    Name {
        /// `bucket` or `key`.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The value is too large.
    #[error("the value has {0} bytes as JSON, and one value may have {VALUE_BYTES}")]
    Value(usize),
    /// The user has too many keys already.
    #[error("you have {KEYS} settings already, which is the most that one user may have; delete some first")]
    Keys,
    /// The user keeps too much already.
    #[error("with this value your settings would have {0} bytes, and they may have {USER_BYTES}; delete some first")]
    Full(u64),
    /// The same keys are named again and again.
    #[error("the values of these items have more than {USER_BYTES} bytes together; name each key once")]
    Repeated,
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
}

impl UserSettings {
    /// Brings the table up to date.
    ///
    /// # Errors
    /// The database fails, or is newer than this program.
    pub async fn open(db: Db) -> Result<UserSettings, Error> {
        migrate(&db, "user_settings", MIGRATIONS).await?;
        Ok(UserSettings { db })
    }

    /// What a user keeps under a key.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, user: &EntityRef, name: &UserSettingName) -> Result<Option<Box<RawValue>>, Error> {
        let found = self.many(user, [name]).await?;
        Ok(found.into_values().next())
    }

    /// What a user keeps under some keys, in their order.
    ///
    /// # Errors
    /// They are named so often that the answer would be larger than all that a user may keep, or the database fails.
    pub async fn get_many(
        &self,
        user: &EntityRef,
        names: &[UserSettingName],
    ) -> Result<Vec<Option<Box<RawValue>>>, SettingError> {
        let found = self.many(user, names).await?;
        let bytes: usize = names.iter().filter_map(|name| found.get(name)).map(|value| value.get().len()).sum();
        if to_u64(bytes) > USER_BYTES {
            return Err(SettingError::Repeated);
        }
        Ok(names.iter().map(|name| found.get(name).cloned()).collect())
    }

    async fn many<'a>(
        &self,
        user: &EntityRef,
        names: impl IntoIterator<Item = &'a UserSettingName>,
    ) -> Result<BTreeMap<UserSettingName, Box<RawValue>>, Error> {
        // What cannot be kept is not there.
        let names: BTreeSet<&UserSettingName> = names.into_iter().filter(|name| check_name(name).is_ok()).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut sql = Sql::new();
        sql.push("WITH wanted(bucket, key) AS (VALUES ")
            .rows(names.into_iter().map(|name| args![&name.bucket, &name.key]))
            .push(") SELECT kept.bucket, kept.key, kept.value FROM wanted JOIN user_settings kept ")
            .push("ON kept.bucket = wanted.bucket AND kept.key = wanted.key WHERE kept.user_entity_ref = ")
            .bind(user.to_string());
        self.db.fetch_all(sql).await?.iter().map(read).collect()
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// It is over a limit, or the database fails.
    pub async fn set(&self, user: &EntityRef, name: &UserSettingName, value: &RawValue) -> Result<(), SettingError> {
        check_name(name)?;
        let value = value.get();
        if value.len() > VALUE_BYTES {
            return Err(SettingError::Value(value.len()));
        }
        let user = user.to_string();
        let mut tx = self.db.begin().await?;
        let (keys, bytes) = others(&mut tx, &user, name).await?;
        if keys >= KEYS {
            return Err(SettingError::Keys);
        }
        let bytes = bytes.saturating_add(to_u64(value.len()));
        if bytes > USER_BYTES {
            return Err(SettingError::Full(bytes));
        }
        tx.execute(query(
            "INSERT INTO user_settings(user_entity_ref, bucket, key, value) VALUES ($1, $2, $3, $4) \
             ON CONFLICT(user_entity_ref, bucket, key) DO UPDATE SET value = excluded.value",
            args![user, &name.bucket, &name.key, value.as_bytes()],
        ))
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a key, whether or not it is there.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete(&self, user: &EntityRef, name: &UserSettingName) -> Result<(), Error> {
        if check_name(name).is_err() {
            return Ok(());
        }
        let delete = query(
            "DELETE FROM user_settings WHERE user_entity_ref = $1 AND bucket = $2 AND key = $3",
            args![user.to_string(), &name.bucket, &name.key],
        );
        self.db.execute(delete).await?;
        Ok(())
    }
}

/// How many other keys a user has, and the bytes of their values.
async fn others(tx: &mut Tx, user: &str, name: &UserSettingName) -> Result<(u64, u64), Error> {
    let select = query(
        "SELECT count(*), coalesce(sum(length(value)), 0) FROM user_settings \
         WHERE user_entity_ref = $1 AND NOT (bucket = $2 AND key = $3)",
        args![user, &name.bucket, &name.key],
    );
    tx.fetch_optional(select).await?.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

fn read(row: &Row) -> Result<(UserSettingName, Box<RawValue>), Error> {
    let name = UserSettingName { bucket: row.get(0)?, key: row.get(1)? };
    let json = String::from_utf8(row.get(2)?).ok().and_then(|text| RawValue::from_string(text).ok());
    let json = json.ok_or_else(|| Error::Column { column: "value".to_owned(), reason: "is no JSON".to_owned() })?;
    Ok((name, json))
}

fn check_name(name: &UserSettingName) -> Result<(), SettingError> {
    for (what, text) in [("bucket", &name.bucket), ("key", &name.key)] {
        if text.len() > NAME_BYTES || text.contains('\0') {
            return Err(SettingError::Name { what, bytes: text.len() });
        }
    }
    Ok(())
}

fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
