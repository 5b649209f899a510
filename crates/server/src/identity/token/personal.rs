//! The tokens that people make for programs of theirs. They carry some of what their owner may do, for a time.

use std::time::Duration;

use callboard_model::api::{NewPersonalToken, PersonalToken};
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Error, Row, args, query};
use chrono::{DateTime, SecondsFormat, Utc};

use super::secret::Fingerprint;
use crate::policy::{Limit, Permission};

/// What every token starts with, so that people and scanners of secrets know one when they see it.
const PREFIX: &str = "callboard_pat_";

/// How many one user may have: a program each, and some to spare.
const EACH: i64 = 50;

/// The longest that one is valid, in days.
const DAYS: u32 = 366;

/// The longest name and the most patterns of a token.
const NAME_CHARS: usize = 100;
const PATTERNS: usize = 50;

/// How exactly it is known when a token was last used: a write for each use would cost more than the use.
const USED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// All tokens that people made.
#[derive(Clone)]
pub struct PersonalTokens {
    db: Db,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Names it; no secret.
    pub id: String,
    /// Whose it is.
    pub user: EntityRef,
    /// What it carries.
    pub limit: Limit,
}

/// Why a token is not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Input(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
}

impl PersonalTokens {
    /// The tokens of a database whose tables are there.
    #[must_use]
    pub fn new(db: Db) -> PersonalTokens {
        PersonalTokens { db }
    }

    /// Makes one. The secret comes back with it and is not kept.
    ///
    /// # Errors
    /// [`MakeError`], for whoever asked.
    pub async fn make(
        &self,
        user: &EntityRef,
        wish: &NewPersonalToken,
        now: DateTime<Utc>,
    ) -> Result<(PersonalToken, String), MakeError> {
        check(wish).map_err(MakeError::Input)?;
        let id = hex::encode(rand::random::<[u8; 8]>());
        let secret = format!("{PREFIX}{id}_{}", hex::encode(rand::random::<[u8; 32]>()));
        let expires = now + chrono::Duration::days(i64::from(wish.days));
        let scope = serde_json::to_string(&wish.scope).map_err(|error| MakeError::Input(error.to_string()))?;
        let mut tx = self.db.begin().await?;
        tx.execute(query("DELETE FROM personal_token WHERE expires_at <= $1", args![now.timestamp_millis()])).await?;
        let count = query("SELECT COUNT(*) FROM personal_token WHERE user_ref = $1", args![user.to_string()]);
        let count: i64 = tx.fetch_all(count).await?.first().map_or(Ok(0), |row| row.get(0))?;
        if count >= EACH {
            return Err(MakeError::Input(format!(
                "you have {count} tokens, which is as many as there may be; revoke one"
            )));
        }
        tx.execute(query(
            "INSERT INTO personal_token(id, secret_sha256, user_ref, name, scope, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                &id,
                Fingerprint::of(secret.as_bytes()).hex(),
                user.to_string(),
                &wish.name,
                scope,
                now.timestamp_millis(),
                expires.timestamp_millis()
            ],
        ))
        .await?;
        tx.commit().await?;
        let token = PersonalToken {
            id,
            name: wish.name.clone(),
            scope: wish.scope.clone(),
            created_at: written(now.timestamp_millis()),
            expires_at: written(expires.timestamp_millis()),
            used_at: None,
        };
        Ok((token, secret))
    }

    /// Those of a user that are valid, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn of(&self, user: &EntityRef, now: DateTime<Utc>) -> Result<Vec<PersonalToken>, Error> {
        let select = query(
            "SELECT id, name, scope, created_at, expires_at, used_at FROM personal_token \
             WHERE user_ref = $1 AND expires_at > $2 ORDER BY created_at DESC, id",
            args![user.to_string(), now.timestamp_millis()],
        );
        self.db.fetch_all(select).await?.iter().map(token).collect()
    }

    /// Revokes one; whether there was one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn revoke(&self, user: &EntityRef, id: &str) -> Result<bool, Error> {
        let delete = "DELETE FROM personal_token WHERE user_ref = $1 AND id = $2";
        Ok(self.db.execute(query(delete, args![user.to_string(), id])).await? > 0)
    }

    /// What a secret stands for; none where it stands for nothing, or no longer.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find(&self, secret: &str, now: DateTime<Utc>) -> Result<Option<Found>, Error> {
        let Some((id, _)) = secret.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')) else { return Ok(None) };
        // By its hash: how long the database takes to compare says nothing of the secret.
        let select = query(
            "SELECT user_ref, scope, used_at FROM personal_token \
             WHERE id = $1 AND secret_sha256 = $2 AND expires_at > $3",
            args![id, Fingerprint::of(secret.as_bytes()).hex(), now.timestamp_millis()],
        );
        let Some(row) = self.db.fetch_optional(select).await? else { return Ok(None) };
        let (user, used): (String, Option<i64>) = (row.get("user_ref")?, row.get("used_at")?);
        let Ok(user) = EntityRef::parse(&user, None, None) else { return Ok(None) };
        let scope = scope(&row)?;
        let within = i64::try_from(USED_WITHIN.as_millis()).unwrap_or(i64::MAX);
        if used.is_none_or(|used| now.timestamp_millis().saturating_sub(used) >= within) {
            let update = "UPDATE personal_token SET used_at = $2 WHERE id = $1";
            self.db.execute(query(update, args![id, now.timestamp_millis()])).await?;
        }
        Ok(Some(Found { id: id.to_owned(), user, limit: Limit::patterns(scope) }))
    }
}

