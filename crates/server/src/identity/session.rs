//! Sessions: a random secret in a cookie, and its hash in the database.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Error, Known, Memo, Migration, args, migrate, query};
use chrono::Utc;
use sha2::{Digest, Sha256};

/// The cookie's name.
pub const NAME: &str = "callboard-session";

/// How long somebody stays signed in: a working day, and the evening after it.
pub const LIFETIME: Duration = Duration::from_secs(16 * 60 * 60);

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "sessions",
    sqlite: include_str!("../../migrations/0001.sqlite.sql"),
    postgres: include_str!("../../migrations/0001.postgres.sql"),
}];

/// Everybody who is signed in.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    /// By the hash of the secret.
    found: Arc<Memo<String, EntityRef>>,
}

/// Sessions that are remembered, in bytes: those of some thousand people.
const REMEMBERED: u64 = 1024 * 1024;

impl Sessions {
    /// Brings the server's tables up to date.
    ///
    /// # Errors
    /// The database fails, or is newer than this program.
    pub async fn open(db: Db) -> Result<Sessions, Error> {
        migrate(&db, "server", MIGRATIONS).await?;
        let weigh = |hash: &String, user: &EntityRef| hash.len() + user.name().len() + 200;
        Ok(Sessions { db, found: Arc::new(Memo::new(REMEMBERED, weigh)) })
    }

    /// Begins a session, and forgets those that are over. Returns the secret for the cookie.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start(&self, user: &EntityRef) -> Result<String, Error> {
        let secret = hex::encode(rand::random::<[u8; 32]>());
        let now = Utc::now().timestamp_millis();
        let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let mut tx = self.db.begin().await?;
        tx.execute(query("DELETE FROM session WHERE expires_at <= $1", args![now])).await?;
        tx.execute(query(
            "INSERT INTO session(secret_sha256, user_ref, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            args![hash(&secret), user.to_string(), now, now.saturating_add(lifetime)],
        ))
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Whose session this is; none where it is over or never was.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find(&self, secret: &str) -> Result<Option<EntityRef>, Error> {
        let hash = hash(secret);
        let seen = match self.found.get(&self.db, &hash) {
            Known::Value(user) => return Ok(Some(user)),
            Known::Nothing(seen) => seen,
        };
        let select = query(
            "SELECT user_ref FROM session WHERE secret_sha256 = $1 AND expires_at > $2",
            args![&hash, Utc::now().timestamp_millis()],
        );
        let Some(row) = self.db.fetch_optional(select).await? else { return Ok(None) };
        let user: String = row.get(0)?;
        let user = EntityRef::parse(&user, None, None).ok();
        if let Some(user) = &user {
            self.found.keep(hash, seen, user.clone());
        }
        Ok(user)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end(&self, secret: &str) -> Result<(), Error> {
        self.db.execute(query("DELETE FROM session WHERE secret_sha256 = $1", args![hash(secret)])).await?;
        Ok(())
    }
}

/// The secrets are 256 random bits, so one round of a plain hash is enough: there is nothing to guess.
fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// The secret in a request's cookie.
#[must_use]
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == NAME && !value.is_empty());
    values.next().map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use callboard_store::DatabaseConfig;

    use super::*;

    #[test]
    fn cookies() {
        fn check(cookies: &[&str], expected: Option<&str>) {
            let mut headers = HeaderMap::new();
            for value in cookies {
                headers.append(header::COOKIE, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(cookie(&headers).as_deref(), expected, "{cookies:?}");
        }
        check(&[], None);
        check(&["callboard-session=abc"], Some("abc"));
        check(&["a=b; callboard-session=abc; c=d"], Some("abc"));
        check(&["a=b", "callboard-session=abc"], Some("abc"));
        check(&["xcallboard-session=abc"], None);
        check(&["callboard-session="], None);
        check(&["callboard-session"], None);
    }

    #[tokio::test]
    async fn a_session_begins_and_ends() {
        let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        let sessions = Sessions::open(db.clone()).await.unwrap();
        let ada = EntityRef::parse("user:default/ada", None, None).unwrap();
        let secret = sessions.start(&ada).await.unwrap();
        let other = sessions.start(&ada).await.unwrap();
        assert_ne!(secret, other);
        assert_eq!(sessions.find(&secret).await.unwrap(), Some(ada.clone()));
        assert_eq!(sessions.find(&hash(&secret)).await.unwrap(), None, "the stored hash is no key");
        sessions.end(&secret).await.unwrap();
        assert_eq!(sessions.find(&secret).await.unwrap(), None);
        assert_eq!(sessions.find(&other).await.unwrap(), Some(ada.clone()));

        db.execute(query("UPDATE session SET expires_at = $1", args![Utc::now().timestamp_millis()])).await.unwrap();
        assert_eq!(sessions.find(&other).await.unwrap(), None, "it expired");
        sessions.start(&ada).await.unwrap();
        let rows = db.fetch_all(query("SELECT user_ref FROM session", args![])).await.unwrap();
        assert_eq!(rows.len(), 1, "what expired is forgotten");
    }
}