fn token(row: &Row) -> Result<PersonalToken, Error> {
    let time = |column: &str| row.get::<i64>(column).map(written);
    let used: Option<i64> = row.get("used_at")?;
    Ok(PersonalToken {
        id: row.get("id")?,
        name: row.get("name")?,
        scope: scope(row)?,
        created_at: time("created_at")?,
        expires_at: time("expires_at")?,
        used_at: used.map(written),
    })
}

/// What cannot be read gives nothing.
fn scope(row: &Row) -> Result<Vec<String>, Error> {
    let scope: String = row.get("scope")?;
    Ok(serde_json::from_str(&scope).unwrap_or_default())
}

fn written(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn check(wish: &NewPersonalToken) -> Result<(), String> {
    let chars = wish.name.trim().chars().count();
    if chars == 0 || chars > NAME_CHARS || wish.name.chars().any(char::is_control) {
        return Err(format!("name: say in 1 to {NAME_CHARS} characters what the token is for"));
    }
    if wish.days == 0 || wish.days > DAYS {
        return Err(format!("days: a token is valid for 1 to {DAYS} days"));
    }
    if wish.scope.is_empty() || wish.scope.len() > PATTERNS {
        return Err(format!("scope: name 1 to {PATTERNS} permissions, such as catalog.entity.read or catalog.*.read"));
    }
    let is_known = |pattern: &str| Permission::BUILT_IN.iter().any(|permission| permission.matches(pattern));
    // What plugins and the proxy name is known by its form only.
    let is_named = |pattern: &str| {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-*".contains(c))
        };
        let first = pattern.split('.').next().unwrap_or_default();
        pattern.contains('.')
            && pattern.split('.').all(is_word)
            && !Permission::BUILT_IN.iter().any(|permission| permission.api() == first)
    };
    match wish.scope.iter().find(|pattern| !is_known(pattern) && !is_named(pattern)) {
        Some(unknown) => Err(format!("scope: {} stands for no permission", unknown.escape_default())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes() {
        let check = |name: &str, scope: &[&str], days: u32, expected: Option<&str>| {
            let scope = scope.iter().map(ToString::to_string).collect();
            let found = super::check(&NewPersonalToken { name: name.to_owned(), scope, days }).err();
            assert_eq!(found.is_none(), expected.is_none(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{expected:?}");
        };
        check("ci", &["catalog.entity.read"], 30, None);
        check("ci", &["*"], 366, None);
        check("ci", &["s3.bucket.empty", "proxy.grafana.read"], 1, None);
        check("", &["*"], 30, Some("name"));
        check(" ", &["*"], 30, Some("name"));
        check("a\nb", &["*"], 30, Some("name"));
        check(&"x".repeat(101), &["*"], 30, Some("name"));
        check("ci", &[], 30, Some("scope"));
        check("ci", &["catalog.entity.raed"], 30, Some("catalog.entity.raed"));
        check("ci", &["read"], 30, Some("read"));
        check("ci", &["S3.x"], 30, Some("S3.x"));
        check("ci", &["*"], 0, Some("days"));
        check("ci", &["*"], 367, Some("days"));
    }
}
